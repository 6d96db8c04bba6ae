"""How a graph type knows its objects: by the class of the record alone; and what a record tells
without doing anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

#: The predicate carries its classes under this name, for whoever looks at many objects at once.
CLASSES: Final = "__classes__"
#: A serializer carries the class of values that it passes on as they are.
AS_IS: Final = "__as_is__"

Serialize = TypeVar("Serialize", bound=Callable[[Any], Any])


def instances_of(*classes: type) -> Callable[[Any, Any], bool]:
    """The predicate of a graph type whose objects are of these classes, and of no other type's:

    class Case(Node):
        is_type_of = instances_of(records.Case)
    """

    def is_type_of(value: Any, info: object) -> bool:
        return isinstance(value, classes)

    setattr(is_type_of, CLASSES, classes)
    return staticmethod(is_type_of)


class Told(property):
    """A property that tells in other words what its record holds: reading it asks nobody and
    changes nothing, so that it may be read again."""


def passes_on(kind: type) -> Callable[[Serialize], Serialize]:
    """Declares of a scalar's serializer that values of just this class are the answer as they
    are."""

    def declare(serialize: Serialize) -> Serialize:
        setattr(serialize, AS_IS, kind)
        return serialize

    return declare
