"""What a person can put right in what they sent: a mutation answers it as data, not as an error."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import strawberry

from connectors.port.errors import Rejected
from schema.context import Context
from schema.problems import Problem, ProblemCode, Problems
from schema.texts import N_
from schema.written import can_be_kept, one_line

P = TypeVar("P")


def _value(code: str, description: str) -> Any:
    return strawberry.enum_value(code, description=description)


@strawberry.enum(description="What is wrong with an input. New codes may come.")
class UserErrorCode(Enum):
    REQUIRED = _value("REQUIRED", "It is missing or empty.")
    TOO_LONG = _value("TOO_LONG", "It has more characters than it may have.")
    TOO_SHORT = _value("TOO_SHORT", "It has fewer characters than it must have.")
    INVALID = _value("INVALID", "It is not of the form it must have, or not right.")
    NOT_FOUND = _value("NOT_FOUND", "There is no such thing, or it is not the viewer's to see.")
    NOT_ALLOWED = _value("NOT_ALLOWED", "This person may not do this.")
    CONFLICT = _value("CONFLICT", "It does not go together with what is there already.")
    EXPIRED = _value("EXPIRED", "Its time is over, or it was used; ask for a new one.")
    WRONG_CREDENTIALS = _value("WRONG_CREDENTIALS", "Address and password do not go together.")
    TOO_MANY_ATTEMPTS = _value("TOO_MANY_ATTEMPTS", "Tried too often; `retryAt` says when again.")
    FILE_TOO_LARGE = _value("FILE_TOO_LARGE", "The file has more bytes than it may have.")
    FILE_TYPE_NOT_ALLOWED = _value("FILE_TYPE_NOT_ALLOWED", "Files of this type are not taken.")
    TOO_MANY_FILES = _value("TOO_MANY_FILES", "More files than one request may bring.")
    FILE_INFECTED = _value("FILE_INFECTED", "The file holds something harmful.")


@strawberry.type(description="Something in the input that its sender can put right.")
class UserError:
    code: UserErrorCode = strawberry.field(description="A stable code to switch on.")
    message: str = strawberry.field(description="For a person, in the language of the request.")
    field: list[str] | None = strawberry.field(
        description='Where in the input: ["input", "description"]. Null: about the whole.'
    )
    retry_at: datetime | None = strawberry.field(
        default=None, description="When it makes sense to try again; null: once it is put right."
    )


def user_errors(context: Context, problems: Iterable[Problem]) -> list[UserError]:
    """Problems in the caller's language."""
    return [
        UserError(
            code=UserErrorCode[problem.code.value],
            message=context.say(problem.text, **problem.values),
            field=list(problem.field) if problem.field else None,
            retry_at=problem.retry_at,
        )
        for problem in problems
    ]


def told(
    payload: Callable[..., P],
) -> Callable[[Callable[..., Awaitable[P | None]]], Callable[..., Awaitable[P | None]]]:
    """Makes a mutation answer `Problems` as a payload that holds nothing but user errors. payload:
    its type; every other field of it has a default."""

    def wrap(resolve: Callable[..., Awaitable[P | None]]) -> Callable[..., Awaitable[P | None]]:
        @functools.wraps(resolve)
        async def run(self: Any, info: strawberry.Info, **arguments: Any) -> P | None:
            try:
                return await resolve(self, info, **arguments)
            except Problems as raised:
                return payload(user_errors=user_errors(info.context, raised.problems))
            except Rejected as rejected:
                if rejected.field is None:
                    raise
                return payload(user_errors=user_errors(info.context, [_not_taken(rejected.field)]))

        run.__signature__ = inspect.signature(resolve)  # type: ignore[attr-defined]
        return run

    return wrap


def _not_taken(name: str) -> Problem:
    head, *rest = name.split("_")
    path = ("input", head + "".join(map(str.capitalize, rest)))
    return Problem(ProblemCode.INVALID, N_("This was not accepted."), field=path)


#: Of a form, in the words of the portal's help text.
REQUIRED = N_("Error: this field is required.")
_TOO_LONG = N_("This is longer than {most} characters.")
_UNUSABLE = N_("This holds characters that cannot be used.")


class Bounds:
    """Collects everything that is wrong with the texts of an input, before anything is run."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def text(self, name: str, value: str | None, most: int, *, needed: bool = False) -> str | None:
        """The text of `input.name` on one line, trimmed. None when it was left out."""
        if value is None and not needed:
            return None
        clean = one_line(value or "")
        if needed and not clean:
            self.tell(ProblemCode.REQUIRED, N_("This is needed."), name)
        elif not clean.isprintable():
            self.tell(ProblemCode.INVALID, _UNUSABLE, name)
        self.secret(name, clean, most, needed=False)
        return clean

    def secret(self, name: str, value: str | None, most: int, *, needed: bool = True) -> None:
        """A text that is taken as it is: a password, a token."""
        if needed and not value:
            self.tell(ProblemCode.REQUIRED, N_("This is needed."), name)
        if value and len(value) > most:
            self.tell(ProblemCode.TOO_LONG, _TOO_LONG, name, most=most)

    def written(self, path: Sequence[str], text: str, most: int, *, needed: bool = False) -> bool:
        """Whether a text of a form, brought into shape, is there and can be taken. path: inside the
        input. An empty one that is not needed is no problem, and False."""
        before = len(self._problems)
        if needed and not text:
            self.tell(ProblemCode.REQUIRED, REQUIRED, *path)
        if len(text) > most:
            self.tell(ProblemCode.TOO_LONG, _TOO_LONG, *path, most=most)
        elif not can_be_kept(text):
            self.tell(ProblemCode.INVALID, _UNUSABLE, *path)
        return bool(text) and len(self._problems) == before

    def tell(self, code: ProblemCode, text: str, *path: str, **values: object) -> None:
        """One problem more. path: inside the input; none: about the whole of it."""
        self.add(Problem(code, text, values, ("input", *path)))

    def add(self, *problems: Problem) -> None:
        """Problems that were found elsewhere."""
        self._problems += problems

    @property
    def found(self) -> bool:
        """Whether anything is wrong so far."""
        return bool(self._problems)

    def problems(self) -> Problems:
        """All that was found."""
        return Problems(*self._problems)

    def check(self) -> None:
        """Raises Problems when there are any."""
        if self._problems:
            raise self.problems()
