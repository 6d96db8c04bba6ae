"""What plans leave to graphql-core."""

from __future__ import annotations


class NotCompiled(Exception):
    """The operation is for graphql-core to run. reason: in a word, for the operators; see
    gateway.telemetry.executions."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
