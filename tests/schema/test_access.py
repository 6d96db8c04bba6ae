"""Who may ask for what: nothing goes undeclared, and what is declared is checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type, graphql

from connectors.port.errors import Unavailable
from connectors.port.records import Membership
from connectors.port.records import MembershipRole as Role
from connectors.port.scope import AccountRef, Scope
from schema.access import (
    SCOPES,
    Anonymous,
    Authorized,
    Guard,
    MembershipRole,
    Undeclared,
    check_role,
    enforced,
)
from schema.context import Caller, Context
from schema.errors import NotAllowed, Unauthenticated
from schema.nodes import Node, to_global
from schema.root import SCHEMA
from schema.scalars import CONFIG

pytestmark = pytest.mark.anyio

OWN, OTHER = AccountRef("a1"), AccountRef("a2")
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def person(*roles: tuple[AccountRef, Role]) -> Caller:
    memberships = tuple(Membership(account, role) for account, role in roles)
    scope = Scope(account for account, _ in roles)
    return Caller("c1", "ana@andina.example", "Ana", memberships, scope, NOW)


def program(*scopes: str, acting_for: AccountRef | None = None) -> Caller:
    scope = Scope([acting_for] if acting_for else [])
    return Caller("", "", "erp-sync", (), scope, NOW, staff=True, scopes=frozenset(scopes))


@strawberry.type(description="A thing.", directives=[Authorized(scope="cases:read")])
class Thing(Node):
    name: str

    @classmethod
    def is_type_of(cls, value: Any, info: strawberry.Info) -> bool:
        return True


@strawberry.type
class Box:
    label: str

    @strawberry.field
    def thing(self) -> Thing:
        return Thing(name="secret")


@strawberry.input
class Change:
    account_id: strawberry.ID


@strawberry.type
class Query:
    @strawberry.field(directives=[Anonymous()])  # type: ignore[untyped-decorator]
    def box(self) -> Box:
        return Box(label="open")

    @strawberry.field(directives=[Authorized()])  # type: ignore[untyped-decorator]
    def mine(self) -> str:
        return "mine"

    @strawberry.field(directives=[Authorized(scope="cases:read")])  # type: ignore[untyped-decorator]
    def cases(self) -> str:
        return "cases"


@strawberry.type
class Mutation:
    @strawberry.mutation(  # type: ignore[untyped-decorator]
        directives=[
            Authorized(role=MembershipRole.MEMBER, of="input.accountId", scope="contacts:invite")
        ]
    )
    def change(self, input: Change) -> str:  # noqa: A002
        return "changed"


@pytest.fixture(scope="module")
def graph() -> Any:
    schema = strawberry.Schema(query=Query, mutation=Mutation, types=[Thing], config=CONFIG)
    return enforced(schema)._schema


class Surroundings:
    """What a check needs of a context, and what it left in the audit."""

    def __init__(self, who: Any) -> None:
        self.noted: list[dict[str, str]] = []
        self.context = Context.__new__(Context)
        self.context.who = who
        self.context.note = self.note
        self.context.refusals = set()

    async def note(self, event: str, **what: str) -> None:
        self.noted.append({"event": event, **what})


async def ask(graph: Any, who: Any, document: str, **variables: Any) -> Any:
    """The value of the only field, or the error that it ended with."""
    around = Surroundings(who)
    result = await graphql(graph, document, context_value=around.context, variable_values=variables)
    if result.errors:
        error = result.errors[0].original_error
        refused = [{"event": "access.refused", "outcome": "NOT_ALLOWED"}]
        seen = [{k: n[k] for k in ("event", "outcome")} for n in around.noted]
        assert seen == (refused if isinstance(error, NotAllowed) else [])
        return type(error)
    assert result.data is not None
    return next(iter(result.data.values()))


CHANGE = "mutation($id: ID!) { change(input: {accountId: $id}) }"


@pytest.mark.parametrize(
    ("who", "document", "answer"),
    [
        (None, "{ box { label } }", {"label": "open"}),
        (None, "{ mine }", Unauthenticated),
        (None, "{ cases }", Unauthenticated),
        (None, "{ box { thing { name } } }", Unauthenticated),
        (person(), "{ mine }", "mine"),
        (person(), "{ box { thing { name } } }", {"thing": {"name": "secret"}}),
        (program(), "{ cases }", NotAllowed),
        (program("cases:read"), "{ cases }", "cases"),
        (program("orders:read"), "{ cases }", NotAllowed),
        (program("orders:read"), "{ box { thing { name } } }", NotAllowed),
        (program("cases:read"), "{ box { thing { name } } }", {"thing": {"name": "secret"}}),
        (program(*SCOPES), "{ mine }", NotAllowed),
    ],
)
async def test_a_field_asks_for_what_it_declares(
    graph: Any, who: Caller | None, document: str, answer: Any
) -> None:
    assert await ask(graph, who, document) == answer


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        (None, Unauthenticated),
        (person((OWN, Role.ADMIN)), "changed"),
        (person((OWN, Role.MEMBER)), "changed"),
        (person((OWN, Role.READER)), NotAllowed),
        (person((OTHER, Role.ADMIN)), NotAllowed),
        (person((OTHER, Role.ADMIN), (OWN, Role.READER)), NotAllowed),
        (person(), NotAllowed),
        (program("contacts:invite"), NotAllowed),
        (program("contacts:invite", acting_for=OTHER), NotAllowed),
        (program("cases:read", acting_for=OWN), NotAllowed),
        (program("contacts:invite", acting_for=OWN), "changed"),
    ],
)
async def test_a_role_counts_for_its_own_account(
    graph: Any, who: Caller | None, answer: Any
) -> None:
    assert await ask(graph, who, CHANGE, id=to_global("Account", "a1")) == answer


def test_which_fields_check_their_account_themselves() -> None:
    """Their declaration names no argument to check by. Each is tried with every role, in
    tests/schema/cases and tests/stories/test_isolation_writes.py: a new one has to be as well."""
    mutation = SCHEMA._schema.mutation_type
    assert mutation is not None
    found = set()
    for name, field in mutation.fields.items():
        declared = field.extensions["strawberry-definition"].directives
        [needs] = [one for one in declared if isinstance(one, Authorized | Anonymous)]
        if isinstance(needs, Authorized) and needs.role and not needs.of:
            found.add(name)
    assert found == {"createCase", "addCaseComment", "addCaseAttachments", "closeCase"}


async def test_a_role_without_the_membership_in_the_scope_is_none() -> None:
    stale = replace(person((OWN, Role.ADMIN)), scope=Scope())
    with pytest.raises(NotAllowed):
        check_role(stale, "a1", MembershipRole.READER)


@pytest.mark.parametrize("document", ["{ mine }", "{ cases }", "{ box { thing { name } } }"])
async def test_what_could_not_be_decided_is_not_called_forbidden(graph: Any, document: str) -> None:
    assert await ask(graph, Unavailable("crm", "down"), document) is Unavailable


async def test_an_undeclared_root_field_keeps_the_program_from_starting() -> None:
    @strawberry.type
    class Forgotten:
        @strawberry.field
        def secret(self) -> str:
            return "oops"

    with pytest.raises(Undeclared, match=r"Forgotten\.secret"):
        enforced(strawberry.Schema(query=Forgotten))
    with pytest.raises(Undeclared, match=r"Forgotten\.secret"):
        enforced(strawberry.Schema(query=Query, mutation=Forgotten))


async def test_an_undeclared_type_of_records_does_so_too() -> None:
    @strawberry.type
    class Loose(Node):
        name: str

    with pytest.raises(Undeclared, match="Loose"):
        enforced(strawberry.Schema(query=Query, types=[Loose], config=CONFIG))


def test_every_way_to_a_customers_type_is_guarded_in_the_real_schema() -> None:
    graph = SCHEMA._schema
    rooms = [{"Account", "Contact"}, {"Case", "CaseComment", "Attachment"}, {"Order"}]
    unguarded = []
    for parent in graph.type_map.values():
        if not isinstance(parent, GraphQLObjectType) or parent.name.endswith(
            ("Edge", "Connection")
        ):
            continue
        for name, field in parent.fields.items():
            kind: Any = get_named_type(field.type)
            if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
                kind = get_named_type(kind.fields["nodes"].type)
            kinds = kind.types if isinstance(kind, GraphQLUnionType) else [kind]
            # What asks for the same scope was asked on the way to the parent.
            own = next((room for room in rooms if parent.name in room), set())
            targets = {one.name for one in kinds} & set().union(*rooms) - own
            if targets and not isinstance(field.resolve, Guard):
                unguarded.append(f"{parent.name}.{name}")
    assert unguarded == []
