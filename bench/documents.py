"""Whether memory stays bounded under documents that never come again.

    python -m bench.documents [--documents 100000] [--write docs/benchmarks.md]

Starts our gateway on the sandbox and sends it documents that all differ: in aliases, in the sets of
fields that they select, in fragments and in the values of arguments; every fourth is taught by its
hash, every tenth is none of this schema. Each is parsed, validated, priced, compiled and run once.
Resident memory is told after a thousand of them, when everything is loaded, and at each quarter:
it has to end where it stood half way. A hundred thousand take ten minutes. Needs taskset.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from bench.gateways.contenders import CONTENDERS, World
from bench.gateways.report import put, where
from bench.gateways.running import Gateway, first_answer, needs, running, systems

_ASKERS = 8
_WARM = 1_000
#: What memory may differ by between half way and the end, for it to be called bounded.
_SLACK = 0.03
_CASE = "id number subject description status createdAt updatedAt closedAt team".split()
_CASE += ["account { name number }", "contact { name email }"]
_ORDER = "id number customerReference status orderedOn requestedDeliveryOn".split()
_ORDER += ["subtotal { amount }", "total { currency }", "lines(first: 3) { nodes { unit } }"]
_NEWS = "id slug title summary locale imageUrl".split()
_FIRST_DAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """Megabytes that were resident after so many documents."""

    documents: int
    memory: float


def requests(seed: int = 6) -> Iterator[dict[str, Any]]:
    """Requests without an end, each with a document of its own."""
    chance = random.Random(seed)
    number = 0
    while True:
        number += 1
        text = _document(number, chance)
        if number % 10 == 0:
            text = text.replace("{ nodes", "{ nothing nodes", 1)
        request: dict[str, Any] = {"query": text}
        if number % 4 == 0:
            name = hashlib.sha256(text.encode()).hexdigest()
            request["extensions"] = {"persistedQuery": {"version": 1, "sha256Hash": name}}
        yield request


def _document(number: int, chance: random.Random) -> str:
    """The number stands in an alias, so that no two are alike."""
    day = _FIRST_DAY + timedelta(days=chance.randrange(700))
    first = chance.randint(1, 3)
    cases = f"cases(first: {first}, filter: {{createdOn: {{to: {json.dumps(day.isoformat())}}}}})"
    orders = f"orders(first: {first}, filter: {{orderedOn: {{to: {json.dumps(str(day))}}}}})"
    news = f"news(first: {first}) {{ nodes {{ a{number}: slug {_some(_NEWS, chance)}"
    of_case = f"fragment F{number} on Case {{ {_some(_CASE, chance)} }}"
    shapes = (
        f"{{ a{number}: {cases} {{ nodes {{ {_some(_CASE, chance)} }} }} }}",
        f"{{ a{number}: {orders} {{ nodes {{ {_some(_ORDER, chance)} }} }} }}",
        f"query Q{number} {{ {cases} {{ nodes {{ ...F{number} }} }} }} {of_case}",
        f"query ($all: Boolean = true) {{ {news} title @include(if: $all) }} }} }}",
    )
    return chance.choice(shapes)


def _some(fields: Sequence[str], chance: random.Random) -> str:
    chosen = chance.sample(fields, chance.randint(1, len(fields)))
    return " ".join(chosen)


async def measured(documents: int) -> list[Mark]:
    ours = CONTENDERS[0]
    with tempfile.TemporaryDirectory() as folder:
        async with systems(Path(folder)) as behind:
            # Straight to the sandbox: who remembers a hundred thousand answers is not measured.
            world = World(behind.sandbox, behind.sandbox, behind.folder)
            headers = {**ours.headers(world), "content-type": "application/json"}
            async with running(ours, world) as gateway, httpx.AsyncClient(timeout=60) as client:
                url = f"http://127.0.0.1:{gateway.port}{ours.path}"
                await first_answer(client, url, headers, gateway)
                return await _marks(documents, gateway, client, url, headers)


async def _marks(
    documents: int,
    gateway: Gateway,
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str],
) -> list[Mark]:
    asked = requests()
    marks, sent, begun = [], 0, time.perf_counter()
    for stop in (min(_WARM, documents), *(documents * part // 4 for part in (1, 2, 3, 4))):
        some = islice(asked, max(0, stop - sent))
        await asyncio.gather(*(_ask(some, client, url, headers) for _ in range(_ASKERS)))
        sent = max(sent, stop)
        marks.append(Mark(sent, gateway.memory()))
        rate = sent / (time.perf_counter() - begun)
        print(f"{sent:,} documents, {marks[-1].memory:.0f} MB, {rate:.0f}/s", file=sys.stderr)
    return marks


async def _ask(
    some: Iterator[dict[str, Any]], client: httpx.AsyncClient, url: str, headers: Mapping[str, str]
) -> None:
    for request in some:
        reply = await client.post(url, json=request, headers=headers)
        wrong = "{ nothing nodes" in request["query"]
        if reply.status_code != 200 or ("errors" in reply.json()) is not wrong:
            raise RuntimeError(f"{reply.status_code} {reply.text[:500]} to {request['query']}")


def table(marks: Sequence[Mark]) -> str:
    """Markdown, with the verdict."""
    lines = [f"{where()}.", ""]
    lines.append(f"| documents, all different | {' | '.join(f'{m.documents:,}' for m in marks)} |")
    lines.append("|---" * (len(marks) + 1) + "|")
    lines.append(f"| resident memory, MB | {' | '.join(f'{mark.memory:.0f}' for mark in marks)} |")
    growth = marks[-1].memory / marks[-3].memory - 1
    verdict = "Bounded" if growth <= _SLACK else "NOT bounded"
    return "\n".join([*lines, "", f"{verdict}: {growth:+.1%} from half way to the end.\n"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.documents")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--write", type=Path, help="puts the table into a document")
    options = parser.parse_args()
    needs("taskset")
    text = table(asyncio.run(measured(options.documents)))
    print(text)
    if options.write:
        put(options.write, "documents", text)


if __name__ == "__main__":
    main()
