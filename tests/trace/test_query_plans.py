"""The plans of the statements that run for every page, capture and code, held on the real schema.

A statement that a door may run a thousand times a second must find its rows through an index, whatever the tables
hold, and of the monthly partitions touch those alone that it names. Whether a statement is such a one is said here
for each file of SQL that there is: a new one must be placed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployment import Deployment, commissioned, item, moved, sscc

import suyuan
from suyuan.db.pool import Connection, reading, sql
from suyuan.gs1.thing import thing_key
from suyuan.trace.intervals import OPEN_END, OPEN_START

HOUSE = Path(suyuan.__file__).parent
# Tables that grow with the goods. All others are small or read as a whole by who means to.
BIG = (
    *("event", "event_payload", "event_list", "event_claim_tile", "thing", "thing_event", "thing_period"),
    *("evidence", "evidence_body", "evidence_part", "evidence_event", "intake", "log_entry", "log_tile"),
    *("code", "code_act", "code_state", "vault_subject", "vault_number"),
    *("label_enrolment", "label_record", "label_check", "label_nonce", "scan"),
)
HOT = {
    "capture": (
        "add_evidence add_things capture_events check_things event_keys event_lists find_capture "
        "find_event get_capture known_events known_evidence payloads"
    ),
    "catalog": "find_places find_products",
    "compliance": "consignment_events drawn events_of parcel_aliases",
    "issuing": ("activated add_act add_states code_acts code_statuses issued_code serials take_lock"),
    "log": (
        "add_tiles advance_head find_indexes get_head get_tiles lock_head move_intake "
        "newest_checkpoint published_size read_leaves"
    ),
    "parties": "find_parties find_session find_token get_party grants_at newest_mappings",
    "enrolment": "add_enrolment add_record enrolled_code enrolments_of lock_code record_of",
    "scans": (
        "add_first add_label_check add_label_image add_label_scan add_page_views add_scan count_tries earlier "
        "forget_label_nonces label_fingerprints label_scans_of label_tries last_label_check lock_label "
        "page_views_of scans_of take_label_nonce verified_code"
    ),
    "trace": (
        "claim_tile_firsts claim_tiles class_recalls closing document_events document_of_party facts grants "
        "index_rows knows links list_positions may_alias may_alias_parcel relatives"
    ),
    "vault": "add_numbers add_subjects find_numbers get_number get_subjects",
}
# Statements of commands, reports, sign-ins and upkeep: they may read what they are about.
COLD = {
    "api": "oldest_waiting place_recorders",
    "capture": "check_gathered_things gather_things know_gathered_things",
    "catalog": "list_places list_products put_places put_products",
    "compliance": (
        "commissionings couriers issued_gtins item_acts items_known known_keys lock lots_at_hand "
        "lots_at_work own_event parcel recalls recent_conflicts "
        "recent_lots recent_packings standing"
    ),
    "console": (
        "codes_of_serial contents event_body figures_of_all find_parties_by find_products_by "
        "gtins known_things ledger_items list_part lots_of_gtin lots_of_number own_figures "
        "recent_batches recent_papers recent_papers_of_all"
    ),
    "db": "list_sequences list_tables",
    "issuing": (
        "add_batch alias_faults alias_page alias_repeated alias_rows alias_said alias_taken print_range "
        "serials_from void_unprinted voided_in_range draw_lock drawn_before find_batches get_batch "
        "issuing_gtins make_lock next_unused note_drawn"
    ),
    "log": (
        "add_checkpoint count_entries count_events count_intake count_stored_tiles count_tiles "
        "find_misplaced intake_waits read_tile_roots status try_lock unlock walk_checkpoints "
        "walk_entries walk_events walk_intake walk_tiles"
    ),
    "parties": (
        "add_attempt add_certificate add_mapping add_party add_recovery_codes add_session add_user "
        "add_user_act add_user_link attempt_succeeded clear_user_secrets count_attempts "
        "count_recovery_codes create_token disable_user drop_recovery_codes enable_user "
        "end_session end_sessions end_user_links find_certificates find_holders find_user "
        "find_user_link find_user_secrets forget_attempts forget_offered_totp forget_sessions "
        "forget_user_links forgive_attempts mapping_versions "
        "get_open_grant get_user get_user_secrets grant_role list_certificates list_grants "
        "list_parties list_sessions list_tokens list_user_acts list_users lock_attempts "
        "lock_party_users offer_session_totp remember_address revoke_certificate revoke_role "
        "revoke_token set_link_totp set_user_language set_user_password set_user_role "
        "set_user_totp take_recovery_code take_totp_step take_user_link touch_session"
    ),
    "enrolment": "count_enrolments delete_records journalled_records labels_with_records walk_records",
    "scans": (
        "delete_images_of delete_label_images forget_page_views forget_tries label_images_of old_label_images"
    ),
    "trace": "personal_parts",
    "vault": (
        "add_erasure add_reveals become_eraser delete_numbers delete_subject "
        "find_unfinished_erasures list_reveals lock_subjects merge_erasures read_erasure_journal"
    ),
}
_WHOLE = re.compile(rf"Seq Scan on ({'|'.join(BIG)})(_y\d+m\d+)?\b")


def _statements() -> dict[str, Path]:
    """Every file of SQL that code runs, as ``room/name``."""
    found = [path for path in HOUSE.rglob("*.sql") if path.parent.name != "migrations"]
    return {f"{path.relative_to(HOUSE).parts[0]}/{path.stem}": path for path in found}


def test_every_statement_is_placed() -> None:
    placed = [
        f"{room}/{name}" for rooms in (HOT, COLD) for room, names in rooms.items() for name in names.split()
    ]
    assert len(placed) == len(set(placed)), "a statement is placed twice"
    unplaced = sorted(_statements().keys() - set(placed))
    assert not unplaced, f"say in this file whether these are hot or cold: {unplaced}"
    assert set(placed) <= _statements().keys(), "a statement that is no more"


async def _plan(conn: Connection, text: str) -> str:
    """The plan that serves all values, made as if reading a table whole were no choice."""
    count = max((int(number) for number in re.findall(r"\$(\d+)", text)), default=0)
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off")
    await conn.execute(f"PREPARE asked AS {text}")
    rows = await conn.fetch(f"EXPLAIN EXECUTE asked{values}")
    await conn.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


@pytest.fixture
async def filled(deployment: Deployment) -> Deployment:
    """A deployment that knows one item in its case and pallet."""
    keeper = await deployment.member("keeper", "bonded-warehouse")
    await deployment.say(
        keeper, commissioned("2025-08-01", item("A1")), moved("2025-08-02", sscc(1), item("A1"))
    )
    return deployment


async def test_hot_statements_find_their_rows_through_indexes(filled: Deployment) -> None:
    wrong = {}
    async with filled.pool.acquire() as conn:
        for room, names in HOT.items():
            for name in names.split():
                async with conn.transaction():
                    plan = await _plan(conn, _statements()[f"{room}/{name}"].read_text("utf-8"))
                if _WHOLE.search(plan):
                    wrong[f"{room}/{name}"] = plan
    assert not wrong, "\n\n".join(f"{name}\n{plan}" for name, plan in wrong.items())


async def test_a_statement_without_an_index_would_be_noticed(filled: Deployment) -> None:
    async with filled.pool.acquire() as conn:
        known = {
            row[0] for row in await conn.fetch("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')")
        }
        async with conn.transaction():
            plan = await _plan(conn, "SELECT event_key FROM event WHERE biz_step = $1")
    assert not set(BIG) - known, "a table that is no more"
    assert _WHOLE.search(plan)


async def test_a_walk_touches_the_months_of_its_things_alone(filled: Deployment) -> None:
    """Partitions are many: those in which a thing has no rows are not even opened."""
    key = [thing_key(item("A1"))]
    spans = (key, [OPEN_START], [OPEN_END])
    for name, values in (("index_rows", (*spans, [2 | 8], 1000)), ("links", (*spans, 1000, 1000))):
        async with reading(filled.pool) as conn:
            text = sql("suyuan.trace", name)
            types = [str(kind.name) for kind in (await conn.prepare(text)).get_parameters()]
            assert len(types) == len(values)
            statement = await conn.prepare(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) {text}")
            plan = "\n".join(row[0] for row in await statement.fetch(*values))
        touched = set()
        for line in plan.splitlines():
            found = re.search(r"on (thing_event_y\d+m\d+)", line)
            if found and "never executed" not in line:
                touched.add(found[1])
        assert len(touched) == 1, f"{name}\n{plan}"


async def test_the_counts_leave_out_the_months_before(filled: Deployment) -> None:
    async with filled.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE asked AS {sql('suyuan.trace', 'closing')}")
        rows = await conn.fetch(
            "EXPLAIN EXECUTE asked(ARRAY['x'::bytea], ARRAY[false], (now() + interval '1 month')::date, '', '')"
        )
        await conn.execute("DEALLOCATE asked")
    plan = "\n".join(row[0] for row in rows)
    assert "Subplans Removed" in plan, plan
