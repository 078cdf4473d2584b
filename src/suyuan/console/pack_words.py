"""What a station says, in big words: one or two that are read across a table, and one sentence that says what to do."""

from __future__ import annotations

from typing import NamedTuple

from suyuan.console.words import Pair


class Said(NamedTuple):
    """A big word and what to do now, each in Chinese and English."""

    word: Pair
    do: Pair


REFUSALS: dict[str, Said] = {
    "station.code.unread": Said(
        ("读不懂", "NOT A CODE"), ("再扫一次；扫商品上的追溯码", "Scan again; scan the code on the goods")
    ),
    "station.code.unknown": Said(
        ("没有这个码", "UNKNOWN CODE"), ("放到一边，交给班长", "Put it aside for the supervisor")
    ),
    "station.code.voided": Said(
        ("码已作废", "VOIDED"), ("撕掉标签，换一件", "Take the label off, use another item")
    ),
    "station.code.recalled": Said(
        ("召回！停", "RECALLED! STOP"), ("不要装，放进隔离区", "Do not pack; put it into quarantine")
    ),
    "station.code.damaged": Said(
        ("残损品", "DAMAGED"), ("不要装，放进残损区", "Do not pack; put it with the damaged goods")
    ),
    "station.code.destroyed": Said(
        ("已销毁的码", "DESTROYED"),
        ("这个码不该出现，交给班长", "This code should not be here; tell the supervisor"),
    ),
    "station.code.packed": Said(
        ("已在别的包裹", "IN ANOTHER PARCEL"),
        ("换一件；这件交给班长", "Use another item; this one to the supervisor"),
    ),
    "station.code.here": Said(("已在本包裹", "ALREADY IN"), ("扫下一件", "Scan the next item")),
    "station.code.elsewhere": Said(
        ("不在这里面", "NOT IN THIS ONE"), ("核对单号，或换一件", "Check the number, or take another item")
    ),
    "station.code.other_lot": Said(
        ("批号不对", "WRONG LOT"), ("换指定批号的货", "Take goods of the lot that was scanned")
    ),
    "station.sku.wrong": Said(
        ("商品不对", "WRONG ITEM"), ("放回去，按订单拿货", "Put it back; take what was ordered")
    ),
    "station.sku.enough": Said(("数量已够", "ENOUGH"), ("这件放回去", "Put this one back")),
    "station.sku.first": Said(
        ("先扫商品条码", "SCAN THE SKU"), ("扫包装上的商品条码", "Scan the product barcode first")
    ),
    "station.waybill.first": Said(
        ("先扫面单", "SCAN THE WAYBILL"), ("这里要先扫快递面单", "Scan the courier's waybill first")
    ),
    "station.parent.first": Said(
        ("先扫箱托码", "SCAN THE CASE"), ("先扫箱或托盘的码", "Scan the case or pallet first")
    ),
    "station.waybill.form": Said(
        ("不是面单号", "NOT A WAYBILL"), ("扫快递面单上的条码", "Scan the barcode on the waybill")
    ),
    "station.courier.unknown": Said(
        ("选择快递", "WHICH COURIER?"),
        ("在菜单里选快递公司，再扫一次", "Choose the courier in the menu, scan again"),
    ),
    "station.scan.twice": Said(("扫过了", "SCANNED BEFORE"), ("扫下一件", "Scan the next item")),
    "station.act.empty": Said(("还没有扫货", "NOTHING SCANNED"), ("先扫商品", "Scan goods first")),
    "station.act.time": Said(
        ("手机时间不对", "WRONG CLOCK"), ("校准设备时间", "Set the clock of this device")
    ),
    "station.act.unknown": Said(
        ("没有可撤销的", "NOTHING TO UNDO"), ("这一单没有入库", "It was never stored")
    ),
    "station.lot.not_here": Said(("没有这批货", "LOT NOT HERE"), ("先做收货", "Report it as received first")),
    "issuing.code.none_left": Said(
        ("码用完了", "NO CODES LEFT"), ("请班长申请新码", "Ask for a new batch of codes")
    ),
    "station.role": Said(("没有权限", "NOT ALLOWED"), ("请找管理员", "Ask your admin")),
    "station.session": Said(
        ("请重新登录", "SIGN IN AGAIN"),
        ("扫描已保存，登录后自动上传", "Scans are kept and sent after signing in"),
    ),
    "station.refused": Said(("系统拒绝", "REFUSED"), ("交给班长", "Tell the supervisor")),
}

STATES: dict[str, Said] = {
    "waybill": Said(("扫面单", "SCAN WAYBILL"), ("快递面单上的条码", "The barcode of the courier's label")),
    "sku": Said(("扫商品条码", "SCAN SKU"), ("包装上的商品条码", "The product barcode on the pack")),
    "serial": Said(("扫追溯码", "SCAN CODE"), ("每件商品上的追溯码", "The code of every single item")),
    "parent": Said(("扫箱托码", "SCAN CASE / PALLET"), ("箱码或托盘 SSCC", "Its case code or SSCC")),
    "child": Said(("扫里面的货", "SCAN CONTENTS"), ("逐件扫，最后按完成", "Each one, then press Done")),
    "out": Said(
        ("扫拿出的货", "SCAN WHAT COMES OUT"), ("不扫直接完成 = 全部拆出", "Done without a scan: everything")
    ),
    "goods": Said(("扫货", "SCAN GOODS"), ("单件码、箱托码或商品条码", "Item, case, pallet or product code")),
    "shelf": Said(("扫库位", "SCAN SHELF"), ("库位上的条码", "The barcode of the shelf")),
    "good": Said(("好", "OK"), ("", "")),
    "done": Said(("完成", "DONE"), ("已保存", "Stored")),
    "kept": Said(("已存本机", "KEPT HERE"), ("联网后自动上传", "Sent when the network is back")),
    "undone": Said(("已撤销", "UNDONE"), ("货可以重新装", "The goods are free again")),
    "printed": Said(("贴标签", "STICK LABEL"), ("贴好，再扫这张标签", "Stick it on, then scan it")),
    "inactive": Said(
        ("注意：未激活", "NOTE: NOT ACTIVE"),
        ("可以装，激活后才能销售", "It may be packed; activate it before sale"),
    ),
    "again": Said(
        ("重复装箱", "PACKED BEFORE"),
        ("这个面单已装过，确认再继续", "This waybill was packed before; make sure"),
    ),
    "checking": Said(("……", "…"), ("核对中", "Checking")),
}

MODES: dict[str, tuple[Pair, str]] = {
    "pack": (("装包裹", "Pack parcels"), "parcel"),
    "receive": (("收货", "Receive"), "down"),
    "store": (("上架", "Put away"), "boxes"),
    "count": (("盘点", "Count"), "list"),
    "damage": (("报残损", "Damage"), "warn"),
    "nest": (("装箱组托", "Case / pallet"), "boxes"),
    "unpack": (("拆箱拆托", "Break down"), "out"),
}

REASONS: tuple[tuple[str, Pair], ...] = (
    ("crushed", ("压坏", "Crushed")),
    ("leaking", ("漏", "Leaking")),
    ("wet", ("受潮", "Wet")),
    ("opened", ("开封", "Opened")),
    ("expired", ("过期", "Expired")),
)

SCREEN: dict[str, Pair] = {
    "online": ("在线", "Online"),
    "offline": ("离线", "Offline"),
    "waiting": ("待传", "waiting"),
    "done": ("完成", "Done"),
    "undo": ("撤销", "Undo"),
    "undo_last": ("撤销上一单", "Undo last"),
    "clear": ("清空", "Clear"),
    "label": ("打标签", "Print label"),
    "camera": ("相机", "Camera"),
    "type": ("手输", "Type"),
    "enter": ("输入", "Enter"),
    "number": ("编码或单号", "Code or number"),
    "menu": ("菜单", "Menu"),
    "close": ("关闭", "Close"),
    "courier": ("快递公司", "Courier"),
    "auto": ("自动识别", "From the papers"),
    "sound": ("声音", "Sound"),
    "pieces": ("件", "pcs"),
    "quantity": ("数量", "How many"),
    "reason": ("原因", "Reason"),
    "lot": ("批号", "Lot"),
    "parcel": ("面单", "Waybill"),
    "shelf": ("库位", "Shelf"),
    "parent": ("箱托", "Case"),
    "findings": ("待处理", "To be put right"),
    "reopen": ("重开这一单", "Open it again"),
    "discard": ("放弃", "Give up"),
    "sure": ("再按一次确认", "Press again"),
    "console": ("返回控制台", "Back to the console"),
    "download": ("下载 ZPL", "Download ZPL"),
    "print_failed": ("打印机没有响应", "The printer does not answer"),
    "other_party": ("其他企业的记录", "of another firm"),
    "expected": ("应装", "Ordered"),
    "sign_in": ("登录", "Sign in"),
    "all": ("全部", "all"),
}
