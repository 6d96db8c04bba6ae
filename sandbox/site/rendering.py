"""Rows to the JSON of wp/v2, links and embedded resources along them, cut down to `_fields`."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.site import pictures
from sandbox.site.content import Media, Post, Site, Term
from sandbox.site.parameters import ZONE

Json = dict[str, Any]
AUTHOR: Final[Json] = {"id": 3, "name": "Comunicaciones", "slug": "comunicaciones"}
ROUTES: Final = {"category": "categories", "post_tag": "tags"}


def _local(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S")


def _texturised(text: str) -> str:
    """A title as WordPress sets it: entities for what has a finer form in print."""
    said = html.escape(text, quote=False).replace("&amp;", "&#038;")
    said = re.sub(r'"([^"]*)"', r"&#8220;\1&#8221;", said)
    return said.replace("'", "&#8217;").replace(" - ", " &#8211; ")


def post_json(post: Post, base: str) -> Json:
    """base: scheme and host that the client asked."""
    root = f"{base}/wp-json/wp/v2"
    terms = [
        {
            "taxonomy": taxonomy,
            "embeddable": True,
            "href": f"{root}/{route}?post={post.id}",
        }
        for taxonomy, route in ROUTES.items()
    ]
    links: Json = {
        "self": [{"href": f"{root}/posts/{post.id}"}],
        "collection": [{"href": f"{root}/posts"}],
        "author": [{"embeddable": True, "href": f"{root}/users/{AUTHOR['id']}"}],
        "wp:term": terms,
    }
    if post.media:
        featured = {"embeddable": True, "href": f"{root}/media/{post.media}"}
        links["wp:featuredmedia"] = [featured]
    return {
        "id": post.id,
        "date": _local(post.date),
        "date_gmt": post.date.isoformat(),
        "guid": {"rendered": f"{base}/?p={post.id}"},
        "modified": _local(post.modified),
        "modified_gmt": post.modified.isoformat(),
        "slug": post.slug,
        "status": post.status,
        "type": "post",
        "link": f"{base}/{post.date:%Y/%m}/{post.slug}/",
        "title": {"rendered": _texturised(post.title)},
        "content": {"rendered": post.content, "protected": False},
        "excerpt": {"rendered": _excerpt(post), "protected": False},
        "author": AUTHOR["id"],
        "featured_media": post.media,
        "comment_status": "closed",
        "ping_status": "closed",
        "sticky": False,
        "template": "",
        "format": "standard",
        "meta": [],
        "categories": sorted(post.categories),
        "tags": sorted(post.tags),
        "_links": links,
    }


def _excerpt(post: Post) -> str:
    # Every other one was not written by hand: WordPress cuts it from the text.
    tail = " [&hellip;]" if post.id % 2 else ""
    return f"<p>{_texturised(post.excerpt)}{tail}</p>\n"


def media_json(media: Media, base: str) -> Json:
    source = f"{base}/uploads/{media.path}"
    sizes = {
        "full": {
            "file": media.path.rpartition("/")[2],
            "width": pictures.WIDTH,
            "height": pictures.HEIGHT,
            "mime_type": media.mime,
            "source_url": source,
        }
    }
    details = {"width": pictures.WIDTH, "height": pictures.HEIGHT, "file": media.path}
    return {
        "id": media.id,
        "date": _local(media.date),
        "date_gmt": media.date.isoformat(),
        "slug": media.slug,
        "status": "inherit",
        "type": "attachment",
        "link": f"{base}/{media.slug}/",
        "title": {"rendered": _texturised(media.alt)},
        "author": AUTHOR["id"],
        "alt_text": media.alt,
        "caption": {"rendered": ""},
        "media_type": "image",
        "mime_type": media.mime,
        "media_details": {**details, "sizes": sizes, "image_meta": {}},
        "source_url": source,
        "_links": {"self": [{"href": f"{base}/wp-json/wp/v2/media/{media.id}"}]},
    }


def term_json(term: Term, base: str) -> Json:
    route = ROUTES[term.taxonomy]
    shown: Json = {
        "id": term.id,
        "count": term.count,
        "description": term.description,
        "link": f"{base}/{'category' if route == 'categories' else 'tag'}/{term.slug}/",
        "name": html.escape(term.name),
        "slug": term.slug,
        "taxonomy": term.taxonomy,
    }
    if route == "categories":
        shown["parent"] = 0
    root = f"{base}/wp-json/wp/v2"
    links = {
        "self": [{"href": f"{root}/{route}/{term.id}"}],
        "collection": [{"href": f"{root}/{route}"}],
        "wp:post_type": [{"href": f"{root}/posts?{route}={term.id}"}],
    }
    return {**shown, "meta": [], "_links": links}


def embedded(post: Post, wanted: Collection[str], site: Site, base: str) -> Json:
    """What the embeddable links of a post lead to. wanted: their names, empty for all."""
    found: Json = {}
    if not wanted or "author" in wanted:
        found["author"] = [AUTHOR]
    if post.media and (not wanted or "wp:featuredmedia" in wanted):
        found["wp:featuredmedia"] = [media_json(site.media[post.media], base)]
    if not wanted or "wp:term" in wanted:
        groups: Sequence[Iterable[int]] = (post.categories, post.tags)
        found["wp:term"] = [
            [term_json(site.terms[number], base) for number in sorted(group)] for group in groups
        ]
    return found


def kept(shown: Mapping[str, Any], fields: Sequence[str] | None) -> Json:
    """Only `_fields`: names, or paths with dots into objects."""
    if fields is None:
        return dict(shown)
    found: Json = {}
    for path in fields:
        _copy(shown, path.split("."), found)
    return found


def _copy(shown: Mapping[str, Any], path: Sequence[str], into: Json) -> None:
    name, rest = path[0], path[1:]
    if name not in shown:
        return
    if not rest:
        into[name] = shown[name]
    elif isinstance(shown[name], Mapping):
        inner = into.setdefault(name, {})
        if inner is not shown[name]:
            _copy(shown[name], rest, inner)
            if not inner:
                del into[name]
