"""What is known of one code: what was done to it here, what events made of it since, how often it was verified."""

from __future__ import annotations

from datetime import datetime

import msgspec

from suyuan.db.pool import sql
from suyuan.issuing import CodeAct, CodeHistory, code_history
from suyuan.scans.label_standing import LabelStanding, read_label_standing
from suyuan.scans.page_views import Views, page_views_of
from suyuan.trace import TraceReader, Viewer
from suyuan.trace.model import Fact
from suyuan.trace.state import state_of


class LaterState(msgspec.Struct, frozen=True, kw_only=True):
    """A state that a fact brought the item into: since when, where, as whom said it, at which place of the log."""

    state: str
    at: datetime
    zone_offset: str
    place: str
    party_id: str
    biz_step: str
    disposition: str
    log_index: int | None = None


class CodeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A code. ``state`` is the present one; ``acts`` are those of issuing, ``later`` what facts say, oldest first.

    ``verified`` is how often its scratch code was typed rightly, ``verified_at`` when first; tries that failed are
    in ``failed``. ``page`` is how often people opened its page, which verifies nothing. Of a code that was issued
    elsewhere only the facts are known. ``label`` is about its label's image; None where that was never enrolled.
    """

    uri: str
    gtin: str
    serial: str
    state: str
    lot: str
    batch_id: int | None = None
    ordinal: int | None = None
    scratch: bool = False
    acts: tuple[CodeAct, ...] = ()
    later: tuple[LaterState, ...] = ()
    aliases: tuple[str, ...] = ()
    verified: int = 0
    verified_at: datetime | None = None
    failed: int = 0
    page: Views = Views()
    label: LabelStanding | None = None


async def read_standing(
    reader: TraceReader, gtin: str, serial: str, uri: str, viewer: Viewer
) -> CodeStanding | None:
    """The code as the viewer may see it; None where nothing is known of it, or nothing that the viewer may know.

    The acts of issuing are the caller's to withhold (``without_acts``): a trace decides about facts alone.
    """
    history = await code_history(reader.pool, gtin, serial)
    trace = await reader.read(uri, viewer)
    if history is None and trace is None:
        return None
    scans = await reader.pool.fetchrow(sql(__package__, "scans_of"), gtin, serial)
    assert scans is not None
    standing = CodeStanding(
        uri=uri,
        gtin=gtin,
        serial=serial,
        state="issued" if trace is None else trace.state,
        lot="" if trace is None else trace.lot,
        later=() if trace is None else _later(trace.facts),
        aliases=() if trace is None else trace.aliases,
        verified=scans["verified"],
        verified_at=scans["verified_at"],
        failed=scans["failed"],
        page=await page_views_of(reader.pool, gtin, serial),
        label=None if history is None else await read_label_standing(reader.pool, gtin, serial),
    )
    return standing if history is None else _with_history(standing, history)


def without_acts(standing: CodeStanding) -> CodeStanding:
    """The standing for who neither issued the code nor acted on it."""
    return msgspec.structs.replace(
        standing,
        acts=(),
        batch_id=None,
        ordinal=None,
        verified=0,
        verified_at=None,
        failed=0,
        page=Views(),
        label=None,
    )


def _with_history(standing: CodeStanding, history: CodeHistory) -> CodeStanding:
    return msgspec.structs.replace(
        standing,
        lot=history.batch.lot,
        batch_id=history.batch.batch_id,
        ordinal=history.ordinal,
        scratch=bool(history.batch.scratch_key),
        acts=history.acts,
        state=_state(standing, history),
    )


def _state(standing: CodeStanding, history: CodeHistory) -> str:
    """What the trace says; where that is no more than "issued", the last act."""
    return history.acts[-1].act if standing.state in ("issued", "unknown") else standing.state


def _later(facts: tuple[Fact, ...]) -> tuple[LaterState, ...]:
    """Each change of state with the fact that made it."""
    states: list[LaterState] = []
    last = "unknown"
    for count, fact in enumerate(facts, 1):
        state = state_of(facts[:count])
        if state != last:
            states.append(
                LaterState(
                    state=state,
                    at=fact.event_time,
                    zone_offset=fact.zone_offset,
                    place="" if fact.place is None else fact.place.uri,
                    party_id=fact.party.party_id,
                    biz_step=fact.biz_step,
                    disposition=fact.disposition,
                    log_index=fact.log_index,
                )
            )
            last = state
    return tuple(states)
