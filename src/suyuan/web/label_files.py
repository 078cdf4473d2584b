"""Files of the pages that use a camera: our own scripts and styles, and the reader of codes that is shipped with them.

Each is served under a name that carries a hash of its bytes, so that it may be kept for ever. What lies in
``static/vendor`` is not ours; its NOTICE says what it is, and a test holds it to the digests that stand there.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

_KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "wasm": "application/wasm",
}
NAMES = (
    "label.css",
    "label_codes.js",
    "label_camera.js",
    "label_flow.js",
    "vendor/zxing_reader.js",
    "vendor/zxing_reader.wasm",
)
# What a policy has to allow for the shipped reader, beside our own scripts; it ends where hosts may be added.
READER_POLICY = "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


@cache
def served_files() -> dict[str, tuple[str, bytes]]:
    """Each file by the path that it is served at: its media type and its bytes."""
    found = {}
    for name in NAMES:
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        body = resources.files("suyuan.web").joinpath(f"static/{name}").read_bytes()
        path = f"/static/{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"
        found[path] = (_KINDS[suffix], body)
    return found


@cache
def served_path(name: str) -> str:
    """The path at which one of ``NAMES`` is served."""
    return list(served_files())[NAMES.index(name)]
