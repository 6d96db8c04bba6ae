"""Documents that clients taught, in a real Redis."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.operations.requests import hash_of
from gateway.operations.taught import SharedTexts
from tests.live.redis import redis_server

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def test_one_process_finds_what_another_kept() -> None:
    text = '{ faqs(search: "¿cómo?") { nodes { id } } }'
    with redis_server() as redis:
        one, other = SharedTexts(redis.url), SharedTexts(redis.url)
        assert await other.get(hash_of(text)) is None
        one.put(hash_of(text), text)
        deadline = time.monotonic() + 5
        while await other.get(hash_of(text)) is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert await other.get(hash_of(text)) == text
        redis.stop()
        assert await other.get(hash_of(text)) is None
        await one.close()
        await other.close()
