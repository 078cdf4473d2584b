"""The first page: a large search field, and what the signed-in person needs next."""

from __future__ import annotations

from litestar import get

from suyuan.api.model import Call, services_of
from suyuan.console.access import Session, console_of, signed_in
from suyuan.console.finding_pages import find_all
from suyuan.console.frame import NavEntry, Page, render, words
from suyuan.db.pool import sql
from suyuan.sheets.templates import templates

NAV = (NavEntry("home", "/console", "首页", "Home", "home"),)
RECENT = 12


@get("/console")
async def start(request: Call) -> Page:
    """Search, numbers, recent papers: of the own party, for the operator of all of them."""
    session = await signed_in(request)
    pool, party_id = services_of(request).pool, session.party.party_id
    if session.is_operator:
        # Papers of all parties are counted nowhere: the table may hold hundreds of millions.
        papers = await pool.fetch(sql(__package__, "recent_papers_of_all"), RECENT)
        figures = await pool.fetchrow(sql(__package__, "figures_of_all"))
    else:
        papers = await pool.fetch(sql(__package__, "recent_papers"), party_id, RECENT)
        figures = await pool.fetchrow(sql(__package__, "own_figures"), party_id)
    return render(
        request,
        "home.html",
        session,
        title=words("首页", "Home"),
        nav="home",
        papers=papers,
        figures=figures,
        open_findings=await _open_findings(request, session),
        sheets=[(one.name, words(one.title("zh-CN"), one.title("en"))) for one in templates().values()],
    )


async def _open_findings(request: Call, session: Session) -> int | None:
    services = services_of(request)

    async def compute() -> int:
        return len((await find_all(services, session)).findings)

    return await console_of(request).open_findings.count(session.party.party_id, compute)


ROUTES = (start,)
