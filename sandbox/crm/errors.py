"""What the CRM refuses, in the vendor's words and shape: an array of objects with an error code."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """The answer is this error. fields: the fields at fault, where the vendor names them."""

    def __init__(
        self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class QueryRefusal(Refusal):
    """A statement that cannot be run; the message points at the place, as the vendor's does."""

    def __init__(self, code: str, message: str, statement: str, at: int) -> None:
        row = statement.count("\n", 0, at) + 1
        column = at - statement.rfind("\n", 0, at)
        start, end = max(0, at - 40), at + 40
        excerpt = statement[start:end].replace("\n", " ")
        pointer = " " * (at - start) + "^"
        text = f"\n{excerpt}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{message}"
        super().__init__(400, code, text)


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal(404, "NOT_FOUND", message)


def no_such_column(name: str, entity: str) -> str:
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom "
        "field, be sure to append the '__c' after the custom field name. Please reference your "
        "WSDL or the describe call for the appropriate names."
    )


def no_such_relationship(name: str) -> str:
    return (
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )


def no_such_object(name: str) -> str:
    return (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, "
        "be sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names."
    )
