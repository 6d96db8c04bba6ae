"""Generated code that answers a whole selection set for many records in one pass, with all that
lies below it in the records themselves: the way that nearly all objects of an answer go.

It only reads what a record holds and works out what follows from it, and passes on only values
that need no closer look. Whatever is otherwise (a class that does something as it is read, an
error, something to wait for, a value that does not fit) makes it give up, and the selection set is
answered column by column as if nothing had been read; see `objects`. So it has no errors to tell
and knows of no positions.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Sequence
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import GraphQLObjectType

from gateway.operations.compiled.completion import Completer, ListOf, ObjectOf
from gateway.operations.compiled.kinds import PLAIN, sort
from gateway.operations.compiled.leaves import Leaf, Odd
from gateway.operations.compiled.source import Source
from schema.access import Guard
from schema.recognition import CLASSES, Told

if TYPE_CHECKING:
    from gateway.operations.compiled.fields import FieldPlan
    from gateway.operations.compiled.objects import ObjectPlan


class Inlined(NamedTuple):
    """run: takes records, the context and a column for each field that is answered apart, and
    raises whatever it likes where it gives up; None where nothing is read off the records. apart:
    the places of those fields. guards: of the others, and of those below them; all must let the
    caller pass."""

    run: Callable[..., list[dict[str, Any]]] | None
    apart: Sequence[int]
    guards: Sequence[Guard] = ()


#: Most fields of one function, most lists within lists (Python knows 20 blocks at most), and most
#: classes of records that are known at one place.
_MOST_FIELDS, _MOST_LISTS, _MOST_CLASSES = 200, 8, 100


def inlined(plan: ObjectPlan, held: bool) -> Inlined:
    """The code for a plan. held: whether records are taken to hold what they may hold."""
    return _Writer(plan, held).written()


class _Apart(Exception):
    """A field cannot be inlined."""


class _Writer:
    """Writes one function."""

    def __init__(self, plan: ObjectPlan, held: bool) -> None:
        self._plan, self._held = plan, held
        self._guards: list[Guard] = []
        self._source = Source(f"made_of_{plan.type.name}(rows, context, *apart)", Odd=Odd)
        self._fields = self._lists = 0
        self._reads = False

    def written(self) -> Inlined:
        source, plan = self._source, self._plan
        parts, apart, names = list[str](), list[int](), set[str]()
        records = source.thing(_Known(names, plan.type, nullable=False))
        source.line("made = []")
        each = source.mark()
        source.line(f"if row.__class__ not in {records}: {records}.learn(row)", 1)
        for place, field in enumerate(plan.fields):
            known = source.mark(), self._fields, len(self._guards)
            try:
                parts.append(self._field(field, "row", 1, names))
            except _Apart:
                source.back(known[0])
                self._fields = known[1]
                del self._guards[known[2] :]
                parts.append(f"apart{place}")
                apart.append(place)
        if not self._reads:
            return Inlined(None, range(len(plan.fields)))
        columns = ", ".join(f"apart{place}" for place in apart)
        loop = f"for row, {columns} in zip(rows, *apart):" if apart else "for row in rows:"
        source.line(loop, at=each)
        source.line(f"made.append({_display(plan, parts)})", 1)
        source.line("return made")
        return Inlined(source.function(), apart, self._guards)

    def _field(self, field: FieldPlan, record: str, depth: int, names: set[str]) -> str:
        """Writes how a field is answered; the expression that holds the answer. names: takes the
        attributes that are read off the record."""
        self._fields += 1
        if field.constant is not None:
            return repr(field.constant)
        if self._fields > _MOST_FIELDS:
            raise _Apart
        if field.guard is not None:
            self._guards.append(field.guard)
        value, come_by = self._source.new("value"), self._come_by(field, record, names)
        self._source.line(f"{value} = {come_by}", depth)
        self._completed(field.completer, value, depth)
        self._reads = True
        return value

    def _come_by(self, field: FieldPlan, record: str, names: set[str]) -> str:
        """The expression of a field's value."""
        if field.derived is not None:
            around = ", context" if field.derived.surrounded else ""
            return f"{self._source.thing(field.derived.work_out)}({record}{around})"
        name = field.attribute or (field.held if self._held else None)
        if name is None or not name.isidentifier() or keyword.iskeyword(name):
            raise _Apart
        names.add(name)
        return f"{record}.{name}"

    def _completed(self, of: Completer, value: str, depth: int) -> None:
        """Writes how the value of a variable is completed in place."""
        if isinstance(of, Leaf):
            for line in of.inlined(value, self._source.thing):
                self._source.line(line, depth)
        elif isinstance(of, ListOf):
            self._list(of, value, depth)
        elif isinstance(of, ObjectOf):
            self._object(of, value, depth)
        else:
            raise _Apart

    def _list(self, of: ListOf, value: str, depth: int) -> None:
        self._lists += 1
        if self._lists > _MOST_LISTS:
            raise _Apart
        line, item, items = self._source.line, self._source.new("item"), self._source.new("items")
        line(f"if {value}.__class__ is list or {value}.__class__ is tuple:", depth)
        line(f" {items} = []", depth)
        line(f" for {item} in {value}:", depth)
        self._completed(of.item, item, depth + 2)
        line(f"  {items}.append({item})", depth)
        line(f" {value} = {items}", depth)
        line(f"elif {value} is not None: raise Odd" if of.nullable else "else: raise Odd", depth)
        self._lists -= 1

    def _object(self, of: ObjectOf, value: str, depth: int) -> None:
        predicate: Any = of.type.is_type_of
        if predicate is not None and not hasattr(predicate, CLASSES):
            raise _Apart
        plan, names = of.inner.plan(of.type), set[str]()
        known = self._source.thing(_Known(names, of.type, of.nullable))
        self._source.line(f"if {value}.__class__ in {known} or {known}.learn({value}):", depth)
        parts = [self._field(field, value, depth + 1, names) for field in plan.fields]
        self._source.line(f" {value} = {_display(plan, parts)}", depth)


def _display(plan: ObjectPlan, parts: list[str]) -> str:
    pairs = zip(plan.fields, parts, strict=True)
    return "{" + ", ".join(f"{field.key!r}: {part}" for field, part in pairs) + "}"


class _Known(set[type]):
    """The classes whose objects are of a type and just hold the attributes that are read here."""

    def __init__(self, names: set[str], kind: GraphQLObjectType, nullable: bool) -> None:
        super().__init__()
        self._names, self._nullable = names, nullable
        self._classes: Any = getattr(kind.is_type_of, CLASSES, object)

    def learn(self, value: Any) -> bool:
        """Takes up the class of an object; False for null where that may be. Raises Odd."""
        if value is None and self._nullable:
            return False
        kind = type(value)
        if (
            len(self) < _MOST_CLASSES
            and issubclass(kind, self._classes)
            and sort(kind) == PLAIN
            and holds(kind, self._names)
        ):
            self.add(kind)
            return True
        raise Odd


def holds(kind: type, names: set[str]) -> bool:
    """Whether objects of a class only hold these attributes, so that reading one is nothing else
    than that, and reading it again no different."""
    read: Any = inspect.getattr_static(kind, "__getattribute__")
    if read is not object.__getattribute__ or hasattr(kind, "__getattr__"):
        return False
    for name in names:
        found = inspect.getattr_static(kind, name, None)
        if not isinstance(found, MemberDescriptorType | Told) and hasattr(type(found), "__get__"):
            return False
    return True
