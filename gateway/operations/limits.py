"""How large a question may be: counted before anything is worked out, in time that grows with the
question and no faster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
)

_Count = Annotated[int, msgspec.Meta(ge=1)]


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Most of everything. characters, tokens, nesting (brackets inside of brackets), operations,
    fragments, aliases, directives: of a document. root_fields, depth: of an operation, with its
    fragments filled in. merges: steps and comparisons that filling them in takes. input_values,
    input_nesting: of variables. cost, upstream_calls: of an operation with its variables, and to
    one system."""

    characters: _Count = 100_000
    tokens: _Count = 3_000
    nesting: _Count = 50
    operations: _Count = 20
    fragments: _Count = 60
    aliases: _Count = 60
    directives: _Count = 60
    root_fields: _Count = 20
    depth: _Count = 20
    merges: _Count = 10_000
    input_values: _Count = 2_000
    input_nesting: _Count = 16
    cost: _Count = 20_000
    upstream_calls: _Count = 200


#: Longest number in a document: reading one takes time that grows with its square.
_DIGITS = 100

#: What is counted, as people call it, by the name of its setting.
_WORDS = {
    "characters": "characters",
    "tokens": "tokens",
    "digits": "digits in a number",
    "nesting": "levels of brackets",
    "operations": "operations",
    "fragments": "fragments",
    "aliases": "aliases",
    "directives": "directives",
    "root_fields": "root fields",
    "depth": "levels of fields",
    "merges": "steps to merge its fields",
    "input_values": "values in its variables",
    "input_nesting": "levels in its variables",
    "cost": "objects to answer with, at most",
    "upstream_calls": "calls to one system, at most",
}


class LimitExceeded(Exception):
    """A question that is too large. limit: the setting's name. value: what was counted; counting
    ends soon after the limit, so it may be more."""

    def __init__(self, limit: str, allowed: int, value: int) -> None:
        super().__init__(f"The request has {value} {_WORDS[limit]}; {allowed} are allowed.")
        self.limit, self.allowed, self.value = limit, allowed, value


def check_text(text: str, limits: LimitSettings) -> int:
    """Counts a document before it is parsed: the number of its tokens. Raises LimitExceeded."""
    if len(text) > limits.characters:
        raise LimitExceeded("characters", limits.characters, len(text))
    tokens = nesting = 0
    for match in _TOKEN.finditer(text):
        first = match[0][0]
        if first == "#":
            continue
        tokens += 1
        if len(match[0]) > _DIGITS and first in "-0123456789":
            raise LimitExceeded("digits", _DIGITS, len(match[0]))
        if tokens > limits.tokens:
            raise LimitExceeded("tokens", limits.tokens, tokens)
        if first in "{[(":
            nesting += 1
            if nesting > limits.nesting:
                raise LimitExceeded("nesting", limits.nesting, nesting)
        elif first in "}])":
            nesting -= 1
    return tokens


#: Every token, and comments. A string that does not end is one token to the end of the text: found
#: once, not once for each of its quotes.
_TOKEN = re.compile(
    r'"""(?:\\"""|[^"]|"(?!""))*(?:"""|"{0,2}\Z)'
    r'|"(?:\\.|[^"\\\r\n])*"?'
    r"|\#[^\r\n]*"
    r"|[_A-Za-z][_A-Za-z0-9]*"
    r"|-?[0-9][0-9A-Za-z.+-]*"
    r"|\.\.\."
    r"|[^\s,\ufeff]"
)


def check_document(document: DocumentNode, limits: LimitSettings) -> int:
    """Counts a parsed document, which may still be invalid: its levels of fields. Raises
    LimitExceeded."""
    return _Counted(document, limits).check()


def check_variables(variables: Mapping[str, Any] | None, limits: LimitSettings) -> None:
    """Counts the values that a caller gave. Raises LimitExceeded."""
    if not variables:
        return
    values, level = 0, list(variables.values())
    for _level in range(limits.input_nesting):
        values += len(level)
        if values > limits.input_values:
            raise LimitExceeded("input_values", limits.input_values, values)
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise LimitExceeded("input_nesting", limits.input_nesting, limits.input_nesting + 1)


def _inside(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


class _Counted:
    """One document while it is counted. Fragments are filled in where they are spread, as running
    the operation does, and each set of selections is worked through once."""

    def __init__(self, document: DocumentNode, limits: LimitSettings) -> None:
        self._limits, self._document = limits, document
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._heights: dict[tuple[int, ...], int] = {}
        self._merges = 0

    def check(self) -> int:
        definitions = self._document.definitions
        operations = [one for one in definitions if isinstance(one, OperationDefinitionNode)]
        self._hold("operations", len(operations))
        self._hold("fragments", len(definitions) - len(operations))
        aliases = directives = 0
        for node in nodes_of(self._document):
            aliases += isinstance(node, FieldNode) and node.alias is not None
            directives += len(getattr(node, "directives", None) or ())
        self._hold("aliases", aliases)
        self._hold("directives", directives)
        depth = 0
        for operation in operations:
            sets = (operation.selection_set,)
            self._hold("root_fields", len(self._collected(sets)))
            depth = max(depth, self._height(sets, 1))
        return depth

    def _hold(self, limit: str, value: int) -> None:
        allowed = getattr(self._limits, limit)
        if value > allowed:
            raise LimitExceeded(limit, allowed, value)

    def _height(self, sets: tuple[SelectionSetNode, ...], depth: int) -> int:
        """Levels of fields in selections that are merged. depth: of their own level."""
        key = tuple(map(id, sets))
        known = self._heights.get(key)
        if known is None:
            self._hold("depth", depth)
            self._heights[key] = 0  # a fragment inside itself; validation tells of it
            known = 0
            for nodes in self._collected(sets).values():
                inner = tuple(node.selection_set for node in nodes if node.selection_set)
                known = max(known, 1 + (self._height(inner, depth + 1) if inner else 0))
            self._heights[key] = known
        self._hold("depth", depth - 1 + known)
        return known

    def _collected(self, sets: Sequence[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """Fields by the name they answer to, whatever type they are of."""
        found: dict[str, list[FieldNode]] = {}
        waiting, spread = list(sets), set()
        pairs = 0
        while waiting:
            selections = waiting.pop().selections
            self._merges += len(selections)
            for node in selections:
                if isinstance(node, FieldNode):
                    name = (node.alias or node.name).value
                    same = found.setdefault(name, [])
                    pairs += len(same)
                    same.append(node)
                elif isinstance(node, FragmentSpreadNode):
                    fragment = self._fragments.get(node.name.value)
                    if fragment is not None and fragment.name.value not in spread:
                        spread.add(fragment.name.value)
                        waiting.append(fragment.selection_set)
                else:
                    waiting.append(node.selection_set)  # type: ignore[attr-defined]
            self._hold("merges", self._merges + pairs)
        self._merges += pairs
        return found


def nodes_of(document: DocumentNode) -> Iterator[Node]:
    """Every definition, variable and selection, as it stands in the text."""
    waiting: list[Node] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += getattr(node, "variable_definitions", None) or ()
        selection_set = getattr(node, "selection_set", None)
        if selection_set is not None:
            waiting += selection_set.selections
