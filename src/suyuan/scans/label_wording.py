"""What a check of a label is said to mean, in English and Chinese: three answers, and never more than was compared."""

from __future__ import annotations

from typing import Final

import msgspec

from suyuan.label.model import Answer
from suyuan.scans.label_model import LabelCheck
from suyuan.scans.wording import Words

# To stand near every result.
MEANING_EN: Final = (
    "A photo, or a short clip under the torch, is compared with the record that was made when this very label was"
    " enrolled. How often that errs was measured on a simulator built on physics, not on labels and phones in use. A"
    " match speaks for the label; it says nothing of the goods inside."
)
MEANING_ZH: Final = (
    "核对是将照片或开灯短视频与该标签登记时留存的记录作比较。误判率在物理模拟环境中测得，并非实际标签与手机的数据。"
    "相符只说明标签本身，不能说明包装内的商品。"
)

_ANSWERS: Final[dict[Answer, Words]] = {
    "matches": Words(
        "The label matches its enrolment",
        "标签与登记记录相符",
        "What the camera saw agrees with the record of the label that was enrolled for this item.",
        "所拍标签与为本商品登记的标签记录一致。",
    ),
    "differs": Words(
        "The label does not match its enrolment",
        "标签与登记记录不符",
        "The picture was good enough to compare, and does not agree with the record of the label that was enrolled for"
        " this item. Take it once more, flat and in even light; if it still differs, ask the seller and report it.",
        "所拍图像清晰可比，但与为本商品登记的标签记录不一致。请将标签放平、在均匀光线下重拍一次；如仍不符，请联系卖家并反馈。",
    ),
    "unclear": Words(
        "Could not tell: please take it again",
        "无法判断，请重新拍摄",
        "The picture was not good enough to compare. That says nothing about the label.",
        "本次图像不足以比对，不代表标签有问题。",
    ),
}

_ADVICE: Final[dict[str, tuple[str, str]]] = {
    "no_code": (
        "Hold the whole QR code and the pattern beside it in the picture.",
        "请将完整的二维码及其旁边的图案放入画面。",
    ),
    "other_code": (
        "The picture shows the code of another item: take the label that you scanned.",
        "画面中是另一件商品的码，请拍摄刚才扫描的标签。",
    ),
    "too_small": ("Go closer until the label fills the frame.", "请靠近一些，让标签充满取景框。"),
    "blurred": (
        "Hold still, and wait until the label is sharp.",
        "请拿稳手机，待标签清晰后再拍。",
    ),
    "glare": (
        "Turn a little so that no lamp is mirrored in the label.",
        "请稍微转动，避免标签反光。",
    ),
    "too_dark": ("Take it in brighter light.", "请在更亮的光线下拍摄。"),
    "registration": (
        "Smooth the label flat and take it straight from above.",
        "请抚平标签，从正上方拍摄。",
    ),
    "damaged": (
        "Wipe the label and take it in even light: a part of the pattern agrees, another part does not.",
        "请擦净标签并在均匀光线下重拍：图案的一部分相符，另一部分不相符。",
    ),
    "torch_off": ("Switch the torch of the phone on.", "请打开手机手电筒。"),
    "too_few_frames": (
        "Keep the label in the picture until the whole way is done.",
        "请在整个过程中让标签保持在画面内。",
    ),
    "too_little_tilt": ("Tilt the phone further to each side.", "请将手机向各方向倾斜得更大一些。"),
    "tilt_path": (
        "Tilt the phone in the order that is shown.",
        "请按照提示的方向顺序倾斜手机。",
    ),
    "near_duplicate": (
        "This capture was sent before: take a new one.",
        "该图像此前已提交过，请重新拍摄。",
    ),
    "moved_too_fast": ("Move more slowly.", "请放慢移动速度。"),
}


class Advice(msgspec.Struct, frozen=True):
    """A reason as a stable word, and what to do about it."""

    reason: str
    text_en: str
    text_zh: str


def label_words_of(check: LabelCheck) -> Words:
    """The words of an answer."""
    if check.retry_seconds:
        minutes = -(-check.retry_seconds // 60)
        return Words(
            "Too many tries",
            "尝试次数过多",
            f"Nothing was compared this time. Try again in {minutes} minute{'s' * (minutes != 1)}.",
            f"本次未作比对，请在 {minutes} 分钟后再试。",
        )
    words = _ANSWERS[check.answer]
    if not check.voided:
        return words
    return msgspec.structs.replace(
        words,
        text_en="This code was taken out of use before sale: the item should not be on the market. "
        + words.text_en,
        text_zh="此码在销售前已作废，该商品不应流通。" + words.text_zh,
    )


def advice_of(reasons: tuple[str, ...]) -> tuple[Advice, ...]:
    """What to do about each reason that there is advice for."""
    return tuple(Advice(reason, *_ADVICE[reason]) for reason in reasons if reason in _ADVICE)
