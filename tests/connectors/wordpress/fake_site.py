"""A WordPress site in memory: as much of wp/v2 as the connector asks, ties in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.kit.connector import Wiring
from connectors.systems.wordpress.client import WordPress
from connectors.systems.wordpress.settings import Told, WordPressSettings

URL = "https://news.example"
SETTINGS = WordPressSettings(
    url=URL, language=Told(prefix="lang-"), country=Told(prefix="pais-"), locale="und"
)
CATEGORIES = {1: "uncategorized", 2: "lang-es", 3: "lang-en", 4: "lang-pt-br", 5: "pais-co"}
CATEGORIES |= {6: "pais-pe", 7: "pais-cl"}
TAGS = {20: ("obra", "Obra"), 21: ("yeso", "Yeso laminado"), 22: ("yeso-2", "Yeso")}
TAGS |= {23: ("rd", "R&amp;D")}


def post(
    number: int, at: datetime, categories: tuple[int, ...] = (2,), tags: tuple[int, ...] = ()
) -> dict[str, Any]:
    return {
        "id": number,
        "date_gmt": at.astimezone(UTC).replace(tzinfo=None).isoformat(),
        "slug": f"post-{number}",
        "status": "publish",
        "title": {"rendered": f"Post {number}"},
        "excerpt": {"rendered": f"<p>About {number} [&hellip;]</p>\n", "protected": False},
        "content": {"rendered": f"<p>Body {number}</p>", "protected": False},
        "featured_media": 0,
        "categories": list(categories),
        "tags": list(tags),
        "_links": {"wp:term": [], "self": []},
        "_embedded": {
            "wp:term": [[], [{"id": t, "slug": TAGS[t][0], "name": TAGS[t][1]} for t in tags]],
        },
    }


@dataclass
class Site:
    """hidden: ids that are counted but not shown. says_total: whether X-WP-Total is sent."""

    posts: list[dict[str, Any]]
    hidden: frozenset[int] = frozenset()
    says_total: bool = True
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    calls: list[httpx.Request] = field(default_factory=list)

    def asked(self, route: str) -> list[httpx.QueryParams]:
        """The queries that went to a route, in order."""
        return [call.url.params for call in self.calls if call.url.path.endswith(f"/{route}")]

    def connector(
        self, settings: WordPressSettings = SETTINGS, wiring: Wiring | None = None
    ) -> WordPress:
        wiring = wiring or Wiring(transport=httpx.MockTransport(self.handle))
        return WordPress("news", settings, wiring)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        assert len(str(request.url)) < 8000, "an address that servers would refuse"
        params = request.url.params
        route = request.url.path.rpartition("/")[2]
        if route == "categories":
            terms = [{"id": n, "slug": slug, "name": slug} for n, slug in CATEGORIES.items()]
            return self._answer(terms, params)
        if route == "tags":
            return self._answer(self._tags(params), params)
        assert route == "posts", request.url
        return self._posts(params)

    def _tags(self, params: httpx.QueryParams) -> list[dict[str, Any]]:
        slugs = params["slug"].split(",") if "slug" in params else None
        return [
            {"id": number, "slug": slug, "name": name}
            for number, (slug, name) in TAGS.items()
            if (slugs is None or slug in slugs)
            and params.get("search", "").lower() in name.replace("&amp;", "&").lower()
        ]

    def _posts(self, params: httpx.QueryParams) -> httpx.Response:
        found = [post for post in self.posts if _matches(post, params)]
        # What shares a second comes in another order each time, as a database may have it.
        self.chance.shuffle(found)
        if params.get("orderby") == "date":
            found.sort(key=lambda post: post["date_gmt"], reverse=params["order"] == "desc")
        return self._answer(found, params)

    def _answer(self, found: list[dict[str, Any]], params: httpx.QueryParams) -> httpx.Response:
        size, page = int(params.get("per_page", "10")), int(params.get("page", "1"))
        assert 1 <= size <= 100
        shown = found[size * (page - 1) : size * page]
        total = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        body = [_cut(item, params) for item in shown if item["id"] not in self.hidden]
        return httpx.Response(200, json=body, headers=total if self.says_total else {})


def _cut(item: Mapping[str, Any], params: httpx.QueryParams) -> dict[str, Any]:
    wanted = {name.partition(".")[0] for name in params["_fields"].split(",")}
    return {name: value for name, value in item.items() if name in wanted}


def _matches(item: Mapping[str, Any], params: httpx.QueryParams) -> bool:
    at = item["date_gmt"] + "Z"
    held = set(item["categories"])
    return (
        ("before" not in params or at < params["before"])
        and ("after" not in params or at > params["after"])
        and ("include" not in params or item["id"] in _ids(params["include"]))
        and ("slug" not in params or item["slug"] in params["slug"].split(","))
        and item["id"] not in _ids(params.get("exclude", ""))
        and ("categories" not in params or bool(held & _ids(params["categories"])))
        and held >= _ids(params.get("categories[terms]", ""))
        and not held & _ids(params.get("categories_exclude", ""))
        and ("tags" not in params or bool(set(item["tags"]) & _ids(params["tags"])))
        and params.get("search", "").lower() in item["title"]["rendered"].lower()
    )


def _ids(text: str) -> set[int]:
    return {int(part) for part in text.split(",") if part}
