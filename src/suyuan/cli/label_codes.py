"""How often the codes that the product prints are read again from photos, by how bad the photo is."""

from __future__ import annotations

import functools
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from suyuan.cli.context import say
from suyuan.cli.label_runs import in_processes
from suyuan.errors import RefusedError

if TYPE_CHECKING:
    from suyuan.label.evaluation_codes import CodeRate, CodeTask, PrintedCode

CODES_FORMAT: Final = "suyuan label codes 1"
_WORDS: Final = {
    "everyday": ("everyday photo", "日常照片", ""),
    "pixels_per_module": ("pixels a module", "每模块像素", ""),
    "blur": ("defocus, modules", "失焦（模块）", ""),
    "smear": ("motion, modules", "抖动（模块）", ""),
    "noise": ("noise, grey levels", "噪声（灰阶）", ""),
    "light": ("light on paper", "纸面亮度", ""),
    "tilt": ("tilt", "倾斜", "°"),
    "turn": ("turned by", "旋转", "°"),
    "glare": ("burnt out", "反光面积", ""),
    "quality": ("JPEG quality", "JPEG 质量", ""),
}


def code_rates(trials: int, seed: int, jobs: int) -> list[CodeRate]:
    """The rate of each step of each degradation, over the labels of all styles."""
    from suyuan.label.evaluation_codes import code_tasks

    tasks = code_tasks(trials, seed)
    done = dict(in_processes(_rate, tasks, jobs, say("codes", "二维码")))
    return [done[place] for place in range(len(tasks))]


def write_codes(rates: list[CodeRate], trials: int, seed: int, out: Path | None) -> tuple[bytes, str]:
    """The result for machines and for people; kept in ``out`` where there is one."""
    value = {"format": CODES_FORMAT, "parameters": {"trials": trials, "seed": seed}, "rates": rates}
    data = msgspec.json.encode(value)
    text = f"{_heading(trials, seed)}\n\n{codes_table(rates)}\n"
    if out is not None:
        (out / "codes.json").write_bytes(msgspec.json.format(data) + b"\n")
        (out / "codes.md").write_text(text, "utf-8")
    return data, text


def codes_table(rates: list[CodeRate]) -> str:
    """A row for each degradation: its steps, and how many of a hundred were read at each."""
    from suyuan.label.evaluation_tables import percent

    lines = [
        say("| one thing worse | its steps, and how many were read |", "| 变差的因素 | 各级及识读率 |"),
        "|---|---|",
    ]
    for name, (english, chinese, unit) in _WORDS.items():
        steps = [rate for rate in rates if rate.degradation == name]
        told = [
            percent(rate.read.value)
            if name == "everyday"
            else f"{rate.step:g}{unit}: {percent(rate.read.value)}"
            for rate in steps
        ]
        lines.append(f"| {say(english, chinese)} | {', '.join(told)} |")
    return "\n".join(lines)


def printed_codes() -> list[PrintedCode]:
    """A label of each style as each resolution prints it, as dots."""
    import numpy as np

    from suyuan.label.evaluation_codes import PrintedCode
    from suyuan.printing import PRESS_DPI, RESOLUTIONS, Label, built_in_styles, sample_pattern
    from suyuan.printing.images import draw_label
    from suyuan.printing.layout import place
    from suyuan.printing.symbol import MM_PER_INCH

    sample = Label(
        uri="HTTPS://ID.EXAMPLE.CN/01/09506000134352/21/0ABCDEFGHJKMNP000001",
        gtin="09506000134352",
        serial="0ABCDEFGHJKMNP000001",
        lot="L2025-0731A",
        expiry=date(2027, 5, 31),
        name_zh="荷兰婴儿配方奶粉 1段 800克",
        name_en="Infant formula, stage 1, 800 g",
        city="广州",
    )
    found = []
    for name, style in built_in_styles().items():
        item = sample
        if style.pattern is not None:
            item = msgspec.structs.replace(sample, pattern=sample_pattern())
        for dpi in (*RESOLUTIONS, PRESS_DPI):
            try:
                placed = place(item, style, dpi)
                dots = np.asarray(draw_label(item, style, dpi).convert("L"))
            except RefusedError:
                continue  # this printer is too coarse for this style, and printing says so
            side = placed.symbol.size * placed.module
            code = (placed.x, placed.y, side)
            found.append(PrintedCode(f"{name} {dpi}", dots, dpi / MM_PER_INCH, code, placed.module, item.uri))
    return found


@functools.cache
def _prints() -> list[PrintedCode]:
    return printed_codes()


def _rate(task: CodeTask) -> CodeRate:
    from suyuan.label.evaluation_codes import read_rate

    return read_rate(task, _prints())


def _heading(trials: int, seed: int) -> str:
    return say(
        f"Codes of printed labels, read from simulated photos by zxing-cpp: {trials} photos a step, seed {seed}.",
        f"打印标签的二维码，由 zxing-cpp 从仿真照片识读：每级 {trials} 张，种子 {seed}。",
    )
