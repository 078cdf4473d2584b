"""A film of facets that glitter: each has a normal of its own, and some carry a grating.

A facet mirrors a light when the half-vector of light and view meets its normal, within a lobe. A grating of period
d, its grooves across the direction g, sends wavelength d * |s.g| / m into order m, where s is the tangential part
of (towards the light + towards the view) in the facet's own plane; along the grooves it keeps to a narrow lobe.
Orders 1 and 2 count. Colours are blue, green, red; light is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from suyuan.label.simulation.optics import Floats, Light, Rays

CENTRES: Final = (0.455, 0.540, 0.610)  # micrometres: where a camera's blue, green and red see most
WIDTHS: Final = (0.030, 0.038, 0.038)
_WAVES: Final = 256
_LONGEST: Final = 1.6  # micrometres: beyond, nothing is seen


class Film(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of film is made of."""

    facet: float = 0.16  # mm
    tilt: float = 0.22  # spread of the facets' normals, radians
    lobe: float = 0.040  # of a mirroring facet, radians
    groove_lobe: float = 0.09
    gratings: float = 0.5  # share of the facets that carry a grating
    grating_tilt: float = 0.05  # spread of those facets' normals
    periods: tuple[float, float] = (0.9, 2.6)  # micrometres
    mirror_gain: float = 9.0  # of white paper
    grating_gain: float = 5.0
    base: float = 0.25  # what the film sends back anyhow, of white paper


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """One film: its facets in rows, ``count`` x ``count``."""

    film: Film
    count: int
    points: Floats  # (n, 2), mm from the middle
    normals: Floats  # (n, 2)
    across: Floats  # (n, 2): the direction across the grooves
    period: Floats  # (n,): 0 where there is no grating
    amplitude: Floats  # (n,)


def make_film(film: Film, side: float, random: np.random.Generator) -> Facets:
    """Facets for a square of so many mm."""
    count = max(8, round(side / film.facet))
    n = count * count
    steps = (np.arange(count) + 0.5) / count * side - side / 2
    grid_x, grid_y = np.meshgrid(steps, steps)
    carries = random.random(n) < film.gratings
    spread = np.where(carries, film.grating_tilt, film.tilt)[:, None]
    turn = random.uniform(0, np.pi, n)
    return Facets(
        film=film,
        count=count,
        points=np.column_stack([grid_x.ravel(), grid_y.ravel()]).astype(np.float32),
        normals=(random.standard_normal((n, 2)) * spread).astype(np.float32),
        across=np.column_stack([np.cos(turn), np.sin(turn)]).astype(np.float32),
        period=np.where(carries, random.uniform(*film.periods, n), 0.0).astype(np.float32),
        amplitude=random.uniform(0.4, 1.0, n).astype(np.float32),
    )


def facet_map(count: int, texels: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Which facet each texel of a square belongs to; the borders between facets are not straight."""
    nodes = count // 2 + 2
    step = count / texels
    wander = random.uniform(-0.6, 0.6, (2, nodes, nodes)).astype(np.float32)
    u = (np.arange(texels) + 0.5) * step
    index = []
    for axis in range(2):
        moved = cv2.resize(wander[axis], (texels, texels), interpolation=cv2.INTER_CUBIC)
        along = u[None, :] if axis == 0 else u[:, None]
        index.append(np.clip(np.floor(along + moved), 0, count - 1).astype(np.int32))
    return np.asarray(index[1] * count + index[0], dtype=np.int32)


def _spectrum() -> Floats:
    """What a camera sees of each wavelength from 0 to the longest, (waves, 3)."""
    waves = np.linspace(0, _LONGEST, _WAVES)[:, None]
    seen = np.exp(-(((waves - np.array(CENTRES)) / np.array(WIDTHS)) ** 2) / 2)
    return np.asarray(seen, dtype=np.float32)


def _orders() -> Floats:
    """What a camera sees of a grating in its first and second order, by the first one's wavelength."""
    waves = np.arange(2 * _WAVES)
    spectrum = _spectrum()
    first, second = np.minimum(waves, _WAVES - 1), waves // 2
    return np.asarray(spectrum[first] + np.float32(0.4) * spectrum[second], dtype=np.float32)


_ORDERS: Final = _orders()


class _Group(msgspec.Struct, frozen=True):
    """Facets of one kind: which they are, their normals and where the camera is, each in a row of its own."""

    which: NDArray[np.int64]
    normal: Floats  # (2, n)
    view: Floats  # (3, n)

    def off(self, light: Floats) -> tuple[Floats, Floats]:
        """The sum of the directions of light and view, in each facet's own plane: twice the half-vector."""
        height = self.view[2] + light[2]
        return (
            self.view[0] + light[0] - height * self.normal[0],
            self.view[1] + light[1] - height * self.normal[1],
        )


def shine(facets: Facets, found: Rays, lights: Sequence[Light], slope: Floats | None = None) -> Floats:
    """What each facet sends to the camera, (n, 3), beside the matt part; ``slope`` (n, 2) turns its normal."""
    normals = facets.normals if slope is None else facets.normals + slope
    total = np.zeros((len(normals), 3), np.float32)
    for kind, carries in ((_mirrored, False), (_diffracted, True)):
        which = np.flatnonzero((facets.period > 0) == carries)
        if not len(which):
            continue
        group = _Group(
            which,
            np.ascontiguousarray(normals[which].T),
            np.ascontiguousarray(found.view[which].T),
        )
        part = kind(facets, group, found.torch[which].T, 0.0) * found.irradiance[which, None]
        for lamp in lights:
            upward = max(1e-3, 1 - float(np.hypot(*lamp.direction)) ** 2) ** 0.5
            towards = np.array([*lamp.direction, upward], np.float32)
            strength = np.float32(lamp.strength * upward) * np.array(lamp.colour, np.float32)
            part = part + kind(facets, group, towards, lamp.spread) * strength
        total[which] = part * facets.amplitude[which, None]
    return total


def _mirrored(facets: Facets, group: _Group, light: Floats, spread: float) -> Floats:
    film = facets.film
    lobe = (2 * film.lobe) ** 2 + spread**2
    peak = film.mirror_gain * (2 * film.lobe) ** 2 / lobe  # a wide source spreads the same light
    right, down = group.off(light)
    flash = np.exp((right * right + down * down) * np.float32(-1 / (2 * lobe)))
    return np.asarray((flash * np.float32(peak))[:, None], dtype=np.float32)


def _diffracted(facets: Facets, group: _Group, light: Floats, spread: float) -> Floats:
    film = facets.film
    right, down = group.off(light)
    across = facets.across[group.which].T
    along = right * across[1] - down * across[0]
    width = film.groove_lobe**2 + spread**2
    kept = np.exp(along * along * np.float32(-1 / (2 * width)))
    kept *= np.float32(film.grating_gain * film.groove_lobe / width**0.5)
    wave = np.abs(right * across[0] + down * across[1]) * facets.period[group.which]
    index = np.minimum(wave * np.float32((_WAVES - 1) / _LONGEST), 2 * _WAVES - 1).astype(np.intp)
    return np.asarray(_ORDERS.take(index, axis=0) * kept[:, None], dtype=np.float32)
