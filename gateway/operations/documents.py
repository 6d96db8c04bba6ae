"""Documents, counted, parsed, validated and priced once: the same text is never worked through
twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    Node,
    parse,
    specified_rules,
    validate,
)

from gateway.operations import errors
from gateway.operations.defer import undeferred
from gateway.operations.limits import (
    LimitExceeded,
    LimitSettings,
    check_document,
    check_text,
    nodes_of,
)
from gateway.operations.one_of import OneOfVariables
from gateway.operations.places import arguments_of
from gateway.operations.price import Bill, bills

#: Most mistakes that are told of one document.
_MOST_ERRORS = 20
_RULES = (*specified_rules, OneOfVariables)
_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that may be run, or why not. told: the errors, as callers get them, and status as
    HTTP has it. tokens: how long it is. depth: levels of fields. bills: what its operations cost,
    by name. introspects: whether it asks for the schema. deferred: the document as it was sent,
    where it has `@defer`, of which `document` has none; deferrals: how many it has."""

    document: DocumentNode | None
    told: Sequence[dict[str, Any]] = ()
    status: int = 400
    tokens: int = 0
    depth: int = 0
    bills: Mapping[str | None, Bill] = field(default_factory=dict)
    introspects: bool = False
    deferred: DocumentNode | None = None
    deferrals: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most documents that are remembered, and most characters and tokens of all of them. A parsed
    token takes three objects and a third of a kilobyte, and each search for garbage looks through
    them."""

    documents: int
    characters: int
    tokens: int


#: Of documents that were asked for once, and of those that were asked for again: whoever sends a
#: thousand documents one time each pushes out none that portals use.
ONCE, AGAIN = Bounds(100, 1_000_000, 20_000), Bounds(1_000, 8_000_000, 100_000)


class _Shelf:
    """Documents by their texts, the latest last."""

    def __init__(self, bounds: Bounds, forgotten: Callable[[Checked], None]) -> None:
        self._bounds, self._forgotten = bounds, forgotten
        self._known: OrderedDict[str, Checked] = OrderedDict()
        self._characters = self._tokens = 0

    def get(self, text: str) -> Checked | None:
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
        return known

    def pop(self, text: str | None = None) -> Checked | None:
        """Takes one off: by default the one that was not asked for the longest."""
        if text is None:
            text = next(iter(self._known))
        known = self._known.pop(text, None)
        if known is not None:
            self._characters -= len(text)
            self._tokens -= known.tokens
        return known

    def put(self, text: str, checked: Checked) -> None:
        self._known[text] = checked
        self._characters += len(text)
        self._tokens += checked.tokens
        most = self._bounds
        while (
            len(self._known) > most.documents
            or self._characters > most.characters
            or self._tokens > most.tokens
        ):
            oldest = self.pop()
            if oldest is not None:
                self._forgotten(oldest)

    def clear(self) -> None:
        while self._known:
            self.pop()


class Documents:
    """Checks documents against a schema and remembers the outcome of the most recent ones.
    forgotten: told of each that is remembered no longer."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: LimitSettings,
        forgotten: Callable[[Checked], None] = lambda checked: None,
        once: Bounds = ONCE,
        again: Bounds = AGAIN,
    ) -> None:
        self._schema, self._limits = schema, limits
        self._once, self._again = _Shelf(once, forgotten), _Shelf(again, forgotten)

    def forget(self) -> None:
        """Drops all that is remembered."""
        self._once.clear()
        self._again.clear()

    def known(self, text: str) -> Checked | None:
        """The document of a text, where it was checked before."""
        known = self._again.get(text)
        if known is None:
            known = self._once.pop(text)
            if known is not None:
                self._again.put(text, known)
        return known

    def checked(self, text: str) -> Checked:
        """The document of a text."""
        known = self.known(text)
        if known is not None:
            return known
        checked = self._check(text)
        if len(text) <= self._limits.characters:
            self._once.put(text, checked)
        return checked

    def _check(self, text: str) -> Checked:
        try:
            tokens = check_text(text, self._limits)
            document = parse(text, max_tokens=self._limits.tokens)
            depth = check_document(document, self._limits)
        except LimitExceeded as exceeded:
            return Checked(None, [errors.limit(exceeded)], 422)
        except GraphQLError as error:
            return Checked(None, [errors.plain(error, errors.PARSE_FAILED)])
        mistakes = validate(self._schema, document, _RULES, max_errors=_MOST_ERRORS)
        if mistakes:
            named = arguments_of(document, mistakes)
            told = [
                errors.plain(error, errors.VALIDATION_FAILED, argument)
                for error, argument in zip(mistakes, named, strict=True)
            ]
            return Checked(None, told, tokens=tokens)
        _lighten(document)
        plain, deferrals = document, 0
        if self._schema.get_directive(GraphQLDeferDirective.name) is not None:
            plain, deferrals = undeferred(document)
        names = (node.name.value for node in nodes_of(document) if isinstance(node, FieldNode))
        return Checked(
            plain,
            # Both are remembered.
            tokens=2 * tokens if deferrals else tokens,
            depth=depth,
            bills=bills(self._schema, plain),
            introspects=any(name in _INTROSPECTION for name in names),
            deferred=document if deferrals else None,
            deferrals=deferrals,
        )


def _lighten(document: DocumentNode) -> None:
    """Lets go of the tokens that a valid document was parsed from: a third of its weight, which
    running it never asks for. Errors still say where their fields and values stand."""
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        place: Any = node.loc
        if place is not None:
            place.start_token = place.end_token = None
        for key in node.keys:
            value = getattr(node, key, None)
            if isinstance(value, Node):
                waiting.append(value)
            elif isinstance(value, list | tuple):
                waiting += (one for one in value if isinstance(one, Node))
