"""What people change of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from connectors.port import records
from connectors.port.fields import Fields
from schema.access import Authorized
from schema.batched import batched
from schema.context import Context
from schema.customers.loaders import contacts_by_id
from schema.customers.types import Contact
from schema.errors import NotAllowed
from schema.events import Event, What
from schema.price import asks
from schema.problems import Problem, ProblemCode, Problems
from schema.scalars import LanguageTag
from schema.texts import N_
from schema.user_errors import Bounds, UserError, told
from schema.written import is_phone

#: Most characters that are taken in.
NAME, PHONE, TITLE = 80, 40, 128


@strawberry.input(
    description="What to change; what is left out stays. An empty phone or job title removes it."
)
class UpdateProfileInput:
    name: str | None = strawberry.field(default=None, description="Full name.")
    phone: str | None = strawberry.field(default=None, description="Telephone number.")
    job_title: str | None = strawberry.field(default=None, description="What the person does.")
    locale: LanguageTag | None = strawberry.field(
        default=None, description="The language they like to read."
    )


async def _contact_of_update(
    parents: Sequence[UpdateProfilePayload], context: Context, fields: Fields
) -> Sequence[records.Contact | None]:
    if not any(parent.contact_id for parent in parents):
        return [None] * len(parents)
    ids = [parent.contact_id for parent in parents if parent.contact_id]
    found = dict(zip(ids, await contacts_by_id(context, ids, fields), strict=True))
    return [found.get(parent.contact_id or "") for parent in parents]


@strawberry.type(description="The profile as it is now, or what to put right.")
class UpdateProfilePayload:
    contact_id: strawberry.Private[str | None] = None
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="What to put right; empty when it was done."
    )
    contact: Contact | None = batched(
        _contact_of_update, asks="customers", description="The person, read again from the CRM."
    )


@strawberry.type
class CustomerMutations:
    @strawberry.mutation(
        description="Change one's own profile. It is written to the CRM.",
        directives=[Authorized()],
        metadata=asks("customers"),
    )
    @told(UpdateProfilePayload)
    async def update_profile(
        self,
        info: strawberry.Info,
        input: Annotated[  # noqa: A002
            UpdateProfileInput, strawberry.argument(description="What is needed for it.")
        ],
    ) -> UpdateProfilePayload | None:
        context: Context = info.context
        caller, changes = context.required_caller(), _changes(input)
        writer: Any = context.sources.customer_writer
        if writer is None:
            raise NotAllowed(N_("Profiles cannot be changed here."))
        if not await writer.update_contact(caller.contact_id, changes, caller.scope):
            text = N_("The CRM knows no such person in your companies.")
            raise Problems(Problem(ProblemCode.NOT_FOUND, text))
        context.forget(caller.email)
        context.events.publish(Event(What.CONTACT_CHANGED, caller.contact_id))
        changed = [name for name in changes.__slots__ if getattr(changes, name) is not None]
        await context.note(
            "profile.changed",
            who=caller.email,
            whose=caller.contact_id,
            what=" ".join(changed),
            outcome="OK",
        )
        return UpdateProfilePayload(contact_id=caller.contact_id)


def _changes(given: UpdateProfileInput) -> records.ContactChanges:
    """Raises Problems that tell everything that is wrong."""
    bounds = Bounds()
    name = bounds.text("name", given.name, NAME, needed=given.name is not None)
    phone = bounds.text("phone", given.phone, PHONE)
    title = bounds.text("jobTitle", given.job_title, TITLE)
    if phone and len(phone) <= PHONE and not is_phone(phone):
        bounds.tell(ProblemCode.INVALID, N_("This is no telephone number."), "phone")
    changes = records.ContactChanges(name, phone, title, given.locale)
    if changes == records.ContactChanges():
        bounds.tell(ProblemCode.REQUIRED, N_("Nothing to change was given."))
    bounds.check()
    return changes
