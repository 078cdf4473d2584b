"""The process that looks at images with other eyes: a "picture" is JSON that says what is to be seen on it.

What is under test here is everything around the methods. The methods themselves are told apart by ``print``: a label's
record keeps it, and a picture of the same print matches. ``act`` makes the process do what a broken picture could.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import types
from typing import Any

from suyuan.enrolment import image_child
from suyuan.errors import InputError
from suyuan.label.model import Verdict


def _seen(image: bytes) -> dict[str, Any]:
    try:
        seen: dict[str, Any] = json.loads(image)
    except ValueError:
        raise InputError(
            "label.image.form", "That is no image.", path="images", remedy="Send a JPEG."
        ) from None
    act = seen.get("act")
    if act == "crash":
        os.abort()
    if act == "hang":
        time.sleep(60)
    if act == "memory":
        bytearray(8 << 30)
    return seen


def _record(kind: str, seen: dict[str, Any], uri: str, path: str) -> bytes:
    if seen["uri"] != uri:
        raise InputError("label.enrolment.other_code", "The code of another item.", path=path)
    return json.dumps([kind, seen["print"]]).encode()


def _verdict(seen: dict[str, Any], record: bytes, uri: str) -> Verdict:
    if seen["uri"] != uri:
        return Verdict(answer="unclear", reasons=("other_code",))
    if seen.get("blurred"):
        return Verdict(answer="unclear", reasons=("blurred",), quality={"sharpness": 0.1})
    if seen.get("black"):
        nothing = float("nan")
        return Verdict(
            answer="unclear", score=nothing, reasons=("registration",), quality={"agreement": nothing}
        )
    same = json.loads(record)[1] == seen["print"]
    return Verdict(
        answer="matches" if same else "differs",
        score=0.9 if same else 0.1,
        threshold=0.4,
        quality={"pixels_per_symbol": 3.1},
        fingerprint=hashlib.sha256(str(seen.get("moment")).encode()).digest(),
    )


def enrol_pattern(images: list[bytes], uri: str, template: bytes, placement: Any) -> bytes:
    assert len(template) == 512
    assert placement.side > 0
    records = [_record("A", _seen(image), uri, f"images[{n}]") for n, image in enumerate(images)]
    return records[0]


def verify_pattern(image: bytes, record: bytes, template: bytes, uri: str) -> Verdict:
    assert len(template) == 512
    return _verdict(_seen(image), record, uri)


def enrol_dynamic(frames: list[bytes], uri: str) -> bytes:
    records = [_record("B", _seen(frame), uri, f"frames[{n}]") for n, frame in enumerate(frames)]
    return records[0]


def verify_dynamic(frames: list[bytes], record: bytes, uri: str, path: Any) -> Verdict:
    seen = [_seen(frame) for frame in frames]
    if path.directions and tuple(seen[0].get("path", ())) != path.directions:
        return Verdict(answer="unclear", reasons=("tilt_path",))
    return _verdict(seen[0], record, uri)


def decode(image: bytes) -> dict[str, Any]:
    return _seen(image)


def locate(image: dict[str, Any], expected: str | None) -> Any:
    return types.SimpleNamespace(text=image["uri"]) if image.get("uri") else None


for name, members in {
    "pattern": (enrol_pattern, verify_pattern),
    "dynamic": (enrol_dynamic, verify_dynamic),
    "images": (decode,),
    "codes": (locate,),
}.items():
    module = types.ModuleType(f"suyuan.label.{name}")
    for member in members:
        setattr(module, member.__name__, member)
    sys.modules[module.__name__] = module

# Nothing here is decoded, and the library takes a while to load.
sys.modules["cv2"] = types.SimpleNamespace(setNumThreads=int)  # type: ignore[assignment]

if __name__ == "__main__":
    image_child.main()
