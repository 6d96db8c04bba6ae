"""Tables and a plot of what was measured, with the machine and the day."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from bench.gateways.measuring import Figure, Plan, Result


def tables(plan: Plan, results: Mapping[str, Result]) -> str:
    """Markdown."""
    parts = [machine(plan)]
    most = plan.connections
    for latency in plan.latencies:
        title = f"Upstream answers after {latency} ms" if latency else "Upstream answers at once"
        parts.append(f"### {title}, {most} connections\n")
        parts.append(
            _table(plan, results, most, latency, "requests/s", lambda f: f.per_second, "{:,.0f}")
        )
        parts.append(_table(plan, results, most, latency, "p50 / p99, ms", None, ""))
        parts.append(
            _table(plan, results, most, latency, "CPU ms a request", lambda f: f.cpu, "{:.2f}")
        )
        parts.append(
            _table(
                plan,
                results,
                most,
                latency,
                "upstream calls a request",
                lambda f: f.calls,
                "{:.2f}",
            )
        )
        if latency:
            parts.append(f"### Upstream answers after {latency} ms, 1 connection\n")
            parts.append(
                _table(
                    plan, results, 1, latency, "added p50, ms", partial(_added, latency), "{:.1f}"
                )
            )
    parts.append("### Memory after the run, and the start\n")
    parts.append("| | MB | cold start, s |\n|---|---|---|")
    for name, result in results.items():
        memory, cold = statistics.median(result.memory), statistics.median(result.cold)
        parts[-1] += f"\n| {name} | {memory:.0f} | {cold:.2f} |"
    return "\n\n".join(parts) + "\n"


def _added(latency: int, figure: Figure) -> float:
    return figure.p50 - latency


def machine(plan: Plan) -> str:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return (
        f"{where()}, node {node.stdout.strip()}; {plan.rounds} interleaved rounds of "
        f"{plan.seconds:g} s, medians."
    )


def where() -> str:
    """The day, the machine and its Python."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    debians = sys.base_prefix == "/usr" and Path("/etc/debian_version").exists()
    build = "Debian's build" if debians else "another build than Debian's"
    return (
        f"{day}; {_processor()}, {os.cpu_count()} cores, one for the gateway; Python "
        f"{platform.python_version()} ({build})"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _table(
    plan: Plan,
    results: Mapping[str, Result],
    connections: int,
    latency: int,
    title: str,
    value: Callable[[Figure], float] | None,
    form: str,
) -> str:
    lines = [f"| {title} | {' | '.join(query.title for query in plan.queries)} |"]
    lines.append("|---" * (len(plan.queries) + 1) + "|")
    for name, result in results.items():
        cells = []
        for query in plan.queries:
            figures = result.figures.get((query.name, connections, latency))
            if not figures:
                cells.append("")
            elif value is None:
                p50 = statistics.median(figure.p50 for figure in figures)
                p99 = statistics.median(figure.p99 for figure in figures)
                cells.append(f"{p50:.1f} / {p99:.1f}")
            else:
                cells.append(form.format(statistics.median(map(value, figures))))
        if any(cells):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write(path: Path, text: str, plan: Plan, results: Mapping[str, Result]) -> None:
    """Puts the tables between their marks in a document, and a plot beside it."""
    plot = path.with_name("benchmarks.svg")
    plot.write_text(drawing(plan, results), encoding="utf-8")
    put(path, "gateways", text)


def put(path: Path, mark: str, text: str) -> None:
    """Puts Markdown between the marks of that name in a document."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path} has no place for what is measured: {begin} {end}")
    path.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def drawing(plan: Plan, results: Mapping[str, Result]) -> str:
    """Bars of requests a second, one group a query, as SVG. Each group has a scale of its own."""
    width, bar, name_width = 900, 18, 250
    latency = plan.latencies[0]
    parts, y = [], 20
    for query in plan.queries:
        rates = {
            name: statistics.median(figure.per_second for figure in figures)
            for name, result in results.items()
            if (figures := result.figures.get((query.name, plan.connections, latency)))
        }
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{query.title}</text>')
        y += 10
        for name, rate in sorted(rates.items(), key=lambda pair: -pair[1]):
            long = (width - name_width - 90) * rate / max(rates.values())
            colour = "#0b7285" if name.startswith("ours") else "#adb5bd"
            parts.append(
                f'<text x="{name_width - 8}" y="{y + 13}" text-anchor="end">{name}</text>'
                f'<rect x="{name_width}" y="{y + 1}" width="{long:.1f}" height="{bar - 4}" '
                f'fill="{colour}"/>'
                f'<text x="{name_width + long + 6:.1f}" y="{y + 13}">{rate:,.0f}</text>'
            )
            y += bar
        y += 26
    style = "font-family:sans-serif;font-size:12px"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" style="{style}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
