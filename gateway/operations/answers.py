"""Whole answers, kept as the bytes that callers get: a document that is asked again costs neither
execution nor encoding.

Kept for everybody is only what the schema says an anonymous caller may be told (`@cacheControl`);
kept for one caller, if the settings say so, is what queries alone answered them, until something of
their accounts is changed. Whoever asks was let in before: tokens, sessions, rates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from weakref import WeakKeyDictionary

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

from gateway import telemetry
from gateway.operations.requests import Outcome, encoded
from gateway.operations.run import Ready
from gateway.sources.freshness import Seconds
from gateway.sources.memory import Entry, Memory
from schema.caching import CacheScope, declared
from schema.context import Caller, Context

Run = Callable[[], Awaitable[Outcome]]
#: What of the systems an answer for a caller rests on, as it stands.
Standing = Callable[[Context], Hashable]


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
        self._policies: WeakKeyDictionary[DocumentNode, dict[str | None, _Policy]]
        self._policies = WeakKeyDictionary()
        #: Mutations so far: what somebody changed of themselves, too, they see at once.
        self._changes = 0

    async def answer(self, ready: Ready, context: Context, run: Run) -> Outcome:
        """The answer to an operation, kept or run now."""
        if ready.kind is OperationType.MUTATION:
            try:
                return await run()
            finally:
                self._changes += 1
        policy = self._policy(ready)
        key = self._key(ready, context, policy) if policy.seconds else None
        if key is None:
            return await run()
        standing = None if policy.public else (self._changes, self._standing(context))
        entry, now = self._memory.get(key, standing), self._clock()
        if entry is not None:
            age = max(0.0, now - entry.at)
            if age < policy.seconds:
                telemetry.loads["answers", "remembered"] += 1
                return _told(entry.value, policy, context, age)
        outcome = await run()
        if outcome.status is not None or outcome.body.keys() != {"data"}:
            return outcome  # what failed or is old is told to nobody else
        body = encoded(outcome.body)
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        kept = replace(outcome, encoded=body, tag=tag)
        self._memory.put(key, Entry(kept, now, standing))
        return _told(kept, policy, context, 0.0)

    def _policy(self, ready: Ready) -> _Policy:
        document = ready.checked.document
        if document is None or ready.kind is not OperationType.QUERY:
            return _NOT_KEPT
        known = self._policies.setdefault(document, {})
        name = ready.request.operation_name
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

    def _key(self, ready: Ready, context: Context, policy: _Policy) -> Hashable | None:
        """None for what cannot be told from others' answers."""
        request = ready.request
        try:
            values = orjson.dumps(request.variables or {}, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            return None
        asked = (request.query, request.operation_name, values, ready.shows_schema)
        heard = (context.language, context.locale)
        if policy.public:
            return asked, heard
        who = context.who
        return (asked, heard, _identity(who)) if isinstance(who, Caller) else None


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


def _told(kept: Outcome, policy: _Policy, context: Context, age: float) -> Outcome:
    """An answer with what caches on its way may do with it. One that is kept here for everybody is
    public only for whoever did not say who they are: others' come with a token."""
    if not policy.public:
        return kept
    who = "public" if context.who is None else "private"
    headers: Mapping[str, str] = {
        "cache-control": f"{who}, max-age={policy.seconds:g}",
        "age": str(int(age)),
        "etag": kept.tag or "",
    }
    return replace(kept, headers={**kept.headers, **headers})


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
