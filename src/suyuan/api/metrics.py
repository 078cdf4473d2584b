"""Counters of this process, in Prometheus' text form. Labels are routes and kinds, never what they name."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from suyuan.capture.store import Stored
from suyuan.log import LogStatus

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "suyuan_http_requests", "HTTP requests by method, route and status.", ("method", "route", "status"),
    registry=REGISTRY,
)  # fmt: skip
SECONDS = Histogram(
    "suyuan_http_request_seconds", "Time from the request's head to the end of its answer.", ("route",),
    registry=REGISTRY, buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
PAPERS = Counter("suyuan_papers", "Papers taken in, by kind.", ("kind", "outcome"), registry=REGISTRY)
EVENTS = Counter("suyuan_events", "Events stored or found again.", ("outcome",), registry=REGISTRY)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    REQUESTS.labels(method if method in _METHODS else "other", route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)


def count_paper(stored: Stored) -> None:
    """Count one paper and its events."""
    PAPERS.labels(stored.kind, "repeat" if stored.repeated else "stored").inc()
    for outcome in ("stored", "repeat"):
        number = sum(event.outcome == outcome for event in stored.events)
        if number:
            EVENTS.labels(outcome).inc(number)


def metrics_text(log: LogStatus) -> bytes:
    """All metrics: those of every worker process where several share a folder, and how far the log is."""
    registry = REGISTRY
    if values.ValueClass.__name__ == "MmapedValue":
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + _gauges(log)


def _gauges(log: LogStatus) -> bytes:
    lines = []
    for name, meaning, value in (
        ("waiting", "Events that wait for their index.", log.waiting),
        ("sequenced", "Entries of the log.", log.sequenced),
        ("published", "Entries under the newest checkpoint.", log.published),
    ):
        lines += [f"# HELP suyuan_log_{name} {meaning}", f"# TYPE suyuan_log_{name} gauge"]
        lines.append(f"suyuan_log_{name} {value}")
    return ("\n".join(lines) + "\n").encode()
