"""Asks an SAP: one question or several side by side, whole answers back, in either OData version.

A question that names a property which this release lacks is cut down to what `$metadata` says the
service has, and asked again; from then on no question names it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import httpx

from connectors.kit.auth import Credential, Fetched, basic
from connectors.kit.batching import in_groups
from connectors.kit.connector import Wiring
from connectors.kit.http import HttpClient
from connectors.kit.odata import answers, batch, metadata
from connectors.kit.odata.answers import Answer
from connectors.kit.odata.expressions import Version
from connectors.kit.odata.metadata import Schema
from connectors.kit.odata.queries import Embedded, Query
from connectors.kit.replies import Reply, name_failure
from connectors.kit.wire import Headers
from connectors.port.errors import Refused, Rejected, Unreadable
from connectors.systems.sap.dialects import Service
from connectors.systems.sap.failures import UnknownProperty, explain, not_odata
from connectors.systems.sap.plans import Read
from connectors.systems.sap.session import WriteSession
from connectors.systems.sap.settings import OAuth, Settings

T = TypeVar("T")
U = TypeVar("U")

#: Whether the service has a property of an entity set; always, as long as nothing else is known.
Exists = Callable[[str, str], bool]
#: Makes the questions of an operation. They depend on what the service has.
Build = Callable[[Exists], Sequence[Query]]

#: No published limit for the parts of a batch; half of what clients report to work.
_PARTS = 50


def _everything(entity_set: str, path: str) -> bool:
    return True


class SapClient:
    """Calls to one SAP. Every method raises SourceError."""

    def __init__(self, source: str, settings: Settings, wiring: Wiring) -> None:
        self.source = source
        self._settings = settings
        headers = {"accept-language": settings.language}
        if settings.sap_client is not None:
            headers["sap-client"] = settings.sap_client
        self._http = HttpClient(
            source,
            settings.url,
            settings.http,
            wiring,
            credential=_credential(settings),
            explain=explain,
            headers=headers,
        )
        self._schemas: dict[Service, Schema] = {}
        self._probing = asyncio.Lock()
        self._sessions: dict[Service, WriteSession] = {}

    async def close(self) -> None:
        await self._http.close()

    async def reach(self, operation: str, service: Service) -> None:
        """Asks for the list of a service's entity sets: small, and behind the same logon."""
        reply = await self._http.get(operation, service.path + "/")
        _whole(reply, lambda: answers.document(reply.body))

    def room(self, service: Service) -> int:
        """Bytes that the entity set and query string of one question may take."""
        return self._settings.url_limit_bytes - len(self._http.base_url) - len(service.path) - 1

    async def ask(
        self,
        operation: str,
        service: Service,
        build: Build,
        required: Mapping[str, str],
        read: Read | None = None,
    ) -> list[Answer]:
        """The answers to the questions that `build` makes, in their order, each whole.

        required: columns that cannot be done without, by path, with our name for each. read: tried
        on each answer first, for records in place of rows."""

        async def attempt(schema: Schema | None) -> list[Answer]:
            queries = self._made(operation, build, schema, required)
            if len(queries) > 1 and self._settings.long_questions == "batch":
                groups = in_groups(queries, _PARTS)
                found = await together(self._batch(operation, service, g, read) for g in groups)
                return [answer for group in found for answer in group]
            return await together(self._get(operation, service, q, read) for q in queries)

        return await self._settled(operation, service, required, attempt)

    async def count(
        self, operation: str, service: Service, build: Build, required: Mapping[str, str]
    ) -> int:
        """How many records meet the conditions of the questions, in all."""

        async def attempt(schema: Schema | None) -> int:
            queries = self._made(operation, build, schema, required)
            return sum(await together(self._count(operation, service, q) for q in queries))

        return await self._settled(operation, service, required, attempt)

    # ------------------------------------------------------------------------------ questions

    async def _settled(
        self,
        operation: str,
        service: Service,
        required: Mapping[str, str],
        attempt: Callable[[Schema | None], Awaitable[T]],
    ) -> T:
        """What an attempt brings; the first that is refused for a property is made again, cut."""
        schema = self._schemas.get(service)
        try:
            if schema is None:
                try:
                    return await attempt(None)
                except UnknownProperty:
                    schema = await self._probe(operation, service)
            return await attempt(schema)
        except UnknownProperty as error:
            # It names what its own metadata holds, or what a condition cannot do without.
            error.field = required.get(error.name)
            raise

    def _made(
        self, operation: str, build: Build, schema: Schema | None, required: Mapping[str, str]
    ) -> list[Query]:
        if schema is None:
            return list(build(_everything))
        return [self._cut(operation, schema, q, required) for q in build(schema.has)]

    async def _count(self, operation: str, service: Service, query: Query) -> int:
        target = f"{service.path}/{query.entity_set}/$count"
        bare = Query(query.entity_set, filter=query.filter).encoded(service.version)
        reply = await self._http.get(operation, target, params=bare, headers={"accept": "*/*"})
        return _whole(reply, lambda: answers.read_count(reply.body))

    async def _get(
        self, operation: str, service: Service, query: Query, read: Read | None
    ) -> Answer:
        target = f"{service.path}/{query.entity_set}"
        reply = await self._http.get(operation, target, params=query.encoded(service.version))
        return await self._completed(operation, service, query, reply, read)

    async def _batch(
        self, operation: str, service: Service, queries: Sequence[Query], read: Read | None
    ) -> list[Answer]:
        """Several questions in one call. A part that failed for now is asked again on its own."""
        boundary = f"batch_{secrets.token_hex(8)}"
        targets = [f"{query.entity_set}?{query.encoded(service.version)}" for query in queries]
        session = self._sessions.setdefault(service, WriteSession(self._http, service.path))
        reply = await session.post(
            operation,
            f"{service.path}/$batch",
            batch.pack(targets, boundary, {"Accept": "application/json"}),
            {"content-type": f"multipart/mixed; boundary={boundary}", "accept": "multipart/mixed"},
            reads=True,
        )
        content_type = reply.headers.get("content-type", "")
        parts = _whole(reply, lambda: batch.unpack(content_type, reply.body))
        if len(parts) != len(queries):
            raise reply.unreadable("answered another number of parts than were asked")
        return await together(
            self._part(operation, service, query, part, read)
            for query, part in zip(queries, parts, strict=True)
        )

    async def _part(
        self,
        operation: str,
        service: Service,
        query: Query,
        part: batch.Part,
        read: Read | None,
    ) -> Answer:
        headers = Headers(part.headers.items())
        reply = Reply(self.source, operation, part.status, headers, part.body)
        if not 200 <= part.status < 300:
            failure = explain(reply) or name_failure(reply, time.time())
            if failure is not None and not failure.retryable:
                raise failure
            return await self._get(operation, service, query, read)
        return await self._completed(operation, service, query, reply, read)

    # -------------------------------------------------------------------------------- answers

    async def _completed(
        self,
        operation: str,
        service: Service,
        query: Query,
        reply: Reply,
        read: Read | None,
    ) -> Answer:
        """The answer with what the server left for further pages, of the list and inside rows."""
        made = read(reply.body) if read is not None and reply.is_json else None
        if made is not None:
            return made
        version = service.version
        asked = self._here(f"{service.path}/{query.entity_set}")
        answer = _read(reply, version)
        rows = await self._followed(operation, version, asked, answer, query.top)
        left = _whole(
            reply, lambda: [rest for row in rows for rest in _unfinished(row, query.expand)]
        )
        for owner, navigation, found in left:
            owner[navigation] = await self._followed(operation, version, asked, found, None)
            owner.pop(f"{navigation}@odata.nextLink", None)
        return Answer(rows, answer.count)

    async def _followed(
        self, operation: str, version: Version, asked: httpx.URL, first: Answer, top: int | None
    ) -> list[dict[str, Any]]:
        rows, following = list(first.rows), first.following
        pages = 1
        while following is not None and (top is None or len(rows) < top):
            pages += 1
            if pages > self._settings.max_pages:
                message = f"{operation}: answered in more than {self._settings.max_pages} pages"
                raise Unreadable(self.source, message)
            url = self._own(operation, asked, following)
            reply = await self._http.get(operation, str(url))
            answer = _read(reply, version)
            rows += answer.rows
            following = answer.following
        return rows if top is None else rows[:top]

    def _here(self, path: str) -> httpx.URL:
        return httpx.URL(self._http.base_url + path)

    def _own(self, operation: str, asked: httpx.URL, following: str) -> httpx.URL:
        """An address that the server gave, resolved. It gets our credential, so it must be at the
        host that was asked."""
        try:
            url = asked.join(following)
        except (httpx.InvalidURL, ValueError):
            url = httpx.URL("")
        if (url.scheme, url.host, url.port) != (asked.scheme, asked.host, asked.port):
            message = f"{operation}: named a following page that is not on its host"
            raise Unreadable(self.source, message)
        return url

    # ------------------------------------------------------------------------------- releases

    def _cut(
        self, operation: str, schema: Schema, query: Query, required: Mapping[str, str]
    ) -> Query:
        query, gone = schema.cut(query)
        for path in gone:
            if path in required:
                message = f"{operation}: this release has no {path.replace('/', ' ')}"
                raise Rejected(self.source, message, field=required[path])
        return query

    async def _probe(self, operation: str, service: Service) -> Schema:
        """What the service has. Asked once: it changes with a release, and we start anew then."""
        async with self._probing:
            known = self._schemas.get(service)
            if known is not None:
                return known
            reply = await self._http.get(
                f"{operation}.metadata",
                f"{service.path}/$metadata",
                headers={"accept": "application/xml"},
            )
            try:
                schema = await asyncio.to_thread(metadata.read, reply.body)
            except ValueError as error:
                raise not_odata(reply) or reply.unreadable(f"$metadata {error}") from None
            self._schemas[service] = schema
            return schema


def _unfinished(
    row: dict[str, Any], expand: Iterable[Embedded]
) -> Iterable[tuple[dict[str, Any], str, Answer]]:
    """The embedded lists of a row that the server did not finish, with the record they are in."""
    for embedded in expand:
        found = answers.children(row, embedded.navigation)
        if found is None:
            continue
        if found.following is not None:
            yield row, embedded.navigation, found
        for child in found.rows:
            yield from _unfinished(child, embedded.expand)


def _read(reply: Reply, version: Version) -> Answer:
    return _whole(reply, lambda: answers.read(reply.body, version))


def _whole(reply: Reply, read: Callable[[], T]) -> T:
    """What `read` makes of an answer, or the failure's name when it is not OData's."""
    if (failure := not_odata(reply)) is not None:
        raise failure
    try:
        return read()
    except ValueError as error:
        raise reply.unreadable(str(error)[:200]) from None


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All the calls side by side; the first failure ends the others."""
    asked = list(calls)
    if len(asked) == 1:
        return [await asked[0]]
    tasks = [asyncio.ensure_future(call) for call in asked]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def both(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Two calls side by side; the first failure ends the other."""
    first, second = await together([_any(one), _any(other)])
    return first, second


async def _any(call: Coroutine[Any, Any, Any]) -> Any:
    return await call


def _credential(settings: Settings) -> Credential:
    if settings.basic is not None:
        return basic(settings.basic.user, settings.basic.password)
    assert settings.oauth is not None  # noqa: S101  # the settings hold one of the two
    return Fetched(_token_by(settings.oauth))


def _token_by(oauth: OAuth) -> Callable[[HttpClient], Awaitable[str]]:
    client = basic(oauth.client_id, oauth.client_secret)
    form = httpx.QueryParams(
        {"grant_type": "client_credentials", **({"scope": oauth.scope} if oauth.scope else {})}
    )

    async def fetch(http: HttpClient) -> str:
        content_type = {"content-type": "application/x-www-form-urlencoded"}
        try:
            reply = await http.call(
                "token",
                "POST",
                oauth.token_url,
                content=str(form).encode(),
                headers={**await client.headers(http), **content_type},
                reads=True,
                authorized=False,
            )
        except Rejected as error:
            # OAuth answers 400 where it does not know the client.
            raise Refused(error.source, "token: our client was not accepted") from None
        answer = reply.json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise reply.unreadable("answered without a token")
        return token

    return fetch
