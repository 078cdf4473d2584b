"""Trials of the copy detection pattern: labels, what enrols them, and captures, genuine or of an attack.

Everything follows from a split and seeds. The splits draw from other ranges and other streams of random numbers: what
is fitted on calibration is never seen in test.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Final, Literal

import msgspec
from numpy.random import PCG64, Generator, SeedSequence

from suyuan.label.model import Placement
from suyuan.label.pattern import enrol_pattern
from suyuan.label.simulation.pattern_camera import as_png, draw_phone, draw_scanner, photograph, scan
from suyuan.label.simulation.pattern_copies import ATTACKS, copied
from suyuan.label.simulation.print_damage import Damage, damaged, draw_damage
from suyuan.label.simulation.print_label import (
    LAYOUTS,
    SYMBOLS,
    Dots,
    artwork,
    code_modules,
    placement,
    template_bits,
)
from suyuan.label.simulation.print_press import Field, Press, Split, Technology, draw_press, print_dots

__all__ = ["ATTACKS", "SimulatedLabel", "Split", "capture", "enrolment_images", "make_label"]

Printer = Literal["press", "press_8mm", "laser_600", "thermal_300", "thermal_203"]
_FRAMES: Final = 3
_TECHNOLOGY: Final[dict[str, Technology]] = {
    "press": "press",
    "press_8mm": "press",
    "laser_600": "laser",
    "thermal_300": "thermal",
    "thermal_203": "thermal",
}


class SimulatedLabel(msgspec.Struct, frozen=True):
    """An enrolled label: what the server keeps of it, and the seed that its print follows from."""

    uri: str
    record: bytes
    template: bytes
    placement: Placement
    seed: int
    split: Split
    printer: Printer = "press"


def make_label(seed: int, split: Split, uri: str | None = None, printer: Printer = "press") -> SimulatedLabel:
    """A label printed and enrolled. Same arguments, same label."""
    uri = _uri(seed, split) if uri is None else uri
    template = template_of(seed, split)
    place = placement(code_modules(uri).shape[0], LAYOUTS[printer])
    record = enrol_pattern(enrolment_images(seed, split, uri, printer), uri, template, place)
    return SimulatedLabel(uri, record, template, place, seed, split, printer)


def enrolment_images(seed: int, split: Split, uri: str, printer: Printer = "press") -> list[bytes]:
    """Three frames of the label as a line camera takes them, at most 20 micrometres a pixel, as PNG."""
    genuine, _ = _printed(seed, split, uri, printer)
    rng = _stream(seed, split, "enrolment")
    scanner = draw_scanner(split, rng)
    return [as_png(scan(genuine, scanner, rng)) for _ in range(_FRAMES)]


def capture(
    label: SimulatedLabel,
    attack: str,
    split: Split,
    seed: int,
    damage: Damage | None = None,
    **phone: float,
) -> list[bytes]:
    """One photo, as JPEG, of the label itself ("genuine") or of what an attack made of it.

    ``damage`` fixes what was done to it, ``phone`` parameters of the phone (``pattern_camera.Phone``); both are drawn
    otherwise.
    """
    genuine, press = _printed(label.seed, label.split, label.uri, label.printer)
    rng = _stream(seed, split, f"{attack}/{label.seed}")
    seen = genuine
    if attack != "genuine":
        bits = template_bits(label.template)
        seen = copied(attack, genuine, label.uri, bits, LAYOUTS[label.printer], press, split, rng)
    taken = draw_phone(split, rng, **phone)
    worn = _stream(seed, split, f"damage/{attack}/{label.seed}")
    seen = damaged(seen, draw_damage(split, worn) if damage is None else damage, worn)
    return [photograph(seen, taken, rng)]


def template_of(seed: int, split: Split) -> bytes:
    """The template of a simulated serial."""
    return _stream(seed, split, "template").bytes(SYMBOLS * SYMBOLS // 8)


@lru_cache(maxsize=2)
def _printed(seed: int, split: Split, uri: str, printer: Printer) -> tuple[Field, Press]:
    """The label's one print, and the press that made it. Kept for the captures that follow each other."""
    rng = _stream(seed, split, f"print/{printer}/{uri}")
    layout = LAYOUTS[printer]
    press = draw_press(split, rng, technology=_TECHNOLOGY[printer], dpi=layout.dpi)
    bits: Dots = template_bits(template_of(seed, split))
    return print_dots(artwork(uri, bits, layout), press, rng), press


def _uri(seed: int, split: Split) -> str:
    return f"https://id.example.com/01/09521234543213/21/{'C' if split == 'calibration' else 'T'}{seed:07d}"


def _stream(seed: int, split: Split, purpose: str) -> Generator:
    word = zlib.crc32(purpose.encode())
    return Generator(PCG64(SeedSequence([seed, word, 1 if split == "calibration" else 2])))
