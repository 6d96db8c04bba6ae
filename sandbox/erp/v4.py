"""A GET of an OData V4 service: nested options to a question, what was found to JSON."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from sandbox.erp.conditions import ALWAYS, both, condition_of
from sandbox.erp.errors import ODataError, unknown_property, unreadable
from sandbox.erp.filters import Version, parse_filter
from sandbox.erp.model import EntitySet, Service
from sandbox.erp.options import V4_OPTIONS, names_of, options_of, order_of, page_of, whole_number
from sandbox.erp.reading import Ask, Expand, Found, count, read
from sandbox.erp.resources import resource_of
from sandbox.erp.v2 import SAFE, Answer, Asked
from sandbox.erp.values import etag_of, v4_value

_NESTED: Final = frozenset("$filter $select $expand $orderby $top $skip $count".split())
_COLLECTION_ONLY: Final = ("$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken")
_DEEPEST: Final = 5


@dataclass(frozen=True, slots=True)
class _Style:
    """Where the answer's addresses begin, and how decimals are written."""

    service: Service
    decimals_as_text: bool


def answer_v4(asked: Asked, accept: str, prefer: str, connection: sqlite3.Connection) -> Answer:
    """accept and prefer: the headers of those names. Raises ODataError for what is refused."""
    options = options_of(asked.query, V4_OPTIONS)
    if options.get("$format", "json") not in ("json", "application/json"):
        raise unreadable("The requested format is not supported")
    style = _Style(asked.service, "ieee754compatible=true" in accept.lower().replace(" ", ""))
    if not asked.path:
        sets = [{"name": name, "url": name} for name in asked.service.sets]
        return _json({"@odata.context": "$metadata", "value": sets}, style)
    resource = resource_of(asked.path, asked.service, Version.V4, connection)
    if not resource.many:
        for name in _COLLECTION_ONLY:
            if name in options:
                raise unreadable(f"System query option '{name}' is not allowed for one entity")
    ask = _plan(resource.entity, options, asked.service, 0)
    ask = replace(ask, where=both(resource.where, ask.where))
    if resource.counted:
        return Answer(str(count(connection, ask)).encode(), "text/plain")
    if resource.many:
        return _many(asked, ask, options, prefer, style, connection)
    found = read(connection, replace(ask, top=1, skip=0))
    if not found:
        if resource.missing_is_empty:
            return Answer(b"", status=204)
        raise _no_entity(ask.entity)
    body = {"@odata.context": f"$metadata#{ask.entity.name}/$entity"}
    etag = etag_of(found[0].row, ask.entity)
    answer = _json(body | _entity(found[0], ask, style), style)
    return replace(answer, headers={**(answer.headers or {}), **({"etag": etag} if etag else {})})


def _no_entity(entity: EntitySet) -> ODataError:
    text = (
        f"The requested entity of type '{entity.name.upper()}' cannot be accessed. "
        "It does not exist."
    )
    return ODataError(404, "/IWBEP/CM_V4_APPS/002", text)


def _plan(entity: EntitySet, options: Mapping[str, str], service: Service, depth: int) -> Ask:
    if depth > _DEEPEST:
        raise unreadable(f"System query option '$expand' goes deeper than {_DEEPEST} levels")
    shown = entity.properties
    if text := options.get("$select"):
        names = names_of(text)
        for name in names:
            if name != "*" and name not in {*entity.properties, *entity.navigations}:
                raise unknown_property(name, entity.type_name)
        if "*" not in names:
            shown = {name: entity.properties[name] for name in names if name in entity.properties}
    where = ALWAYS
    if text := options.get("$filter"):
        where = condition_of(parse_filter(text, Version.V4), entity, Version.V4)
    return Ask(
        entity,
        tuple(shown.values()),
        expands=_expands(entity, options.get("$expand", ""), service, depth),
        where=where,
        order=order_of(options.get("$orderby"), entity),
        top=whole_number(options, "$top"),
        skip=whole_number(options, "$skip") or 0,
        count=_wants_count(options),
    )


def _wants_count(options: Mapping[str, str]) -> bool:
    if options.get("$count", "false") not in ("true", "false"):
        raise unreadable("Invalid value for system query option '$count'")
    return options.get("$count") == "true"


def _expands(entity: EntitySet, text: str, service: Service, depth: int) -> tuple[Expand, ...]:
    found = []
    for item in _split(text, ",") if text else ():
        match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", item)
        navigation = entity.navigations.get(match[1]) if match else None
        if match is None or navigation is None:
            raise unknown_property(item.partition("(")[0].strip(), entity.type_name)
        nested = _nested(match[2] or "")
        ask = _plan(service.sets[navigation.target], nested, service, depth + 1)
        found.append(Expand(navigation, ask))
    return tuple(found)


def _nested(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _split(text, ";") if text else ():
        name, equal, value = part.strip().partition("=")
        if name not in _NESTED or not equal or name in found:
            raise unreadable(f"Invalid option '{part}' in system query option '$expand'")
        found[name] = value
    return found


def _split(text: str, mark: str) -> list[str]:
    """The parts between marks that stand neither in parentheses nor in quotes."""
    parts, start, depth, quoted = [], 0, 0, False
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if letter == mark and depth == 0:
                parts.append(text[start:at])
                start = at + 1
        if depth < 0:
            break
    if depth or quoted:
        raise unreadable("Invalid value for system query option '$expand'")
    return [*parts, text[start:]]


def _many(
    asked: Asked, ask: Ask, options: Mapping[str, str], prefer: str, style: _Style,
    connection: sqlite3.Connection,
) -> Answer:  # fmt: skip
    preferred = re.search(r"odata\.maxpagesize\s*=\s*(\d{1,6})", prefer)
    limit = min(asked.page_limit, int(preferred[1]) or 1) if preferred else asked.page_limit
    size, skip, before = page_of(options, limit)
    found = read(connection, replace(ask, top=size + 1, skip=skip))
    body: dict[str, Any] = {"@odata.context": f"$metadata#{ask.entity.name}"}
    if ask.count:
        body["@odata.count"] = count(connection, ask)
    body["value"] = [_entity(one, ask, style) for one in found[:size]]
    if len(found) > size and (ask.top is None or before + size < ask.top):
        kept = [one for one in asked.query.split("&") if one and not one.startswith("$skiptoken=")]
        query = "&".join([*kept, f"$skiptoken={before + size}"])
        # Relative to the service root, as the vendor may give it.
        body["@odata.nextLink"] = f"{quote(asked.path, safe=SAFE)}?{query}"
    answer = _json(body, style)
    if preferred:
        applied = {"preference-applied": f"odata.maxpagesize={limit}"}
        return replace(answer, headers={**(answer.headers or {}), **applied})
    return answer


def _entity(found: Found, ask: Ask, style: _Style) -> dict[str, Any]:
    entity, row = ask.entity, found.row
    body: dict[str, Any] = {}
    if etag := etag_of(row, entity):
        body["@odata.etag"] = etag
    for shown in ask.shown:
        body[shown.name] = v4_value(row, shown, entity, style.decimals_as_text)
    for one in ask.expands:
        name, every = one.navigation.name, found.under[one.navigation.name]
        under = [_entity(each, one.ask, style) for each in every]
        if one.navigation.many:
            if one.ask.count:
                body[f"{name}@odata.count"] = found.counts[name]
            body[name] = under
        else:
            body[name] = next(iter(under), None)
    return body


def _json(body: object, style: _Style) -> Answer:
    kind = "application/json;odata.metadata=minimal"
    if style.decimals_as_text:
        kind += ";IEEE754Compatible=true"
    return Answer(json.dumps(body, ensure_ascii=False).encode(), kind, {"odata-version": "4.0"})
