"""The plan of one field: how its values are come by for many parents, and what is made of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLField, GraphQLNonNull, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from graphql.type.introspection import TypeNameMetaFieldDef

from gateway.operations.compiled.arguments import Arguments
from gateway.operations.compiled.completion import completer
from gateway.operations.compiled.kinds import waits
from gateway.operations.compiled.leaves import Leaf
from gateway.operations.compiled.positions import FieldColumn, Frame
from gateway.operations.compiled.refusals import NotCompiled
from gateway.operations.compiled.selections import Selections
from gateway.operations.compiled.shapes import Attribute, Batched, Derived, Ordinary, shape_of
from gateway.operations.compiled.sources import reading
from schema.selection import attributes, has_field

if TYPE_CHECKING:
    from gateway.operations.compiled.execution import Execution
    from gateway.operations.compiled.variant import Variant
    from schema.access import Guard


class FieldPlan:
    """A field in a selection set. key: its name in the answer; order: its place there. attribute:
    of its parent, where it is nothing else, but for the guard; held: that of a field which is
    nothing else where the parent holds it; derived: where it is worked out from the parent;
    constant: where it is the same for all parents."""

    attribute: str | None = None
    held: str | None = None
    derived: Derived | None = None
    constant: str | None = None

    __slots__ = (
        "_plain",
        "arguments",
        "completer",
        "definition",
        "guard",
        "key",
        "name",
        "nodes",
        "nullable",
        "order",
        "parent",
        "type",
    )

    def __init__(self, place: Place, definition: GraphQLField, guard: Guard | None) -> None:
        self.parent, self.key, self.order = place.parent, place.key, place.order
        self.nodes = [detail.node for detail in place.details]
        self.name = self.nodes[0].name.value
        self.definition, self.guard = definition, guard
        self.type = definition.type
        self.nullable = not isinstance(definition.type, GraphQLNonNull)
        self.arguments = Arguments(definition, self.nodes[0])
        self._plain = guard is None and self.arguments.none
        inner = Selections(place.variant, place.details)
        self.completer = completer(definition.type, inner)

    def path(self, frame: Frame, row: int) -> Path:
        """The path of the field for one row, as resolvers get it."""
        return Path(frame.path(row), self.key, self.parent.name)

    def values(self, execution: Execution, frame: Frame) -> Sequence[Any]:
        """The field's part in the answer of each row of a frame; None where it comes later."""
        if self._plain:
            return self.resolved(execution, frame, {})
        count = len(frame.rows)
        try:
            arguments = self.arguments.values(execution.variables)
            if self.guard is not None:
                refusal = self.guard.refusal(execution.context, arguments)
                if refusal is not None:
                    execution.keep([refusal])
                    execution.later(self._refused(execution, frame, refusal))
                    return [None] * count
        except Exception as error:  # noqa: BLE001 - it becomes the error of each row
            return self.completed(execution, frame, [error] * count)
        return self.resolved(execution, frame, arguments)

    def resolved(
        self, execution: Execution, frame: Frame, arguments: dict[str, Any]
    ) -> Sequence[Any]:
        """The same, once the guard has let it pass."""
        raise NotImplementedError

    def completed(self, execution: Execution, frame: Frame, values: Sequence[Any]) -> Sequence[Any]:
        """What is made of values, which may be exceptions."""
        return self.completer.complete(execution, FieldColumn(frame, self), values)

    def fill(self, execution: Execution, frame: Frame, values: Sequence[Any]) -> None:
        """Writes what is made of values that had to be waited for into the rows' answers."""
        key = self.key
        for made, answer in zip(frame.made, self.completed(execution, frame, values), strict=True):
            made[key] = answer

    async def _refused(
        self, execution: Execution, frame: Frame, refusal: Awaitable[Exception]
    ) -> None:
        try:
            refused = await refusal
        except Exception as error:  # noqa: BLE001 - it becomes the error of each row
            refused = error
        self.fill(execution, frame, [refused] * len(frame.rows))


class TypeNameField(FieldPlan):
    """`__typename`."""

    __slots__ = ("constant",)

    def __init__(self, place: Place, definition: GraphQLField) -> None:
        super().__init__(place, definition, None)
        self.constant: str = self.parent.name

    def values(self, execution: Execution, frame: Frame) -> Sequence[Any]:
        return [self.constant] * len(frame.rows)


class ReadField(FieldPlan):
    """A field that is worked out from its parent alone. read: from many at once."""

    __slots__ = ("_quick", "_read", "attribute", "derived")

    def __init__(
        self,
        place: Place,
        definition: GraphQLField,
        guard: Guard | None,
        shape: Attribute | Derived,
    ) -> None:
        super().__init__(place, definition, guard)
        self._quick = self.completer.quick if isinstance(self.completer, Leaf) else None
        self._read: Callable[[Sequence[Any], Any, list[Any]], None]
        plain = self.arguments.none
        self.attribute = shape.name if isinstance(shape, Attribute) and plain else None
        self.derived = shape if isinstance(shape, Derived) and plain else None
        if isinstance(shape, Attribute):
            read = reading(self.parent.name, shape.name)
            self._read = lambda rows, context, values: read(rows, values)
        else:
            self._read = _working_out(shape)

    def resolved(
        self, execution: Execution, frame: Frame, arguments: dict[str, Any]
    ) -> Sequence[Any]:
        values: list[Any] = []
        rest: Sequence[Any] = frame.rows
        while rest:
            try:
                self._read(rest, execution.context, values)
                break
            except Exception as error:  # noqa: BLE001 - it becomes the error of its row
                values.append(error)
                rest = frame.rows[len(values) :]
        if self._quick is not None:
            done = self._quick(values)
            if done is not None:
                return done
        return self.completed(execution, frame, values)


def _working_out(shape: Derived) -> Callable[[Sequence[Any], Any, list[Any]], None]:
    """Appends what is worked out from each row to a list, which keeps what came before an error."""
    work_out = shape.work_out

    def surrounded(rows: Sequence[Any], context: Any, values: list[Any]) -> None:
        for row in rows:
            values.append(work_out(row, context))  # noqa: PERF401 - see above

    def alone(rows: Sequence[Any], context: Any, values: list[Any]) -> None:
        for row in rows:
            values.append(work_out(row))  # noqa: PERF401 - see above

    return surrounded if shape.surrounded else alone


class BatchedField(FieldPlan):
    """A field that one function answers for all parents."""

    __slots__ = ("_convert", "_counted", "_fields", "_load", "held")

    def __init__(
        self, place: Place, definition: GraphQLField, guard: Guard | None, shape: Batched
    ) -> None:
        super().__init__(place, definition, guard)
        self._load, self._convert = shape.load, shape.convert
        self.held = shape.held if self.arguments.none else None
        reading = place.variant.reading
        self._fields = attributes(reading, definition.type, self.nodes)
        self._counted: dict[str, bool] = {}
        if shape.counted:
            total = has_field(reading, definition.type, self.nodes, "totalCount")
            self._counted = {"counted": total}

    def resolved(
        self, execution: Execution, frame: Frame, arguments: dict[str, Any]
    ) -> Sequence[Any]:
        count = len(frame.rows)
        try:
            converted = self._convert(arguments) if arguments else {}
            brought = self._load(
                frame.rows, execution.context, self._fields, **converted, **self._counted
            )
            if waits(brought):
                execution.keep([brought])
                execution.later(self._loaded(execution, frame, brought))
                return [None] * count
            values = self._answers(brought, count)
        except Exception as error:  # noqa: BLE001 - it becomes the error of each row
            values = [error] * count
        return self.completed(execution, frame, values)

    async def _loaded(
        self, execution: Execution, frame: Frame, brought: Awaitable[Sequence[Any]]
    ) -> None:
        count = len(frame.rows)
        try:
            values = self._answers(await brought, count)
        except Exception as error:  # noqa: BLE001 - it becomes the error of each row
            values = [error] * count
        self.fill(execution, frame, values)

    def _answers(self, brought: Sequence[Any], count: int) -> list[Any]:
        values = brought if type(brought) is list else list(brought)
        if len(values) != count:
            name = f"{self.parent.name}.{self.name}"
            raise RuntimeError(f"{name} gave {len(values)} answers to {count} parents")
        return values


class OrdinaryField(FieldPlan):
    """A field whose resolver is called for each parent, with all that graphql-core gives it."""

    __slots__ = ("_resolve",)

    def __init__(
        self, place: Place, definition: GraphQLField, guard: Guard | None, shape: Ordinary
    ) -> None:
        super().__init__(place, definition, guard)
        self._resolve = shape.resolve

    def resolved(
        self, execution: Execution, frame: Frame, arguments: dict[str, Any]
    ) -> Sequence[Any]:
        values: list[Any] = []
        for row, source in enumerate(frame.rows):
            try:
                # A resolver may keep or change what it gets: each has its own.
                own = arguments if row == 0 else self.arguments.values(execution.variables)
                info = execution.info(frame, self, row)
                values.append(self._resolve(source, info, **own))
            except Exception as error:  # noqa: BLE001 - it becomes the error of its row
                values.append(error)
        if len(values) == 1 and isinstance(values[0], CoroutineType):
            execution.keep(values)
            execution.later(self._brought(execution, frame, values[0]))
            return [None]
        return self.completed(execution, frame, values)

    async def _brought(
        self, execution: Execution, frame: Frame, brought: Coroutine[Any, Any, Any]
    ) -> None:
        try:
            value = await brought
        except Exception as error:  # noqa: BLE001 - it becomes the error of its row
            value = error
        self.fill(execution, frame, [value])


class Place:
    """Where in a plan a field stands."""

    __slots__ = ("details", "key", "order", "parent", "variant")

    def __init__(
        self,
        variant: Variant,
        parent: GraphQLObjectType,
        key: str,
        order: int,
        details: Sequence[FieldDetails],
    ) -> None:
        self.variant, self.parent, self.key = variant, parent, key
        self.order, self.details = order, details


def field_plan(place: Place) -> FieldPlan:
    """The plan of a field. Raises NotCompiled when it is about the schema itself."""
    node: FieldNode = place.details[0].node
    schema = place.variant.schema
    definition = schema.get_field(place.parent, node.name.value)
    if definition is None or node.name.value in ("__schema", "__type"):
        raise NotCompiled("introspection")
    if definition is TypeNameMetaFieldDef:
        return TypeNameField(place, definition)
    shape, guard = shape_of(schema, place.parent.name, definition)
    if isinstance(shape, Attribute | Derived):
        return ReadField(place, definition, guard, shape)
    if isinstance(shape, Batched):
        return BatchedField(place, definition, guard, shape)
    return OrdinaryField(place, definition, guard, shape)
