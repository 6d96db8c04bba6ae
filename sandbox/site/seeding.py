"""Fills the site: 40 published articles in three languages, their terms and pictures, and four that
nobody may see."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from sandbox.site import pictures
from sandbox.site.local_stories import HIDDEN, LOCAL, UNSAFE
from sandbox.site.stories import SHARED, Story

LANGUAGES: Final = {"es": "Español", "en": "English", "pt": "Português"}
COUNTRIES: Final = {
    "CO": "Colombia",
    "PE": "Perú",
    "CL": "Chile",
    "AR": "Argentina",
    "BR": "Brasil",
}
TOPICS: Final = ("empresa", "eventos", "productos", "proyectos", "servicios", "sostenibilidad")
# The article that holds what a sanitiser must take out.
UNSAFE_ARTICLE: Final = "instalacion-segura"
# These two came out in the same second.
TOGETHER: Final = ("nuevo-portal", "nuevo-portal-en")

_TABLES: Final = (
    """CREATE TABLE site_post (id INTEGER PRIMARY KEY, slug TEXT NOT NULL, status TEXT NOT NULL,
    date_gmt TEXT NOT NULL, modified_gmt TEXT NOT NULL, title TEXT NOT NULL,
    excerpt TEXT NOT NULL, content TEXT NOT NULL, featured_media INTEGER NOT NULL)""",
    """CREATE TABLE site_term (id INTEGER PRIMARY KEY, taxonomy TEXT NOT NULL,
    slug TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL)""",
    """CREATE TABLE site_post_term (post INTEGER NOT NULL, term INTEGER NOT NULL,
    PRIMARY KEY (post, term)) WITHOUT ROWID""",
    """CREATE TABLE site_media (id INTEGER PRIMARY KEY, slug TEXT NOT NULL, path TEXT NOT NULL,
    mime TEXT NOT NULL, alt TEXT NOT NULL, date_gmt TEXT NOT NULL, content BLOB NOT NULL)""",
)


def seed(connection: sqlite3.Connection, today: date, rng: random.Random) -> None:
    """Make and fill the tables `site_...`. The same day and state of rng give the same rows."""
    own = not connection.in_transaction
    if own:
        connection.execute("BEGIN")
    for statement in _TABLES:
        connection.execute(statement)
    terms = _terms(connection)
    numbers = iter(range(101, 1000))
    for status, story in _all():
        _tell(connection, status, story, today, rng, terms, numbers)
    if own:
        connection.execute("COMMIT")


def _all() -> list[tuple[str, Story]]:
    """Oldest first, as ids grow on a site. What is dated ahead was written today."""
    told = [("publish", story) for story in (*SHARED, *LOCAL)]
    return sorted([*told, *HIDDEN], key=lambda each: (-max(each[1].age, 0), each[1].name))


def _terms(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Taxonomy and slug to id."""
    wanted = [("category", "sin-categoria", "Sin categoría")]
    wanted += [("category", topic, topic.capitalize()) for topic in TOPICS]
    wanted += [("category", f"lang-{code}", name) for code, name in LANGUAGES.items()]
    wanted += [("category", f"pais-{code.lower()}", name) for code, name in COUNTRIES.items()]
    tags = sorted({tag for _, story in _all() for tag in story.tags})
    wanted += [("post_tag", tag, _TAG_NAMES.get(tag, tag.capitalize())) for tag in tags]
    found = {}
    for number, (taxonomy, slug, name) in enumerate(wanted, start=1):
        row = (number, taxonomy, slug, name, "")
        connection.execute("INSERT INTO site_term VALUES (?, ?, ?, ?, ?)", row)
        found[taxonomy, slug] = number
    return found


_TAG_NAMES: Final = {
    "acustica": "Acústica", "calculo": "Cálculo & metrados", "capacitacion": "Capacitación",
    "certificacion": "Certificación", "exportacion": "Exportación", "inversion": "Inversión",
    "sismica": "Sísmica",
}  # fmt: skip


def _tell(
    connection: sqlite3.Connection, status: str, story: Story, today: date, rng: random.Random,
    terms: dict[tuple[str, str], int], numbers: Iterator[int],
) -> None:  # fmt: skip
    """One post a language; they share the picture."""
    # Early in the day by UTC, so that what is of today is of the past as well.
    day = datetime.combine(today - timedelta(days=story.age), time(5, rng.randint(0, 59)))
    media = _picture(connection, story, day, rng, next(numbers)) if story.pictured else 0
    for place, (language, texts) in enumerate(story.texts.items()):
        number = next(numbers)
        slug = story.name if place == 0 else f"{story.name}-{language}"
        said = day if slug in TOGETHER else day + timedelta(minutes=7 * place, seconds=place)
        changed = said + timedelta(hours=rng.choice((0, 0, 3)), seconds=rng.randint(0, 90))
        title, lead, *more = texts
        content = "\n".join(f"<p>{_escaped(part)}</p>" for part in (lead, *more)) + "\n"
        if story.name == UNSAFE_ARTICLE:
            content += UNSAFE
        dates = (said.isoformat(), changed.isoformat())
        row = (number, slug, status, *dates, title, lead, content, media)
        connection.execute("INSERT INTO site_post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        categories = [story.topic, f"lang-{language}"]
        categories += [f"pais-{country.lower()}" for country in story.countries]
        held = [terms["category", one] for one in categories]
        held += [terms["post_tag", one] for one in story.tags]
        connection.executemany(
            "INSERT INTO site_post_term VALUES (?, ?)", [(number, term) for term in held]
        )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _picture(
    connection: sqlite3.Connection, story: Story, day: datetime, rng: random.Random, number: int
) -> int:
    vector = story.topic == "sostenibilidad"
    hue = rng.randint(0, 255)
    content = pictures.svg(hue) if vector else pictures.png(hue)
    path = f"{day:%Y/%m}/{story.name}.{'svg' if vector else 'png'}"
    mime = "image/svg+xml" if vector else "image/png"
    title = next(iter(story.texts.values()))[0]
    row = (number, f"{story.name}-imagen", path, mime, title, day.isoformat(), content)
    connection.execute("INSERT INTO site_media VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return number
