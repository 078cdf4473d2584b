"""An evaluation as Markdown, in English or Chinese. What was simulated and what was captured never share a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from suyuan.label.evaluation import GENUINE, Evaluation, Source, Times
from suyuan.label.evaluation_rates import Rate
from suyuan.label.model import Track

Language = Literal["en", "zh"]

MEANING: Final[dict[Language, str]] = {
    "en": (
        "A check compares a photo, or a short video under the torch, with the record that was made when this label was"
        " enrolled. A match says something of the label; it says nothing of the goods inside."
    ),
    "zh": "核对是把照片或手电筒下的短视频与该标签登记时的记录相比较。相符只说明标签，不说明里面的货物。",
}
SOURCES: Final[dict[Source, dict[Language, str]]] = {
    "simulated": {
        "en": (
            "Measured on a physics-based simulator, with seeds and channel parameters that no threshold was set on;"
            " not on production labels or phones."
        ),
        "zh": "在物理仿真器上测得，所用种子和信道参数均未用于设定阈值；并非在量产标签或真实手机上测得。",
    },
    "captured": {
        "en": "Measured on the real captures of a manifest; no threshold was set on these labels or phones.",
        "zh": "由清单中的真实拍摄测得；这些标签和手机未用于设定阈值。",
    },
}
TITLES: Final[dict[Track, dict[Language, str]]] = {
    "A": {"en": "Track A: printed pattern, one photo", "zh": "A 轨：印刷图案，一张照片"},
    "B": {"en": "Track B: dynamic label, clip under the torch", "zh": "B 轨：动态标签，手电筒下的短视频"},
}
_OWN: Final[dict[Language, str]] = {"en": "own label", "zh": "登记的标签"}
_ATTACKS_ZH: Final = {
    "office_copy": "办公复印",
    "same_press_copy": "同型印刷机阈值复制",
    "learned_copy": "学习复制",
    "leaked_template": "模板泄露",
    "grey_reprint": "两倍分辨率灰度重印",
    "wrong_label": "别的标签",
    "wrong": "别的标签",
    "print": "打印",
    "foil": "金属箔打印",
    "replay": "回放（不同步）",
    "replay_path_unchecked": "回放（不查倾斜路径）",
    "replay_synchronised": "回放（同步）",
    "injected": "注入录像",
}
_CONDITIONS_ZH: Final = {
    "bent label": "弯曲的标签",
    "corners not refined": "二维码角点未精修",
    "phone held still": "手机未倾斜",
    "torch off": "手电筒关闭",
    "two pixels a symbol": "每符号两个像素",
    "out of focus": "失焦",
    "round a bottle of 40 mm": "贴在直径 40 毫米的瓶上",
    "three scratches": "三道划痕",
    "dust": "灰尘",
    "worn by 1%": "磨损 1%",
    "hard shadow": "边缘清晰的阴影",
    "press at 812 dpi, 8 mm": "印刷机 812 dpi，8 毫米",
    "laser at 600 dpi": "激光打印机 600 dpi",
    "thermal at 300 dpi": "热敏打印机 300 dpi",
    "thermal at 203 dpi": "热敏打印机 203 dpi",
}
_WORDS: Final[dict[str, dict[Language, str]]] = {
    "attack": {"en": "capture of", "zh": "拍摄对象"},
    "trials": {"en": "trials", "zh": "次数"},
    "labels": {"en": "labels", "zh": "标签数"},
    "matches": {"en": "matches", "zh": "相符"},
    "differs": {"en": "does not match", "zh": "不相符"},
    "unclear": {"en": "could not tell", "zh": "无法判断"},
    "wrongly": {"en": "wrongly answered (95%)", "zh": "误判率（95%）"},
    "eer": {"en": "EER (at most)", "zh": "等错误率（上界）"},
    "zero": {"en": "own label refused at zero accepts", "zh": "零误收时的误拒率"},
    "calibrated": {"en": "at the calibrated margin", "zh": "按校准余量"},
    "condition": {"en": "condition", "zh": "条件"},
    "reasons": {"en": "why", "zh": "原因"},
    "pixels": {"en": "pixels a symbol", "zh": "每符号像素"},
    "refused": {"en": "own label refused", "zh": "误拒"},
    "published": {
        "en": "`*` not meant to be stopped by the optics; published as it is.",
        "zh": "`*` 光学方法不能阻止，如实公布。",
    },
}


def table_of(evaluation: Evaluation, language: Language = "en") -> str:
    """All tables of an evaluation, under a heading of the second level; without times."""
    parts = [
        f"## {TITLES[evaluation.track][language]}",
        SOURCES[evaluation.source][language],
        _main_table(evaluation, language),
        _word("published", language),
        _calibration(evaluation, language),
        _reasons(evaluation, language),
    ]
    if evaluation.conditions:
        parts.append(_condition_table(evaluation, language))
    if len(evaluation.bands) > 1:
        parts.append(_band_table(evaluation, language))
    return "\n\n".join(part for part in parts if part)


def times_line(times: Times, track: Track, language: Language = "en") -> str:
    """How long a check took; apart, because it is of the machine and not of the seed."""
    median, p95, frame = (
        f"{value:.0f}" for value in (times.check_median, times.check_p95, times.frame_median)
    )
    if language == "zh":
        line = f"每次核对占用单核 {median} 毫秒（中位数），p95 {p95} 毫秒"
        return line + (f"；每帧 {frame} 毫秒。" if track == "B" else "。")
    line = f"A check took {median} ms of one core (median), {p95} ms at p95"
    return line + (f"; {frame} ms a frame." if track == "B" else ".")


def percent(share: float) -> str:
    """A share as a percentage, with as many digits as a rare error needs."""
    if math.isnan(share):
        return "-"
    hundredths = share * 100
    return f"{hundredths:.2f}%" if 0 < hundredths < 10 else f"{hundredths:.1f}%" if hundredths else "0"


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table; the first names the columns, of which the first is text and the others figures."""
    head, *body = rows
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def _main_table(evaluation: Evaluation, language: Language) -> str:
    columns = (
        "attack",
        "trials",
        "labels",
        "matches",
        "differs",
        "unclear",
        "wrongly",
        "eer",
        "zero",
        "calibrated",
    )
    rows = [[_word(column, language) for column in columns]]
    own = evaluation.genuine
    rows.append(
        [
            _named(GENUINE, language),
            str(own.trials),
            str(own.labels),
            str(own.matches),
            str(own.differs),
            str(own.unclear),
            _bounded(own.refused),
            "",
            "",
            _bounded(own.refused_calibrated),
        ]
    )
    for attack in evaluation.attacks:
        rows.append(
            [
                _named(attack.attack, language) + ("" if attack.meant_to_stop else " `*`"),
                str(attack.trials),
                str(attack.labels),
                str(attack.matches),
                str(attack.differs),
                str(attack.unclear),
                _bounded(attack.accepted),
                f"{percent(attack.curve.eer)} ({percent(attack.curve.eer_high)})",
                _bounded(attack.curve.refused_at_zero),
                _bounded(attack.accepted_calibrated),
            ]
        )
    return markdown_table(rows)


def _condition_table(evaluation: Evaluation, language: Language) -> str:
    columns = ("condition", "attack", "trials", "matches", "differs", "unclear")
    rows = [[_word(column, language) for column in columns]]
    rows += [
        [
            each.condition if language == "en" else _CONDITIONS_ZH.get(each.condition, each.condition),
            _named(each.attack, language),
            str(each.trials),
            str(each.matches),
            str(each.differs),
            _with_reasons(each.unclear, each.reasons),
        ]
        for each in evaluation.conditions
    ]
    return markdown_table(rows)


def _band_table(evaluation: Evaluation, language: Language) -> str:
    names = [attack.attack for attack in evaluation.attacks]
    rows = [
        [_word("pixels", language), _word("trials", language), _word("refused", language)]
        + [f"EER {_named(name, language)}" for name in names]
    ]
    for band in evaluation.bands:
        reach = f"{band.low:g} - {band.high:g}" if math.isfinite(band.high) else f"{band.low:g} +"
        rows.append(
            [reach, str(band.genuine), _bounded(band.refused), *(percent(band.eer[name]) for name in names)]
        )
    return markdown_table(rows)


def _calibration(evaluation: Evaluation, language: Language) -> str:
    if not evaluation.calibration_trials:
        return ""
    if language == "zh":
        return (
            f"校准集 {evaluation.calibration_trials} 次拍摄：内置阈值加 {evaluation.calibrated_margin:+.3f}"
            " 时两类错误相等。“按校准余量”一列用的就是这个值。"
        )
    return (
        f"The calibration split has {evaluation.calibration_trials} trials. There both errors are equal at"
        f" {evaluation.calibrated_margin:+.3f} beside the built-in thresholds; the last column is at that margin."
    )


def _reasons(evaluation: Evaluation, language: Language) -> str:
    reasons = evaluation.genuine.reasons
    if not reasons:
        return ""
    told = ", ".join(f"{name} {count}" for name, count in reasons.items())
    head = (
        "Why captures of the own label could not be told" if language == "en" else "登记的标签无法判断的原因"
    )
    return f"{head}: {told}."


def _with_reasons(count: int, reasons: dict[str, int]) -> str:
    return f"{count} ({', '.join(reasons)})" if reasons else str(count)


def _bounded(rate: Rate) -> str:
    """A rate with its bounds: what it is at most where nothing was counted, else from and to."""
    if not rate.of:
        return "-"
    if rate.count == 0:
        return f"0 (< {percent(rate.high)})"
    return f"{percent(rate.value)} ({percent(rate.low)} - {percent(rate.high)})"


def _named(attack: str, language: Language) -> str:
    if attack == GENUINE:
        return _OWN[language]
    return _ATTACKS_ZH.get(attack, attack) if language == "zh" else attack.replace("_", " ")


def _word(name: str, language: Language) -> str:
    return _WORDS[name][language]
