"""What states and acts of a code, and answers about its label, are called in Chinese."""

from __future__ import annotations

from typing import Final

STATES: Final = {
    "issued": "已发码",
    "printed": "已印制",
    "commissioned": "已赋码",
    "activated": "已激活",
    "active": "已激活",
    "packed": "已装箱",
    "loaded": "已装载",
    "in transit": "运输途中",
    "arrived": "已到达",
    "received": "已收货",
    "stored": "在库",
    "packed for the buyer": "已为买家打包",
    "dispatched": "派送途中",
    "delivered": "已签收",
    "sold": "已售出",
    "returned": "已退货",
    "damaged": "已损坏",
    "destroyed": "已销毁",
    "voided": "已作废",
    "recalled": "已召回",
    "unknown": "未知",
}
ANSWERS: Final = {"matches": "相符", "differs": "不符", "unclear": "无法判断"}
