"""Settings of the embedded server, computed from the machine each time it starts.

They are given on the command line, so that a bigger machine is used at the next start and no edited file is
overwritten. An operator who wants to tune by hand runs a server of his own (``SUYUAN_DATABASE_URL``).
"""

from __future__ import annotations

import os
from pathlib import Path

_MB = 1 << 20
_GB = 1 << 30


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or the container's limit if lower."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            memory = min(memory, int(text))
    return memory


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def _free(directory: Path) -> int:
    try:
        room = os.statvfs(directory)
    except OSError:
        return 0
    return room.f_bavail * room.f_frsize


def server_settings(directory: Path, *, memory: int | None = None, durable: bool = True) -> dict[str, str]:
    """Settings for a server whose files lie in ``directory``.

    ``durable=False`` gives up crash safety (no fsync): for tests alone, whose data is thrown away.
    """
    memory = total_memory() if memory is None else memory
    wal = _between(512 * _MB, min(memory // 4, _free(directory) // 8), 16 * _GB)
    settings = {
        # Unix socket only; the directory of the socket is closed to everybody else.
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "superuser_reserved_connections": "3",
        "shared_buffers": _megabytes(_between(64 * _MB, memory // 5, 8 * _GB)),
        "effective_cache_size": _megabytes(_between(128 * _MB, memory * 3 // 5, 1 << 40)),
        "maintenance_work_mem": _megabytes(_between(64 * _MB, memory // 20, _GB)),
        "work_mem": _megabytes(_between(4 * _MB, memory // 1000, 64 * _MB)),
        "max_wal_size": _megabytes(wal),
        "min_wal_size": _megabytes(wal // 4),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        # A plan for one item is short; compiling it takes longer than running it.
        "jit": "off",
        # One transaction may touch every monthly partition and its indexes.
        "max_locks_per_transaction": "256",
        "idle_in_transaction_session_timeout": "10min",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # Row values appear in the DETAIL of errors and in statements: neither may reach a log line. Errors
        # go to the client, which knows what may be said.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] ",
    }
    if _free(Path("/dev/shm")) < 256 * _MB:  # noqa: S108 - only its size is asked for
        # The 64 MB of a plain container break parallel queries.
        settings["dynamic_shared_memory_type"] = "mmap"
    if durable:
        settings["fsync"] = "on"
        settings["synchronous_commit"] = "on"
        settings["full_page_writes"] = "on"
    else:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= {"shared_buffers": "128MB", "max_wal_size": "512MB", "min_wal_size": "80MB"}
    return settings


def _megabytes(value: int) -> str:
    return f"{value // _MB}MB"
