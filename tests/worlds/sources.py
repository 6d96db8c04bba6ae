"""The port over a world in memory: what a connector must do, and what the wall and the graph must
bear when it does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from connectors.port.errors import Unreadable
from connectors.port.fields import NOT_FETCHED, Fields, inside, own
from connectors.port.pages import Page, Slice
from connectors.port.queries import (
    CaseQuery,
    ContactQuery,
    OrderQuery,
)
from connectors.port.records import (
    Account,
    Address,
    Attachment,
    Case,
    CaseComment,
    CaseStatusChange,
    Contact,
    Content,
    CreditPosition,
    Delivery,
    Identity,
    Invoice,
    Membership,
    Order,
    OrderLine,
)
from connectors.port.scope import AccountRef, Scope
from tests.worlds.memory import Memory, bare, by_id, holds, listed
from tests.worlds.world import Person

R = TypeVar("R")


class Customers(Memory):
    """A CustomerSource."""

    async def identity_by_email(self, email: str) -> Identity | None:
        self.begin("identity_by_email")
        known = [person for person in self.world.people if person.email == email.lower()]
        if len(known) > 1:
            raise Unreadable("crm", "identity_by_email: more than one contact has this address")
        return self._identity(known[0]) if known else None

    async def identity_by_contact(self, contact_id: str) -> Identity | None:
        self.begin("identity_by_contact")
        person = self.person(contact_id)
        return self._identity(person) if person else None

    def _identity(self, person: Person) -> Identity:
        accounts = self.world.accounts
        memberships = tuple(
            Membership(accounts[r.account_id].owner, r.role, r.valid_from, r.valid_to)
            for r in person.relations
            if r.active and r.account_id in accounts
        )
        contact = person.contact
        return Identity(contact.id, contact.email or "", contact.name, memberships, contact.locale)

    async def accounts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Account | None]:
        self.begin("accounts_by_id")
        return [self.account(key, fields, scope) for key in ids]

    async def contacts_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Contact | None]:
        self.begin("contacts_by_id")
        people = map(self.person, ids)
        return [self.contact(person, fields, scope) if person else None for person in people]

    async def contacts_by_account(self, query: ContactQuery) -> Page[Contact]:
        self.begin("contacts_by_account")
        scope, fields = query.scope, query.fields
        if not self.manner.scoped:
            seen = [self.contact(person, fields, scope) for person in self.world.people]
            return listed([one for one in seen if one], query.part, "name")
        through = scope.by_id(query.account_id)
        found = [
            self.contact(person, fields, scope, through)
            for person in self.world.people
            if through and through.id in person.accounts
        ]
        return listed([one for one in found if one], query.part, "name")


class Cases(Memory):
    """A CaseSource."""

    def _case(self, case: Case, fields: Fields, scope: Scope) -> Case | None:
        owner = self.owner(case.owner, scope)
        if owner is None:
            return None
        shown = replace(self.shown(case, fields), owner=owner)
        person = self.person(case.contact_id)
        if not self.manner.scoped:
            # The wrong company and the wrong person, as a join of the wrong tables gives them.
            accounts = list(self.world.accounts.values())
            contact = self.contact(person, fields, scope) if person else None
            return replace(shown, contact=contact, account=accounts[len(case.id) % len(accounts)])
        if self.manner.embeds and "account" in own(fields):
            inner = self.account(owner.id, inside(fields, "account"), scope)
            shown = replace(shown, account=inner)
        if self.manner.embeds and "contact" in own(fields):
            wanted = inside(fields, "contact")
            shown = replace(shown, contact=self.contact(person, wanted, scope) if person else None)
        return shown

    def _seen(self, fields: Fields, scope: Scope) -> list[tuple[Case, Case]]:
        """Each visible case as it is, and as it is shown."""
        pairs = ((case, self._case(case, fields, scope)) for case in self.world.cases)
        return [(case, shown) for case, shown in pairs if shown is not None]

    async def find_cases(self, query: CaseQuery) -> Page[Case]:
        self.begin("find_cases")
        fields = query.fields | {query.sort.value}
        found = [s for case, s in self._seen(fields, query.scope) if _case_fits(case, query)]
        part, descending = query.part, query.descending
        return listed(found, part, query.sort.value, descending, query.with_total)

    async def cases_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Case | None]:
        self.begin("cases_by_id")
        return by_id([shown for _, shown in self._seen(fields, scope)], ids)

    async def cases_by_order(
        self, order_numbers: Sequence[str], fields: Fields, scope: Scope, part: Slice
    ) -> list[Page[Case]]:
        self.begin("cases_by_order")
        seen = self._seen(fields | {"created_at"}, scope)

        def of(number: str) -> list[Case]:
            return [s for case, s in seen if bare(case.order_number or "") == bare(number)]

        return [listed(of(number), part, "created_at", True) for number in order_numbers]

    async def comments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[CaseComment]]:
        self.begin("comments_by_case")
        return self._of_cases(self.world.comments, case_ids, fields, scope)

    async def attachments_by_case(
        self, case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Attachment]]:
        self.begin("attachments_by_case")
        return self._of_cases(self.world.attachments, case_ids, fields, scope)

    async def comments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[CaseComment | None]:
        self.begin("comments_by_id")
        return by_id(self._owned(self.world.comments, fields, scope), ids)

    async def attachments_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Attachment | None]:
        self.begin("attachments_by_id")
        return by_id(self._owned(self.world.attachments, fields, scope), ids)

    async def status_changes_by_case(
        self, case_ids: Sequence[str], scope: Scope
    ) -> list[list[CaseStatusChange]]:
        self.begin("status_changes_by_case")
        return self._of_cases(self.world.changes, case_ids, frozenset(), scope)

    async def attachment_content(
        self, attachment_id: str, scope: Scope, first: int = 0
    ) -> Content | None:
        self.begin("attachment_content")
        owned = self._owned(self.world.attachments, frozenset(), scope)
        [file] = by_id(owned, [attachment_id])
        if file is None:
            return None
        data = f"the file {attachment_id}".encode()
        return Content(file.owner, len(data), _bytes(data[first:]), _closed)

    def _of_cases(
        self, rows: Sequence[Any], case_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Any]]:
        """Careless: those of all cases, for each."""
        found = self._owned(rows, fields, scope)
        alike = not self.manner.scoped
        return [[row for row in found if alike or row.case_id == key] for key in case_ids]

    def _owned(self, rows: Sequence[Any], fields: Fields, scope: Scope) -> list[Any]:
        owned = ((row, self.owner(row.owner, scope)) for row in rows)
        return [replace(self.shown(row, fields), owner=owner) for row, owner in owned if owner]


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _closed() -> None: ...


def _case_fits(case: Case, query: CaseQuery) -> bool:
    among = (
        (query.categories, case.category),
        (query.subcategories, case.subcategory),
        (query.statuses, case.status),
    )
    return (
        all(values is None or value in values for values, value in among)
        and (query.number is None or bare(query.number) == bare(case.number or ""))
        and (query.created_from is None or query.created_from <= case.created_at)
        and (query.created_before is None or case.created_at < query.created_before)
        and (query.search is None or holds(query.search, case.subject, case.description))
        and (
            query.order_numbers is None
            or bare(case.order_number or "") in map(bare, query.order_numbers)
        )
    )


class Orders(Memory):
    """An OrderSource."""

    def _order(self, order: Order, fields: Fields, scope: Scope) -> Order | None:
        owner = self.buyer(order.owner, scope)
        if owner is None:
            return None
        shown = replace(self.shown(order, fields), owner=owner)
        if not self.manner.spare:
            return shown
        inner: dict[str, Any] = {}
        for name in ("lines", "deliveries", "invoices"):
            rows = getattr(shown, name)
            if rows is not NOT_FETCHED:
                parts = [self.shown(row, inside(fields, name)) for row in rows]
                inner[name] = parts if self.manner.embeds else NOT_FETCHED
        return replace(shown, **inner)

    def _seen(self, fields: Fields, scope: Scope) -> list[tuple[Order, Order]]:
        pairs = ((order, self._order(order, fields, scope)) for order in self.world.orders)
        return [(order, shown) for order, shown in pairs if shown is not None]

    async def find_orders(self, query: OrderQuery) -> Page[Order]:
        self.begin("find_orders")
        fields = query.fields | {query.sort.value}
        found = [s for order, s in self._seen(fields, query.scope) if _order_fits(order, query)]
        part, descending = query.part, query.descending
        return listed(found, part, query.sort.value, descending, query.with_total)

    async def orders_by_id(
        self, ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        self.begin("orders_by_id")
        return by_id([shown for _, shown in self._seen(fields, scope)], ids)

    async def orders_by_number(
        self, numbers: Sequence[str], fields: Fields, scope: Scope
    ) -> list[Order | None]:
        self.begin("orders_by_number")
        found = {bare(order.number): shown for order, shown in self._seen(fields, scope)}
        return [found.get(bare(number)) for number in numbers]

    async def lines_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[OrderLine]]:
        self.begin("lines_by_order")
        return self._inside("lines", order_ids, fields, scope)

    async def deliveries_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Delivery]]:
        self.begin("deliveries_by_order")
        return self._inside("deliveries", order_ids, fields, scope)

    async def invoices_by_order(
        self, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Invoice]]:
        self.begin("invoices_by_order")
        return self._inside("invoices", order_ids, fields, scope)

    def _inside(
        self, name: str, order_ids: Sequence[str], fields: Fields, scope: Scope
    ) -> list[list[Any]]:
        known = {order.id: order for order in self.world.orders if self.buyer(order.owner, scope)}
        rows = (getattr(known[key], name) if key in known else [] for key in order_ids)
        return [[self.shown(row, fields) for row in found] for found in rows]

    async def credit_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[CreditPosition | None]:
        self.begin("credit_by_account")
        return [self._of_account(self.world.credits, ref, scope) for ref in accounts]

    async def shipping_addresses_by_account(
        self, accounts: Sequence[AccountRef], scope: Scope
    ) -> list[list[Address] | None]:
        self.begin("shipping_addresses_by_account")
        return [self._of_account(self.world.addresses, ref, scope) for ref in accounts]

    def _of_account(self, rows: Mapping[str, R], ref: AccountRef, scope: Scope) -> R | None:
        return rows.get(ref.id) if self.buyer(ref, scope) else None


def _order_fits(order: Order, query: OrderQuery) -> bool:
    reference = order.customer_reference or ""
    wanted = query.customer_reference
    return (
        (query.statuses is None or order.status in query.statuses)
        and (query.number is None or bare(query.number) == bare(order.number))
        and (wanted is None or wanted.casefold() in reference.casefold())
        and (query.ordered_from is None or query.ordered_from <= order.ordered_on)
        and (query.ordered_to is None or order.ordered_on <= query.ordered_to)
        and (query.search is None or holds(query.search, order.number, reference))
    )
