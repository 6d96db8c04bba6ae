"""What a field's resolver is, told from the schema: an attribute, a function of one parent, a
function of many parents, or anything else, which is then called as graphql-core would call it.

Only resolvers that Strawberry itself wraps, and whose every layer is known, are taken apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLSchema,
    default_field_resolver,
    default_type_resolver,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import has_object_definition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.union import StrawberryUnion

from gateway.operations.compiled.conversion import converting
from schema.access import Guard
from schema.batched import BATCHED, DERIVED, HELD, TYPED
from schema.selection import EMBEDS

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
    selected. convert: makes Python's arguments of GraphQL's. held: the attribute that the parents
    may hold the answer in."""

    load: Callable[..., Any]
    counted: bool
    convert: Callable[[dict[str, Any]], dict[str, Any]]
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Direct:
    """The function that Strawberry's wrapping of a resolver ends in, and what it is given.

    convert: makes Python's arguments of GraphQL's. first: whether the parent comes first. parents,
    info: the names under which it takes the parent, and Strawberry's info, which `told` makes of
    graphql-core's."""

    run: Callable[..., Any]
    convert: Callable[[dict[str, Any]], dict[str, Any]]
    first: bool
    parents: tuple[str, ...]
    info: str | None
    told: Callable[[Any], Any]

    def __call__(self, source: Any, info: Any, **arguments: Any) -> Any:
        """What the resolver gives, called as graphql-core calls it."""
        values = self.convert(arguments)
        for name in self.parents:
            values[name] = source
        if self.info is not None:
            values[self.info] = self.told(info)
        return self.run(source, **values) if self.first else self.run(**values)


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
        held = getattr(load, HELD, None)
        embedded = held if definition.metadata.get(EMBEDS) == held else None
        return Batched(load, counted, converting(schema, definition), embedded)
    if (work_out := getattr(wrapped, DERIVED, None)) is not None and not definition.arguments:
        return Derived(work_out)
    if (of_type := getattr(wrapped, TYPED, None)) is not None and not definition.arguments:
        return Derived(of_type(parent), surrounded=False)
    direct = _direct(schema, definition)
    return None if direct is None else Ordinary(direct)


def _direct(schema: GraphQLSchema, definition: StrawberryField) -> Direct | None:
    """How the function itself is called that Strawberry's resolver ends in."""
    resolver: Any = definition.base_resolver
    if type(resolver) is not StrawberryResolver or not callable(resolver.wrapped_func):
        return None
    strawberry_schema: Any = schema._strawberry_schema  # type: ignore[attr-defined] # noqa: SLF001
    parents = (resolver.parent_parameter, resolver.root_parameter)
    return Direct(
        resolver.wrapped_func,
        converting(schema, definition),
        bool(resolver.self_parameter),
        tuple(parameter.name for parameter in parents if parameter),
        resolver.info_parameter.name if resolver.info_parameter else None,
        lambda info: strawberry_schema.config.info_class(_raw_info=info, _field=definition),
    )


def resolves_by_predicates(resolve: Any) -> bool:
    """Whether a resolver of types is one that asks the types' own predicates, once it has seen that
    the value itself does not say."""
    known = (_INTERFACE, _UNION)
    return resolve is default_type_resolver or getattr(resolve, "__code__", None) in known


def tells_by_class(kind: type) -> bool:
    """Whether nothing about one value of a class can make such a resolver decide otherwise than
    about the next: they hold no attributes but those of the class, and are no graph types."""
    hidden = (TYPE_CAST_ATTRIBUTE, *(f"_{base.__name__}__typename" for base in kind.__mro__))
    return (
        not kind.__dictoffset__
        and not issubclass(kind, Mapping)
        and not has_object_definition(kind)
        and not any(hasattr(kind, name) for name in (*hidden, "__getattr__"))
    )


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


def _code(function: Any, *names: str) -> CodeType:
    """The code of a function that Strawberry makes inside of another. Raises LookupError when this
    Strawberry makes it another way: then the compiler has to be looked at again."""
    code: CodeType = function.__code__
    for name in names:
        inner = [one for one in code.co_consts if isinstance(one, CodeType) and one.co_name == name]
        if not inner:
            raise LookupError(f"strawberry makes no {name} any more")
        code = inner[0]
    return code


_BASIC, _SYNC, _ASYNC = (
    _code(GraphQLCoreConverter.from_resolver, name)
    for name in ("_get_basic_result", "_resolver", "_async_resolver")
)
_INTERFACE = _code(GraphQLCoreConverter.from_interface, "_get_resolve_type", "resolve_type")
_UNION = _code(StrawberryUnion.get_type_resolver, "_resolve_union_type")
