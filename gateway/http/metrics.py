"""What the gateway counts, in the words of Prometheus, for whoever watches over it.

Counting costs what `telemetry.py` spends on it; all else is done when somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from gateway import telemetry
from gateway.http.health import Pending

PATH = "/metrics"


def route(pending: Pending | None) -> Route:
    """Where it is told. pending: what waits for the CRM, where something may."""
    registry = CollectorRegistry()
    registry.register(_Counted(pending))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)

    async def told(http: HttpRequest) -> Response:
        encode, content_type = choose_encoder(http.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return Route(PATH, told)


class _Counted(Collector):
    """The counters of this process, as they stand."""

    def __init__(self, pending: Pending | None) -> None:
        self._pending = pending

    def collect(self) -> Iterator[Metric]:
        yield _counter(
            "portal_operations",
            "Operations by how they ran: compiled, or why on graphql-core.",
            ["how"],
            (((how,), count) for how, count in telemetry.executions.items()),
        )
        yield _counter(
            "portal_loads",
            "Answers by what they are about and whence they came: asked of the system, joined a "
            "question under way, remembered, or stale; whole answers of operations: answers.",
            ["about", "whence"],
            telemetry.loads.items(),
        )
        yield _counter(
            "portal_upstream_calls",
            "Calls to each system by outcome: ok, or the code of an error.",
            ["source", "outcome"],
            telemetry.calls.items(),
        )
        yield _counter(
            "portal_upstream_seconds",
            "Time that these calls took, added up.",
            ["source"],
            (((source,), spent) for source, spent in telemetry.seconds.items()),
        )
        if self._pending is not None:
            yield GaugeMetricFamily(
                "portal_submissions_waiting",
                "What customers sent and the CRM has not.",
                self._pending.waiting,
            )


def _counter(
    name: str, text: str, labels: Sequence[str], counts: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """counts: each behind the values of its labels."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in counts:
        family.add_metric(values, count)
    return family
