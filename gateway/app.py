"""Wires the rooms together; the only file that knows them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from connectors import catalog
from connectors.kit.connector import Call, Wiring
from connectors.port.errors import SourceError
from connectors.port.sources import CaseWriter, System
from gateway import telemetry
from gateway.access.callers import Callers
from gateway.access.rates import Rates
from gateway.access.tokens import Tokens
from gateway.answering import (
    graph,
    open_operations,
    open_source,
    open_sources,
    open_whole_answers,
    unremembered_cases,
)
from gateway.entrance import Entrance, open_entrance
from gateway.events.hub import Hub
from gateway.events.submitted import Submitted
from gateway.files.links import DOWNLOADS, UPLOADS
from gateway.files.opened import OpenedFiles, open_files
from gateway.files.store import StoreAddressError
from gateway.http import assets, graphiql, health
from gateway.http.body import Bodies
from gateway.http.cors import OpenedTo
from gateway.http.direct import Direct
from gateway.http.downloads import DownloadRoute
from gateway.http.front import Front
from gateway.http.graphql import PATH, GraphQLRoute
from gateway.http.lasting import Lasting, open_lasting
from gateway.http.multipart import MultipartRoute
from gateway.http.reception import Reception
from gateway.http.uploads import UploadRoute
from gateway.operations.run import Operations
from gateway.operations.subscriptions import Subscriptions
from gateway.settings import Settings, SettingsError
from gateway.sources import changes
from gateway.sources.cached import open_answers
from gateway.sources.guarded import (
    GuardedCases,
)
from schema import texts
from schema.cases.catalogue import Catalogue
from schema.context import Caller, Context, Note, Sources
from schema.events import Event, What
from schema.identity.service import Origin
from schema.support.desks import Desks

if TYPE_CHECKING:
    from gateway.events.shared import SharedEvents
    from gateway.submissions.files import HeldFiles
    from gateway.submissions.opened import OpenSubmissions
    from gateway.submissions.pending import Pending

_SUBMITTED = Event(What.SUBMISSIONS_CHANGED, "")


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway with its systems open. direct: the short way past `app`."""

    app: ASGIApp
    direct: Direct
    operations: Operations
    entrance: Entrance
    sources: Sources
    systems: tuple[System, ...]
    events: Hub
    submissions: OpenSubmissions | None
    _desks: Desks
    _ready: health.Ready
    _lasting: Lasting
    #: Lets go of everything.
    close: Callable[[], Awaitable[None]]

    async def finish(self) -> None:
        """The rest of the start, which takes as long as what is before it, and may be done while
        requests are answered: they wait for it where they need it. Here, and not when somebody
        needs it: what is wrong is told at the start. Raises DesksError, DatabaseError."""
        self._ready.starting = True
        await asyncio.to_thread(self._desks.load)
        await asyncio.to_thread(texts.load)
        if self.submissions is not None:
            await self.submissions.start()
        self._ready.starting = False

    async def drain(self) -> None:
        """Lets connections that stay open go, each as its clients like it best."""
        await self._lasting.drain()

    @property
    def tokens(self) -> Tokens:
        return self.entrance.tokens

    @property
    def callers(self) -> Callers:
        return self.entrance.callers


async def open_gateway(
    settings: Settings, wiring: Wiring | None = None, *, background: bool = True
) -> Gateway:
    """A gateway by its settings. wiring: what connectors need of the world; tests pass their own.
    background: False for commands, which end before work in the background would. With it,
    `Gateway.finish` remains to be done.

    Raises SettingsError, CatalogueError, DesksError, UnknownConnector or msgspec.ValidationError,
    each with a text for whoever wrote the settings; see also `open_entrance`."""
    listeners = [telemetry.heard, *([wiring.heard] if wiring else [])]
    wiring = replace(wiring or Wiring(), heard=_each(listeners))
    operations = await open_operations(settings)
    catalogue, desks = await asyncio.gather(
        asyncio.to_thread(Catalogue.read, settings.path(settings.texts.catalogue)),
        asyncio.to_thread(
            Desks.read, settings.path(settings.texts.desks), ZoneInfo(settings.texts.time_zone)
        ),
    )
    if not background:
        await asyncio.to_thread(desks.load)
    systems = await catalog.start_all(settings.systems, wiring)
    answers = open_answers(settings.cache, settings.redis, lambda: wiring.clock().timestamp())
    sources = open_sources(settings, systems, answers)
    entrance = await open_entrance(
        settings, wiring, sources.customers, sources.customer_writer, background=background
    )

    hub = Hub()
    hub.listen(changes.listener(answers))
    hub.listen(_forgetting(entrance.callers))
    shared = _shared(hub, settings, background=background)
    writer = sources.case_writer
    files = await _files(settings, wiring, entrance, writer, background=background)
    submissions = await _submissions(
        settings, wiring, entrance, writer, systems, files.files, background=background
    )
    if submissions is not None:
        listeners.append(submissions.heard)
        submissions.pending.listen(Submitted(hub.deliver).heard)
        submissions.pending.tell_others_by(lambda: hub.elsewhere(_SUBMITTED))
        hub.listen(_hurrying(submissions.pending))
        cases = GuardedCases(
            submissions.over(
                open_source(settings, systems, answers, "cases"), files.files.read_from
            )
        )
        sources = replace(sources, cases=cases)

    def make_context(
        who: Caller | SourceError | None, language: str, locale: str, origin: Origin
    ) -> Context:
        return Context(
            sources=sources,
            catalogue=catalogue,
            desks=desks,
            clock=wiring.clock,
            who=who,
            language=language,
            locale=locale,
            identity=entrance.identity,
            files=files.files,
            submissions=submissions.service if submissions else None,
            origin=origin,
            recognise=entrance.recognise,
            forget=entrance.callers.forget,
            note=_noting(entrance, origin),
            events=hub,
        )

    rates = Rates(settings.rates, settings.redis or None)
    reception = Reception(
        operations,
        entrance.verifier,
        entrance.callers,
        entrance.origins,
        entrance.audit,
        make_context,
        settings.texts.default_language,
        settings.server.introspection,
        rates,
        Subscriptions(graph()),
        open_whole_answers(settings, answers, wiring.clock),
    )
    opened = tuple(systems.values())

    async def close() -> None:
        if submissions is not None:
            await submissions.close()
        await entrance.close()
        if shared is not None:
            await shared.close()
        await answers.close()
        await operations.close()
        await asyncio.gather(rates.close(), *(system.close() for system in opened))

    page = graphiql.page() if settings.server.graphiql else None
    largest, allowed = settings.server.max_body_kilobytes * 1024, settings.server.origins
    lasting = open_lasting(
        settings.sockets, largest, allowed, reception, entrance.origins, wiring.clock
    )
    plain = GraphQLRoute(reception, Bodies(largest), lasting.events, page)
    graphql = MultipartRoute(reception, files.files, largest, plain)
    routes: list[BaseRoute] = [*_file_routes(files, sources, entrance, reception)]
    if page:
        routes.append(Mount("/graphiql", assets.Assets(directory=graphiql.DIST)))
    pending = submissions.pending if submissions else None
    if settings.server.metrics:
        from gateway.http import metrics

        routes.append(metrics.route(pending))
    ready = health.Ready(opened, wiring.clock, pending)
    rest = _starlette(ready, entrance, routes, close)
    front: Front | OpenedTo = Front(graphql, lasting.sockets, rest, plain)
    if allowed:
        front = OpenedTo(allowed, front, front)
    return Gateway(
        front,
        Direct(front, plain.replies, PATH),
        operations,
        entrance,
        sources,
        opened,
        hub,
        submissions,
        desks,
        ready,
        lasting,
        close,
    )


def _forgetting(callers: Callers) -> Callable[[Event | None], None]:
    """Drops what is known of people who changed, in whichever process they did."""

    def heard(event: Event | None) -> None:
        if event is not None and event.what is What.CONTACT_CHANGED:
            callers.forget_contact(event.id)

    return heard


def _hurrying(pending: Pending) -> Callable[[Event | None], None]:
    """Looks at once at what other processes took in or brought on."""

    def heard(event: Event | None) -> None:
        if event is None or event.what is What.SUBMISSIONS_CHANGED:
            pending.hurry()

    return heard


def _shared(hub: Hub, settings: Settings, *, background: bool) -> SharedEvents | None:
    """What carries events to other processes, where there are some. Raises SettingsError."""
    if not settings.redis:
        return None
    from gateway.events.shared import SharedEvents

    try:
        shared = SharedEvents(hub, settings.redis)
    except ValueError as error:
        raise SettingsError(f"redis: {error}") from None
    if background:
        shared.start()
    return shared


async def _files(
    settings: Settings,
    wiring: Wiring,
    entrance: Entrance,
    writer: CaseWriter | None,
    *,
    background: bool,
) -> OpenedFiles:
    """Opens what keeps files. Raises SettingsError."""
    try:
        files = await asyncio.to_thread(
            open_files,
            settings.files,
            entrance.database,
            entrance.tokens.keys,
            settings.public_url,
            settings.path,
            wiring.clock,
            lambda: writer.largest_file if writer else None,
        )
    except StoreAddressError as error:
        raise SettingsError(f"files.store: {error}") from None
    if background:
        entrance.keep_running(files.sweep.keep())
    return files


async def _submissions(
    settings: Settings,
    wiring: Wiring,
    entrance: Entrance,
    writer: CaseWriter | None,
    systems: Mapping[str, System],
    files: HeldFiles,
    *,
    background: bool,
) -> OpenSubmissions | None:
    """What takes in cases; None where the CRM takes none."""
    if writer is None:
        return None
    from gateway.submissions.opened import open_submissions

    return await open_submissions(
        settings.submissions,
        entrance.database,
        settings.identity.database,
        entrance.audit,
        writer,
        unremembered_cases(settings, systems),
        files,
        wiring,
        source=settings.sources.cases or "",
        root=Path(settings.root),
        background=background,
    )


def _file_routes(
    files: OpenedFiles, sources: Sources, entrance: Entrance, reception: Reception
) -> list[Route]:
    """Where bytes come in and go out."""
    uploads = UploadRoute(files.files, files.links, reception.language)
    downloads = DownloadRoute(
        files.links, sources.cases, entrance.callers, entrance.revocations, reception.language
    )
    return [Route(f"{UPLOADS}/{{ticket}}", uploads), Route(f"{DOWNLOADS}/{{ticket}}", downloads)]


def _noting(entrance: Entrance, origin: Origin) -> Note:
    """Writes into the audit, for one request."""

    async def note(event: str, *, who: str, whose: str, what: str, outcome: str) -> None:
        await entrance.audit.note(
            event, who=who, whose=whose, what=what, origin=origin, outcome=outcome
        )

    return note


def _each(listeners: Sequence[Callable[[Call], None]]) -> Callable[[Call], None]:
    """Tells every listener, those that come later too."""

    def heard(call: Call) -> None:
        for listener in listeners:
            listener(call)

    return heard


def _starlette(
    ready: health.Ready,
    entrance: Entrance,
    routes: Sequence[BaseRoute],
    close: Callable[[], Awaitable[None]],
) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await close()

    return Starlette(
        routes=[
            *entrance.routes,
            Route("/health/live", health.live),
            Route("/health/ready", ready.answer),
            *routes,
        ],
        exception_handlers={HTTPException: assets.nothing_here, Exception: assets.broken},
        lifespan=lifespan,
    )
