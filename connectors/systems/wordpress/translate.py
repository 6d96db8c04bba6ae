"""Turns WordPress's words into ours. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.kit.html import Sanitiser, plain
from connectors.port.fields import Fields
from connectors.port.records import NewsArticle
from connectors.systems.wordpress.settings import TAG, Told, WordPressSettings
from connectors.systems.wordpress.terms import Term
from connectors.systems.wordpress.walk import Row

#: Always asked for: what a post is known by, its place in the list, and whether it is published.
_ALWAYS = ("id", "date_gmt", "status")
_NAMES = {"slug": "slug", "title": "title", "summary": "excerpt", "body": "content"}
_CUT_OFF = re.compile(r"\s*\[(?:…|\.\.\.)\]$")


class Odd(ValueError):
    """A post that lacks what WordPress documents. The text names it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the posts of one site are read. languages and countries are the whole taxonomies."""

    settings: WordPressSettings
    sanitiser: Sanitiser
    languages: Mapping[int, Term]
    countries: Mapping[int, Term]


def asked_for(fields: Fields, settings: WordPressSettings) -> dict[str, str]:
    """`_fields` and, when an image or tags are selected, `_embed`."""
    names = [*_ALWAYS, *(name for field, name in _NAMES.items() if field in fields)]
    embedded = []
    if "image_url" in fields:
        names.append("featured_media")
        embedded.append("wp:featuredmedia")
    if "tags" in fields:
        names.append(settings.tags)
        embedded.append("wp:term")
    for field, told in (("locale", settings.language), ("countries", settings.country)):
        if told is not None and field in fields:
            names.append(told.taxonomy)
    # WordPress embeds along the links of a post, so it has to keep those.
    names += [f"{part}.{link}" for link in embedded for part in ("_links", "_embedded")]
    params = {"_fields": ",".join(dict.fromkeys(names))}
    if embedded:
        params["_embed"] = ",".join(embedded)
    return params


def row(post: Any) -> Row | None:
    """The post with its place in the list; None when it is not published. Raises Odd."""
    if not isinstance(post, dict) or not isinstance(post.get("id"), int):
        raise Odd("a post has no id")
    if post.get("status", "publish") != "publish":
        return None
    return Row(_instant(post), post["id"], post)


def article(found: Row, fields: Fields, reading: Reading) -> NewsArticle:
    """The article with what was asked for. Raises Odd."""
    post = found.post
    known: dict[str, Any] = {}
    if "slug" in fields:
        known["slug"] = _text(post, "slug", "post")
    if "title" in fields:
        known["title"] = plain(_rendered(post, "title"))
    if "summary" in fields:
        known["summary"] = _CUT_OFF.sub("…", plain(_rendered(post, "excerpt"))) or None
    if "body" in fields:
        known["body"] = reading.sanitiser.clean(_rendered(post, "content"))
    if "image_url" in fields:
        known["image_url"] = reading.sanitiser.image(_image(post))
    if "locale" in fields:
        known["locale"] = _locale(post, reading)
    if "countries" in fields:
        known["countries"] = tuple(
            code
            for slug in _slugs(post, reading.settings.country, reading.countries)
            if (code := country_code(slug, reading.settings.country))
        )
    if "tags" in fields:
        known["tags"] = _tags(post, reading.settings)
    if "published_at" in fields:
        known["published_at"] = found.at
    return NewsArticle(str(found.id), **known)


def language_tag(slug: str, told: Told | None) -> str | None:
    """The language that a slug tells, as BCP 47 writes it ("lang-pt-br" is pt-BR), or None."""
    code = _code(slug, told)
    if code is None or not TAG.fullmatch(code):
        return None
    first, *rest = code.lower().split("-")
    cased = [part.upper() if len(part) == 2 else part.title() for part in rest]
    return "-".join([first, *cased])


def country_code(slug: str, told: Told | None) -> str | None:
    """The ISO 3166-1 alpha-2 code that a slug tells, or None."""
    code = _code(slug, told)
    known = code is not None and len(code) == 2 and code.isascii() and code.isalpha()
    return code.upper() if code is not None and known else None


def primary(tag: str) -> str:
    """The language of a BCP 47 tag without its region: es-CO is es."""
    return tag.partition("-")[0].lower()


def words(search: str) -> str:
    """A search in which each word has to be found, and nothing else is meant: WordPress takes a
    leading hyphen for "without" and quotes for a phrase."""
    bare = re.sub(r"[\"“”\x00-\x1f]", " ", search)
    return " ".join(word for part in bare.split() if (word := part.lstrip("-")))


def _code(slug: str, told: Told | None) -> str | None:
    if told is None or not slug.startswith(told.prefix):
        return None
    return slug[len(told.prefix) :]


def _locale(post: Mapping[str, Any], reading: Reading) -> str:
    told = reading.settings.language
    tags = [language_tag(slug, told) for slug in _slugs(post, told, reading.languages)]
    return next((tag for tag in tags if tag), reading.settings.locale)


def _slugs(post: Mapping[str, Any], told: Told | None, terms: Mapping[int, Term]) -> Sequence[str]:
    """The slugs of a post's terms in a stable order; a term that is not known is left out."""
    if told is None:
        return ()
    return sorted(terms[number].slug for number in ids(post, told.taxonomy) if number in terms)


def ids(post: Mapping[str, Any], taxonomy: str) -> list[int]:
    """The ids of a post's terms. Raises Odd."""
    found = post.get(taxonomy)
    if not isinstance(found, list):
        raise Odd(f"post {post['id']} has no {taxonomy}")
    return [number for number in found if isinstance(number, int)]


def _tags(post: Mapping[str, Any], settings: WordPressSettings) -> tuple[str, ...]:
    numbers = set(ids(post, settings.tags))
    told = [
        way.prefix
        for way in (settings.language, settings.country)
        if way is not None and way.taxonomy == settings.tags
    ]
    embedded = (
        tag
        for group in _embedded(post, "wp:term")
        for tag in (group if isinstance(group, list) else ())
        if isinstance(tag, dict) and tag.get("id") in numbers
    )
    return tuple(
        plain(_text(tag, "name", "tag"))
        for tag in embedded
        if not _text(tag, "slug", "tag").startswith(tuple(told))
    )


def _image(post: Mapping[str, Any]) -> str | None:
    # A picture that was deleted or is hidden is embedded as an error object.
    for media in _embedded(post, "wp:featuredmedia"):
        if isinstance(media, dict) and isinstance(media.get("source_url"), str):
            return str(media["source_url"])
    return None


def _embedded(post: Mapping[str, Any], link: str) -> Sequence[Any]:
    embedded = post.get("_embedded")
    found = embedded.get(link) if isinstance(embedded, dict) else None
    return found if isinstance(found, list) else ()


def _instant(post: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(_text(post, "date_gmt", "post"))
    except ValueError:
        raise Odd(f"post {post['id']} has no date_gmt") from None
    # The site says it without an offset, and means UTC.
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _rendered(post: Mapping[str, Any], name: str) -> str:
    found = post.get(name)
    if not isinstance(found, dict):
        raise Odd(f"post {post['id']} has no {name}")
    text = found.get("rendered")
    if not isinstance(text, str):
        raise Odd(f"post {post['id']} has no {name}.rendered")
    return text


def _text(found: Mapping[str, Any], name: str, what: str) -> str:
    text = found.get(name)
    if not isinstance(text, str):
        raise Odd(f"{what} {found.get('id')} has no {name}")
    return text
