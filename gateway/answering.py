"""Opens what answers: the systems, behind their memory and the wall, and operations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema

from connectors.port.sources import System
from gateway.operations import manifest
from gateway.operations.answers import WholeAnswers
from gateway.operations.defer import deferring
from gateway.operations.persisted import Persisted, Trust
from gateway.operations.run import Operations
from gateway.settings import Settings, SettingsError
from gateway.sources import changes
from gateway.sources.absent import Absent
from gateway.sources.cached import Answers
from gateway.sources.guarded import (
    GuardedCases,
    GuardedCaseWriter,
    GuardedCustomers,
    GuardedCustomerWriter,
    GuardedOrders,
)
from schema.context import Sources
from schema.root import SCHEMA

if TYPE_CHECKING:
    from gateway.operations.taught import SharedTexts


async def open_operations(settings: Settings) -> Operations:
    """What answers operations, with the documents that are trusted. Raises ManifestError."""
    named = {noun: getattr(settings.sources, noun) for noun in settings.sources.__struct_fields__}
    systems = {noun: system for noun, system in named.items() if system}
    table = settings.documents
    texts: dict[str, str] = {}
    path = settings.path(table.manifest)
    if table.trusted is not Trust.OFF:
        texts = await asyncio.to_thread(manifest.read, path)
    operations = Operations(
        deferring(graph()) if settings.execution.incremental else graph(),
        settings.limits,
        systems,
        Persisted(table.trusted, texts, table.automatic, _shared_texts(settings)),
        compiled=settings.execution.compiled,
    )
    manifest.checked(path, texts, operations.documents)
    return operations


def _shared_texts(settings: Settings) -> SharedTexts | None:
    """Where processes share what clients taught them. Raises SettingsError."""
    if not settings.redis or not settings.documents.automatic:
        return None
    from gateway.operations.taught import SharedTexts

    try:
        return SharedTexts(settings.redis)
    except ValueError as error:
        raise SettingsError(f"redis: {error}") from None


def open_whole_answers(
    settings: Settings, answers: Answers, clock: Callable[[], datetime]
) -> WholeAnswers | None:
    if not settings.cache.enabled:
        return None
    table = settings.answers
    return WholeAnswers(graph(), table, answers.standing, lambda: clock().timestamp())


def graph() -> GraphQLSchema:
    return SCHEMA._schema  # noqa: SLF001 - strawberry offers no other way to it


def open_source(
    settings: Settings, systems: Mapping[str, System], answers: Answers | None, noun: str
) -> Any:
    """Who answers for a noun; answers: what remembers it. Raises SettingsError when a system cannot
    answer what it should."""
    name = getattr(settings.sources, noun)
    if name is None:
        return Absent(noun)
    found = getattr(systems[name], noun)
    if found is None:
        raise SettingsError(f"sources.{noun}: the system {name!r} holds no {noun}")
    return answers.before(found, name) if answers else found


def open_sources(settings: Settings, systems: Mapping[str, System], answers: Answers) -> Sources:
    """Who answers for what, each remembered and behind the wall. Raises SettingsError."""

    def source(noun: str) -> Any:
        return open_source(settings, systems, answers, noun)

    customers = GuardedCustomers(source("customers"))
    writer = settings.sources.customers and systems[settings.sources.customers].customer_writer
    cases = GuardedCases(source("cases"))
    taking = settings.sources.cases and systems[settings.sources.cases].case_writer
    return Sources(
        customers=customers,
        cases=cases,
        orders=GuardedOrders(source("orders")),
        news=source("news"),
        questions=source("questions"),
        customer_writer=(
            GuardedCustomerWriter(changes.TellingCustomerWriter(writer, answers), customers)
            if writer
            else None
        ),
        case_writer=GuardedCaseWriter(taking, unremembered_cases(settings, systems))
        if taking
        else None,
    )


def unremembered_cases(settings: Settings, systems: Mapping[str, System]) -> GuardedCases:
    """The CRM's own word about cases, for what is decided for good."""
    return GuardedCases(open_source(settings, systems, None, "cases"))
