"""Our gateway beside its peers, on the same upstream, the same core and the same answers.

python -m bench.gateways [--seconds 4] [--rounds 3] [--connections 32] [--only NAME ...]
                         [--queries tiny ...] [--latency 0,50] [--write docs/benchmarks.md]

Each gateway has the first core alone; upstream and load share the second one. Before anything is
timed, every gateway's answers are compared with the golden ones. Rounds are interleaved: every
gateway once, then every gateway again; figures are medians. Needs node, npm, taskset and wrk.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from bench.gateways import report
from bench.gateways.contenders import CONTENDERS, install
from bench.gateways.measuring import Plan, measure
from bench.gateways.queries import QUERIES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gateways")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", nargs="*", default=[], help="names, or how they begin")
    parser.add_argument("--queries", nargs="*", default=[query.name for query in QUERIES])
    parser.add_argument("--latency", default="0,50", help="of the upstream, in milliseconds")
    parser.add_argument("--write", type=Path, help="puts the tables into a document")
    options = parser.parse_args()
    chosen = [
        one
        for one in CONTENDERS
        if not options.only or any(one.name.startswith(name) for name in options.only)
    ]
    plan = Plan(
        contenders=chosen,
        queries=[query for query in QUERIES if query.name in options.queries],
        seconds=options.seconds,
        rounds=options.rounds,
        connections=options.connections,
        latencies=[int(text) for text in options.latency.split(",")],
    )
    install()
    results = asyncio.run(measure(plan))
    text = report.tables(plan, results)
    print(text)
    if options.write:
        report.write(options.write, text, plan, results)


if __name__ == "__main__":
    main()
