"""Which answers may be kept as they are, and for whom, declared on fields that start a question. A
field that says nothing is kept for nobody."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import strawberry
from graphql import GraphQLField
from strawberry.schema_directive import Location

_BACKREF: Final = "strawberry-definition"


@strawberry.enum(
    name="CacheControlScope", description="Who may be answered from what is kept of an answer."
)
class CacheScope(Enum):
    PUBLIC = strawberry.enum_value(
        "PUBLIC", description="Everybody: the answer is what an anonymous caller gets."
    )
    PRIVATE = strawberry.enum_value("PRIVATE", description="The caller alone.")


@strawberry.schema_directive(
    name="cacheControl",
    locations=[Location.FIELD_DEFINITION],
    description="For how many seconds an answer may be kept, by the gateway and by whatever lies "
    "between it and the caller. An operation is kept as long as all of its fields may be, and for "
    "everybody only if all of them are public.",
)
class CacheControl:
    max_age: int = strawberry.directive_field(name="maxAge")
    scope: CacheScope = CacheScope.PRIVATE


def everybody(seconds: int) -> CacheControl:
    """For fields whose answer depends on nothing but arguments, language and locale."""
    return CacheControl(max_age=seconds, scope=CacheScope.PUBLIC)


def declared(field: GraphQLField) -> CacheControl | None:
    """What a field of the schema says of itself."""
    definition: Any = field.extensions.get(_BACKREF)
    directives = getattr(definition, "directives", None) or ()
    return next((one for one in directives if isinstance(one, CacheControl)), None)
