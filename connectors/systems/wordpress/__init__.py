"""News from a WordPress site, over its REST API."""

from __future__ import annotations

from connectors.kit.connector import Connector, Wiring
from connectors.port.sources import System
from connectors.systems.wordpress.client import WordPress
from connectors.systems.wordpress.settings import WordPressSettings


async def _open(source: str, settings: WordPressSettings, wiring: Wiring) -> System:
    site = WordPress(source, settings, wiring)
    return System(source, news=site, check=site.check, close=site.close)


connector = Connector("wordpress", WordPressSettings, _open)
