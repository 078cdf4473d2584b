"""The first page: a large search field, and what the signed-in person needs next."""

from __future__ import annotations

from litestar import get

from suyuan.api.model import Call, services_of
from suyuan.console.access import signed_in
from suyuan.console.frame import NavEntry, Page, render, words
from suyuan.db.pool import sql

NAV = (NavEntry("home", "/console", "首页", "Home", "home"),)
RECENT = 12


@get("/console")
async def start(request: Call) -> Page:
    """Search, recent papers of the own party, numbers."""
    session = await signed_in(request)
    pool = services_of(request).pool
    papers = await pool.fetch(sql(__package__, "recent_papers"), session.party.party_id, RECENT)
    figures = await pool.fetchrow(sql(__package__, "own_figures"), session.party.party_id)
    return render(
        request, "home.html", session, title=words("首页", "Home"), nav="home", papers=papers, figures=figures
    )


ROUTES = (start,)
