"""A GET of an OData V2 service: its options to a question, and what was found to JSON."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from sandbox.erp.conditions import both, condition_of
from sandbox.erp.errors import no_entity, unknown_property, unreadable
from sandbox.erp.filters import Version, parse_filter
from sandbox.erp.model import EntitySet, Navigation, Property, Service
from sandbox.erp.options import V2_OPTIONS, names_of, options_of, order_of, page_of, whole_number
from sandbox.erp.reading import Ask, Expand, Found, count, read
from sandbox.erp.resources import Resource, resource_of
from sandbox.erp.values import etag_of, key_text, v2_value

_PATHS = Sequence[Sequence[str]]
_DEEPEST: Final = 5
# What an address keeps of a path as it is.
SAFE: Final = "/$(),='"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: the body, its media type, and headers beyond the usual."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A GET below a service: the root's address as the client sees it, path, raw query string."""

    service: Service
    root: str
    path: str
    query: str
    page_limit: int


def answer_v2(asked: Asked, connection: sqlite3.Connection) -> Answer:
    """Raises ODataError for whatever the service would refuse."""
    options = options_of(asked.query, V2_OPTIONS)
    _check(options)
    if not asked.path:
        return _json({"EntitySets": list(asked.service.sets)})
    resource = resource_of(asked.path, asked.service, Version.V2, connection)
    ask = _question(resource, options, asked.service)
    if resource.counted:
        # A number by itself: pages have no meaning here, the condition does.
        return Answer(str(count(connection, ask)).encode(), "text/plain")
    if resource.many:
        return _many(asked, ask, options, connection)
    return _one(asked, resource, ask, connection)


def _check(options: Mapping[str, str]) -> None:
    if options.get("$format", "json") != "json":
        raise unreadable(f"Format '{options['$format']}' is not modelled here: ask for json")
    if options.get("$inlinecount", "none") not in ("none", "allpages"):
        raise unreadable("Invalid value for system query option '$inlinecount'")


def _question(resource: Resource, options: Mapping[str, str], service: Service) -> Ask:
    if not resource.many:
        for name in ("$filter", "$orderby", "$top", "$skip", "$inlinecount", "$skiptoken"):
            if name in options:
                raise unreadable(f"System query option '{name}' is not allowed for one entity")
    selected = _paths(options.get("$select"))
    expanded = _paths(options.get("$expand"))
    ask = _plan(resource.entity, selected or None, expanded, service)
    where = resource.where
    if text := options.get("$filter"):
        where = both(where, condition_of(parse_filter(text, Version.V2), ask.entity, Version.V2))
    return replace(ask, where=where, order=order_of(options.get("$orderby"), ask.entity))


def _paths(text: str | None) -> list[list[str]]:
    return [name.split("/") for name in names_of(text)] if text else []


def _plan(
    entity: EntitySet, selected: _PATHS | None, expanded: _PATHS, service: Service, depth: int = 0
) -> Ask:
    """Both lists as paths of names. selected: None for all of this level; one that names a
    navigation only means all of what it leads to."""
    if depth > _DEEPEST:
        raise unreadable(f"System query option '$expand' goes deeper than {_DEEPEST} levels")
    opened = {path[0]: _navigation(entity, path[0]) for path in expanded}
    wanted = [["*"]] if selected is None else selected
    shown: dict[str, Property] = {}
    links: dict[str, Navigation] = {}
    for path in wanted:
        name = path[0]
        if name == "*":
            shown.update(entity.properties)
        elif len(path) == 1 and name in entity.properties:
            shown[name] = entity.properties[name]
        else:
            links[name] = _navigation(entity, name)
            if len(path) > 1 and name not in opened:
                raise unreadable(f"'{'/'.join(path)}' is selected, but '{name}' is not expanded")
    if selected is None:
        links = dict(entity.navigations)
    expands = tuple(
        Expand(
            step,
            _plan(
                service.sets[step.target],
                _selected_below(selected, name),
                _below(expanded, name),
                service,
                depth + 1,
            ),
        )
        for name, step in opened.items()
        if name in links
    )
    return Ask(entity, tuple(shown.values()), tuple(n for n in links if n not in opened), expands)


def _below(paths: _PATHS, name: str) -> list[list[str]]:
    """What the paths say below one navigation; an empty list when they only name it."""
    return [list(path[1:]) for path in paths if path[0] == name and len(path) > 1]


def _selected_below(selected: _PATHS | None, name: str) -> _PATHS | None:
    """None, which is all, also when the navigation itself stands among the paths."""
    if selected is None or [name] in selected:
        return None
    return _below(selected, name)


def _navigation(entity: EntitySet, name: str) -> Navigation:
    found = entity.navigations.get(name)
    if found is None:
        raise unknown_property(name, entity.type_name)
    return found


def _many(
    asked: Asked, ask: Ask, options: Mapping[str, str], connection: sqlite3.Connection
) -> Answer:
    size, skip, before = page_of(options, asked.page_limit)
    top = whole_number(options, "$top")
    found = read(connection, replace(ask, top=size + 1, skip=skip))
    body: dict[str, Any] = {"results": [_entity(one, ask, asked) for one in found[:size]]}
    if options.get("$inlinecount") == "allpages":
        body["__count"] = str(count(connection, ask))
    if len(found) > size and (top is None or before + size < top):
        body["__next"] = _next(asked, before + size)
    return _json(body)


def _next(asked: Asked, before: int) -> str:
    kept = [one for one in asked.query.split("&") if one and not one.startswith("$skiptoken=")]
    return (
        f"{asked.root}/{quote(asked.path, safe=SAFE)}?{'&'.join([*kept, f'$skiptoken={before}'])}"
    )


def _one(asked: Asked, resource: Resource, ask: Ask, connection: sqlite3.Connection) -> Answer:
    found = read(connection, replace(ask, top=1))
    if not found:
        if resource.missing_is_empty:
            return _json(None)
        raise no_entity(ask.entity.type_name)
    etag = etag_of(found[0].row, ask.entity)
    return replace(_json(_entity(found[0], ask, asked)), headers={"etag": etag} if etag else None)


def _entity(found: Found, ask: Ask, asked: Asked) -> dict[str, Any]:
    entity, row = ask.entity, found.row
    uri = f"{asked.root}/{entity.name}{key_text(row, entity)}"
    about = {"id": uri, "uri": uri, "type": f"{asked.service.namespace}.{entity.type_name}"}
    if etag := etag_of(row, entity):
        about["etag"] = etag
    body: dict[str, Any] = {"__metadata": about}
    body |= {shown.name: v2_value(row, shown, entity) for shown in ask.shown}
    body |= {name: {"__deferred": {"uri": f"{uri}/{name}"}} for name in ask.links}
    for one in ask.expands:
        under = [_entity(each, one.ask, asked) for each in found.under[one.navigation.name]]
        many = one.navigation.many
        body[one.navigation.name] = {"results": under} if many else next(iter(under), None)
    return body


def _json(body: object) -> Answer:
    return Answer(json.dumps({"d": body}, ensure_ascii=False).encode())
