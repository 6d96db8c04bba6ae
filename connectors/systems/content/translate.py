"""Turns a file that an editor wrote into a question. Pure: no I/O, no clock.

The name says position, id and language: `080-forgot-password.es.md`. The text opens with its topic
between two lines of hyphens, the question is the heading, and the answer is what follows: plain
text, a line for each paragraph, with lists as Markdown writes them ("- ", "1. ") and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.port.records import Question, QuestionTopic

LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_NAME = re.compile(rf"(\d{{3,6}})-([a-z0-9]+(?:-[a-z0-9]+)*)\.({LANGUAGE.pattern})\.md")
_NUMBERED = re.compile(r"(\d+)\. \S")
_FENCE = "---"
_LONGEST_QUESTION = 200

# What a page that shows plain text would show as it stands.
_MARKUP = (
    (re.compile(r"^#"), "a second heading"),
    (re.compile(r"<[A-Za-z/!]"), "HTML"),
    (re.compile(r"\*\*|__|`"), "emphasis or code"),
    (re.compile(r"\]\("), "a link"),
    (re.compile(r"^(?:[*+]|\d+\)) "), 'a list that is not written with "- " or "1. "'),
    (re.compile(r"^\s"), "an indented line"),
)


class Mistake(ValueError):
    """What is wrong with a file, and in which line (from 1)."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with what a search looks at."""

    question: Question
    haystack: str


def entry(name: str, text: str) -> Entry:
    """The question of a file by its name and text. Raises Mistake."""
    named = _NAME.fullmatch(name)
    if named is None:
        raise Mistake(1, "the name is not like 080-forgot-password.es.md")
    lines = text.splitlines()
    topic, start = _topic(lines)
    heading, start = _heading(lines, start)
    question = Question(
        id=named[2],
        question=heading,
        answer=_answer(lines, start),
        topic=topic,
        locale=named[3],
        position=int(named[1]),
    )
    return Entry(question, folded(f"{question.question}\n{question.answer}"))


def folded(text: str) -> str:
    """Text as a search compares it: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def search_words(search: str) -> list[str]:
    """The words of a search, each to be found somewhere."""
    return re.findall(r"\w+", folded(search))


def _topic(lines: Sequence[str]) -> tuple[QuestionTopic, int]:
    """The topic and where the rest begins."""
    if not lines or lines[0].rstrip() != _FENCE:
        raise Mistake(1, f"the file does not begin with {_FENCE}")
    topic = None
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            if topic is None:
                raise Mistake(index + 1, "there is no topic")
            return topic, index + 1
        key, colon, value = (part.strip() for part in line.partition(":"))
        if key != "topic" or not colon:
            raise Mistake(index + 1, f"expected `topic: …`, found {line.strip()[:40]!r}")
        if topic is not None:
            raise Mistake(index + 1, "the topic is there twice")
        if value not in QuestionTopic.__members__:
            known = ", ".join(QuestionTopic)
            raise Mistake(index + 1, f"there is no topic {value[:40]!r}; there are: {known}")
        topic = QuestionTopic(value)
    raise Mistake(len(lines), f"the closing {_FENCE} is missing")


def _heading(lines: Sequence[str], start: int) -> tuple[str, int]:
    for index, line in enumerate(lines[start:], start):
        if not line.strip():
            continue
        heading = line.removeprefix("# ").strip()
        if not line.startswith("# ") or not heading:
            raise Mistake(index + 1, "expected the question as a heading: `# …`")
        if len(heading) > _LONGEST_QUESTION:
            raise Mistake(index + 1, f"the question is longer than {_LONGEST_QUESTION} characters")
        return heading, index + 1
    raise Mistake(len(lines), "there is no question")


def _answer(lines: Sequence[str], start: int) -> str:
    for index, line in enumerate(lines[start:], start):
        for pattern, what in _MARKUP:
            if pattern.search(line):
                raise Mistake(index + 1, f"{what}: answers are plain text with lists")
    for index, expected, found in _numbers(lines, start):
        if found != expected:
            raise Mistake(index + 1, f"expected item {expected} of the list, found {found}")
    answer = "\n".join(line.rstrip() for line in lines[start:]).strip()
    if not answer:
        raise Mistake(len(lines), "there is no answer")
    return answer


def _numbers(lines: Sequence[str], start: int) -> Iterator[tuple[int, int, int]]:
    """Each numbered item: its line, the number it should have, and the one it has."""
    expected = 1
    for index, line in enumerate(lines[start:], start):
        item = _NUMBERED.match(line)
        if item is None:
            expected = 1
            continue
        yield index, expected, int(item[1])
        expected += 1
