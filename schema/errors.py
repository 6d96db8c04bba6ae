"""What a caller can do wrong, as exceptions that carry a stable code and a text to translate.

The texts are message ids of the catalogues in `locale/`; `gateway.operations` turns an error into
its GraphQL form in the caller's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """text: an English message id with {placeholders}; values fill them; extensions go along."""

    code = "API_ERROR"

    def __init__(
        self,
        text: str,
        values: Mapping[str, object] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.values = dict(values or {})
        self.extensions = dict(extensions or {})


class InputError(ApiError):
    """An argument that is well formed GraphQL and still wrong. argument: dotted, from the field's
    argument inwards: "filter.createdOn"."""

    code = "BAD_USER_INPUT"

    def __init__(self, argument: str, text: str, **values: object) -> None:
        super().__init__(text, {"argument": argument, **values}, {"argument": argument})


class Unauthenticated(ApiError):
    """The field needs to know who is asking."""

    code = "UNAUTHENTICATED"


class NotAllowed(ApiError):
    """The caller is known and may not do this."""

    code = "NOT_ALLOWED"
