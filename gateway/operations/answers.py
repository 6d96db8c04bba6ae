"""Whole answers, kept as the bytes that callers get: a document that is asked again costs neither
execution nor encoding.

Kept for everybody is only what the schema says an anonymous caller may be told (`@cacheControl`);
kept for one caller, if the settings say so, is what queries alone answered them, until something of
their accounts is changed. Whoever asks was let in before: tokens, sessions, rates.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol
from weakref import ref

import msgspec
import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)

from connectors.port.errors import SourceError
from connectors.port.scope import Scope
from gateway import telemetry
from gateway.operations.requests import Outcome, encoded
from gateway.operations.run import Ready
from gateway.sources.freshness import Seconds
from gateway.sources.memory import Entry, Memory
from schema.caching import CacheScope, declared
from schema.context import Caller

Run = Callable[[], Awaitable[Outcome]]
#: A response object, as JSON, and a validator of that.
_Kept = tuple[dict[str, Any], bytes, str]
#: What of the systems an answer within a scope rests on, as it stands.
Standing = Callable[[Scope], Hashable]
#: Callers that are known by a number, at most.
_MOST_KNOWN: Final = 10_000


class Asker(Protocol):
    """Whom an answer is for, and what they read."""

    @property
    def who(self) -> Caller | SourceError | None: ...
    @property
    def language(self) -> str: ...
    @property
    def locale(self) -> str: ...


class AnswerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole answers. public: whether those for everybody are kept. private_seconds: how long those
    of one caller are; 0 keeps none. entries, megabytes: in one process."""

    public: bool = True
    private_seconds: Seconds = 0.0
    entries: Annotated[int, msgspec.Meta(ge=1)] = 5_000
    megabytes: Annotated[float, msgspec.Meta(gt=0)] = 32.0


@dataclass(frozen=True, slots=True)
class _Policy:
    """seconds: 0 for what is not kept."""

    seconds: float
    public: bool


class WholeAnswers:
    """What is kept of a schema's operations. clock: epoch seconds."""

    def __init__(
        self,
        schema: GraphQLSchema,
        settings: AnswerSettings,
        standing: Standing,
        clock: Callable[[], float],
    ) -> None:
        self._schema, self._settings = schema, settings
        self._standing, self._clock = standing, clock
        self._memory = Memory(settings.entries, int(settings.megabytes * 1_000_000))
        self._policies: dict[int, tuple[ref[DocumentNode], dict[str | None, _Policy]]] = {}
        self._numbers = _Numbers()
        self._callers: dict[int, tuple[Caller, int]] = {}
        #: Mutations so far: what somebody changed of themselves, too, they see at once.
        self._changes = 0

    async def answer(self, ready: Ready, asker: Asker, run: Run) -> Outcome:
        """The answer to an operation, kept or run now."""
        if ready.kind is OperationType.MUTATION:
            try:
                return await run()
            finally:
                self._changes += 1
        policy = self._policy(ready)
        key = self._key(ready, asker, policy) if policy.seconds else None
        if key is None:
            return await run()
        standing: Hashable = None
        if not policy.public and isinstance(asker.who, Caller):
            standing = (self._changes, self._standing(asker.who.scope))
        entry, now = self._memory.get(key, standing), self._clock()
        if entry is not None:
            age = max(0.0, now - entry.at)
            if age < policy.seconds:
                telemetry.loads["answers", "remembered"] += 1
                return _told(entry.value, policy, asker, age)
        telemetry.loads["answers", "asked"] += 1
        outcome = await run()
        if outcome.status is not None or outcome.body.keys() != {"data"}:
            return outcome  # what failed or is old is told to nobody else
        body = encoded(outcome.body)
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        kept = (outcome.body, body, tag)
        self._memory.put(key, Entry(kept, now, standing))
        return _told(kept, policy, asker, 0.0)

    def _policy(self, ready: Ready) -> _Policy:
        document = ready.checked.document
        if document is None or ready.kind is not OperationType.QUERY:
            return _NOT_KEPT
        # By its identity: what a document says is long to compare.
        place = id(document)
        found = self._policies.get(place)
        if found is None:
            gone = ref(document, lambda _: self._policies.pop(place, None))
            found = self._policies[place] = gone, {}
        known, name = found[1], ready.request.operation_name
        if name not in known:
            operation = get_operation_ast(document, name)
            if operation is None:
                return _NOT_KEPT
            known[name] = self._worked_out(document, operation, ready.checked.introspects)
        return known[name]

    def _worked_out(
        self, document: DocumentNode, operation: OperationDefinitionNode, introspects: bool
    ) -> _Policy:
        private = _Policy(self._settings.private_seconds, False)
        query, ages = self._schema.query_type, []
        if query is None or introspects:
            return _NOT_KEPT
        for name in _root_fields(document, operation.selection_set):
            if name == "__typename":
                continue
            said = declared(query.fields[name])
            if said is None or said.scope is not CacheScope.PUBLIC:
                return private
            ages.append(said.max_age)
        if not ages or not self._settings.public:
            return private
        return _Policy(min(ages), True)

    def _key(self, ready: Ready, asker: Asker, policy: _Policy) -> Hashable | None:
        """None for what cannot be told from others' answers."""
        asked = self._asked(ready)
        if asked is None:
            return None
        if policy.public:
            return asked, asker.language, asker.locale
        if not isinstance(asker.who, Caller):
            return None
        return asked, asker.language, asker.locale, self._caller(asker.who)

    def _asked(self, ready: Ready) -> bytes | None:
        """A digest of all that an operation says."""
        request = ready.request
        place = ("asked", ready.shows_schema)
        if request.worked_out is not None and place in request.worked_out:
            known: bytes = request.worked_out[place]
            return known
        said = [request.query, request.operation_name, request.variables or {}, ready.shows_schema]
        try:
            digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
        except TypeError:
            return None
        if request.worked_out is not None:
            request.worked_out[place] = digest
        return digest

    def _caller(self, who: Caller) -> int:
        """A number for all that an answer may depend on of whoever asks."""
        known = self._callers.get(id(who))
        if known is not None:
            return known[1]
        if len(self._callers) >= _MOST_KNOWN:
            self._callers.clear()
        number = self._numbers.of(_identity(who))
        self._callers[id(who)] = who, number
        return number


class _Numbers:
    """A number for each value, which no other value ever has. A value that was forgotten gets
    another one."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, int] = OrderedDict()
        self._last = 0

    def of(self, value: Hashable) -> int:
        known = self._known.get(value)
        if known is not None:
            self._known.move_to_end(value)
            return known
        self._last += 1
        self._known[value] = self._last
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return self._last


_NOT_KEPT = _Policy(0.0, False)


def _identity(who: Caller) -> Hashable:
    """All that an answer may depend on of whoever asks."""
    return (
        who.contact_id,
        who.email,
        who.name,
        who.memberships,
        who.scope,
        who.staff,
        who.scopes,
        who.session_id,
    )


def _told(kept: _Kept, policy: _Policy, asker: Asker, age: float) -> Outcome:
    """An answer with what caches on its way may do with it. One that is kept here for everybody is
    public only for whoever did not say who they are: others' come with a token."""
    body, written, tag = kept
    headers: Mapping[str, str] = {}
    if policy.public:
        who = "public" if asker.who is None else "private"
        headers = {
            "cache-control": f"{who}, max-age={policy.seconds:g}",
            "age": str(int(age)),
            "etag": tag,
        }
    return Outcome(body, headers=headers, encoded=written, tag=tag)


def _root_fields(document: DocumentNode, selections: SelectionSetNode) -> Iterator[str]:
    """The names of all fields that an operation may start with, whatever its variables say."""
    fragments: dict[str, FragmentDefinitionNode] = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    waiting: list[Any] = [selections]
    seen: set[str] = set()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                yield node.name.value
            elif isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen:
                    seen.add(node.name.value)
                    waiting.append(fragments[node.name.value].selection_set)
            else:
                waiting.append(node.selection_set)
