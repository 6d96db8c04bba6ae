"""Which posts, terms or media a query finds, in which order: the rules of wp/v2 collections."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sandbox.site.content import Media, Post, Site, Term
from sandbox.site.parameters import POST_ORDERS, TERM_ORDERS, Query, Refusal, demand

T = TypeVar("T", Post, Term, Media)
_WORD: Final = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of what was found is asked for. offset: None when pages count."""

    page: int
    per_page: int
    offset: int | None

    def cut(self, found: Sequence[T]) -> Sequence[T]:
        """Raises Refusal 400 for a page beyond the last."""
        start = (self.page - 1) * self.per_page if self.offset is None else self.offset
        if self.page > 1 and found and self.page > self.pages(len(found)):
            raise Refusal(
                400,
                "rest_post_invalid_page_number",
                "The page number requested is larger than the number of pages available.",
            )
        return found[start : start + self.per_page]

    def pages(self, total: int) -> int:
        return -(-total // self.per_page)


def part_of(query: Query) -> Part:
    offset = query.number("offset", 0, 0) if "offset" in query.given else None
    return Part(query.number("page", 1, 1), query.number("per_page", 10, 1, 100), offset)


def _folded(text: str) -> str:
    # The database compares without regard to case and accents.
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def _searched(search: str, *texts: str) -> bool:
    """Each word, or phrase in quotes, in any of the texts; one after a minus in none of them."""
    held = [_folded(text) for text in texts]
    for phrase, word in _WORD.findall(search):
        unwanted = word.startswith("-") and len(word) > 1
        sought = _folded(word[1:] if unwanted else phrase or word)
        if any(sought in text for text in held) == unwanted:
            return False
    return True


def find_posts(query: Query, site: Site) -> list[Post]:
    """Published posts that the query finds, in its order. Raises Refusal 400."""
    after, before = query.moment("after"), query.moment("before")
    changed_after, changed_before = query.moment("modified_after"), query.moment("modified_before")
    include, exclude = query.ids("include"), set(query.ids("exclude") or ())
    slugs, search = query.texts("slug"), query.given.get("search", "")
    categories, tags = demand(query, "categories"), demand(query, "tags")
    key, falling = _order(query, POST_ORDERS, "date", "desc")
    for status in query.texts("status") or ():
        if status != "publish":
            query.wrong["status"] = ("rest_forbidden_status", "Status is forbidden.")
    query.check()
    _check_order(key, query)

    def wanted(post: Post) -> bool:
        date, modified = post.date.replace(tzinfo=UTC), post.modified.replace(tzinfo=UTC)
        return (
            post.status == "publish"
            and _between(date, after, before)
            and _between(modified, changed_after, changed_before)
            and (not include or post.id in include)
            and post.id not in exclude
            and (not slugs or post.slug in slugs)
            and categories.met_by(post.categories)
            and tags.met_by(post.tags)
            and _searched(search, post.title, post.excerpt, post.content)
        )

    found = [post for post in site.posts if wanted(post)]
    return _sorted(found, key, falling, include, slugs)


def _between(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or moment > after) and (before is None or moment < before)


def find_terms(query: Query, site: Site, taxonomy: str) -> list[Term]:
    """Terms of one taxonomy. Raises Refusal 400."""
    include, exclude = query.ids("include"), set(query.ids("exclude") or ())
    slugs, search = query.texts("slug"), query.given.get("search", "")
    post = query.number("post", 0, 0)
    hide_empty = query.choice("hide_empty", "false", ("true", "false", "1", "0")) in ("true", "1")
    key, falling = _order(query, TERM_ORDERS, "name", "asc")
    query.check()
    _check_order(key, query)
    holder = next((one for one in site.posts if one.id == post and one.status == "publish"), None)
    held = holder.categories | holder.tags if holder else frozenset()
    found = [
        term
        for term in site.terms.values()
        if term.taxonomy == taxonomy
        and (not include or term.id in include)
        and term.id not in exclude
        and (not slugs or term.slug in slugs)
        and (not hide_empty or term.count)
        and (not post or term.id in held)
        and (_folded(search) in _folded(term.name) or _folded(search) in term.slug)
    ]
    return _sorted(found, key, falling, include, slugs)


def find_media(query: Query, site: Site) -> list[Media]:
    """All pictures. Raises Refusal 400."""
    include, exclude = query.ids("include"), set(query.ids("exclude") or ())
    slugs = query.texts("slug")
    key, falling = _order(query, POST_ORDERS, "date", "desc")
    query.check()
    _check_order(key, query)
    found = [
        media
        for media in site.media.values()
        if (not include or media.id in include)
        and media.id not in exclude
        and (not slugs or media.slug in slugs)
    ]
    return _sorted(found, key, falling, include, slugs)


def _order(query: Query, allowed: Sequence[str], default: str, direction: str) -> tuple[str, bool]:
    key = query.choice("orderby", default, allowed)
    return key, query.choice("order", direction, ("asc", "desc")) == "desc"


def _check_order(key: str, query: Query) -> None:
    for name, needed in (("include", "include"), ("include_slugs", "slug")):
        if key == name and not query.given.get(needed):
            text = f"You need to define an {needed} parameter to order by {needed}."
            raise Refusal(400, f"rest_orderby_{name}_missing_include", text)
    if key == "relevance" and not query.given.get("search"):
        text = "You need to define a search term to order by relevance."
        raise Refusal(400, "rest_no_search_term_defined", text)


def _sorted(
    found: list[T], key: str, falling: bool, include: list[int] | None, slugs: list[str] | None
) -> list[T]:
    """Equals stay in order of id, whichever way the rest is turned: nobody may rely on it."""
    if key == "include" and include:
        return sorted(found, key=lambda one: include.index(one.id))
    if key == "include_slugs" and slugs:
        return sorted(found, key=lambda one: slugs.index(one.slug))
    by: Callable[[T], Any] = _BY.get(key, lambda one: getattr(one, key, 0))
    return sorted(found, key=by, reverse=falling)


_BY: Final[dict[str, Callable[[Any], Any]]] = {
    "title": lambda one: _folded(getattr(one, "title", "")),
    "name": lambda one: _folded(one.name),
    "relevance": lambda one: one.date,
}
