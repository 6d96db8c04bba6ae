"""Frequent questions and their answers, from files that editors keep beside the code."""

from __future__ import annotations

import asyncio

from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from connectors.systems.content.client import Questions, read
from connectors.systems.content.settings import ContentSettings


async def _open(source: str, settings: ContentSettings, wiring: Wiring) -> System:
    # Off the loop: files are read while the gateway starts, perhaps from a slow disk.
    shelves = await asyncio.to_thread(read, settings.folder, settings.default_language)
    return System(source, questions=Questions(source, shelves, settings.default_language))


#: Rules about a wire, or about what travels over one.
_WITHOUT_WIRE = (
    "answers_after_a_retry",
    "check_answers",
    "check_fails",
    "closes",
    "does_not_retry_in_vain",
    "hides_its_settings",
    "keeps_the_deadline",
    "leaks_nothing",
    "names_every_failure",
    "names_missing_fields",
    "retries_when_it_helps",
    "survives_unknown_fields",
)

connector = Connector(
    "content",
    ContentSettings,
    _open,
    exempt=dict.fromkeys(
        _WITHOUT_WIRE, "Files are read when the gateway starts: there is no wire and no secret."
    ),
)
