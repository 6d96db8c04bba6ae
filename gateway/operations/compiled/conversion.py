"""Python's arguments of GraphQL's, as Strawberry makes them: input objects become objects of the
schema's own classes, names become Python's.

What Strawberry finds out at each call about the types of arguments is written down as a function
once. Of types that it does not know it leaves the whole to Strawberry; so it does with values that
are not what GraphQL's own coercion makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING
from typing import Any
from weakref import WeakKeyDictionary

from graphql import GraphQLSchema
from strawberry.relay.types import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from gateway.operations.compiled.source import Source

Convert = Callable[[dict[str, Any]], dict[str, Any]]


class _Unsure(Exception):
    """Something that is for Strawberry to convert."""


def converting(schema: GraphQLSchema, definition: StrawberryField) -> Convert:
    """What converts the arguments of a field."""
    known = _KNOWN.setdefault(schema, {})
    if definition not in known:
        known[definition] = _converting(schema, definition)
    return known[definition]


#: What converts the arguments of the fields of each schema.
_KNOWN: WeakKeyDictionary[GraphQLSchema, dict[StrawberryField, Convert]] = WeakKeyDictionary()


def _converting(schema: GraphQLSchema, definition: StrawberryField) -> Convert:
    strawberry_schema: Any = schema._strawberry_schema  # type: ignore[attr-defined] # noqa: SLF001
    config, arguments = strawberry_schema.config, definition.arguments
    scalars = strawberry_schema.schema_converter.scalar_registry

    def slowly(values: dict[str, Any]) -> dict[str, Any]:
        return convert_arguments(values, arguments, scalar_registry=scalars, config=config)

    if not arguments:
        return lambda values: {}
    try:
        quickly = _Converter(config.name_converter, scalars).arguments(arguments)
    except _Unsure:
        return slowly

    def convert(values: dict[str, Any]) -> dict[str, Any]:
        try:
            return quickly(values)
        except Exception:  # noqa: BLE001 - whatever it is, it is met again and told
            return slowly(values)

    return convert


class _Converter:
    """Writes functions for the arguments of one field. names: how the schema names things."""

    def __init__(self, names: Any, scalars: Any) -> None:
        self._names, self._scalars = names, scalars
        #: What converts values of input types, by the types; None while it is written.
        self._known: dict[Any, Callable[[Any], Any] | None] = {}

    def arguments(self, arguments: Sequence[StrawberryArgument]) -> Convert:
        """What converts the arguments of a field. Raises _Unsure."""
        source = Source("converted(given)", UNSET=UNSET, Unsure=_Unsure)
        source.line("made = {}")
        for argument in arguments:
            name = self._names.from_argument(argument)
            self._entry(source, name, argument.python_name, argument.type)
        source.line("return made")
        function: Convert = source.function()
        return function

    def _entry(self, source: Source, name: str, python_name: str | None, kind: Any) -> None:
        """Writes how one value is taken over, if it is given."""
        convert = self._of(kind)
        source.line(f"value = given.get({name!r}, Unsure)")
        source.line("if value is not Unsure:")
        if convert is not None:
            made = source.thing(convert)
            source.line(f" if value is not None and value is not UNSET: value = {made}(value)")
        source.line(f" made[{python_name!r}] = value")

    def _of(self, kind: Any) -> Callable[[Any], Any] | None:
        """What converts values of a type, but null; None where they stay as they are. Raises
        _Unsure."""
        while isinstance(kind, StrawberryOptional | LazyType) and type(kind) is not StrawberryMaybe:
            kind = kind.of_type if isinstance(kind, StrawberryOptional) else kind.resolve_type()
        if isinstance(kind, StrawberryMaybe) or kind is GlobalID:
            raise _Unsure
        if isinstance(kind, StrawberryList):
            return _of_lists(self._of(kind.of_type))
        if is_scalar(kind, self._scalars):
            return None
        if isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind):
            return None
        if not has_object_definition(kind):
            raise _Unsure
        if kind not in self._known:
            self._known[kind] = None
            self._known[kind] = self._object(kind, kind.__strawberry_definition__)
        known = self._known[kind]
        if known is None:
            raise _Unsure  # an input type inside itself
        return known

    def _object(self, kind: Any, definition: StrawberryObjectDefinition) -> Convert:
        if definition.from_input is not None or not definition.is_input:
            raise _Unsure
        source = Source("converted(given)", UNSET=UNSET, Unsure=_Unsure, kind=kind)
        # What has no default is null where it is left out, which it then may be.
        left_out = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        source.line(f"made = {left_out!r}")
        for field in definition.fields:
            wanted = field.resolve_type(type_definition=definition)
            self._entry(source, self._names.from_field(field), field.python_name, wanted)
        source.line("return kind(**made)")
        function: Convert = source.function()
        return function


def _of_lists(convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if convert is None:
        return list

    def converted(values: Any) -> list[Any]:
        return [value if value is None or value is UNSET else convert(value) for value in values]

    return converted
