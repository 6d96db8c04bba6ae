"""Turns knowledge articles into our questions and news. Pure.

An article's text is HTML that somebody typed: news keep it, sanitised; an answer is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from connectors.kit.html import Sanitiser
from connectors.port.fields import Fields, own
from connectors.port.records import NewsArticle, Question
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Knowledge
from connectors.systems.salesforce.translate import ours

_BLOCKS: Final = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6"}
)
_UNSEEN: Final = frozenset({"script", "style", "template", "noscript"})


def language(languages: Mapping[str, str], locale: str) -> str | None:
    """Their code of a BCP 47 tag: of the tag itself, else of its language alone."""
    tag = locale.lower()
    known = {name.lower(): code for name, code in languages.items()}
    return known.get(tag) or known.get(tag.partition("-")[0])


def locale(languages: Mapping[str, str], theirs: str) -> str:
    """Our tag of their code; one that is not configured reads as it is written."""
    listed = (tag for tag, code in languages.items() if code == theirs)
    return next(listed, theirs.replace("_", "-"))


def question_columns(knowledge: Knowledge) -> list[str]:
    columns = ["Id", "Title", "ArticleNumber", "Language", knowledge.body]
    return [*columns, knowledge.topic] if knowledge.topic else columns


def question(row: Row, knowledge: Knowledge) -> Question:
    """Article numbers count up, so that articles read in the order they were written."""
    topic = ours(knowledge.topics, row.text(knowledge.topic)) if knowledge.topic else None
    digits = re.sub("[^0-9]", "", row.text("ArticleNumber") or "")[:15]
    return Question(
        id=row.required("Id"),
        question=row.text("Title") or "",
        answer=plain(row.body(knowledge.body)),
        topic=topic or knowledge.other_topic,
        locale=locale(knowledge.languages, row.required("Language")),
        position=int(digits or "0"),
    )


def news_columns(knowledge: Knowledge, fields: Fields) -> list[str]:
    """LastPublishedDate is what news are ordered by."""
    wanted = own(fields)
    found = ["Id", "LastPublishedDate"]
    for attribute, column in (
        ("slug", "UrlName"),
        ("title", "Title"),
        ("summary", "Summary"),
        ("body", knowledge.body),
        ("locale", "Language"),
        ("countries", knowledge.countries),
        ("tags", knowledge.tags),
    ):
        if attribute in wanted and column:
            found.append(column)
    return found


def news(row: Row, knowledge: Knowledge, fields: Fields, sanitiser: Sanitiser) -> NewsArticle:
    """Articles of knowledge carry no image of their own."""
    wanted = own(fields)
    found: dict[str, Any] = {}
    if "slug" in wanted:
        found["slug"] = row.required("UrlName")
    if "title" in wanted:
        found["title"] = row.text("Title") or ""
    if "summary" in wanted:
        found["summary"] = row.text("Summary")
    if "body" in wanted:
        found["body"] = sanitiser.clean(row.body(knowledge.body))
    if "image_url" in wanted:
        found["image_url"] = None
    if "locale" in wanted:
        found["locale"] = locale(knowledge.languages, row.required("Language"))
    if "countries" in wanted:
        chosen = row.several(knowledge.countries) if knowledge.countries else ()
        found["countries"] = tuple(one.upper() for one in chosen)
    if "tags" in wanted:
        found["tags"] = tuple(row.several(knowledge.tags)) if knowledge.tags else ()
    if "published_at" in wanted:
        found["published_at"] = row.moment("LastPublishedDate")
    return NewsArticle(row.required("Id"), **found)


class _Reader(HTMLParser):
    """Collects the text of a document, a line for each block and a dash for each item of a list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))


def plain(html: str) -> str:
    """The text of HTML, one line a block, without empty lines."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line not in ("", "-"))
