"""How a pattern is copied: each attack starts from what its attacker has, and ends in a printed label.

An office copy has a scan and an office printer. A same-press copy has a good scan of an applied label and time on the
class of press that printed it: it thresholds the scan on the symbol grid. A learned copy has, besides, prints of
templates that the attacker knows, and learns from them to read a symbol from its surroundings. A leaked template is
printed as it is, on the same press. A grey-level reprint has a machine of twice the resolution, and places dots so
that the spread ink looks like the scan. A wrong label is another item's label, honestly printed, under a code that
says this item's URI.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from suyuan.label.simulation.pattern_camera import draw_scanner, scan
from suyuan.label.simulation.print_label import SYMBOLS, Dots, Layout, artwork, code_modules, pattern_origin
from suyuan.label.simulation.print_press import (
    PITCH,
    Field,
    Press,
    Split,
    Technology,
    another_day,
    draw_press,
    print_dots,
)

ATTACKS: Final = (
    "office_copy",
    "same_press_copy",
    "learned_copy",
    "leaked_template",
    "grey_reprint",
    "wrong_label",
)

_CELLS: Final = 6  # samples a symbol that an attacker takes from a scan
_GREY_ROUNDS: Final = 10
_REACH: Final = 2  # symbols around one that the learned reader looks at


def copied(
    attack: str,
    genuine: Field,
    uri: str,
    bits: Dots,
    layout: Layout,
    press: Press,
    split: Split,
    rng: Generator,
) -> Field:
    """The reflectance of a label that the attack makes from the genuine print ``genuine``."""
    machine = another_day(press, rng)
    if attack == "office_copy":
        return _office(genuine, layout, split, rng)
    if attack == "same_press_copy":
        return print_dots(
            artwork(uri, _thresholded(_symbol_scan(genuine, uri, layout, split, rng)), layout), machine, rng
        )
    if attack == "learned_copy":
        read = _learned(split, layout, press.technology, int(rng.integers(4)))
        return print_dots(
            artwork(uri, read(_symbol_scan(genuine, uri, layout, split, rng)), layout), machine, rng
        )
    if attack == "leaked_template":
        return print_dots(artwork(uri, bits, layout), machine, rng)
    if attack == "wrong_label":
        other = rng.integers(0, 2, (SYMBOLS, SYMBOLS), np.uint8)
        return print_dots(artwork(uri, other, layout), machine, rng)
    if attack == "grey_reprint":
        return _grey(genuine, uri, layout, split, rng)
    raise ValueError(f"no attack is called {attack!r}")


def _office(genuine: Field, layout: Layout, split: Split, rng: Generator) -> Field:
    """Scanned whole at 600 to 1200 dpi, tone stretched, sharpened, printed at 600 dpi: thresholded or halftoned."""
    scanner = draw_scanner(split, rng, pixel=25400 / float(rng.choice([600.0, 1200.0])))
    values = scan(genuine, scanner, rng)
    low, high = np.percentile(values, (2, 90))
    values = np.clip((values - low) / max(high - low, 1e-3), 0, 1).astype(np.float32)
    values += np.float32(rng.uniform(0.3, 1.2)) * (values - cv2.GaussianBlur(values, (0, 0), 1.2))
    printer = draw_press(split, rng, technology="laser", dpi=600.0)
    scale = scanner.pixel / (25400 / 600)
    grid = cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    screen = np.float32(0.5) if rng.random() < 0.5 else _halftone(grid.shape)
    return print_dots((grid < screen).astype(np.uint8), printer, rng)


def _halftone(shape: tuple[int, ...]) -> Field:
    """A clustered-dot screen of 4 x 4 dots."""
    cell = np.array([[12, 5, 6, 13], [4, 0, 1, 7], [11, 3, 2, 8], [15, 10, 9, 14]], np.float32)
    screen = np.tile((cell + 0.5) / 16, (shape[0] // 4 + 1, shape[1] // 4 + 1))
    return np.asarray(screen[: shape[0], : shape[1]], np.float32)


def _symbol_scan(genuine: Field, uri: str, layout: Layout, split: Split, rng: Generator) -> Field:
    """A good scan of the pattern, aligned to its grid: ``_CELLS`` samples a symbol and side, a margin around it.

    The attacker aligns by hand or by machine; what is left of misalignment is a few micrometres.
    """
    scanner = draw_scanner(split, rng)
    pitch = 25400 / layout.dpi * layout.symbol_dots / _CELLS
    top, left = pattern_origin(code_modules(uri).shape[0], layout)
    blur = float(np.hypot(scanner.blur, 0.29)) * 10.6 / PITCH  # 2,400 dpi
    blurred = cv2.GaussianBlur(genuine, (0, 0), blur)
    origin = np.array([left, top]) * (25400 / layout.dpi) / PITCH + rng.normal(0, 0.4, 2)
    count = (SYMBOLS + 2 * _REACH) * _CELLS
    centre = (np.arange(count) + 0.5 - _REACH * _CELLS) * pitch / PITCH - 0.5
    x, y = np.meshgrid((centre + origin[0]).astype(np.float32), (centre + origin[1]).astype(np.float32))
    cells = cv2.remap(blurred, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cells + scanner.noise * rng.standard_normal(cells.shape, np.float32), np.float32)


def _means(cells: Field) -> Field:
    """The mean of each symbol's inner cells."""
    symbols = cells.reshape(SYMBOLS + 2 * _REACH, _CELLS, SYMBOLS + 2 * _REACH, _CELLS)
    return np.asarray(symbols[:, 1:-1, :, 1:-1].mean((1, 3)), np.float32)


def _thresholded(cells: Field) -> Dots:
    inner = _means(cells)[_REACH:-_REACH, _REACH:-_REACH]
    scaled = np.rint(255 * (inner - inner.min()) / max(float(np.ptp(inner)), 1e-6)).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(scaled <= level, np.uint8)


class _Reader:
    """A regularised linear reader of a symbol from its own cells and the symbols around it."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        self._weights = weights

    def __call__(self, cells: Field) -> Dots:
        return (_features(cells) @ self._weights > 0).astype(np.uint8).reshape(SYMBOLS, SYMBOLS)


@lru_cache(maxsize=16)
def _learned(split: Split, layout: Layout, technology: Technology, machine: int) -> _Reader:
    """Learned by ridge regression from three prints of known templates on the attacker's machine."""
    rng = Generator(PCG64([901, machine, split == "test"]))
    uri = "https://example.com/01/09521234543213/21/TRAIN"
    features, wanted = [], []
    press = draw_press(split, rng, technology=technology, dpi=layout.dpi)
    for _ in range(3):
        bits = rng.integers(0, 2, (SYMBOLS, SYMBOLS), np.uint8)
        print_ = print_dots(artwork(uri, bits, layout), another_day(press, rng), rng)
        features.append(_features(_symbol_scan(print_, uri, layout, split, rng)))
        wanted.append(bits.ravel() * 2.0 - 1.0)
    x, y = np.concatenate(features), np.concatenate(wanted)
    gram = x.T @ x + 1e-2 * len(x) * np.eye(x.shape[1])
    return _Reader(np.asarray(np.linalg.solve(gram, x.T @ y), np.float64))


def _features(cells: Field) -> NDArray[np.float64]:
    """Per symbol: its own cells, and the means of the symbols around it, in units of the scan's own spread."""
    cells = (cells - cells.mean()) / max(float(cells.std()), 1e-6)
    inner = cells[_REACH * _CELLS : -_REACH * _CELLS, _REACH * _CELLS : -_REACH * _CELLS]
    own = inner.reshape(SYMBOLS, _CELLS, SYMBOLS, _CELLS).transpose(0, 2, 1, 3).reshape(SYMBOLS * SYMBOLS, -1)
    means = _means(np.asarray(cells, np.float32))
    around = np.stack(
        [
            means[dy : dy + SYMBOLS, dx : dx + SYMBOLS].ravel()
            for dy in range(2 * _REACH + 1)
            for dx in range(2 * _REACH + 1)
        ],
        axis=1,
    )
    return np.concatenate([own, around, np.ones((SYMBOLS * SYMBOLS, 1))], axis=1).astype(np.float64)


def _grey(genuine: Field, uri: str, layout: Layout, split: Split, rng: Generator) -> Field:
    """Dots at twice the resolution, chosen in rounds so that their print, as far as it can be foretold, is the scan.

    The attacker knows the machine: how ink spreads over a spot, where it begins to cover, and what light makes of it.
    """
    fine = Layout(dpi=2 * layout.dpi, module_dots=2 * layout.module_dots, symbol_dots=2 * layout.symbol_dots)
    printer = draw_press(split, rng, technology="double", dpi=fine.dpi)
    framed = _symbol_scan(genuine, uri, layout, split, rng)
    inner = slice(_REACH * _CELLS, -_REACH * _CELLS)
    cells = np.asarray(framed[inner, inner], np.float32)
    low, high = np.percentile(cells, (3, 97))
    wanted = np.clip((high - cells) / max(high - low, 1e-3), 0, 1).astype(np.float32)
    side = SYMBOLS * fine.symbol_dots
    target = np.asarray(cv2.resize(wanted, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
    spot, seen = printer.spot / (25400 / fine.dpi), printer.scatter / (25400 / fine.dpi)
    aim, best, least = target.copy(), target > 0.5, np.inf
    for _ in range(_GREY_ROUNDS):
        dots = aim > 0.5
        ink = cv2.GaussianBlur(dots.astype(np.float32), (0, 0), spot)
        covered = 1 / (1 + np.exp((0.5 - printer.gain - ink) / printer.softness))
        missed = target - _darkness(np.asarray(covered, np.float32), printer.density, seen)
        error = float(np.square(cv2.GaussianBlur(missed, (0, 0), 1.5)).mean())
        if error < least:
            best, least = dots, error
        aim += np.float32(0.3) * missed
    return print_dots(artwork(uri, best.astype(np.uint8), fine), printer, rng)


def _darkness(covered: Field, density: float, scatter: float) -> Field:
    """How dark a scan shows covered paper, 0 to 1."""
    light = np.exp(covered * np.float32(-0.5 * np.log(10) * density))
    reflected = light * cv2.GaussianBlur(light, (0, 0), scatter)
    return np.asarray((1 - reflected) / (1 - 10**-density), np.float32)
