"""What every test runs under: asyncio as the loop, and properties that fail by no clock."""

import os

import pytest
from hypothesis import settings

# Deadlines measure the machine, not the code. On CI the examples are the same each time, so that a
# red build is red again for whoever looks into it; elsewhere they vary and find more.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture
def anyio_backend() -> str:
    """The gateway runs on asyncio alone (uvloop, aiodataloader), so its tests do too."""
    return "asyncio"
