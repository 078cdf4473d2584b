"""Simulated labels as files: what one would photograph and list, to try everything on. Pure."""

from __future__ import annotations

import cv2

from suyuan.label.evaluation import GENUINE, Split
from suyuan.label.model import Track

Files = list[tuple[str, bytes]]
Rows = list[dict[str, str]]

PHONE = "simulated-{split}"


def simulated_set(track: Track, number: int, seed: int) -> tuple[Files, Rows]:
    """The files of label ``number`` of a set, by name, and the rows of a manifest: genuine once, each attack once.

    Every fourth label is of the calibration split, so that a set of a few is whole.
    """
    cv2.setNumThreads(1)
    split: Split = "calibration" if number % 4 == 0 else "test"
    return _pattern_set(number, seed, split) if track == "A" else _dynamic_set(number, seed, split)


def _pattern_set(number: int, seed: int, split: Split) -> tuple[Files, Rows]:
    from suyuan.label.simulation.pattern_trials import ATTACKS, capture, enrolment_images, make_label

    name, own = f"A{number:04d}", seed * 100_000 + number
    label = make_label(own, split)
    enrolment = [
        (f"labels/{name}/enrolment-{place}{_ending(image)}", image)
        for place, image in enumerate(enrolment_images(own, split, label.uri), 1)
    ]
    written: Files = [*enrolment, (f"labels/{name}/template.bin", label.template)]
    rows: Rows = []
    place = label.placement
    for lane, attack in enumerate((GENUINE, *ATTACKS)):
        (image,) = capture(label, attack, split, own * 100 + lane)
        file = f"captures/{name}/{attack}{_ending(image)}"
        written.append((file, image))
        rows.append(
            {
                **_row(track="A", split=split, name=name, uri=label.uri, attack=attack, files=file),
                "enrolment": ";".join(file for file, _ in enrolment),
                "template": f"labels/{name}/template.bin",
                "placement": f"{place.x:.6g} {place.y:.6g} {place.side:.6g}",
            }
        )
    return written, rows


def _dynamic_set(number: int, seed: int, split: Split) -> tuple[Files, Rows]:
    from suyuan.label.simulation.dynamic_trials import (
        ATTACKS,
        capture,
        enrolment_images,
        make_label,
        trial_path,
    )

    name, own = f"B{number:04d}", seed * 100_000 + number
    label = make_label(own, split)
    written: Files = _frames(f"labels/{name}/enrolment", enrolment_images(own, split, label.uri))
    rows: Rows = []
    for lane, attack in enumerate((GENUINE, *ATTACKS)):
        clip = own * 100 + lane
        folder = f"captures/{name}/{attack}"
        written += _frames(folder, capture(label, attack, split, clip))
        rows.append(
            {
                **_row(track="B", split=split, name=name, uri=label.uri, attack=attack, files=folder),
                "enrolment": f"labels/{name}/enrolment",
                "path": " ".join(trial_path(clip).directions),
            }
        )
    return written, rows


def _row(*, track: Track, split: Split, name: str, uri: str, attack: str, files: str) -> dict[str, str]:
    return {
        "split": split,
        "track": track,
        "label": name,
        "uri": uri,
        "attack": attack,
        "phone": PHONE.format(split=split),
        "files": files,
        "light": "simulated",
    }


def _frames(folder: str, images: list[bytes]) -> Files:
    return [(f"{folder}/{place:03d}{_ending(image)}", image) for place, image in enumerate(images, 1)]


def _ending(image: bytes) -> str:
    return ".png" if image.startswith(b"\x89PNG") else ".jpg"
