"""Generated schemas of Strawberry's: fields of every shape that the product's own schema is written
in, behind the product's own checks.

Each is built twice from the same seed: as it is, and so that graphql-core runs it in one go, with
every batched field answered for one parent at a time. The second says what is right.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from types import ModuleType
from typing import Annotated, Any, Union, cast

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from connectors.port.fields import NOT_FETCHED
from connectors.port.scope import Scope
from schema.access import Anonymous, Authorized, enforced
from schema.batched import batched, derived, held, typed
from schema.context import Caller, Context
from schema.recognition import Told, instances_of
from schema.scalars import CONFIG
from schema.selection import EMBEDS, selected, selects
from tests.gateway.operations.generated.dice import Dice
from tests.gateway.operations.generated.outcomes import Raised, given, late, outcome_of

_NOW = datetime(2026, 11, 18, tzinfo=UTC)
_NOTHING: Any = None
_ARGUMENTS: dict[str, tuple[Any, Any]] = {
    "n": (int | None, None),
    "five": (int, 5),
    "must": (str, inspect.Parameter.empty),
    "yes": (bool | None, None),
    "many": (list[int] | None, None),
}
_LEAVES = ("int", "float", "str", "str", "bool", "strawberry.ID", "Color", "date")
_SHAPES = (
    *("attribute", "attribute", "attribute", "derived", "batched", "batched", "held"),
    *("sync", "async", "permitted", "extended", "permitted attribute"),
)
_SCOPES = ("cases:read", "orders:read")


@strawberry.enum
class Color(Enum):
    RED = 1
    GREEN = "g"
    BLUE = 2.5


@dataclass(slots=True)
class Room(Context):
    """The context of one run; see Surroundings."""

    seed: int = 0
    waits: bool = False
    trouble: int = 0
    objects: bool = False
    rooms: Any = None

    def thing(self, type_name: str, seed: str) -> Any:
        return self.rooms.records[type_name](seed, self)


class Record:
    """An object of a generated type, whose attributes are thrown as they are read. told: they may
    be read again."""

    __slots__ = ("id", "room", "seed")
    type_name, told = "", False

    def __init__(self, seed: str, room: Room) -> None:
        self.seed, self.id = seed, seed[-8:]
        self.room = _again(room) if self.told else room

    def __repr__(self) -> str:
        return f"<{self.type_name} {self.seed}>"


def _again(room: Any) -> Room:
    """The context where things may be thrown again: what waits is then no coroutine, which somebody
    would have to await."""
    own: Room = room
    return replace(own, objects=True) if own.waits and not own.objects else own


def _record(type_name: str, names: Sequence[str], slots: bool, told: bool) -> type[Record]:
    """The class of a type's objects. slots: so that they hold nothing that the class does not."""
    kind = Told if told else property

    def thrown(name: str) -> property:
        return kind(lambda self: self.room.rooms.brought(self.room, self, type_name, name, {}))

    def held(name: str) -> Told:
        return Told(lambda self: self.room.rooms.held(self.room, self, name))

    body: dict[str, Any] = {name: thrown(name) for name in names}
    body |= {f"held_{name}": held(name) for name in names}
    body |= {"type_name": type_name, "told": told} | ({"__slots__": ()} if slots else {})
    return type(f"Record{type_name}", (Record,), body)


class Permission(BasePermission):
    message = "not for you"

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        return Dice(f"may {getattr(source, 'seed', 'root')} {info.field_name}").chance(80)


class Extension(FieldExtension):
    """Lets most calls through and answers some itself."""

    def resolve(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        if Dice(f"extended {getattr(source, 'seed', 'root')} {info.field_name}").chance(10):
            raise ValueError("the extension does not like it")
        return next_(source, info, **kwargs)


class Rooms:
    """A schema. at_once: so that graphql-core runs it in one go."""

    def __init__(self, seed: int, at_once: bool) -> None:
        self._dice, self._at_once = Dice(f"rooms {seed}"), at_once
        dice = self._dice
        self._module = ModuleType(f"generated_rooms_{seed}_{at_once}")
        sys.modules[self._module.__name__] = self._module
        self._types = [f"T{place}" for place in range(2 + dice.below(2))]
        self._fields = {f"f{place}": self._thrown() for place in range(5 + dice.below(5))}
        self.records = {
            name: _record(name, [*self._fields], slots=dice.chance(70), told=dice.chance(80))
            for name in self._types
        }
        try:
            self.schema = self._built()
        finally:
            del sys.modules[self._module.__name__]

    def _thrown(self) -> tuple[str, str, list[str]]:
        """Annotation, shape and arguments of a field, wherever it turns up."""
        dice = self._dice
        kind = dice.one([*_LEAVES, *_LEAVES, *self._types, *self._types, "Face", "U"])
        kind = kind if dice.chance(40) else f"{kind} | None"
        for _ in range(dice.one([0, 0, 0, 1, 1, 2])):
            kind = f"list[{kind}]"
            kind = kind if dice.chance(50) else f"{kind} | None"
        shape = dice.one(_SHAPES)
        takes = shape in ("batched", "sync", "async", "extended") and dice.chance(50)
        return kind, shape, dice.some([*_ARGUMENTS]) if takes else []

    def _built(self) -> GraphQLSchema:
        names, dice = list(self._fields), self._dice
        shared = dice.some(names)[:2]
        space = self._module.__dict__
        space |= {"strawberry": strawberry, "Color": Color, "date": date}
        identity = typed(lambda name: lambda record: f"{name}:{record.id}", description="Its id.")
        face = self._class("Face", [strawberry.interface], shared, {"id": identity})
        for name in self._types:
            own = [one for one in names if one in shared or dice.chance(60)]
            directives = [Authorized(scope=dice.one(_SCOPES))] if dice.chance(25) else []
            made = strawberry.type(directives=directives) if directives else strawberry.type
            extra = {"is_type_of": instances_of(self.records[name])}
            self._class(name, [made], [o for o in own if o not in shared], extra, bases=(face,))
        members = tuple(space[name] for name in dice.some(self._types, least=1))
        space["U"] = Annotated[Union[members], strawberry.union("U")]  # noqa: UP007
        roots = {
            name: self._class(name, [strawberry.type], names, {}) for name in ("Query", "Mutation")
        }
        made_schema = strawberry.Schema(
            roots["Query"], roots["Mutation"], config=CONFIG, types=[space[n] for n in self._types]
        )
        graph = enforced(made_schema)._schema
        for kind in graph.type_map.values():
            if is_abstract_type(kind) and not kind.name.startswith("__"):
                possible = [one.name for one in graph.get_possible_types(kind)]
                kind.extensions = {**kind.extensions, "possible": possible}
            if self._at_once and isinstance(kind, GraphQLObjectType):
                for field in kind.fields.values():
                    field.resolve = _driven(field.resolve) if field.resolve else None
        return graph

    def _class(
        self,
        name: str,
        made: list[Any],
        fields: Sequence[str],
        extra: dict[str, Any],
        bases: tuple[type, ...] = (),
    ) -> Any:
        annotations = {one: self._fields[one][0] for one in fields}
        if "id" in extra:
            annotations["id"] = "strawberry.ID"
        values = {one: self._field(name, one) for one in fields}
        values = {one: value for one, value in values.items() if value is not None}
        body = {"__module__": self._module.__name__, "__annotations__": annotations}
        built = made[0](type(name, bases, {**body, **values, **extra}))
        self._module.__dict__[name] = built
        return built

    def _field(self, owner: str, name: str) -> Any:
        _, shape, arguments = self._fields[name]
        root = owner in ("Query", "Mutation")
        directives: list[Any] = []
        if root:
            directives = [Authorized(scope=_SCOPES[len(name) % 2]) if name < "f3" else Anonymous()]
            shape = {"permitted": "permitted", "extended": "extended"}.get(
                shape, "sync" if name < "f2" else "async"
            )
        if shape == "attribute":
            return None
        if shape == "derived":
            return derived(
                lambda parent, room: given(self.outcome(_again(room), parent, name, {})),
                description=".",
            )
        if shape == "batched":
            return self._batched(name, arguments)
        if shape == "held":
            return self._held(name)
        if shape == "permitted attribute":
            return strawberry.field(permission_classes=[Permission])
        more: dict[str, Any] = {}
        if shape == "permitted":
            more["permission_classes"] = [Permission]
        if shape == "extended":
            more["extensions"] = [Extension()]
        resolver = self._resolver(name, arguments, slow=shape == "async")
        return strawberry.field(resolver=resolver, directives=directives, **more)

    def _resolver(self, name: str, arguments: list[str], slow: bool) -> Callable[..., Any]:
        def sync(root: Any, info: strawberry.Info, **values: Any) -> Any:
            values["selected"] = sorted(selected(info))
            return self.brought(info.context, root, info._raw_info.parent_type.name, name, values)

        async def coroutine(root: Any, info: strawberry.Info, **values: Any) -> Any:
            outcome = self.outcome(info.context, root, name, values, info)
            if info.context.waits:
                await asyncio.sleep(0)
            return given(outcome)

        signed: Callable[..., Any] = _signed(
            coroutine if slow else sync, ["root", "info"], arguments
        )
        return signed

    def _batched(self, name: str, arguments: list[str]) -> Any:
        def answers(
            parents: Sequence[Any], context: Any, fields: Any, counted: bool, values: dict[str, Any]
        ) -> list[Any]:
            if Dice(f"{context.seed} {name} {values} down").chance(context.trouble):
                raise ValueError(f"{name} is down")
            asked = {**values, "selected": sorted(fields), "counted": counted}
            outcomes = [self.outcome(context, parent, name, asked) for parent in parents]
            return [one.error if isinstance(one, Raised) else one for one in outcomes]

        async def later(asked: tuple[Any, ...], ticks: int) -> list[Any]:
            for _ in range(ticks):
                await asyncio.sleep(0)
            return answers(*asked)

        def load(
            parents: Sequence[Any], context: Any, fields: Any, counted: bool, **values: Any
        ) -> Any:
            asked = (parents, context, fields, counted, values)
            ticks = Dice(f"{context.seed} {name} ticks").below(4) if context.waits else 0
            return answers(*asked) if ticks == 3 else later(asked, ticks)

        signed = _signed(load, ["parents", "context", "fields", "counted"], arguments)
        if not self._at_once:
            return batched(signed, asks="cases", description=".")

        def alone(root: Any, info: strawberry.Info, **values: Any) -> Any:
            counted = selects(info, "totalCount")
            (answer,) = _driven_now(
                load([root], info.context, selected(info), counted=counted, **values)
            )
            return answer

        return strawberry.field(
            resolver=_signed(alone, ["root", "info"], arguments), description="."
        )

    def _held(self, name: str) -> Any:
        def ask(context: Any, fields: Any) -> Any:
            async def answers(parents: Sequence[Any]) -> list[Any]:
                return [self.held(context, parent, name, asked=True) for parent in parents]

            return answers

        def key(parent: Any) -> Any:
            return parent

        load = held(f"held_{name}", key, ask)
        if not self._at_once:
            return batched(load, asks="cases", embeds=f"held_{name}", description=".")

        def alone(root: Any, info: strawberry.Info) -> Any:
            brought: Any = load([root], info.context, frozenset())
            (answer,) = _driven_now(brought) if inspect.iscoroutine(brought) else brought
            return answer

        signed = _signed(alone, ["root", "info"], [])
        return strawberry.field(resolver=signed, description=".", metadata={EMBEDS: f"held_{name}"})

    def held(self, room: Room, source: Record, name: str, asked: bool = False) -> Any:
        """What an object holds of a field, if it does, or what is told of it when asked for."""
        here = Dice(f"{room.seed} {name} held").below(3)
        if not asked and (here == 2 or (here == 1 and Dice(source.seed).chance(50))):
            return NOT_FETCHED
        outcome = self.outcome(_again(room), source, name, {})
        return outcome.error if isinstance(outcome, Raised) else outcome

    def brought(
        self, room: Room, source: Any, type_name: str, name: str, values: dict[str, Any]
    ) -> Any:
        """What a field brings, at once or later."""
        outcome = self.outcome(room, source, name, values, type_name=type_name)
        dice = Dice(f"late {room.seed} {getattr(source, 'seed', 'root')} {name}")
        if room.waits and dice.chance(25):
            return late(outcome, dice.below(3), room)
        return given(outcome)

    def outcome(
        self,
        room: Room,
        source: Any,
        name: str,
        values: dict[str, Any],
        info: Any = None,
        type_name: str = "",
    ) -> Any:
        """What a field brings or raises."""
        if info is not None:
            values = {**values, "selected": sorted(selected(info))}
        seed = getattr(source, "seed", "root")
        asked = ",".join(f"{key}={value!r}" for key, value in sorted(values.items()))
        thrown = f"{room.seed}/{seed}/{name}({asked})"
        owner = type_name or getattr(source, "type_name", "") or "Query"
        kind = cast("Any", self.schema.type_map[owner]).fields[name].type
        return outcome_of(Dice(thrown), kind, thrown, room, asked)


def room(rooms: Rooms, run: int, waits: bool) -> Room:
    """The context of a run. Both schemas of a seed get equal ones."""
    scopes = _SCOPES[:1] if run % 7 == 5 else _SCOPES
    who = None if run % 7 == 6 else _caller(frozenset(scopes))
    return Room(
        _NOTHING,
        _NOTHING,
        _NOTHING,
        lambda: _NOW,
        who,
        seed=run,
        waits=waits,
        trouble=(0, 3, 6, 6, 12)[run % 5],
        rooms=rooms,
    )


def _caller(scopes: frozenset[str]) -> Caller:
    return Caller("p", "p@x.example", "P", (), Scope(), _NOW, staff=True, scopes=scopes)


def _signed(function: Any, own: list[str], arguments: list[str]) -> Any:
    """A function whose signature names its arguments."""
    kind = inspect.Parameter.KEYWORD_ONLY
    notes: dict[str, Any] = {"info": strawberry.Info}
    parameters = [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=notes.get(name, Any)
        )
        for name in own
    ]
    for name in arguments:
        annotation, default = _ARGUMENTS[name]
        notes[name] = annotation
        parameters.append(inspect.Parameter(name, kind, annotation=annotation, default=default))
    function.__signature__ = inspect.Signature(parameters)
    function.__annotations__ = {**dict.fromkeys(own, Any), **notes}
    return function


def _driven(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def at_once(source: Any, info: Any, **arguments: Any) -> Any:
        brought = resolve(source, info, **arguments)
        return _driven_now(brought) if inspect.iscoroutine(brought) else brought

    return at_once


def _driven_now(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine brings that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    work.close()
    raise AssertionError("something waited that must not")
