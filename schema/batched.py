"""The two shapes of a field that is more than an attribute of its record.

A derived field is a function of one parent, which tells the same each time. A batched field is a
function of many parents that answers in their order:

    async def account_of_cases(
        parents: Sequence[records.Case], context: Context, fields: Fields
    ) -> Sequence[records.Account | None]: ...

    class Case(Node):
        account: Account | None = batched(
            account_of_cases, asks="customers", embeds="account", description="..."
        )

A parameter `counted` tells whether a connection's totalCount is selected. Any further parameter is
an argument of the field. The function is called once for all parents that ask in the same tick with
the same arguments and selection. An answer may be an exception: it is the
error of that parent's field alone. A function that has all answers may give them at once: it is
then not `async`, and returns either answers or an awaitable of them (`Answers`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import strawberry
from aiodataloader import DataLoader

from connectors.port.errors import SourceError
from connectors.port.fields import NOT_FETCHED, Fields, NotFetched
from schema.context import Context
from schema.price import ASKS, Asks
from schema.selection import EMBEDS, NEEDS, raw, selected, selects

#: Answers in the order of the parents, there already or on their way.
Answers = Sequence[Any] | Awaitable[Sequence[Any]]
Load = Callable[..., Answers]

#: What the functions made here carry, under these names, for whoever answers many parents at once:
#: the function of many parents, of one parent and the context, or of one parent by its type.
BATCHED, DERIVED, TYPED = "__batched__", "__derived__", "__typed__"
#: The same of a function of many parents that `held` made: the attribute.
HELD = "__held__"

#: Parameters that every batched function begins with.
_OWN = ("parents", "context", "fields", "counted")


def batched(
    load: Load,
    *,
    asks: str | Asks,
    description: str,
    needs: Iterable[str] = (),
    embeds: str | None = None,
    name: str | None = None,
) -> Any:
    """A field of a graph type that `load` answers for many parents at once.

    asks: the source that it asks, in one call for all parents unless it says otherwise. needs:
    attributes of the parent record that `load` reads. embeds: the attribute of the parent record
    that may hold the answer already, so that what is selected inside goes along in the parent's
    own question.
    """
    signature = inspect.signature(load)
    arguments = [p for p in signature.parameters.values() if p.name not in _OWN]
    annotations = inspect.get_annotations(load, eval_str=False)

    async def resolve(root: Any, info: strawberry.Info, **values: Any) -> Any:
        return await _loader(load, info, values).load(root)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter("root", kind, annotation=Any),
            inspect.Parameter("info", kind, annotation=strawberry.Info),
            *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in arguments),
        ]
    )
    resolve.__annotations__ = {
        "root": Any,
        "info": strawberry.Info,
        **{p.name: annotations[p.name] for p in arguments},
    }
    resolve.__module__ = load.__module__
    setattr(resolve, BATCHED, load)
    return strawberry.field(
        resolver=resolve,
        description=description,
        name=name,
        metadata={
            NEEDS: tuple(needs),
            EMBEDS: embeds,
            ASKS: Asks(asks) if isinstance(asks, str) else asks,
        },
    )


def derived(
    work_out: Callable[[Any, Context], Any], *, description: str, needs: Iterable[str] = ()
) -> Any:
    """A field of a graph type that is worked out from its parent, without asking anyone or changing
    anything: it may be worked out again.

    needs: attributes of the parent record that `work_out` reads.
    """

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return work_out(root, info.context)

    # The type of the answer is told by the graph type's own annotation.
    resolve.__annotations__ = {"root": Any, "info": strawberry.Info}
    setattr(resolve, DERIVED, work_out)
    metadata = {NEEDS: tuple(needs)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata)


def typed(of_type: Callable[[str], Callable[[Any], Any]], *, description: str) -> Any:
    """A field of an interface that is worked out from its parent, for each object type in its own
    way: `of_type` gives the function for the type of a name. It needs no attribute but `id`."""
    known = functools.cache(of_type)

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return known(raw(info).parent_type.name)(root)

    resolve.__annotations__ = {"root": Any, "info": strawberry.Info}
    setattr(resolve, TYPED, known)
    return strawberry.field(resolver=resolve, description=description, metadata={NEEDS: ()})


def _loader(load: Load, info: strawberry.Info, values: dict[str, Any]) -> Any:
    context: Context = info.context
    # Equal nodes have equal arguments and an equal selection, so the node stands for both.
    key = (load, *map(id, raw(info).field_nodes))
    loader = context.loaders.get(key)
    if loader is None:
        fields = selected(info)
        if "counted" in inspect.signature(load).parameters:
            values = {**values, "counted": selects(info, "totalCount")}

        async def answer(parents: list[Any]) -> list[Any]:
            brought = load(parents, context, fields, **values)
            return list(await brought if isinstance(brought, Awaitable) else brought)

        loader = context.loaders[key] = DataLoader(answer, cache=False)
    return loader


async def each(
    ids: Iterable[str | None],
    ask: Callable[[Sequence[str]], Awaitable[Sequence[Any]]],
) -> list[Any]:
    """Answers by id for many parents: every id is asked once, None is answered with None. When the
    question brings no answer, that is the error of those parents alone that have an id: it stands
    in their places; where all have one, it is raised."""
    wanted = list(ids)
    unique = list(dict.fromkeys(i for i in wanted if i is not None))
    if not unique:
        return [None] * len(wanted)
    found: dict[str, Any]
    try:
        found = dict(zip(unique, await ask(unique), strict=True))
    except SourceError as error:
        if None not in wanted:
            raise
        found = dict.fromkeys(unique, error)
    return [None if i is None else found[i] for i in wanted]


def held(
    attribute: str,
    key: Callable[[Any], str | None],
    ask: Callable[[Context, Fields], Callable[[Sequence[str]], Awaitable[Sequence[Any]]]],
) -> Load:
    """The function of many parents for what they may hold in an attribute, just as it is; what
    their system left NOT_FETCHED is asked for by their keys."""

    def load(parents: Sequence[Any], context: Context, fields: Fields) -> Answers:
        return embedded_or_asked(parents, attribute, key, ask(context, fields))

    setattr(load, HELD, attribute)
    return load


def embedded_or_asked(
    parents: Sequence[Any],
    attribute: str,
    key: Callable[[Any], str | None],
    ask: Callable[[Sequence[str]], Awaitable[Sequence[Any]]],
) -> Answers:
    """What the parents hold in an attribute, where their system gave it along; what it left
    NOT_FETCHED is asked for by the parents' keys. At once, where nothing is left."""
    given = [getattr(parent, attribute, NOT_FETCHED) for parent in parents]
    if NotFetched not in set(map(type, given)):
        return given
    return _asked_for(parents, given, key, ask)


async def _asked_for(
    parents: Sequence[Any],
    given: Sequence[Any],
    key: Callable[[Any], str | None],
    ask: Callable[[Sequence[str]], Awaitable[Sequence[Any]]],
) -> list[Any]:
    missing = [
        key(parent) if value is NOT_FETCHED else None
        for parent, value in zip(parents, given, strict=True)
    ]
    asked = await each(missing, ask)
    return [
        answer if value is NOT_FETCHED else value
        for value, answer in zip(given, asked, strict=True)
    ]


def afterwards(brought: Answers, make: Callable[[Sequence[Any]], Sequence[Any]]) -> Answers:
    """What is made of answers: at once, where they are there."""
    return _made(brought, make) if isinstance(brought, Awaitable) else make(brought)


async def _made(
    brought: Awaitable[Sequence[Any]], make: Callable[[Sequence[Any]], Sequence[Any]]
) -> Sequence[Any]:
    return make(await brought)
