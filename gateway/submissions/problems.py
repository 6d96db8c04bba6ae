"""What customers are told when something that they sent is not taken."""

from __future__ import annotations

from datetime import datetime

from connectors.port.errors import Rejected
from schema.problems import Problem, ProblemCode
from schema.texts import N_


def other_input() -> Problem:
    text = N_("This key was used for something else already. Send it with a new key.")
    return Problem(ProblemCode.CONFLICT, text, field=("input", "idempotencyKey"))


def too_many(retry_at: datetime) -> Problem:
    text = N_("Too much is waiting for the service system. Try again later.")
    return Problem(ProblemCode.TOO_MANY_ATTEMPTS, text, retry_at=retry_at)


def file_gone(path: tuple[str, ...] | None) -> Problem:
    text = N_("A file is not there any more, or is attached already. Send it again.")
    return Problem(ProblemCode.EXPIRED, text, field=path)


def no_such_case() -> Problem:
    return Problem(ProblemCode.NOT_FOUND, N_("There is no such case."))


def case_not_taken() -> Problem:
    text = N_("The case that this belongs to was not accepted by the service system.")
    return Problem(ProblemCode.CONFLICT, text)


def case_gone() -> Problem:
    return Problem(ProblemCode.NOT_FOUND, N_("The service system has no such case any more."))


def withdrawn() -> Problem:
    text = N_("This could not be delivered and was withdrawn. Contact the support desk.")
    return Problem(ProblemCode.CONFLICT, text)


def not_taken(error: Rejected) -> Problem:
    """Why the CRM refused it, as far as its sender can act on it."""
    if error.field is None:
        return Problem(ProblemCode.INVALID, N_("The service system did not accept this."))
    head, *rest = error.field.split("_")
    path = ("input", head + "".join(map(str.capitalize, rest)))
    return Problem(ProblemCode.INVALID, N_("This was not accepted."), field=path)
