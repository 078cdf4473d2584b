"""Schematic drawings as inline SVG: the way of the goods as a line of stations, and the papers around one thing.

No map lies underneath, so no map review number is needed, and nothing is loaded. A drawing is there twice, across for
a wide page and down for a narrow one; the style sheet shows one. Each says in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
from markupsafe import Markup, escape

from suyuan.console.words import Voice
from suyuan.trace.model import Trace
from suyuan.web.journey import Journey, journey

_ACROSS = 960
_PER_ROW = 6
_ROW = 128
_LINE = 34
_DOWN_STEP = 76
# Paths of the marks on the line, in a box of 24 by 24.
_MARKS = {
    "ship": "M4 14l2 6h12l2-6-8-3zM6.5 12V7h11v5M12 7V4",
    "plane": "M3 13l18-7-5 14-4-5zm9 2l-1 5 3-2.6",
    "truck": "M2.5 6.5h11v10h-11zm11 3.5h4l3.5 3.5v3h-7.5M5 17a2 2 0 1 0 4 0M15 17a2 2 0 1 0 4 0",
    "train": "M7 3.5h10a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM5 10.5h14M8 20.5l2-4m6 4l-2-4",
    "parcel": "M4 7.5l8-4 8 4v9l-8 4-8-4zM4 7.5l8 4 8-4M12 11.5v9",
    "dots": "M6 12h.1m5.9 0h.1m5.9 0h.1",
}


class Drawing(msgspec.Struct, frozen=True):
    """A drawing for a wide and for a narrow page, and the same in words."""

    across: Markup
    down: Markup
    text: str
    caption: str


def _width(text: str, size: float) -> float:
    """About as wide as a text is drawn, rather a little more: what is too long is cut, not drawn over the edge."""
    return sum(
        size * (1.0 if ord(char) > 0x2E7F else 0.68 if char.isupper() else 0.6 if char.isdigit() else 0.56)
        for char in text
    )


def _fit(text: str, size: float, room: float) -> str:
    if _width(text, size) <= room:
        return text
    while text and _width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip(" ·、,") + "…"


def _text(x: float, y: float, text: str, size: float, kind: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _mark(x: float, y: float, icon: str) -> str:
    path = _MARKS.get(icon, _MARKS["dots"])
    return (
        f'<g class="mode" transform="translate({x - 9:g} {y - 9:g}) scale(.75)">'
        f'<circle cx="12" cy="12" r="16"/><path d="{path}"/></g>'
    )


def _svg(width: float, height: float, kind: str, name: str, text: str, parts: Iterable[str]) -> Markup:
    # Texts were escaped where they were put in.
    return Markup(  # noqa: S704
        f'<svg class="drawing {kind}" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
        f' role="img" aria-label="{escape(name)}">'
        f"<desc>{escape(text)}</desc>{''.join(parts)}</svg>"
    )


def draw_route(trace: Trace, voice: Voice) -> Drawing | None:
    """The way of the goods, or None where fewer than two stations are known."""
    way = journey(trace, voice.public)
    if way is None:
        return None
    name = voice.say("以站点示意的流转路线", "The way as a line of stations")
    return Drawing(_across(way, name), _down(way, name), way.text, way.days)


def _across(way: Journey, name: str) -> Markup:
    count = len(way.stops)
    rows = math.ceil(count / _PER_ROW)
    columns = math.ceil(count / rows)
    cell = _ACROSS / columns
    parts: list[str] = []
    places = [(cell * (n % columns) + cell / 2, _LINE + _ROW * (n // columns)) for n in range(count)]
    for n, (before, after) in enumerate(pairwise(places)):
        if before[1] == after[1]:
            parts.append(f'<path class="line" d="M{before[0]:g} {before[1]:g}H{after[0]:g}"/>')
            middle = (before[0] + after[0]) / 2
            parts.append(_mark(middle, before[1], way.hops[n].icon))
            parts.append(
                _text(middle, before[1] - 20, _fit(way.hops[n].text, 11, cell - 34), 11, "hop", "middle")
            )
        else:
            turn = before[1] + _ROW - 34
            parts.append(
                f'<path class="line" d="M{before[0]:g} {before[1]:g}H{_ACROSS - 4:g}V{turn:g}'
                f'H4V{after[1]:g}H{after[0]:g}"/>'
            )
            parts.append(_mark(_ACROSS / 2, turn, way.hops[n].icon))
            parts.append(_text(_ACROSS / 2 + 22, turn - 5, way.hops[n].text, 11, "hop"))
    for n, (stop, (x, y)) in enumerate(zip(way.stops, places, strict=True)):
        end = n in (0, count - 1)
        parts.append(
            f'<circle class="stop{" end" if end else ""}" cx="{x:g}" cy="{y:g}" r="{8 if end else 6}"/>'
        )
        parts.append(_text(x, y + 27, _fit(stop.name, 15, cell - 10), 15, "city", "middle"))
        parts.append(_text(x, y + 45, _fit(stop.when, 12, cell - 6), 12, "when", "middle"))
        if stop.places:
            parts.append(_text(x, y + 61, _fit(stop.places[0], 11, cell - 8), 11, "when", "middle"))
    height = _LINE + _ROW * (rows - 1) + 70
    return _svg(_ACROSS, height, "across", name, way.text, parts)


def _down(way: Journey, name: str) -> Markup:
    parts: list[str] = []
    y = 16.0
    tops: list[float] = []
    for stop in way.stops:
        tops.append(y)
        y += _DOWN_STEP + (16 if stop.places else 0)
    parts.append(f'<path class="line" d="M16 {tops[0]:g}V{tops[-1]:g}"/>')
    for n, (stop, top) in enumerate(zip(way.stops, tops, strict=True)):
        end = n in (0, len(tops) - 1)
        parts.append(
            f'<circle class="stop{" end" if end else ""}" cx="16" cy="{top:g}" r="{8 if end else 6}"/>'
        )
        parts.append(_text(42, top + 5, _fit(stop.name, 16, 280), 16, "city"))
        parts.append(_text(42, top + 23, _fit(stop.when, 12.5, 280), 12.5, "when"))
        if stop.places:
            parts.append(_text(42, top + 39, _fit(stop.places[0], 12.5, 280), 12.5, "when"))
        if n < len(way.hops):
            below = tops[n + 1] - 21
            parts.append(_mark(16, below, way.hops[n].icon))
            parts.append(_text(42, below + 4, way.hops[n].text, 12.5, "hop"))
    return _svg(330, tops[-1] + 46, "down", name, way.text, parts)


class Node(msgspec.Struct, frozen=True):
    """A thing or paper in a drawing of papers: what it is, its number, where it leads."""

    kind: str
    label: str
    href: str = ""


_NODE_WIDTH, _NODE_HEIGHT, _GAP = 208, 46, 14


def draw_papers(
    centre: Node, nearer: Sequence[Node], farther: Sequence[Node], voice: Voice, *, per_row: int = 4
) -> Drawing:
    """Papers as boxes: nearer to the goods above, farther away below, the one asked for between them."""
    name = voice.say("相关单证关系图", "The papers around it")
    text = voice.say("靠近货物一侧：{near}。另一侧：{far}。", "Nearer to the goods: {near}. Farther away: {far}.",
                     near=_listed(nearer, voice), far=_listed(farther, voice))  # fmt: skip
    return Drawing(
        _boxes(centre, nearer, farther, voice, name, text, per_row, "across"),
        _boxes(centre, nearer, farther, voice, name, text, 1, "down"),
        text,
        "",
    )


def _listed(nodes: Sequence[Node], voice: Voice) -> str:
    return voice.say(", ", "、").join(f"{node.kind} {node.label}" for node in nodes) or voice.say(
        "无", "nothing"
    )


def _boxes(
    centre: Node,
    nearer: Sequence[Node],
    farther: Sequence[Node],
    voice: Voice,
    name: str,
    text: str,
    per_row: int,
    kind: str,
) -> Markup:
    widest = max(1, min(per_row, max(len(nearer), len(farther))))
    width = widest * (_NODE_WIDTH + _GAP) - _GAP + 4
    parts: list[str] = []
    lines: list[str] = []
    y = 2.0
    middle = width / 2
    above = _rows(nearer, widest)
    centre_y = y + len(above) * (_NODE_HEIGHT + _GAP) + (18 if above else 0)
    for row in above:
        parts += _box_row(row, y, middle, lines, centre_y)
        y += _NODE_HEIGHT + _GAP
    parts.append(_box(middle - _NODE_WIDTH / 2, centre_y, centre, "here"))
    y = centre_y + _NODE_HEIGHT + _GAP + 18
    for row in _rows(farther, widest):
        parts += _box_row(row, y, middle, lines, centre_y + _NODE_HEIGHT)
        y += _NODE_HEIGHT + _GAP
    height = (y - _GAP if farther else centre_y + _NODE_HEIGHT) + 4
    return _svg(width, height, f"{kind} papers", name, text, [*lines, *parts])


def _rows(nodes: Sequence[Node], per_row: int) -> list[Sequence[Node]]:
    return [nodes[start : start + per_row] for start in range(0, len(nodes), per_row)]


def _box_row(row: Sequence[Node], y: float, middle: float, lines: list[str], joint: float) -> list[str]:
    left = middle - (len(row) * (_NODE_WIDTH + _GAP) - _GAP) / 2
    parts = []
    for n, node in enumerate(row):
        x = left + n * (_NODE_WIDTH + _GAP)
        half = _NODE_WIDTH / 2
        # From the edge of the box that looks at the centre.
        edge = y + _NODE_HEIGHT if y < joint else y
        lines.append(
            f'<path class="line thin" d="M{x + half:g} {edge:g}C{x + half:g} {(edge + joint) / 2:g}'
            f' {middle:g} {(edge + joint) / 2:g} {middle:g} {joint:g}"/>'
        )
        parts.append(_box(x, y, node, "box"))
    return parts


def _box(x: float, y: float, node: Node, kind: str) -> str:
    inner = (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{_NODE_WIDTH}" height="{_NODE_HEIGHT}" rx="9"/>'
        + _text(x + 12, y + 18, _fit(node.kind, 11.5, _NODE_WIDTH - 24), 11.5, "when")
        + _text(x + 12, y + 36, _fit(node.label, 13.5, _NODE_WIDTH - 24), 13.5, "city")
    )
    return f'<a href="{escape(node.href)}">{inner}</a>' if node.href else f"<g>{inner}</g>"
