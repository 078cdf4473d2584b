"""What a verification is said to mean, in English and Chinese: never more than it proves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from suyuan.scans.verifying import Result, Verification

_CHINA = timedelta(hours=8)


class Words(msgspec.Struct, frozen=True):
    """A headline and what it means."""

    title_en: str
    title_zh: str
    text_en: str
    text_zh: str


_LIMIT_EN = "It does not prove what is inside the pack."
_LIMIT_ZH = "但不能证明包装内的商品本身。"
# What was typed is no scratch code: nothing was checked, and no try counted.
UNREADABLE = Words(
    "That is no scratch code",
    "这不是刮开码",
    "A scratch code has 12 letters and digits and stands under the layer that is scratched off. Nothing was checked.",
    "刮开码为涂层下的 12 位字母和数字。本次未作核对。",
)
_FIXED: dict[Result, Words] = {
    "first": Words(
        "The code is right: first verification",
        "刮开码正确，首次验证",
        "The code under the layer belongs to this item, and nobody had verified it here before. " + _LIMIT_EN,
        "涂层下的码与本商品对应，此前未在本平台验证过。" + _LIMIT_ZH,
    ),
    "wrong": Words(
        "The code does not match this item",
        "刮开码与本商品不符",
        "Compare each character with the label. If it is typed as printed, the code under the layer is not the one"
        " that was issued for this item: ask the seller and report it.",
        "请逐位核对标签上的字符。如与标签一致仍不符，说明涂层下的码并非为本商品所发，请联系卖家并反馈。",
    ),
    "not_applicable": Words(
        "This item has no scratch code",
        "本商品没有刮开码",
        "There is no second code to verify under this address. Its way can be read all the same.",
        "此地址下没有可验证的第二个码，追溯信息不受影响。",
    ),
}


def words_of(answer: Verification) -> Words:
    """The words of an answer."""
    if answer.result == "too_many":
        minutes = -(-answer.retry_seconds // 60)
        return Words(
            "Too many tries",
            "尝试次数过多",
            f"Nothing was checked this time. Try again in {minutes} minute{'s' * (minutes != 1)}.",
            f"本次未作核对，请在 {minutes} 分钟后再试。",
        )
    words = _repeated(answer) if answer.result == "repeated" else _FIXED[answer.result]
    if not answer.voided:
        return words
    return msgspec.structs.replace(
        words,
        text_en="This code was taken out of use before sale: the item should not be on the market. "
        + words.text_en,
        text_zh="此码在销售前已作废，该商品不应流通。" + words.text_zh,
    )


def _repeated(answer: Verification) -> Words:
    day = "" if answer.first_at is None else _day(answer.first_at)
    return Words(
        f"The code is right: verified {answer.count} times",
        f"刮开码正确，已验证 {answer.count} 次",
        f"It was verified first on {day} (China time). If the layer was whole when you got the item and that was not"
        f" you, the label may be a copy: ask the seller and report it. {_LIMIT_EN}",
        f"首次验证时间为 {day}（北京时间）。如收货时涂层完好且首次验证并非本人，标签可能被复制，请联系卖家并反馈。"
        f"{_LIMIT_ZH}",
    )


def _day(moment: datetime) -> str:
    return (moment.astimezone(UTC) + _CHINA).strftime("%Y-%m-%d %H:%M")
