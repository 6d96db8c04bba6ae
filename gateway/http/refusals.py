"""A request that is not run, and what its sender is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.operations import errors
from schema.texts import say


class Refusal(Exception):
    """status: of an answer over HTTP. text: English, or a message id of the catalogues with
    {placeholders}, which values fill. code: what programs switch on. headers: of the answer.
    extensions: of the error."""

    def __init__(
        self,
        status: int,
        text: str,
        *,
        code: str = errors.BAD_REQUEST,
        values: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code
        self.values, self.headers = dict(values or {}), dict(headers or {})
        self.extensions = dict(extensions or {})

    def told(self, language: str) -> dict[str, Any]:
        """The error, as callers get it."""
        text = say(language, self.text, self.values)
        return errors.refusal(self.code, text, **self.extensions)
