"""Monthly partitions, made ahead of need.

A table partitioned by range on a ``date`` or ``timestamptz`` column gets one partition a month, named
``TABLE_yYYYYmMM``. It is made beside and attached then, which blocks neither readers nor writers of the
table. Months are UTC months.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from suyuan.db.pool import Connection
from suyuan.errors import InputError

_MONTHS_IN_YEAR = 12

_ALL = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_partitioned_table p
JOIN pg_class c ON c.oid = p.partrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.partstrat = 'r' AND p.partnatts = 1 AND NOT c.relispartition AND n.nspname = current_schema()
ORDER BY 1
"""

_TABLE = """
SELECT n.nspname AS schema, c.relname AS name, p.partnatts AS columns,
       format_type(a.atttypid, NULL) AS type,
       t.oid IS NOT NULL AS protected,
       coalesce(position('erasable' IN encode(t.tgargs, 'escape')) > 0, false) AS erasable
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_partitioned_table p ON p.partrelid = c.oid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'forbid_truncate'
WHERE c.oid = to_regclass($1) AND p.partstrat = 'r'
"""


def month_of(moment: date | datetime) -> date:
    """The first day of the month, in UTC, that ``moment`` lies in."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).date()
    return moment.replace(day=1)


def months_after(month: date, count: int) -> date:
    """The first day of the month ``count`` months after (or, negative, before) that of ``month``."""
    position = month.year * _MONTHS_IN_YEAR + month.month - 1 + count
    return date(position // _MONTHS_IN_YEAR, position % _MONTHS_IN_YEAR + 1, 1)


async def ensure_partitions(
    connection: Connection,
    table: str,
    *,
    months_ahead: int = 3,
    months_back: int = 0,
    today: date | datetime | None = None,
) -> list[str]:
    """Make the missing partitions of ``table`` around this month and return their names.

    Safe to call from several processes at once and again at any time. Where the table is protected against
    change, so is each partition. Raises ``InputError`` (``db.partition.table``) for a table that is not
    partitioned by range on one ``date`` or ``timestamptz`` column.
    """
    this_month = month_of(today if today is not None else datetime.now(UTC))
    wanted = [months_after(this_month, count) for count in range(-months_back, months_ahead + 1)]
    made = []
    async with connection.transaction():
        row = await connection.fetchrow(_TABLE, table)
        if row is None or row["columns"] != 1 or row["type"] not in ("date", "timestamp with time zone"):
            raise InputError(
                "db.partition.table",
                "The table is not partitioned by range on one date or timestamptz.",
                path=table,
            )
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('suyuan.partitions'), hashtext($1))", table
        )
        for month in wanted:
            name = f"{row['name']}_y{month.year:04d}m{month.month:02d}"
            if await _make(connection, row["schema"], row["name"], name, month, row["type"]):
                made.append(name)
                if row["protected"]:
                    await _protect(connection, row["schema"], name, row["erasable"])
    return made


async def ensure_all_partitions(
    connection: Connection,
    *,
    months_ahead: int = 3,
    months_back: int = 0,
    today: date | datetime | None = None,
) -> list[str]:
    """``ensure_partitions`` for every table of this schema that is partitioned by month."""
    made = []
    for row in await connection.fetch(_ALL):
        made += await ensure_partitions(
            connection, row[0], months_ahead=months_ahead, months_back=months_back, today=today
        )
    return made


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


async def _make(connection: Connection, schema: str, parent: str, name: str, month: date, kind: str) -> bool:
    partition = _quoted(schema, name)
    if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", partition):
        return False
    suffix = "" if kind == "date" else " 00:00:00+00"
    low, high = f"{month:%Y-%m-%d}{suffix}", f"{months_after(month, 1):%Y-%m-%d}{suffix}"
    whole = _quoted(schema, parent)
    await connection.execute(
        f"CREATE TABLE {partition} (LIKE {whole} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED"
        " INCLUDING STORAGE INCLUDING COMPRESSION)"
    )
    await connection.execute(
        f"ALTER TABLE {whole} ATTACH PARTITION {partition} FOR VALUES FROM ('{low}') TO ('{high}')"
    )
    return True


async def _protect(connection: Connection, schema: str, name: str, erasable: bool) -> None:
    partition = _quoted(schema, name)
    kind = "erasable" if erasable else "append-only"
    # The row trigger came with the attachment; triggers on TRUNCATE are not inherited.
    await connection.execute(
        f"CREATE TRIGGER forbid_truncate BEFORE TRUNCATE ON {partition} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION forbid_change('{kind}')"
    )
    await connection.execute(f"ALTER TABLE {partition} ENABLE ALWAYS TRIGGER forbid_truncate")
    await connection.execute(f"ALTER TABLE {partition} ENABLE ALWAYS TRIGGER forbid_change")
