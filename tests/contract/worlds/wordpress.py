"""The sandbox's site: forty articles in three languages, and some that nobody may read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.contract import boxed
from tests.contract.world import Facts, World, connectors

SETTINGS: dict[str, Any] = {
    "url": boxed.URL,
    "user": "portal",
    "application_password": "abcd EFGH 1234 ijkl",
    "language": {"prefix": "lang-"},
    "country": {"prefix": "pais-"},
}


def world(database: Path) -> World:
    return World(
        connector=connectors()["wordpress"],
        settings=SETTINGS,
        facts=_facts(database),
        transport=lambda: boxed.way(database),
        structure=_structure,
    )


def _structure(request: httpx.Request) -> object:
    return request.url.path, sorted(set(request.url.params))


def _facts(database: Path) -> Facts:
    def posts(column: str, published: bool) -> list[str]:
        sign = "=" if published else "<>"
        sql = f"SELECT {column} FROM site_post WHERE status {sign} 'publish' ORDER BY id"
        return [str(one) for one in boxed.column(database, sql)]

    return Facts(
        scope=boxed.SCOPE,
        others=boxed.OTHERS,
        own={"article": posts("id", True), "slug": posts("slug", True)},
        foreign={"article": posts("id", False), "slug": posts("slug", False)},
        unknown=lambda kind, number: f"99{number:04}" if kind == "article" else f"no-post-{number}",
        totals={"find_news": len(posts("id", True))},
    )
