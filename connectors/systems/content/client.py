"""Answers frequent questions from files, which are read once, when the gateway starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from connectors.port.errors import Rejected
from connectors.port.pages import Keyset, Page, slice_sorted
from connectors.port.queries import QuestionQuery
from connectors.port.records import Question
from connectors.systems.content.translate import Entry, Mistake, entry, search_words

#: Bytes of one file, and files of one folder, at most.
LARGEST = 64_000
MOST = 5_000

#: Entries of one language, in reading order.
Shelf = Sequence[Entry]


class ContentError(ValueError):
    """Files with mistakes. The text names each by file and line."""


def read(folder: Path, default_language: str) -> Mapping[str, Shelf]:
    """Every language of a folder with all its questions; one that was not translated yet stands in
    the nearest language. Blocks: it reads files. Raises ContentError, with all the mistakes."""
    if not folder.is_dir():
        raise ContentError(f"{folder}: there is no such folder")
    mistakes: list[str] = []
    written: dict[str, dict[str, Entry]] = defaultdict(dict)
    paths = sorted(folder.glob("*.md"))
    if len(paths) > MOST:
        raise ContentError(f"{folder}: holds more than {MOST} files")
    for path in paths:
        try:
            found = entry(path.name, _text(path))
        except Mistake as mistake:
            mistakes.append(f"{path}:{mistake.line}: {mistake}")
            continue
        other = written[found.question.id].get(found.question.locale.lower())
        if other is not None:
            mistakes.append(f"{path}:1: {found.question.id} is there twice in this language")
        written[found.question.id][found.question.locale.lower()] = found
    mistakes += _disagreements(folder, written, default_language)
    if not written and not mistakes:
        mistakes.append(f"{folder}: holds no questions")
    if mistakes:
        raise ContentError("\n".join(mistakes))
    return _shelves(written, default_language.lower())


class Questions:
    """A QuestionSource over what was read."""

    def __init__(self, source: str, shelves: Mapping[str, Shelf], default_language: str) -> None:
        self._source = source
        self._shelves = shelves
        self._default = default_language.lower()

    async def find_questions(self, query: QuestionQuery) -> Page[Question]:
        for mark in (query.part.after, query.part.before):
            # A bool is an int to Python, but no position.
            if mark is not None and type(mark.value) is not int:
                message = "find_questions: the cursor is not of this list"
                raise Rejected(self._source, message)
        words = search_words(query.search or "")
        found = [
            entry.question
            for entry in self._shelves[self._language(query.locale)]
            if (query.topic is None or entry.question.topic is query.topic)
            and all(word in entry.haystack for word in words)
        ]
        return slice_sorted(found, query.part, lambda found: Keyset(found.position, found.id))

    async def questions_by_id(self, ids: Sequence[str], locale: str) -> list[Question | None]:
        shelf = self._shelves[self._language(locale)]
        known = {entry.question.id: entry.question for entry in shelf}
        return [known.get(number) for number in ids]

    def _language(self, locale: str) -> str:
        """The language that is nearest to a locale: itself, without its region, with another."""
        for tag in _upwards(locale.lower()):
            if tag in self._shelves:
                return tag
        primary = locale.lower().partition("-")[0]
        cousins = sorted(tag for tag in self._shelves if tag.partition("-")[0] == primary)
        return cousins[0] if cousins else self._default


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise Mistake(1, f"cannot be read: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise Mistake(1, f"the file is larger than {LARGEST} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Mistake(line, "the text is not UTF-8") from None


def _disagreements(
    folder: Path, written: Mapping[str, Mapping[str, Entry]], default_language: str
) -> Iterator[str]:
    """Where the translations of a question, or two questions, do not go together."""
    places: dict[int, str] = {}
    for name, translations in written.items():
        original = translations.get(default_language.lower())
        if original is None:
            yield f"{folder}: {name} is not written in {default_language}"
            continue
        first = original.question
        for found in translations.values():
            other, path = found.question, folder / _name(found.question)
            if other.position != first.position:
                yield f"{path}:1: stands at {other.position}, in {first.locale} at {first.position}"
            if other.topic is not first.topic:
                yield f"{path}:2: the topic is {other.topic}, in {first.locale} {first.topic}"
        if first.position in places:
            taken = places[first.position]
            yield f"{folder / _name(first)}:1: {taken} stands at {first.position} too"
        places[first.position] = name


def _shelves(written: Mapping[str, Mapping[str, Entry]], default_language: str) -> dict[str, Shelf]:
    languages = {tag for translations in written.values() for tag in translations}

    def nearest(translations: Mapping[str, Entry], language: str) -> Entry:
        tags = (tag for tag in _upwards(language) if tag in translations)
        return translations[next(tags, default_language)]

    return {
        language: sorted(
            (nearest(translations, language) for translations in written.values()),
            key=lambda found: found.question.position,
        )
        for language in languages
    }


def _upwards(tag: str) -> Iterator[str]:
    """es-co-x, es-co, es."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def _name(question: Question) -> str:
    return f"{question.position:03}-{question.id}.{question.locale}.md"
