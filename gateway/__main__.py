"""The program: `python -m gateway`, and the command `portal-gateway`."""

import gc

# What a start makes stays. Looking through all of it for garbage, again and again while it grows,
# would take a fifth of the start; `cli.py` puts the collector back.
gc.disable()

from gateway.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
