"""How a graph type knows its objects: by the class of the record alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

#: The predicate carries its classes under this name, for whoever looks at many objects at once.
CLASSES: Final = "__classes__"


def instances_of(*classes: type) -> Callable[[Any, Any], bool]:
    """The predicate of a graph type whose objects are of these classes, and of no other type's:

    class Case(Node):
        is_type_of = instances_of(records.Case)
    """

    def is_type_of(value: Any, info: object) -> bool:
        return isinstance(value, classes)

    setattr(is_type_of, CLASSES, classes)
    return staticmethod(is_type_of)
