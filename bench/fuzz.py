"""What hostile requests cost: 20,000 by chance, and the shapes that break others. Tells the
slowest of them and how much memory they leave behind; asserts nothing.

    python -m bench.fuzz [REQUESTS]
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import heapq
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import sandbox.data
from schema.root import SCHEMA
from tests.hostile.asgi import put
from tests.hostile.requests import Headers, Hostile, Sent
from tests.stories.portal import ANA, LUIS, NOW, Portal, opened
from tests.worlds.people import world_of
from tests.worlds.values import pool_of

#: Requests between two looks at the memory, and slow ones that are shown.
_EVERY, _SHOWN = 2_500, 5
_JSON: Headers = [(b"content-type", b"application/json")]


def _post(body: bytes, headers: Headers | None = None, part: int = 0) -> Sent:
    parts = [body[at : at + part] for at in range(0, len(body), part)] if part else [body]
    return Sent("POST", b"", [*_JSON, *(headers or [])], parts)


def _query(text: str, variables: str = "{}") -> Sent:
    return _post(f'{{"query": {json.dumps(text)}, "variables": {variables}}}'.encode())


def _spreads(form: str, last: str) -> str:
    doubled = " ".join(form.format(i, i + 1) for i in range(30))
    return "{ viewer { contact { ...F0 } } } " + doubled + f" fragment F30 on Contact {last}"


SHAPES = {
    "nested spreads": _query(_spreads("fragment F{0} on Contact {{ ...F{1} ...F{1} }}", "{ id }")),
    "nested spreads, with fields": _query(
        _spreads(
            "fragment F{0} on Contact {{ a: account {{ contacts {{ nodes {{ ...F{1} }} }} }} "
            "b: account {{ contacts {{ nodes {{ ...F{1} }} }} }} }}",
            "{ id }",
        )
    ),
    "10,000 aliases": _query("{" + " ".join(f"a{i}: __typename" for i in range(10_000)) + "}"),
    "10,000 short aliases": _query("{" + " ".join(f"a{i}:id" for i in range(10_000)) + "}"),
    "one field 2,900 times": _query("{" + "__typename " * 2_900 + "}"),
    "fields with the same fields": _query("{" + "viewer{contact{account{id}}}" * 240 + "}"),
    "JSON 100,000 deep": _post(b"[" * 100_000),
    "variables 100,000 deep": _query("{ __typename }", '{"a":' * 100_000 + "1" + "}" * 100_000),
    "a number of 10,000 digits": _query("{ __typename }", '{"a": ' + "9" * 10_000 + "}"),
    "the same in the document": _query("{ cases(first: " + "9" * 10_000 + ") { nodes { id } } }"),
    "a document 11,000 deep": _query("{ viewer " * 11_000),
    "quotes": _query("{ a(b: " + '"""\\"""' * 9_000),
    "a gzip bomb": _post(gzip.compress(b" " * 50_000_000), [(b"content-encoding", b"gzip")]),
    "a gzip bomb that does not say so": _post(gzip.compress(b" " * 50_000_000)),
    "too much in small parts": _post(b" " * 600_000, part=1_000),
    "60,000 values": _query("{ __typename }", '{"a": [' + "0," * 60_000 + "0]}"),
}


async def _shapes(portal: Portal) -> None:
    print("\nShapes that break others (best of 5, a document that was not seen before each time)")
    for name, sent in SHAPES.items():
        best, status = 1e9, 0
        for _ in range(5):
            portal.gateway.operations.documents.forget()
            started = time.perf_counter()
            status = (await put(portal.gateway.app, sent)).status
            best = min(best, time.perf_counter() - started)
        size = sum(map(len, sent.parts))
        print(f"  {name:36} {size:>8,} bytes   {status}   {best * 1_000:7.2f} ms")


async def _chance(portal: Portal, count: int) -> None:
    tokens = [portal.gateway.tokens.issue(person) for person in (ANA, LUIS)]
    schema = SCHEMA._schema  # noqa: SLF001 - the only way to it
    hostile = Hostile(schema, pool_of(world_of(random.Random(0))), tokens)
    dice = random.Random(1)
    slowest: list[tuple[float, int, str]] = []
    statuses: Counter[int] = Counter()
    print(f"\n{count:,} requests by chance\n  {'requests':>10}  {'per second':>10}  {'MB':>7}")
    began = time.perf_counter()
    for number in range(1, count + 1):
        sent = hostile.request(dice)
        started = time.perf_counter()
        got = await put(portal.gateway.app, sent)
        took = time.perf_counter() - started
        statuses[got.status] += 1
        told = b"".join(sent.parts)[:100].decode("utf-8", "replace")
        heapq.heappush(slowest, (took, number, f"{got.status}  {told}"))
        if len(slowest) > _SHOWN:
            heapq.heappop(slowest)
        if number % _EVERY == 0:
            gc.collect()
            rate = number / (time.perf_counter() - began)
            print(f"  {number:>10,}  {rate:>10,.0f}  {_megabytes():>7.1f}")
    print("  statuses: " + ", ".join(f"{status} {n:,}" for status, n in sorted(statuses.items())))
    for took, _, what in sorted(slowest, reverse=True):
        print(f"  {took * 1_000:8.1f} ms  {what!r}")


def _megabytes() -> float:
    """What this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 1_000_000


async def main(count: int) -> None:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "sandbox.sqlite"
        await asyncio.to_thread(sandbox.data.build, database, NOW.date())
        async with opened(database, folder) as portal:
            gc.collect()
            gc.freeze()  # as `serve` does
            await _shapes(portal)
            await _chance(portal, count)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
