"""What a field's resolver is, told from the schema: an attribute, a function of one parent, a
function of many parents, or anything else, which is then called as graphql-core would call it.

Only resolvers that Strawberry itself wraps, and whose every layer is known, are taken apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from graphql import GraphQLField, GraphQLSchema, default_field_resolver
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.access import Guard
from schema.batched import BATCHED, DERIVED, TYPED

_BACKREF: Final = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(frozen=True, slots=True)
class Attribute:
    """The record's attribute of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A function of the parent and, if `surrounded`, the context."""

    work_out: Callable[..., Any]
    surrounded: bool = True


@dataclass(frozen=True, slots=True)
class Batched:
    """A function of many parents; see schema.batched. counted: whether it asks if a total is
    selected. convert: makes Python's arguments of GraphQL's."""

    load: Callable[..., Any]
    counted: bool
    convert: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A resolver like any other."""

    resolve: Callable[..., Any]


Shape = Attribute | Derived | Batched | Ordinary


def shape_of(schema: GraphQLSchema, parent: str, field: GraphQLField) -> tuple[Shape, Guard | None]:
    """The shape of a field of an object type, and the guard before it."""
    resolve: Any = field.resolve or default_field_resolver
    guard = resolve if isinstance(resolve, Guard) else None
    if guard is not None:
        resolve = guard.run
    definition = field.extensions.get(_BACKREF)
    if type(definition) is StrawberryField and not definition.extensions:
        known = _known(schema, parent, definition, resolve)
        if known is not None:
            return known, guard
    return Ordinary(resolve), guard


def _known(
    schema: GraphQLSchema, parent: str, definition: StrawberryField, resolve: Any
) -> Shape | None:
    code, cells = getattr(resolve, "__code__", None), _cells(resolve)
    if code is _BASIC:
        plain = definition.default_resolver is getattr and definition.base_resolver is None
        if plain and cells.get("field") is definition:
            return Attribute(definition.python_name)
        return None
    if code not in (_SYNC, _ASYNC) or cells.get("field_exception_handlers"):
        return None
    made_for = _cells(cells.get("_strawberry_info_from_graphql")).get("field")
    if made_for is not definition or definition.base_resolver is None:
        return None
    wrapped: Any = definition.base_resolver.wrapped_func
    if (load := getattr(wrapped, BATCHED, None)) is not None:
        counted = "counted" in inspect.signature(load).parameters
        return Batched(load, counted, _converting(schema, definition))
    if definition.arguments:
        return None
    if (work_out := getattr(wrapped, DERIVED, None)) is not None:
        return Derived(work_out)
    if (of_type := getattr(wrapped, TYPED, None)) is not None:
        return Derived(of_type(parent), surrounded=False)
    return None


def _converting(
    schema: GraphQLSchema, definition: StrawberryField
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    strawberry_schema: Any = schema._strawberry_schema  # type: ignore[attr-defined] # noqa: SLF001
    config = strawberry_schema.config
    scalars = strawberry_schema.schema_converter.scalar_registry
    arguments = definition.arguments

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        return convert_arguments(values, arguments, scalar_registry=scalars, config=config)

    return convert


def _cells(resolve: Any) -> dict[str, Any]:
    """The variables that a function closes over."""
    code, closure = getattr(resolve, "__code__", None), getattr(resolve, "__closure__", None)
    if not isinstance(code, CodeType) or closure is None:
        return {}
    found = {}
    for name, cell in zip(code.co_freevars, closure, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # not filled
    return found


def _inner(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant


def _code(name: str) -> CodeType:
    """The code of a function that Strawberry makes for every field. Raises LookupError when this
    Strawberry makes it another way: then the compiler has to be looked at again."""
    made = GraphQLCoreConverter.from_resolver.__code__
    for code in _inner(made):
        if code.co_name == name:
            return code
    raise LookupError(f"strawberry makes no {name} any more")


_BASIC, _SYNC, _ASYNC = _code("_get_basic_result"), _code("_resolver"), _code("_async_resolver")
