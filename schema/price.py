"""What a field costs, declared on it and printed in the schema by the words of IBM's specification
of GraphQL cost directives: a list is as long as its arguments say, an object weighs one, and what
weighs more says so. Which source a field asks is declared beside it, for counting calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)
from strawberry.schema_directive import Location

from schema.pages import DEFAULT_PAGE

_BACKREF: Final = "strawberry-definition"
#: What a field that starts a question weighs, and one that changes something.
_QUESTION, _CHANGE = "5", "10"
#: How long a list is taken to be that nothing bounds.
_LIST: Final = 10


@strawberry.schema_directive(
    name="cost",
    locations=[Location.FIELD_DEFINITION],
    description="What a field weighs. Without it a field of objects weighs 1 and any other 0.",
)
class Cost:
    weight: str


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description="How many objects a list is taken to have: what one of `slicingArguments` says (a "
    "number, or the length of a list), else `assumedSize`. `sizedFields`: the fields of the answer "
    "that are the list, where it is a page.",
)
class ListSize:
    assumed_size: int | None = strawberry.directive_field(
        name="assumedSize", default=strawberry.UNSET
    )
    slicing_arguments: list[str] | None = strawberry.directive_field(
        name="slicingArguments", default=strawberry.UNSET
    )
    sized_fields: list[str] | None = strawberry.directive_field(
        name="sizedFields", default=strawberry.UNSET
    )
    require_one_slicing_argument: bool | None = strawberry.directive_field(
        name="requireOneSlicingArgument", default=strawberry.UNSET
    )


@dataclass(frozen=True, slots=True)
class Asks:
    """Which source a field asks, by its name in `schema.context.Sources`. apart: every parent takes
    a call of its own; otherwise all parents of a level share one."""

    source: str
    apart: bool = False


#: The key of a field's metadata that holds its Asks.
ASKS: Final = "asks"
#: Fields of a page whose length its field's ListSize tells, and the one that takes another call.
SIZED: Final = ("nodes", "edges")
COUNT: Final = "totalCount"


def asks(source: str) -> dict[str, Asks]:
    """The metadata of a field that asks a source."""
    return {ASKS: Asks(source)}


@dataclass(frozen=True, slots=True)
class Price:
    """What is declared of a field. weight: of the field itself, None where it is not told. size:
    how long its list is, None where it has none."""

    weight: float | None = None
    size: ListSize | None = None
    asks: Asks | None = None


def price_of(field: GraphQLField) -> Price:
    """What is declared of a field of the schema."""
    definition = field.extensions.get(_BACKREF)
    if definition is None:
        return Price()
    directives = definition.directives or ()
    cost = next((one for one in directives if isinstance(one, Cost)), None)
    size = next((one for one in directives if isinstance(one, ListSize)), None)
    return Price(float(cost.weight) if cost else None, size, definition.metadata.get(ASKS))


def priced(schema: strawberry.Schema) -> strawberry.Schema:
    """The schema, with what follows from its types declared on its fields: pages are sized by their
    arguments, and a root field weighs what asking or changing something does."""
    graph = schema._schema  # noqa: SLF001 - strawberry offers no other way to it
    for parent in graph.type_map.values():
        if not isinstance(parent, GraphQLObjectType) or parent.name.startswith("__"):
            continue
        for name, field in parent.fields.items():
            definition = field.extensions.get(_BACKREF)
            if definition is None:
                continue
            declared = price_of(field)
            found: list[Any] = []
            if declared.weight is None:
                if parent is graph.mutation_type:
                    found.append(Cost(weight=_CHANGE))
                elif parent in (graph.query_type, graph.subscription_type) and declared.asks:
                    found.append(Cost(weight=_QUESTION))
            if declared.size is None and not (_is_page(parent) and name in SIZED):
                found += _sizes(field)
            definition.directives = [*(definition.directives or ()), *found]
    return schema


def _sizes(field: GraphQLField) -> Sequence[ListSize]:
    named = get_named_type(field.type)
    if isinstance(named, GraphQLObjectType) and _is_page(named):
        slicing: list[str] = [name for name in ("first", "last") if name in field.args]
        return [
            ListSize(
                assumed_size=DEFAULT_PAGE,
                slicing_arguments=slicing,
                sized_fields=list(SIZED),
                require_one_slicing_argument=False,
            )
        ]
    if is_list(field.type) and is_composite_type(named):
        return [ListSize(assumed_size=_LIST)]
    return []


def _is_page(kind: GraphQLObjectType) -> bool:
    return "pageInfo" in kind.fields and "nodes" in kind.fields


def is_list(kind: Any | GraphQLInputType) -> bool:
    """Whether a type is a list, be it nullable or not."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList)
