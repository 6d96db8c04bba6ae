"""Requests of the site: wp/v2 collections and items below /wp-json/, pictures below /uploads/."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.site import content
from sandbox.site.content import Media, Post, Site, Term
from sandbox.site.finding import Part, find_media, find_posts, find_terms, part_of
from sandbox.site.parameters import Query, Refusal, query_of
from sandbox.site.rendering import Json, embedded, kept, media_json, post_json, term_json

_ITEM: Final = re.compile(r"(posts|categories|tags|media)(?:/([0-9]{1,18}))?")
_TAXONOMIES: Final = {"categories": "category", "tags": "post_tag"}
_NO_ROUTE: Final = "No route was found matching the URL and request method."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request: what of the site, as seen from which address, and how to show it."""

    site: Site
    base: str
    query: Query

    def shown(self, one: Post | Term | Media) -> Json:
        """One resource with what is embedded in it, cut down to the fields asked for."""
        fields = self.query.texts("_fields")
        if isinstance(one, Term):
            return kept(term_json(one, self.base), fields)
        if isinstance(one, Media):
            return kept(media_json(one, self.base), fields)
        whole = post_json(one, self.base)
        # Embedding follows the links, so it needs those that `_fields` left.
        links = kept(whole, fields).get("_links", {})
        if "_embed" in self.query.given and links:
            names = [name for name in self.query.texts("_embed") or () if name not in ("1", "true")]
            found = embedded(one, names, self.site, self.base)
            whole["_embedded"] = {name: each for name, each in found.items() if name in links}
        return kept(whole, fields)


class WordPress:
    """The site over one file. now: the clock that decides what is published already."""

    def __init__(self, database: Path, now: datetime) -> None:
        self._database = database
        self._now = now

    async def answer(self, request: Request) -> Response:
        """Any request below /wp-json/."""
        path = request.path_params.get("rest", "").strip("/")
        try:
            if request.method not in ("GET", "HEAD"):
                raise _write_refused(path)
            return await run_in_threadpool(self._read, request, path)
        except Refusal as refusal:
            data = {"status": refusal.status, **refusal.more}
            body = {"code": refusal.code, "message": refusal.message, "data": data}
            return _json(body, refusal.status)

    def _read(self, request: Request, path: str) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}"
        if path == "":
            return _json({"name": "Noticias", "url": base, "namespaces": ["wp/v2"]})
        match = _ITEM.fullmatch(path.removeprefix("wp/v2/")) if path.startswith("wp/v2/") else None
        if match is None:
            raise Refusal(404, "rest_no_route", _NO_ROUTE)
        query = query_of(request.scope["query_string"].decode("latin-1"))
        if query.given.get("context", "view") == "edit":
            text = "Sorry, you are not allowed to edit posts in this post type."
            raise Refusal(401, "rest_forbidden_context", text)
        asked = _Asked(content.read(self._database, self._now), base, query)
        if match[2]:
            return _json(asked.shown(_one(match[1], int(match[2]), asked.site)))
        return _many(match[1], asked, request)

    async def picture(self, request: Request) -> Response:
        """Any request below /uploads/."""
        path = request.path_params["path"]
        found = await run_in_threadpool(content.picture, self._database, path)
        if found is None:
            return Response("<html><body><h1>Not Found</h1></body></html>", 404, None, "text/html")
        mime, body = found
        return Response(body, headers={"cache-control": "max-age=86400"}, media_type=mime)


def _write_refused(path: str) -> Refusal:
    if _ITEM.fullmatch(path.removeprefix("wp/v2/")):
        text = "Sorry, you are not allowed to create posts as this user."
        return Refusal(401, "rest_cannot_create", text)
    return Refusal(404, "rest_no_route", _NO_ROUTE)


def _one(kind: str, number: int, site: Site) -> Post | Term | Media:
    """Raises Refusal 404 for what is not there, 401 for a post that is not published."""
    if kind == "posts":
        post = next((one for one in site.posts if one.id == number), None)
        if post is None:
            raise Refusal(404, "rest_post_invalid_id", "Invalid post ID.")
        if post.status != "publish":
            raise Refusal(401, "rest_forbidden", "Sorry, you are not allowed to do that.")
        return post
    if kind == "media":
        if number not in site.media:
            raise Refusal(404, "rest_post_invalid_id", "Invalid post ID.")
        return site.media[number]
    term = site.terms.get(number)
    if term is None or term.taxonomy != _TAXONOMIES[kind]:
        raise Refusal(404, "rest_term_invalid", "Term does not exist.")
    return term


def _many(kind: str, asked: _Asked, request: Request) -> Response:
    query, site = asked.query, asked.site
    part = part_of(query)
    found: Sequence[Post | Term | Media]
    if kind == "posts":
        posts = find_posts(query, site)
        found = part.cut(posts)
        total = len(posts)
    elif kind == "media":
        media = find_media(query, site)
        found = part.cut(media)
        total = len(media)
    else:
        terms = find_terms(query, site, _TAXONOMIES[kind])
        found = part.cut(terms)
        total = len(terms)
    answer = _json([asked.shown(one) for one in found])
    answer.headers["x-wp-total"] = str(total)
    answer.headers["x-wp-totalpages"] = str(part.pages(total))
    if links := _neighbours(request, part, total):
        answer.headers["link"] = ", ".join(links)
    return answer


def _neighbours(request: Request, part: Part, total: int) -> list[str]:
    """The Link header: the page before and the page after."""
    others = [
        (name, value)
        for name, value in parse_qsl(request.url.query, keep_blank_values=True)
        if name != "page"
    ]
    links = []
    for page, rel in ((part.page - 1, "prev"), (part.page + 1, "next")):
        if 1 <= page <= part.pages(total):
            address = request.url.replace(query=urlencode([*others, ("page", page)]))
            links.append(f'<{address}>; rel="{rel}"')
    return links


def _json(body: Any, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=True).replace("/", "\\/")
    headers = {"x-robots-tag": "noindex", "x-content-type-options": "nosniff"}
    return Response(text, status, headers, "application/json; charset=UTF-8")


def app(database: Path | str, faults: object, now: datetime) -> Starlette:
    """The site over the SQLite file `database`, which `seed` has filled. faults: it has none of its
    own beyond those that every part has."""
    site = WordPress(Path(database), now)
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    every: Callable[..., Any] = site.answer
    return Starlette(
        routes=[
            Route("/wp-json", every, methods=methods),
            Route("/wp-json/{rest:path}", every, methods=methods),
            Route("/uploads/{path:path}", site.picture),
        ]
    )
