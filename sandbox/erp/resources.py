"""The path of a request to what it names: a collection or one entity, across navigations."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Final

from sandbox.erp.conditions import ALWAYS, Condition, both, equals
from sandbox.erp.errors import (
    no_entity,
    not_addressable,
    unknown_property,
    unknown_segment,
    unreadable,
)
from sandbox.erp.filters import Literal, Shape, Version, tokens
from sandbox.erp.model import EntitySet, Service
from sandbox.erp.reading import Ask, linked, read
from sandbox.erp.values import Stored, stored

_SEGMENT: Final = re.compile(r"([$\w]+)(?:\(((?:[^'()]|'(?:[^']|'')*')*)\))?(?:/|$)")


@dataclass(frozen=True, slots=True)
class Resource:
    """What a path names. many: a collection, else one entity, that may turn out not to exist.
    missing_is_empty: a navigation to one that leads nowhere, which is no error."""

    entity: EntitySet
    where: Condition
    many: bool
    counted: bool = False
    missing_is_empty: bool = False


def resource_of(
    path: str, service: Service, version: Version, connection: sqlite3.Connection
) -> Resource:
    """path: below the service root, decoded, without a slash at either end. Raises ODataError."""
    segments = _segments(path)
    name, key = segments[0]
    entity = service.sets.get(name)
    if entity is None:
        raise unknown_segment(name)
    if not entity.addressable:
        raise not_addressable(name)
    found = _keyed(Resource(entity, ALWAYS, many=True), key, version)
    for place, (name, key) in enumerate(segments[1:], start=2):
        if name == "$count" and key is None and found.many and place == len(segments):
            return Resource(found.entity, found.where, many=True, counted=True)
        found = _keyed(_followed(found, name, service, connection), key, version)
    return found


def _segments(path: str) -> list[tuple[str, str | None]]:
    found = []
    at = 0
    while at < len(path):
        match = _SEGMENT.match(path, at)
        if match is None:
            raise unknown_segment(path[at:].partition("/")[0])
        found.append((match[1], match[2]))
        at = match.end()
    return found


def _followed(
    found: Resource, name: str, service: Service, connection: sqlite3.Connection
) -> Resource:
    navigation = found.entity.navigations.get(name)
    if navigation is None or found.many:
        raise unknown_segment(name)
    rows = read(connection, Ask(found.entity, (), where=found.where, top=1))
    if not rows:
        raise no_entity(found.entity.type_name)
    target = service.sets[navigation.target]
    where = linked(navigation, rows[0].row, found.entity, target)
    return Resource(target, where, navigation.many, missing_is_empty=not navigation.many)


def _keyed(found: Resource, key: str | None, version: Version) -> Resource:
    if key is None or (not found.many and not key):
        return found
    if not found.many:
        raise unreadable(f"Invalid key predicate ({key})")
    where = found.where
    for name, value in _key_values(key, found.entity, version).items():
        where = both(where, equals(found.entity.properties[name].stored, value))
    return Resource(found.entity, where, many=False)


def _key_values(key: str, entity: EntitySet, version: Version) -> dict[str, Stored]:
    """`'1'` where there is one key, else `SalesOrder='1',SalesOrderItem='10'` in any order."""
    found: dict[str, Stored] = {}
    for part in re.findall(r"(?:[^',]|'(?:[^']|'')*')+", key):
        name, equal, value = (
            part.partition("=") if "=" in part.partition("'")[0] else ("", "", part)
        )
        name = name.strip() if equal else entity.keys[0]
        if name not in entity.properties:
            raise unknown_property(name, entity.type_name)
        found[name] = stored(_literal(value.strip(), version), entity.properties[name], version)
    if set(found) != set(entity.keys):
        raise unreadable(f"Invalid key predicate ({key}): the keys are {', '.join(entity.keys)}")
    return found


def _literal(text: str, version: Version) -> Literal:
    # V4 writes a GUID bare and V2 with a prefix; both are one token.
    found = tokens(text, version)
    if len(found) != 1 or found[0].literal is None or found[0].literal.shape is Shape.NULL:
        raise unreadable(f"Invalid key predicate ({text})")
    return found[0].literal
