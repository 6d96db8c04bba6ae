"""Reads a service's `$metadata`: which properties and navigations its entity sets have. Pure.

Releases differ. A question that names one property too many is refused as a whole, so it is cut
down to what this service has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import ParseError  # only the error's name: defusedxml does the reading

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connectors.kit.odata.queries import Embedded, Query


@dataclass(frozen=True, slots=True)
class EntityType:
    """properties: by name. navigations: by name, with the name of the type they lead to."""

    properties: frozenset[str]
    navigations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Schema:
    """A service as it describes itself. Types go by their name without a namespace."""

    sets: Mapping[str, str]
    types: Mapping[str, EntityType]

    def has(self, entity_set: str, path: str) -> bool:
        """Whether the set has a property of this name, or of this path through navigations."""
        kind = self.types.get(self.sets.get(entity_set, ""))
        *through, last = path.split("/")
        for navigation in through:
            kind = self.types.get(kind.navigations.get(navigation, "")) if kind else None
        return kind is not None and (last in kind.properties or last in kind.navigations)

    def cut(self, query: Query) -> tuple[Query, tuple[str, ...]]:
        """The question with only the columns and embedded records that there are, and the paths of
        what had to go. Condition and order stay: leaving them out would ask for something else."""
        select, expand, gone = self._cut(query.entity_set, "", query.select, query.expand)
        return replace(query, select=select, expand=expand), gone

    def _cut(
        self, entity_set: str, prefix: str, select: Sequence[str], expand: Sequence[Embedded]
    ) -> tuple[tuple[str, ...], tuple[Embedded, ...], tuple[str, ...]]:
        here = {column: self.has(entity_set, prefix + column) for column in select}
        kept: list[Embedded] = []
        gone = [prefix + column for column, known in here.items() if not known]
        for embedded in expand:
            path = prefix + embedded.navigation
            if not self.has(entity_set, path):
                gone.append(path)
                continue
            columns, inner, lost = self._cut(
                entity_set, path + "/", embedded.select, embedded.expand
            )
            gone += lost
            if columns or inner:
                kept.append(replace(embedded, select=columns, expand=inner))
        return tuple(c for c, known in here.items() if known), tuple(kept), tuple(gone)


def read(body: bytes) -> Schema:
    """The schema out of an EDMX document of V2 or V4. Raises ValueError when it is none."""
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"is not XML: {type(error).__name__}") from None
    ends = {
        (_attribute(association, "Name"), end.get("Role", "")): _bare(end.get("Type", ""))
        for association in _elements(root, "Association")
        for end in _elements(association, "End")
    }
    types = {
        _attribute(kind, "Name"): EntityType(
            frozenset(_attribute(item, "Name") for item in _elements(kind, "Property")),
            {
                _attribute(item, "Name"): _target(item, ends)
                for item in _elements(kind, "NavigationProperty")
            },
        )
        for kind in _elements(root, "EntityType")
    }
    if not types:
        raise ValueError("describes no entity type")
    sets = {
        _attribute(item, "Name"): _bare(item.get("EntityType", ""))
        for item in _elements(root, "EntitySet")
    }
    return Schema(sets, types)


def _target(navigation: Any, ends: Mapping[tuple[str, str], str]) -> str:
    direct = navigation.get("Type")  # V4 names the type, V2 the end of an association
    if direct:
        return _bare(direct.removeprefix("Collection(").removesuffix(")"))
    return ends.get((_bare(navigation.get("Relationship", "")), navigation.get("ToRole", "")), "")


def _elements(root: Any, local: str) -> Iterator[Any]:
    return (item for item in root.iter() if str(item.tag).rpartition("}")[2] == local)


def _attribute(item: Any, key: str) -> str:
    return str(item.get(key) or "")


def _bare(qualified: str) -> str:
    return qualified.rpartition(".")[2]
