"""Who may ask for what: declared on fields and types, and printed in the schema.

What is printed is what is checked. A root field or mutation says `Authorized(...)` or `Anonymous()`
among its directives, or the program does not start. A type that holds a customer's data says
`Authorized(scope=...)`; every field that leads to it from elsewhere then checks it, so a new way to
a type is guarded without anyone remembering.

What could not be decided (the CRM does not say who somebody is) fails with that error, never with
"not allowed".
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from enum import Enum
from typing import Any, Final, NoReturn

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    default_field_resolver,
    get_named_type,
)
from strawberry.schema_directive import Location

from schema.context import Caller, Context
from schema.errors import NotAllowed
from schema.nodes import key_of
from schema.selection import raw
from schema.texts import N_

CASES_READ: Final = "cases:read"
CASES_WRITE: Final = "cases:write"
ORDERS_READ: Final = "orders:read"
CUSTOMERS_READ: Final = "customers:read"
CONTACTS_INVITE: Final = "contacts:invite"
#: What a program of an integration team can be allowed.
SCOPES: Final = frozenset({CASES_READ, CASES_WRITE, ORDERS_READ, CUSTOMERS_READ, CONTACTS_INVITE})

_BACKREF: Final = "strawberry-definition"
#: A role may what the roles after it may.
_ORDER: Final = ("ADMIN", "MEMBER", "READER")


@strawberry.enum(description="What a person may do for an account.")
class MembershipRole(Enum):
    ADMIN = strawberry.enum_value("ADMIN", description="Invites people and sees everything.")
    MEMBER = strawberry.enum_value("MEMBER", description="Opens cases and sees everything.")
    READER = strawberry.enum_value("READER", description="Sees everything, changes nothing.")


@strawberry.schema_directive(
    name="authorized",
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    description="Needs a valid access token. `role`: what a person must at least be (ADMIN may "
    "what MEMBER may, MEMBER what READER may) for the account that the argument `of` names, or, "
    "where nothing names it, for the account that it turns out to be about; "
    "without it, any person may, for what is theirs. `scope`: what a program of an integration "
    "team must be allowed; without it, no program may. On a type: for its objects, by any field.",
)
class Authorized:
    role: MembershipRole | None = strawberry.directive_field(name="role", default=strawberry.UNSET)
    of: str | None = strawberry.directive_field(name="of", default=strawberry.UNSET)
    scope: str | None = strawberry.directive_field(name="scope", default=strawberry.UNSET)


@strawberry.schema_directive(
    name="anonymous",
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    description="Open to everybody. A customer's data inside the answer still asks for what its "
    "own type says.",
)
class Anonymous:
    pass


class Undeclared(RuntimeError):
    """The schema does not say who may ask for something."""


def enforced(schema: strawberry.Schema) -> strawberry.Schema:
    """The schema, each declaration checked before its field is resolved. Raises Undeclared."""
    graph = schema._schema  # noqa: SLF001 - strawberry offers no other way to it
    roots = {
        kind for kind in (graph.query_type, graph.mutation_type, graph.subscription_type) if kind
    }
    missing = [name for name in _node_types(graph) if not isinstance(_of_type(graph, name), _KINDS)]
    for parent in list(graph.type_map.values()):
        if not isinstance(parent, GraphQLObjectType) or parent.name.startswith("__"):
            continue
        for name, field in parent.fields.items():
            declared = _declared(field)
            if parent in roots and declared is None:
                missing.append(f"{parent.name}.{name}")
            needs = [one for one in (declared, *_led_to(graph, parent, field)) if one]
            _guard(field, f"{parent.name}.{name}", needs)
    if missing:
        raise Undeclared(f"who may ask is not declared: {', '.join(missing)}")
    return schema


async def may_read(info: GraphQLResolveInfo[Any], type_name: str) -> None:
    """Raises what a field that leads to this type would raise."""
    needs = _of_type(info.schema, type_name)
    if isinstance(needs, Authorized):
        try:
            _check(needs, info.context, {})
        except NotAllowed as refused:
            await _refuse(info.context, type_name, refused)


async def check_role_for(info: strawberry.Info, account_id: str, least: MembershipRole) -> None:
    """What a field checks itself whose `role` names no argument: once it knows the account.
    Raises NotAllowed, which the audit is told."""
    context: Context = info.context
    try:
        check_role(context.required_caller(), account_id, least)
    except NotAllowed as refused:
        field = raw(info)
        await _refuse(context, f"{field.parent_type.name}.{field.field_name}", refused)


def has_role(caller: Caller, account_id: str, least: MembershipRole) -> bool:
    """Whether a person is at least that for an account, or a program acts for it."""
    try:
        check_role(caller, account_id, least)
    except NotAllowed:
        return False
    return True


def check_role(caller: Caller, account_id: str, least: MembershipRole) -> None:
    """Raises NotAllowed when the caller is less than that for an account. account_id: the CRM's."""
    enough = _ORDER[: _ORDER.index(least.name) + 1]
    if caller.scope.by_id(account_id) is not None and (
        caller.staff
        or any(m.account.id == account_id and m.role.name in enough for m in caller.memberships)
    ):
        return
    raise NotAllowed(N_("You may not do this for this company."))


# ----------------------------------------------------------------------------- how it is checked


class Guard:
    """A resolver that is run once the caller may ask for its field."""

    __slots__ = ("_closed", "_name", "run")

    def __init__(self, run: Callable[..., Any], name: str, closed: list[Authorized]) -> None:
        self.run, self._name, self._closed = run, name, closed

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        refusal = self.refusal(info.context, arguments)
        return self.run(source, info, **arguments) if refusal is None else refusal

    def allows(self, context: Context) -> bool:
        """Whether the caller may ask for the field, as far as no argument tells; False too where
        that cannot be decided. Nobody is told of it."""
        try:
            for one in self._closed:
                _check(one, context, {})
        except Exception:  # noqa: BLE001 - whoever goes on to `refusal` meets it again
            return False
        return True

    def refusal(
        self, context: Context, arguments: dict[str, Any]
    ) -> Coroutine[Any, Any, NoReturn] | None:
        """None when the caller may, else what raises NotAllowed once it is awaited. It is the same
        for all parents. Raises what kept it from being decided."""
        try:
            for one in self._closed:
                _check(one, context, arguments)
        except NotAllowed as refused:
            return _refuse(context, self._name, refused)
        return None


def _guard(field: GraphQLField, name: str, needs: list[Authorized | Anonymous]) -> None:
    closed = [one for one in needs if isinstance(one, Authorized)]
    if not closed:
        return
    field.resolve = Guard(field.resolve or default_field_resolver, name, closed)
    if field.subscribe:
        field.subscribe = Guard(field.subscribe, name, closed)


def _check(needs: Authorized, context: Context, arguments: dict[str, Any]) -> None:
    caller = context.required_caller()
    if caller.staff and (not needs.scope or needs.scope not in caller.scopes):
        raise NotAllowed(N_("This token is not allowed to do this."))
    if needs.role and needs.of:
        value: Any = arguments
        for step in needs.of.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        account = key_of(needs.of, value, "Account") if isinstance(value, str) else ""
        check_role(caller, account, needs.role)


async def _refuse(context: Context, name: str, refused: NotAllowed) -> NoReturn:
    caller = context.required_caller()
    if name not in context.refusals:  # a field of many items is refused once
        context.refusals.add(name)
        await context.note(
            "access.refused",
            who=caller.email or caller.name,
            whose=" ".join(caller.scope.ids) or "-",
            what=name,
            outcome=refused.code,
        )
    raise refused


# ------------------------------------------------------------------------------- what is declared


_KINDS: Final = (Authorized, Anonymous)


def _among(directives: Any) -> Authorized | Anonymous | None:
    return next((one for one in directives or () if isinstance(one, _KINDS)), None)


def _declared(field: GraphQLField) -> Authorized | Anonymous | None:
    definition = field.extensions.get(_BACKREF)
    return _among(getattr(definition, "directives", ()))


def _of_type(graph: GraphQLSchema, name: str) -> Authorized | Anonymous | None:
    definition = graph.type_map[name].extensions.get(_BACKREF)
    return _among(getattr(definition, "directives", ()))


def _led_to(
    graph: GraphQLSchema, parent: GraphQLObjectType, field: GraphQLField
) -> Iterator[Authorized | Anonymous | None]:
    """What the types ask for that a field leads to, but for what its parent asked for already."""
    if _is_page(parent) or {"cursor", "node"} == set(parent.fields):
        return  # looked through when the field was checked that leads to the list
    known = _of_type(graph, parent.name)
    for kind in _possible(graph, get_named_type(field.type)):
        needs = _of_type(graph, kind.name)
        if needs != known:
            yield needs


def _possible(graph: GraphQLSchema, kind: Any) -> list[GraphQLObjectType]:
    if isinstance(kind, GraphQLObjectType) and _is_page(kind):
        kind = get_named_type(kind.fields["nodes"].type)
    if isinstance(kind, GraphQLInterfaceType) and kind.name == "Node":
        return []  # the type is known only once it is found: see `may_read`
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        return list(graph.get_possible_types(kind))
    return [kind] if isinstance(kind, GraphQLObjectType) else []


def _is_page(kind: GraphQLObjectType) -> bool:
    return "pageInfo" in kind.fields and "nodes" in kind.fields


def _node_types(graph: GraphQLSchema) -> list[str]:
    node = graph.type_map.get("Node")
    if not isinstance(node, GraphQLInterfaceType):
        return []
    return sorted(kind.name for kind in graph.get_possible_types(node))
