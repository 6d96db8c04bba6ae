"""What happens to a case beside what is said and sent, as callers see it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from connectors.port import records
from schema.access import CASES_READ, Authorized
from schema.batched import batched, derived
from schema.cases import loaders
from schema.cases.filters import CaseStatus
from schema.cases.service import Rejection
from schema.cases.timeline import Opening
from schema.context import Context
from schema.recognition import instances_of
from schema.user_errors import UserErrorCode

if TYPE_CHECKING:
    from schema.customers.types import Contact

_CUSTOMERS = strawberry.lazy("schema.customers.types")


def _why(refused: Rejection, context: Context) -> str:
    return context.say(refused.problem.text, **refused.problem.values)


def _code(refused: Rejection, context: Context) -> UserErrorCode:
    return UserErrorCode[refused.problem.code.value]


@strawberry.enum(description="What can be sent.")
class CaseSubmission(Enum):
    CASE = strawberry.enum_value("CASE", description="A new case.")
    COMMENT = strawberry.enum_value("COMMENT", description="A comment.")
    FILE = strawberry.enum_value("FILE", description="A file.")
    CLOSING = strawberry.enum_value("CLOSING", description="That the case is over.")


@strawberry.type(description="That a case was opened.", directives=[Authorized(scope=CASES_READ)])
class CaseOpened:
    at: datetime = strawberry.field(description="When.")
    contact: Annotated[Contact, _CUSTOMERS] | None = batched(
        loaders.contact_of_author,
        asks="customers",
        description="Who opened it. Null when that person is no longer with the customer.",
    )

    is_type_of = instances_of(Opening)


@strawberry.type(
    description="That a case went from one status to another.",
    directives=[Authorized(scope=CASES_READ)],
)
class CaseStatusChanged:
    at: datetime = strawberry.field(description="When.")
    before: CaseStatus | None = strawberry.field(
        name="from", description="What it was, where the CRM tells."
    )
    after: CaseStatus = strawberry.field(name="to", description="What it has been since.")

    is_type_of = instances_of(records.CaseStatusChange)


@strawberry.type(
    description="That the CRM refused something which had been taken in already.",
    directives=[Authorized(scope=CASES_READ)],
)
class CaseRejection:
    at: datetime = strawberry.field(description="When.")
    what: CaseSubmission = strawberry.field(description="What was refused.")
    subject: str | None = strawberry.field(
        description="Which one: the comment's beginning or the file's name."
    )
    code: UserErrorCode = derived(_code, description="Why: a stable code to switch on.")
    message: str = derived(_why, description="Why, for a person, in the caller's language.")

    is_type_of = instances_of(Rejection)
