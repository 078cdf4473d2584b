"""The HTTP interface for machines: EPCIS capture, papers, codes, traces, members, the log.

Every door says what it needs of a caller (``access``), reads a bounded body (``requests``) and answers an error as
``application/problem+json`` with its stable code (``problems``). Nothing here decides what an audience may see:
traces leave through ``trace`` alone. Item pages and the resolver are ``web``'s.
"""

from __future__ import annotations

from litestar.handlers import BaseRouteHandler

from suyuan.api import (
    aliasing,
    catalogue,
    code_life,
    codes,
    epcis_events,
    evidence,
    labels,
    lookup,
    mappings,
    members,
    published_log,
    scans,
    status,
    stock,
    templates,
    tracing,
)


def api_routes() -> list[BaseRouteHandler]:
    """All routes of this room; the application's state must hold the services (``model.services_of``)."""
    rooms = (
        epcis_events,
        evidence,
        codes,
        code_life,
        aliasing,
        scans,
        labels,
        tracing,
        stock,
        lookup,
        members,
        mappings,
        catalogue,
        templates,
        published_log,
        status,
    )
    return [handler for room in rooms for handler in room.ROUTES]


__all__ = ["api_routes"]
