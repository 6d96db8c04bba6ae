"""What generated resolvers bring: values of the right sort and of the wrong one, nothing, errors,
each at once or after a while."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.gateway.operations.generated.dice import Dice


@dataclass(slots=True)
class Surroundings:
    """The context of one run. waits: whether what could take a while does; without, all is brought
    at once, so that graphql-core runs in one go and its errors have one order only. trouble: how
    many of a hundred values are not what they should be. objects: whether what waits is never a
    coroutine: graphql-core leaves some of those un-awaited. root_calls: fields of the root, in the
    order in which their resolvers were called."""

    seed: int
    waits: bool
    trouble: int = 6
    objects: bool = False
    root_calls: list[str] = field(default_factory=list)

    def thing(self, type_name: str, seed: str) -> Any:
        """An object of a type."""
        return Thing(type_name, seed)


class Around(Protocol):
    """As much of the surroundings as outcomes depend on."""

    waits: bool
    trouble: int
    objects: bool

    def thing(self, type_name: str, seed: str) -> Any: ...


class Thing(Mapping[str, Any]):
    """An object of a generated type. Fields without a resolver are read off it."""

    def __init__(self, type_name: str, seed: str) -> None:
        self.type_name, self.seed = type_name, seed

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.seed}>"

    def get(self, name: str, default: Any = None) -> Any:
        if name == "__typename":
            return self.type_name if Dice(f"named {self.seed}").chance(70) else None

        def read(info: Any, **arguments: Any) -> Any:
            return brought(self, info, arguments)

        return read


class Later:
    """An awaitable that is no coroutine."""

    def __init__(self, outcome: Any, ticks: int) -> None:
        self._outcome, self._ticks = outcome, ticks

    def __await__(self) -> Generator[Any, None, Any]:
        for _ in range(self._ticks):
            yield from asyncio.sleep(0).__await__()
        return given(self._outcome)


class Trouble(Exception):
    """An error with what GraphQL reads off one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.extensions = {"code": text}


def late(outcome: Any, ticks: int, around: Around) -> Awaitable[Any]:
    """An outcome after some turns of the loop."""
    later = Later(outcome, ticks)
    return later if around.objects or ticks == 2 else _coroutine(later)


async def _coroutine(later: Later) -> Any:
    return await later


def given(outcome: Any) -> Any:
    """The outcome, or what is raised."""
    if isinstance(outcome, Raised):
        raise outcome.error
    return outcome


@dataclass(frozen=True, slots=True)
class Raised:
    """An outcome that is raised."""

    error: Exception


def brought(source: Any, info: Any, arguments: Mapping[str, Any]) -> Any:
    """What the resolver of a field brings for a source."""
    surroundings: Surroundings = info.context
    seed = getattr(source, "seed", "root")
    asked = ",".join(f"{name}={value!r}" for name, value in sorted(arguments.items()))
    thrown = f"{surroundings.seed}/{seed}/{info.field_name}({asked})"
    if info.path.prev is None:
        surroundings.root_calls.append(str(info.path.key))
    dice = Dice(thrown)
    outcome = outcome_of(dice, info.return_type, thrown, surroundings, asked)
    if surroundings.waits and dice.chance(35):
        return late(outcome, dice.below(3), surroundings)
    return given(outcome)


def outcome_of(dice: Dice, kind: Any, seed: str, around: Around, asked: str = "") -> Any:
    """What is brought where a type is wanted. seed: of what is inside it."""
    if dice.chance(around.trouble):
        return _trouble(dice, seed)
    if dice.chance(2 if isinstance(kind, GraphQLNonNull) else 10):
        return None
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return _many(dice, kind.of_type, seed, around)
    if is_leaf_type(kind):
        return _leaf(dice, kind, seed, asked)
    named = get_named_type(kind)
    possible = around_types(named)
    return around.thing(dice.one(possible), seed)


def around_types(named: Any) -> list[str]:
    """The object types that a value of a type can be of."""
    if is_abstract_type(named):
        return list(named.extensions["possible"])
    return [named.name]


def _trouble(dice: Dice, seed: str) -> Any:
    text = f"trouble {seed[-12:]}"
    throw = dice.below(6)
    if throw == 0:
        return Raised(Trouble(text))
    if throw == 1:
        return Raised(GraphQLError(text, extensions={"code": "X"}))
    if throw == 2:
        return ValueError(text)  # given back, not raised
    return dice.one(["text", math.nan, [1, None], object, {"a": 1}, 2**40, True, -1.5, ()])


def _many(dice: Dice, kind: Any, seed: str, around: Around) -> Any:
    """A list, or what can stand for one. All is thrown the same whether anything waits or not."""
    count, throw = dice.one([0, 1, 2, 2, 3]), dice.below(20)
    items: list[Any] = []
    for place in range(count):
        item = outcome_of(dice, kind, f"{seed}[{place}]", around)
        # What is raised while the items are made would end the list: an item brings it itself.
        item = item.error if isinstance(item, Raised) else item
        waits = dice.chance(12) and around.waits
        items.append(late(item, place % 3, around) if waits else item)
    if throw == 0:
        return _one_by_one(items) if around.waits else items
    if throw == 1:
        return tuple(items)
    return _broken_off(items) if throw == 2 else items


def _broken_off(items: list[Any]) -> Iterator[Any]:
    yield from items
    raise Trouble("the list broke off")


async def _one_by_one(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield await item if isinstance(item, Awaitable) else item


def _leaf(dice: Dice, kind: Any, seed: str, asked: str) -> Any:
    if isinstance(kind, GraphQLEnumType):
        return dice.one([value.value for value in kind.values.values()])
    name = kind.name
    if name == "Int":
        return dice.one([0, 1, -7, 5, 2**31 - 1, -(2**31), 2**31, 3.0, "12"])
    if name == "Float":
        return dice.one([0.5, -1.25, 2.5, 3, 1e300, math.inf])
    if name == "Boolean":
        return dice.one([True, False, 0])
    if name == "ID":
        return dice.one(["a1", 17, seed[-6:]])
    if name == "String":
        return dice.one(["á", "", 5, asked or "plain", seed[-6:]])
    if name == "Date":
        return dice.one([date(2026, 3, 31), date(1, 1, 1)])
    assert isinstance(kind, GraphQLScalarType)
    return dice.one(["kept", "none", "undefined", "raise", 3])
