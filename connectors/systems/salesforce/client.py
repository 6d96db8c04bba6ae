"""Asks the org: queries of one tick of the event loop travel in one call, long answers are read on.

One query alone is a GET. Several, or one whose address would be too long, are sub-requests of one
composite call, which the org counts once. Its own status says nothing of theirs: each sub-request
gets its own answer or error.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from connectors.kit.batching import Tick
from connectors.kit.connector import Wiring
from connectors.kit.http import HttpClient
from connectors.kit.replies import Reply, name_failure
from connectors.kit.streams import Body, Download
from connectors.kit.wire import Headers
from connectors.port.errors import SourceError, Unreadable
from connectors.systems.salesforce.answers import (
    COUNTED,
    Answer,
    Composite,
    Made,
    Reading,
    Rows,
    UnreadAnswer,
    UnreadPart,
    as_written,
)
from connectors.systems.salesforce.failures import explain
from connectors.systems.salesforce.forms import FileForm
from connectors.systems.salesforce.login import credential
from connectors.systems.salesforce.rows import Row
from connectors.systems.salesforce.settings import Settings
from connectors.systems.salesforce.soql import Count, Select

#: Sub-requests of one composite call that may be queries.
PACKED: Final = 5
#: Bytes of an address. The org answers 414 at about 16 KB; proxies on the way may be stricter.
LONGEST: Final = 14_000
#: Pages of 2,000 rows that are read on after the first, so that no answer grows without end.
_PAGES: Final = 25

_USAGE: Final = re.compile(r"(?:^|[;,\s])api-usage=([0-9]{1,12})/([0-9]{1,12})")
_ROWS: Final = msgspec.json.Decoder(list[dict[str, Any]])
_NEXT: Final = re.compile(r"/services/data/v[0-9]{2,3}\.0/query/[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Usage:
    """How many calls of its allocation of 24 hours the whole org has used, by its last answer."""

    used: int
    allowed: int


class Step(msgspec.Struct, frozen=True):
    """A part of a composite call. path: below the version. reference: by which later parts name
    what this one answers."""

    method: str
    path: str
    reference: str
    body: Mapping[str, Any] | None = None

    @classmethod
    def query(cls, reference: str, query: Select) -> Step:
        return cls("GET", f"/query?q={query.quoted()}", reference)


#: What came of a step: an answer of a 2xx, or the failure.
Outcome = Reply | SourceError


class _Question(msgspec.Struct, frozen=True):
    operation: str
    quoted: str
    reading: Reading | None = None


class Client:
    """One org under one login. usage: None until the org has answered once."""

    def __init__(self, source: str, settings: Settings, wiring: Wiring) -> None:
        self.source = source
        self.usage: Usage | None = None
        self._settings = settings
        self._clock = wiring.clock
        self._root = f"/services/data/v{settings.api_version}"
        self._http = HttpClient(
            source,
            settings.url,
            settings.http,
            wiring,
            credential=credential(settings, wiring.clock),
            explain=self._explain,
        )
        packed = PACKED if settings.composite else 1
        self._tick: Tick[_Question, Answer[Rows]] = Tick(self._send, packed)

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        """Raises a SourceError when the org would not answer."""
        reply = await self._http.get("check", f"{self._root}/limits")
        self._note(reply)
        reply.decoded(dict[str, Any])

    # The next four are no coroutines: they put their queries on board when they are called, so
    # that what callers ask in one breath travels together, however deep their coroutines are.

    def rows(self, operation: str, query: Select) -> Coroutine[Any, Any, list[Row]]:
        """Every row of a query."""
        return self._rows(operation, [self._ask(operation, query)])

    def pages(
        self, operation: str, queries: Iterable[Select], reading: Reading | None = None
    ) -> Coroutine[Any, Any, list[Rows]]:
        """The pages of every row of several queries, in their order. reading: how to decode their
        rows; those of another shape, and all without it, stay unread."""
        asked = [self._ask(operation, query, reading) for query in queries]
        return self._pages(operation, asked, reading)

    def read(self, operation: str, pages: Iterable[Rows]) -> list[Row]:
        """The rows of pages."""
        try:
            found = [_ROWS.decode(as_written(page)) for page in pages]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message = f"{operation}: answered with JSON of another shape"
            raise Unreadable(self.source, message, detail=str(error)) from None
        return [Row(row, self.source, operation) for rows in found for row in rows]

    def rows_of(self, operation: str, queries: Iterable[Select]) -> Coroutine[Any, Any, list[Row]]:
        """Every row of several queries, in their order."""
        return self._rows(operation, [self._ask(operation, query) for query in queries])

    def count(self, operation: str, query: Count) -> Coroutine[Any, Any, int]:
        return self._count(self._ask(operation, query, COUNTED))

    async def create(self, operation: str, table: str, values: Mapping[str, Any]) -> str:
        """Makes a record; its id. Never tried again: it would be made twice."""
        path = f"{self._root}/sobjects/{table}"
        reply = await self._http.call(operation, "POST", path, json=values)
        self._note(reply)
        return self.made(reply)

    async def change(
        self, operation: str, table: str, record: str, values: Mapping[str, Any]
    ) -> None:
        """Changes some columns of a record. record: an id that the org gave."""
        path = f"{self._root}/sobjects/{table}/{record}"
        self._note(await self._http.call(operation, "PATCH", path, json=values))

    async def together(
        self, operation: str, steps: Sequence[Step], *, all_or_none: bool = False
    ) -> list[Outcome]:
        """Steps in their order, in one call that is never tried again, as they may write. What came
        of each; all_or_none: where one fails, none is done."""
        changes = any(step.method != "GET" for step in steps)
        reply = await self._compose(operation, steps, all_or_none, reads=not changes)
        return self._outcomes(reply, [(operation, step.reference) for step in steps])

    def rows_in(self, outcome: Outcome) -> list[Row]:
        """The rows of a query that was a step. Raises its failure."""
        if isinstance(outcome, SourceError):
            raise outcome
        answer: UnreadAnswer = outcome.decoded(UnreadAnswer)
        return self.read(outcome.operation, [answer.records])

    def made(self, outcome: Outcome) -> str:
        """The id of a record that a step made. Raises its failure."""
        if isinstance(outcome, SourceError):
            raise outcome
        made: Made = outcome.decoded(Made)
        return made.id

    async def send_file(
        self, operation: str, described: Mapping[str, Any], content_type: str, size: int, body: Body
    ) -> str:
        """Makes a version of a file of `size` bytes; its id. Never tried again."""
        form = FileForm(described, content_type, size)
        reply = await self._http.upload(
            operation,
            f"{self._root}/sobjects/ContentVersion",
            lambda: form.pieces(body),
            size=form.size,
            headers={"content-type": form.media_type},
        )
        self._note(reply)
        return self.made(reply)

    async def file(self, operation: str, version: str, size: int, first: int) -> Download:
        """The bytes of a file from `first` on. version: an id that the org gave."""
        path = f"{self._root}/sobjects/ContentVersion/{version}/VersionData"
        return await self._http.download(operation, path, size=size, first=first)

    def _ask(
        self, operation: str, query: Select | Count, reading: Reading | None = None
    ) -> asyncio.Future[Answer[Rows]]:
        return self._tick.put(_Question(operation, query.quoted(), reading))

    async def _rows(
        self, operation: str, asked: Sequence[asyncio.Future[Answer[Rows]]]
    ) -> list[Row]:
        return self.read(operation, await self._pages(operation, asked))

    async def _pages(
        self,
        operation: str,
        asked: Sequence[asyncio.Future[Answer[Rows]]],
        reading: Reading | None = None,
    ) -> list[Rows]:
        if len(asked) == 1:
            return await self._complete(operation, await asked[0], reading)
        found = await asyncio.gather(*(self._pages(operation, [one], reading) for one in asked))
        return [page for pages in found for page in pages]

    async def _count(self, asked: asyncio.Future[Answer[Rows]]) -> int:
        return (await asked).total_size

    async def children(self, row: Row, relationship: str) -> list[Row]:
        """Every row of a child query inside a row. One that found nothing answers null."""
        nested = row.value(relationship)
        if nested is None:
            return []
        try:
            answer = msgspec.json.decode(msgspec.json.encode(nested), type=UnreadAnswer)
        except msgspec.ValidationError as error:
            message = f"{row.operation}: {relationship} is no list of rows"
            raise Unreadable(self.source, message, detail=str(error)) from None
        return self.read(row.operation, await self._complete(row.operation, answer))

    async def _complete(
        self, operation: str, answer: Answer[Rows], reading: Reading | None = None
    ) -> list[Rows]:
        found = [answer.records]
        while not answer.done:
            url = answer.next_records_url or ""
            # Matched to the form of a cursor, since our token goes wherever this leads.
            if len(found) > _PAGES or not _NEXT.fullmatch(url):
                raise Unreadable(self.source, f"{operation}: an answer that does not end")
            reply = await self._http.get(operation, url)
            self._note(reply)
            answer = _answer(reply, reading)
            found.append(answer.records)
        return found

    async def _send(self, questions: Sequence[_Question]) -> Sequence[Answer[Rows] | Exception]:
        paths = [f"/query?q={question.quoted}" for question in questions]
        if len(paths) == 1 and (len(paths[0]) <= LONGEST or not self._settings.composite):
            (question,) = questions
            reply = await self._http.get(question.operation, self._root + paths[0])
            self._note(reply)
            return [_answer(reply, question.reading)]
        return await self._send_together(questions, paths)

    async def _send_together(
        self, questions: Sequence[_Question], paths: Sequence[str]
    ) -> Sequence[Answer[Rows] | Exception]:
        operation = "+".join(dict.fromkeys(question.operation for question in questions))
        steps = [Step("GET", path, f"q{place}") for place, path in enumerate(paths)]
        reply = await self._compose(operation, steps, False, reads=True)
        reading = _common(questions)
        if reading is not None and reply.is_json:
            parts = reading.together(reply.body)
            if parts is not None and all(step.reference in parts for step in steps):
                return [parts[step.reference] for step in steps]
        named = [(question.operation, f"q{place}") for place, question in enumerate(questions)]
        outcomes = self._outcomes(reply, named)
        return [_told(outcome, q.reading) for outcome, q in zip(outcomes, questions, strict=True)]

    async def _compose(
        self, operation: str, steps: Sequence[Step], all_or_none: bool, *, reads: bool
    ) -> Reply:
        reply = await self._http.call(
            operation,
            "POST",
            f"{self._root}/composite",
            json={
                "allOrNone": all_or_none,
                "collateSubrequests": False,
                "compositeRequest": [self._part(step) for step in steps],
            },
            reads=reads,
        )
        self._note(reply)
        return reply

    def _part(self, step: Step) -> dict[str, Any]:
        part = {"method": step.method, "url": self._root + step.path}
        body = {} if step.body is None else {"body": step.body}
        return {**part, "referenceId": step.reference, **body}

    def _outcomes(self, reply: Reply, named: Sequence[tuple[str, str]]) -> list[Outcome]:
        """named: of each step the operation that it is for, and its reference."""
        whole: Composite[UnreadPart] = reply.decoded(Composite[UnreadPart])
        parts = {part.reference_id: part for part in whole.composite_response}
        return [self._outcome(operation, parts.get(reference)) for operation, reference in named]

    def _outcome(self, operation: str, part: UnreadPart | None) -> Outcome:
        if part is None:
            return Unreadable(self.source, f"{operation}: the answer lacks its part")
        headers = Headers([("content-type", "application/json")])
        status, body = part.http_status_code, bytes(part.body)
        reply = Reply(self.source, operation, status, headers, body)
        if 200 <= status < 300:
            return reply
        return self._explain(reply) or name_failure(reply, 0.0) or reply

    def _explain(self, reply: Reply) -> SourceError | None:
        self._note(reply)
        settings, now = self._settings, self._clock().timestamp()
        return explain(reply, settings.columns.ours, settings.quota_retry_after, now)

    def _note(self, reply: Reply) -> None:
        found = _USAGE.search(reply.headers.get("sforce-limit-info", ""))
        if found:
            self.usage = Usage(int(found[1]), int(found[2]))


def _common(questions: Iterable[_Question]) -> Reading | None:
    """What reads the answers to all of the questions; None where there is no such."""
    first, *others = {question.reading for question in questions} - {COUNTED} or {COUNTED}
    return None if others else first


def _answer(reply: Reply, reading: Reading | None) -> Answer[Rows]:
    """The answer to a query, its rows decoded where they can be. Raises Unreadable."""
    found = reading.alone(reply.body) if reading is not None and reply.is_json else None
    if found is None:
        unread: Answer[Rows] = reply.decoded(UnreadAnswer)
        return unread
    return found


def _told(outcome: Outcome, reading: Reading | None) -> Answer[Rows] | Exception:
    if isinstance(outcome, SourceError):
        return outcome
    try:
        return _answer(outcome, reading)
    except Unreadable as error:
        return error
