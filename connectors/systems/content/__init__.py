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


connector = Connector("content", ContentSettings, _open)
