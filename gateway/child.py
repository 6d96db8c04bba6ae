"""The sandbox as a process of its own: started with the gateway, stopped with it."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass

_LISTENING = re.compile(r"listening on (http://\S+)")
#: Seconds to build the sample data on the first start, and to stop.
_START, _STOP = 120, 5


class ChildError(RuntimeError):
    """The child process did not do what it was started for."""


@dataclass(slots=True)
class Child:
    """A running child and the address it listens on."""

    process: subprocess.Popen[str]
    url: str

    @classmethod
    def start(cls, command: Sequence[str]) -> Child:
        """Starts a server and waits until it says where it listens. It ends with its standard
        input, so it never outlives us. Raises ChildError."""
        process = subprocess.Popen(  # noqa: S603 - the command is our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None  # noqa: S101 - asked for above
        late = threading.Timer(_START, process.kill)
        late.start()
        try:
            for line in process.stdout:
                match = _LISTENING.search(line)
                if match:
                    return cls(process, match[1])
        finally:
            late.cancel()
        process.wait()
        raise ChildError(f"{command[2]} ended before it listened (exit {process.returncode})")

    @staticmethod
    def run(command: Sequence[str]) -> None:
        """Runs a command to its end. Raises ChildError."""
        done = subprocess.run(command, check=False)  # noqa: S603 - the command is our own
        if done.returncode:
            raise ChildError(f"{command[2]} failed (exit {done.returncode})")

    def stop(self) -> None:
        """Ends the child, in its own time if that is short."""
        self.process.terminate()
        try:
            self.process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
