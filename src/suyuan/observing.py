"""What an operator sees of a process: the form of its log lines, and what it counts.

Log lines are text for people or JSON for collectors, to standard error. Counters of rooms that do not know each other
lie here; labels are routes, kinds and codes, never what they name.
"""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter

from suyuan.settings import Settings

REGISTRY = CollectorRegistry()
ERRORS = Counter("suyuan_errors", "Refusals and failures by code.", ("code",), registry=REGISTRY)
PAGES = Counter(
    "suyuan_item_reads",
    "Items read for the public: remembered, or computed anew.",
    ("outcome",),
    registry=REGISTRY,
)
LABEL_CHECKS = Counter(
    "suyuan_label_checks",
    "Labels checked by their image, by track and answer; held where too many failures came before.",
    ("track", "answer"),
    registry=REGISTRY,
)


def configure_logging(settings: Settings) -> None:
    """Set up structlog for this process as the settings say."""
    renderer: structlog.typing.Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
