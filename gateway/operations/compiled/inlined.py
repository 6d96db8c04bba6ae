"""Generated code that answers a whole selection set for many records in one pass, with all that
lies below it in the records themselves: the way that nearly all objects of an answer go.

It only reads what a record holds, and passes on only values that need no closer look. Whatever is
otherwise (a class that works something out as it is read, an error, something to wait for, a value
that does not fit) makes it give up, and the selection set is answered column by column as if
nothing had been read; see `objects`. So it has no errors to tell and knows of no positions.
"""

from __future__ import annotations

import functools
import inspect
import keyword
from collections.abc import Callable, Sequence
from types import CodeType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from gateway.operations.compiled.completion import Completer, ListOf, ObjectOf
from gateway.operations.compiled.kinds import PLAIN, sort
from gateway.operations.compiled.leaves import Leaf, Odd
from schema.recognition import CLASSES, Told

if TYPE_CHECKING:
    from gateway.operations.compiled.fields import FieldPlan
    from gateway.operations.compiled.objects import ObjectPlan

#: Takes records and a column for each field that is answered apart. Raises whatever it likes where
#: it gives up.
Inlined = Callable[..., list[dict[str, Any]]]

#: Most fields of one function, most lists within lists (Python knows 20 blocks at most), most
#: functions whose code is kept, and most classes of records that are known at one place.
_MOST_FIELDS, _MOST_LISTS, _MOST, _MOST_CLASSES = 200, 8, 2_048, 100


def inlined(plan: ObjectPlan) -> tuple[Inlined | None, Sequence[int]]:
    """The function for a plan, None where nothing is read off its records; and the places of the
    fields that are answered apart."""
    return _Writer().written(plan)


class _Apart(Exception):
    """A field cannot be inlined."""


class _Writer:
    """Writes one function. Names that begin with `v` hold values, with `r` records."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._space: dict[str, Any] = {"Odd": Odd}
        self._names = self._fields = self._lists = 0

    def written(self, plan: ObjectPlan) -> tuple[Inlined | None, Sequence[int]]:
        parts, apart, names = list[str](), list[int](), set[str]()
        for place, field in enumerate(plan.fields):
            known = len(self._lines), self._fields
            try:
                parts.append(self._field(field, "r", 2, names))
            except _Apart:
                del self._lines[known[0] :]
                self._fields = known[1]
                parts.append(f"a{place}")
                apart.append(place)
        if not names:
            return None, range(len(plan.fields))
        columns = "".join(f", a{place}" for place in apart)
        each = f"r{columns} in zip(rows{columns.replace('a', 'c')})" if apart else "r in rows"
        rows = self._given(_Known(names, plan.type, nullable=False))
        head = [
            f"def made_of_{plan.type.name}(rows{columns.replace('a', 'c')}):",
            " made = []",
            f" for {each}:",
            f"  if r.__class__ not in {rows}: {rows}.learn(r)",
        ]
        end = [f"  made.append({_display(plan, parts)})", " return made"]
        space = self._space
        exec(_compiled("\n".join([*head, *self._lines, *end])), space)  # noqa: S102 - names of GraphQL
        function: Inlined = space[f"made_of_{plan.type.name}"]
        return function, apart

    def _field(self, field: FieldPlan, record: str, depth: int, names: set[str]) -> str:
        """Writes how a field is answered; the expression that holds the answer. names: takes the
        attributes that are read off the record."""
        self._fields += 1
        if field.constant is not None:
            return repr(field.constant)
        name = field.attribute
        if self._fields > _MOST_FIELDS or name is None:
            raise _Apart
        if not name.isidentifier() or keyword.iskeyword(name):
            raise _Apart
        names.add(name)
        value = self._new("v")
        self._line(depth, f"{value} = {record}.{name}")
        self._completed(field.completer, value, depth)
        return value

    def _completed(self, of: Completer, value: str, depth: int) -> None:
        """Writes how the value of a variable is completed in place."""
        if isinstance(of, Leaf):
            for line in of.inlined(value, self._given):
                self._line(depth, line)
        elif isinstance(of, ListOf):
            self._list(of, value, depth)
        elif isinstance(of, ObjectOf):
            self._object(of, value, depth)
        else:
            raise _Apart

    def _list(self, of: ListOf, value: str, depth: int) -> None:
        item, items = self._new("v"), self._new("l")
        self._lists += 1
        if self._lists > _MOST_LISTS:
            raise _Apart
        self._line(depth, f"if {value}.__class__ is list or {value}.__class__ is tuple:")
        self._line(depth, f" {items} = []")
        self._line(depth, f" for {item} in {value}:")
        self._completed(of.item, item, depth + 2)
        self._line(depth, f"  {items}.append({item})")
        self._line(depth, f" {value} = {items}")
        self._line(depth, f"el{'if ' + value + ' is not None' if of.nullable else 'se'}: raise Odd")
        self._lists -= 1

    def _object(self, of: ObjectOf, value: str, depth: int) -> None:
        predicate: Any = of.type.is_type_of
        if predicate is not None and not hasattr(predicate, CLASSES):
            raise _Apart
        plan, names = of.inner.plan(of.type), set[str]()
        known = _Known(names, of.type, of.nullable)
        given = self._given(known)
        self._line(depth, f"if {value}.__class__ in {given} or {given}.learn({value}):")
        parts = [self._field(field, value, depth + 1, names) for field in plan.fields]
        self._line(depth, f" {value} = {_display(plan, parts)}")

    def _new(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _given(self, thing: Any) -> str:
        """The name by which the function knows a thing."""
        name = self._new("k")
        self._space[name] = thing
        return name

    def _line(self, depth: int, text: str) -> None:
        self._lines.append(" " * depth + text)


def _display(plan: ObjectPlan, parts: list[str]) -> str:
    pairs = zip(plan.fields, parts, strict=True)
    return "{" + ", ".join(f"{field.key!r}: {part}" for field, part in pairs) + "}"


@functools.lru_cache(_MOST)
def _compiled(source: str) -> CodeType:
    return compile(source, "<plan>", "exec")


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
