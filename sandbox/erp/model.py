"""What the services are drawn with: properties, entity sets, navigations, and the tables below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The value is the type's name in the Edm namespace of OData V2."""

    TEXT = "String"
    DATE = "DateTime"
    INSTANT = "DateTimeOffset"
    TIME = "Time"
    DECIMAL = "Decimal"
    BOOLEAN = "Boolean"
    GUID = "Guid"


_STORED = {Kind.DECIMAL: "INTEGER NOT NULL DEFAULT 0", Kind.BOOLEAN: "INTEGER NOT NULL DEFAULT 0"}
_STORED |= dict.fromkeys((Kind.DATE, Kind.INSTANT, Kind.TIME), "TEXT")


@dataclass(frozen=True, slots=True)
class Property:
    """One property as a service shows it and as its column stores it.

    Dates are stored as YYYY-MM-DD, instants as YYYY-MM-DDTHH:MM:SS.mmmZ, decimals as whole
    thousandths. A padded text is a number that people write without its leading zeros; it is stored
    with them, up to `length`. `unit` names the property that holds the unit or currency.
    """

    name: str
    kind: Kind
    length: int = 0
    precision: int = 0
    unit: str | None = None
    padded: bool = False
    column: str = ""
    filterable: bool = True
    sortable: bool = True

    @property
    def stored(self) -> str:
        """The column's name."""
        return self.column or self.name


def text(names: str, length: int, *, column: str = "", free: bool = True) -> list[Property]:
    """Texts of one length. names: one or more, separated by spaces. free: filterable, sortable."""
    return [
        Property(n, Kind.TEXT, length, column=column, filterable=free, sortable=free)
        for n in names.split()
    ]


def number(names: str, length: int = 10, *, column: str = "", free: bool = True) -> list[Property]:
    """Document, partner or item numbers: texts that are the same with and without leading zeros."""
    return [
        Property(n, Kind.TEXT, length, padded=True, column=column, filterable=free, sortable=free)
        for n in names.split()
    ]


def plain(kind: Kind, names: str, *, column: str = "") -> list[Property]:
    """Properties of a kind that has no length."""
    return [Property(n, kind, column=column) for n in names.split()]


def decimal(names: str, unit: str, precision: int = 16) -> list[Property]:
    """Decimals with up to three places, shown with as many as their unit or currency has."""
    return [Property(n, Kind.DECIMAL, precision=precision, unit=unit) for n in names.split()]


@dataclass(frozen=True, slots=True)
class Navigation:
    """From one entity to others: `on` pairs own properties with the target's."""

    name: str
    target: str
    many: bool
    on: tuple[tuple[str, str], ...]


def to_many(name: str, target: str, *on: str) -> Navigation:
    """on: names that are the same on both sides, or `own=theirs`."""
    return Navigation(name, target, many=True, on=_pairs(on))


def to_one(name: str, target: str, *on: str) -> Navigation:
    """on: names that are the same on both sides, or `own=theirs`."""
    return Navigation(name, target, many=False, on=_pairs(on))


def _pairs(on: Iterable[str]) -> tuple[tuple[str, str], ...]:
    split = (one.partition("=") for one in on)
    return tuple((own, theirs or own) for own, _, theirs in split)


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A collection of one entity type. One that is not addressable is reached by navigation only.
    `etag` names the property that the entity tag is made from."""

    name: str
    type_name: str
    table: str
    keys: tuple[str, ...]
    properties: Mapping[str, Property]
    navigations: Mapping[str, Navigation]
    addressable: bool = True
    etag: str | None = None


def entity_set(
    name: str,
    table: str,
    keys: str,
    *properties: list[Property],
    go: Iterable[Navigation] = (),
    type_name: str = "",
    addressable: bool = True,
    etag: str | None = None,
) -> EntitySet:
    """keys: names separated by spaces. type_name: the set's name with `Type` unless given."""
    return EntitySet(
        name,
        type_name or f"{name}Type",
        table,
        tuple(keys.split()),
        {one.name: one for group in properties for one in group},
        {one.name: one for one in go},
        addressable,
        etag,
    )


@dataclass(frozen=True, slots=True)
class Service:
    """One OData service: where it answers, what it calls itself, what it holds."""

    path: str
    namespace: str
    sets: Mapping[str, EntitySet]

    def without(self, missing: Iterable[str]) -> Service:
        """The service of an older release, that lacks properties or navigations: `Set/Name`."""
        sets = dict(self.sets)
        for path in missing:
            name, _, member = path.partition("/")
            if name in sets:
                sets[name] = _without(sets[name], member)
        return Service(self.path, self.namespace, sets)


def _without(one: EntitySet, member: str) -> EntitySet:
    if member in one.keys or member not in {*one.properties, *one.navigations}:
        raise ValueError(f"{one.name} has no property or navigation {member!r} that it can lack")
    properties = {n: p for n, p in one.properties.items() if n != member}
    navigations = {n: g for n, g in one.navigations.items() if n != member}
    return EntitySet(
        one.name, one.type_name, one.table, one.keys, properties, navigations, one.addressable,
        one.etag,
    )  # fmt: skip


def service(path: str, namespace: str, *sets: EntitySet) -> Service:
    return Service(path, namespace, {one.name: one for one in sets})


def table_columns(services: Iterable[Service]) -> dict[str, dict[str, str]]:
    """Table to column to its SQL type, over all services that show the table."""
    tables: dict[str, dict[str, str]] = {}
    for one in (each for held in services for each in held.sets.values()):
        columns = tables.setdefault(one.table, {})
        for shown in one.properties.values():
            columns.setdefault(shown.stored, _STORED.get(shown.kind, "TEXT NOT NULL DEFAULT ''"))
    return tables


def table_keys(services: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """Table to the columns of its primary key."""
    return {
        one.table: tuple(one.properties[key].stored for key in one.keys)
        for held in services
        for one in held.sets.values()
    }
