"""The keeper: the small process between the embedded server and everybody who uses it.

Run as a program (standard library only, nothing of Suyuan imported). Its job, a JSON object in ``argv[1]``:
``argv``, ``environment``, ``cluster``, ``account`` ([uid, gid] or null), ``users_lock``,
``keeper_lock``, ``socket_dir`` (removed at the end), ``log``.

Guarantees:

- It holds ``keeper_lock`` exclusively as long as the server runs: who can take it knows that none does.
- Everybody who uses the server holds ``users_lock`` shared. The keeper waits for it exclusively, which the
  kernel grants exactly when the last user has let go or died, by kill -9 as well; then it stops the server.
  A newcomer waits meanwhile, finds no server and starts one.
- If the keeper itself is killed, the kernel stops the server (Linux); elsewhere the next start does.
- A signal from the users' terminal does not reach it: it leads a session of its own.

It says ``{"postmaster": pid}`` on standard output once the server was started, then closes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

FAST_SHUTDOWN = signal.SIGINT
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
PATIENCE_SECONDS = 120
_PR_SET_PDEATHSIG = 1


def _open_lock(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(lock: int) -> bool:
    for _ in range(250):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)  # somebody asks at this moment whether it is held, or our predecessor is ending
        else:
            return True
    return False


def _stop_with_keeper() -> None:
    """In the server's process, before it becomes the server: ask the kernel to stop it when we die."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(FAST_SHUTDOWN))


def _launch(job: dict[str, Any]) -> subprocess.Popen[bytes]:
    as_whom: dict[str, Any] = {}
    if job["account"] is not None:
        uid, gid = job["account"]
        as_whom = {"user": uid, "group": gid, "extra_groups": []}
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603
            job["argv"],
            # Entered before the privileges go: the account may be unable to walk here by name.
            cwd=job["cluster"],
            env=job["environment"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_stop_with_keeper,  # noqa: PLW1509 - no thread exists yet
            **as_whom,
        )
    finally:
        os.close(log)


def _when_unused(server: subprocess.Popen[bytes], users_lock: int) -> None:
    fcntl.flock(users_lock, fcntl.LOCK_EX)
    server.send_signal(FAST_SHUTDOWN)
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(IMMEDIATE_SHUTDOWN)
    # The lock is let go by the end of this process, after the server's.


def main() -> int:
    job = json.loads(sys.argv[1])
    os.setsid()
    if os.fork():
        os._exit(0)  # nobody's child any more: no user is left with a zombie
    for terminal_signal in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(terminal_signal, signal.SIG_IGN)
    keeper_lock = _open_lock(job["keeper_lock"])
    if not _take(keeper_lock):
        print(json.dumps({"error": "another keeper runs this server"}), flush=True)  # noqa: T201
        return 3
    users_lock = _open_lock(job["users_lock"])
    try:
        server = _launch(job)
    except OSError as error:
        print(json.dumps({"error": f"{error.strerror}: {error.filename}"}), flush=True)  # noqa: T201
        return 4
    signal.signal(signal.SIGTERM, lambda *_: server.send_signal(FAST_SHUTDOWN))
    os.ftruncate(keeper_lock, 0)
    os.pwrite(keeper_lock, f"{os.getpid()} {server.pid}\n".encode("ascii"), 0)
    print(json.dumps({"postmaster": server.pid}), flush=True)  # noqa: T201
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.chdir("/")
    threading.Thread(target=_when_unused, args=(server, users_lock), daemon=True).start()
    server.wait()
    with contextlib.suppress(OSError):
        os.rmdir(job["socket_dir"])  # noqa: PTH106 - pathlib would cost this process a megabyte
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
