"""A filter's tree to SQL: every value is bound, every name comes from the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.erp.errors import ODataError, unknown_property, unreadable
from sandbox.erp.filters import (
    Call,
    Comparison,
    Every,
    Literal,
    Node,
    Not,
    Path,
    Shape,
    Some,
    Version,
)
from sandbox.erp.model import EntitySet, Kind, Property
from sandbox.erp.values import Stored, stored


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL that is true or false, with the values of its question marks in order."""

    sql: str
    values: tuple[Stored, ...] = ()


ALWAYS: Final = Condition("1")
_OPERATORS: Final = {"eq": "IS", "ne": "IS NOT", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_MIRRORED: Final = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}


def both(first: Condition, second: Condition) -> Condition:
    if first == ALWAYS or second == ALWAYS:
        return second if first == ALWAYS else first
    return Condition(f"({first.sql}) AND ({second.sql})", first.values + second.values)


def equals(column: str, value: Stored) -> Condition:
    return Condition(f'"{column}" IS ?', (value,))


def condition_of(tree: Node, entity: EntitySet, version: Version) -> Condition:
    """Raises ODataError 400 for an unknown property, one that may not be filtered, or values that
    are not of the property's type."""
    return _Compiler(entity, version).truth(tree)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text made from a property: which one, and the SQL that makes it."""

    of: Property
    sql: str


class _Compiler:
    def __init__(self, entity: EntitySet, version: Version) -> None:
        self._entity = entity
        self._version = version

    def truth(self, node: Node) -> Condition:
        if isinstance(node, Every | Some):
            return self._joined("AND" if isinstance(node, Every) else "OR", node.parts)
        if isinstance(node, Not):
            inner = self.truth(node.inner)
            return Condition(f"NOT ({inner.sql})", inner.values)
        if isinstance(node, Comparison):
            return self._comparison(node)
        if isinstance(node, Call):
            return self._test(node)
        if isinstance(node, Path):
            of = self._property(node)
            if of.kind is Kind.BOOLEAN:
                return Condition(f'"{of.stored}"')
        elif node.shape is Shape.BOOLEAN:
            return Condition("1" if node.text == "true" else "0")
        raise unreadable("Invalid filter: a condition is expected where a value stands")

    def _joined(self, word: str, parts: Sequence[Node]) -> Condition:
        # Halved again and again: a chain of a thousand parts would be too deep for SQLite.
        if len(parts) == 1:
            return self.truth(parts[0])
        middle = len(parts) // 2
        first, second = self._joined(word, parts[:middle]), self._joined(word, parts[middle:])
        return Condition(f"({first.sql}) {word} ({second.sql})", first.values + second.values)

    def _property(self, path: Path) -> Property:
        found = self._entity.properties.get(path.name)
        if found is None:
            raise unknown_property(path.name, self._entity.type_name)
        if not found.filterable:
            text = f"Property '{path.name}' of type '{self._entity.type_name}' is not filterable"
            raise ODataError(400, "/IWBEP/CM_MGW_RT/022", text, path.name)
        return found

    def _comparison(self, node: Comparison) -> Condition:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, operator = right, left, _MIRRORED[operator]
        if isinstance(left, Call) and left.name not in ("tolower", "toupper"):
            return self._test_compared(left, right, operator)
        subject = self._subject(left)
        sql = _OPERATORS[operator]
        if not isinstance(right, Literal):
            other = self._subject(right)
            if other.of.kind is not subject.of.kind:
                raise unreadable(f"Properties '{subject.of.name}' and '{other.of.name}' differ")
            return Condition(f"{subject.sql} {sql} {other.sql}")
        value = stored(right, subject.of, self._version)
        if value is None and operator not in ("eq", "ne"):
            raise unreadable(f"Operator '{operator}' cannot be used with null")
        return Condition(f"{subject.sql} {sql} ?", (value,))

    def _test_compared(self, call: Call, right: Node, operator: str) -> Condition:
        """`substringof('a',B) eq true`, as older clients write it."""
        if not isinstance(right, Literal) or right.shape is not Shape.BOOLEAN:
            raise unreadable(
                f"Function '{call.name}' is compared with something else than a boolean"
            )
        if operator not in ("eq", "ne"):
            raise unreadable(f"Operator '{operator}' cannot be used with a boolean")
        test = self._test(call)
        wanted = (right.text == "true") == (operator == "eq")
        return test if wanted else Condition(f"NOT ({test.sql})", test.values)

    def _subject(self, node: Node) -> _Text:
        if isinstance(node, Path):
            of = self._property(node)
            return _Text(of, f'"{of.stored}"')
        if isinstance(node, Call) and node.name in ("tolower", "toupper"):
            if len(node.arguments) != 1:
                raise unreadable(f"Function '{node.name}' takes 1 argument")
            inner = self._searched(node.arguments[0])
            return _Text(inner.of, f"erp_{node.name[2:]}({inner.sql})")
        raise unreadable("Invalid filter: a property is expected on one side of a comparison")

    def _searched(self, node: Node) -> _Text:
        """A text as people see it: without the leading zeros that the table keeps."""
        found = self._subject(node)
        if found.of.kind is not Kind.TEXT:
            raise unreadable(f"Property '{found.of.name}' is not a text")
        plain = isinstance(node, Path) and found.of.padded
        return _Text(found.of, f"ltrim({found.sql}, '0')") if plain else found

    def _test(self, call: Call) -> Condition:
        if call.name in ("tolower", "toupper"):
            raise unreadable(f"Function '{call.name}' is no condition")
        if len(call.arguments) != 2:
            raise unreadable(f"Function '{call.name}' takes 2 arguments")
        text, word = call.arguments
        if call.name == "substringof":
            text, word = word, text
        if not isinstance(word, Literal) or word.shape is not Shape.TEXT:
            raise unreadable(f"Function '{call.name}' needs a text to look for")
        subject = self._searched(text)
        if not word.text:
            return ALWAYS
        if call.name in ("substringof", "contains"):
            return Condition(f"instr({subject.sql}, ?) > 0", (word.text,))
        if call.name == "startswith":
            return Condition(f"substr({subject.sql}, 1, length(?)) = ?", (word.text, word.text))
        return Condition(f"substr({subject.sql}, -length(?)) = ?", (word.text, word.text))
