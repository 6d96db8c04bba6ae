"""The site as it lies in the tables, read whole: it is small."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Post:
    """date and modified: UTC, without saying so. categories and tags: ids of terms."""

    id: int
    slug: str
    status: str
    date: datetime
    modified: datetime
    title: str
    excerpt: str
    content: str
    media: int
    categories: frozenset[int]
    tags: frozenset[int]


@dataclass(frozen=True, slots=True)
class Term:
    """count: of published posts."""

    id: int
    taxonomy: str
    slug: str
    name: str
    description: str
    count: int


@dataclass(frozen=True, slots=True)
class Media:
    """path: below /uploads/. The content is read by `picture`."""

    id: int
    slug: str
    path: str
    mime: str
    alt: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Site:
    """All posts, also those that are not published; terms and media by id."""

    posts: Sequence[Post]
    terms: Mapping[int, Term]
    media: Mapping[int, Media]


def _connect(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=10)
    connection.execute("PRAGMA query_only = ON")
    return connection


def read(database: Path, now: datetime) -> Site:
    """Everything but the pictures. What is dated ahead counts as published once `now` is there."""
    with closing(_connect(database)) as connection:
        taxonomies = dict(connection.execute("SELECT id, taxonomy FROM site_term").fetchall())
        held: dict[int, set[int]] = {}
        for post, term in connection.execute("SELECT post, term FROM site_post_term"):
            held.setdefault(post, set()).add(term)
        rows = connection.execute("SELECT * FROM site_post ORDER BY id").fetchall()
        posts = [_post(row, held.get(row[0], set()), taxonomies, now) for row in rows]
        told = [one.categories | one.tags for one in posts if one.status == "publish"]
        terms = {
            number: Term(number, taxonomy, slug, name, text, sum(number in one for one in told))
            for number, taxonomy, slug, name, text in connection.execute("SELECT * FROM site_term")
        }
        sql = "SELECT id, slug, path, mime, alt, date_gmt FROM site_media"
        media = {
            number: Media(number, slug, path, mime, alt, datetime.fromisoformat(date))
            for number, slug, path, mime, alt, date in connection.execute(sql)
        }
    return Site(posts, terms, media)


def _post(
    row: tuple[Any, ...], held: set[int], taxonomies: Mapping[int, str], now: datetime
) -> Post:
    number, slug, status, date, modified, title, excerpt, content, media = row
    said = datetime.fromisoformat(date)
    if status == "future" and said.replace(tzinfo=UTC) <= now:
        status = "publish"
    categories = frozenset(term for term in held if taxonomies[term] == "category")
    return Post(
        number,
        slug,
        status,
        said,
        datetime.fromisoformat(modified),
        title,
        excerpt,
        content,
        media,
        categories,
        frozenset(held - categories),
    )


def picture(database: Path, path: str) -> tuple[str, bytes] | None:
    """Media type and content of an upload, None when there is none of that path."""
    with closing(_connect(database)) as connection:
        sql = "SELECT mime, content FROM site_media WHERE path = ?"
        found: tuple[str, bytes] | None = connection.execute(sql, (path,)).fetchone()
        return found
