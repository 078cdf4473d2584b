"""Valid synthetic customs messages to start from: invented firms, identity numbers of area 990101 only.

``message(kind)`` gives the bytes; ``change`` overrides a field by name (in every part that has it, or only in
``Part.name``), ``drop`` removes fields. A value of ``None`` removes a field, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from xml.sax.saxutils import escape

from suyuan.customs.tables import message_tables

Fields = dict[str, str | None]
Parts = list[tuple[str, Fields]]

ID_NUMBER = "990101199001010019"
ORDER_NO = "PX20260305101500000042"
WAYBILL_NO = "YT7700000000042"
PAYMENT_NO = "2026030522001400000000042"
PARCEL_LIST_NO = "51652026I000000042"
PREENTRY_NO = "202600000000000042"
COP_NO = "NB20260305000042"
SECOND_WAYBILL = "YT7700000000043"
INBOUND_NO = "516520260305000042"
AIR_WAYBILL = "784-00000420"
TAX_NO = "516520260401000042"
LEDGER = "T5165W000042"
ENTRY_LIST = "QD516526I000000042"
EXIT_LIST = "QD516526E000000042"
GATE_PASS = "Z5165I260302000000000042"
GTIN = "9506000134352"
CONTAINER = "CSQU3054383"

_GUID = "0A4E2D6C-5B1F-4C7A-9E3D-1F2A3B4C5D6E"
_HEAD: Fields = {"guid": _GUID, "appType": "1", "appTime": "20260305101501", "appStatus": "2"}
_PERSON: Fields = {
    "buyerIdType": "1",
    "buyerIdNumber": ID_NUMBER,
    "buyerName": "样例乙",
    "buyerTelephone": "19900000042",
}
_PLATFORM: Fields = {"ebpCode": "330196P042", "ebpName": "示范商城有限公司"}
_SELLER: Fields = {"ebcCode": "330196S042", "ebcName": "示范贸易有限公司"}
_CARRIER: Fields = {"logisticsCode": "330196L042", "logisticsName": "示范快运有限公司"}

_CEB: dict[str, tuple[str, Parts]] = {
    "CEB311": (
        "Order",
        [
            (
                "OrderHead",
                {
                    **_HEAD,
                    "orderType": "I",
                    "orderNo": ORDER_NO,
                    **_PLATFORM,
                    **_SELLER,
                    "goodsValue": "250.00",
                    "freight": "10",
                    "discount": "5.50",
                    "taxTotal": "23.21",
                    "acturalPaid": "277.71",
                    "currency": "142",
                    "buyerRegNo": "account-000042",
                    **_PERSON,
                    "payTransactionId": PAYMENT_NO,
                    "consignee": "样例丙",
                    "consigneeTelephone": "19900000043",
                    "consigneeAddress": "示范省示范市示范路42号",
                    "consigneeDistrict": "990101",
                    "note": "请放门口",
                },
            ),
            (
                "OrderList",
                {
                    "gnum": "1",
                    "itemNo": "AB-42",
                    "itemName": "橄榄油",
                    "gmodel": "500毫升/瓶",
                    "barCode": GTIN,
                    "unit": "142",
                    "qty": "2",
                    "price": "125.00",
                    "totalPrice": "250.00",
                    "currency": "142",
                    "country": "307",
                },
            ),
        ],
    ),
    "CEB411": (
        "Payment",
        [
            (
                "PaymentHead",
                {
                    **_HEAD,
                    "payCode": "330196Q042",
                    "payName": "示范支付有限公司",
                    "payTransactionId": PAYMENT_NO,
                    "orderNo": ORDER_NO,
                    **_PLATFORM,
                    "payerIdType": "1",
                    "payerIdNumber": ID_NUMBER,
                    "payerName": "样例乙",
                    "telephone": "19900000042",
                    "amountPaid": "277.71",
                    "currency": "142",
                    "payTime": "20260305101530",
                    "note": "首单",
                },
            )
        ],
    ),
    "CEB511": (
        "Logistics",
        [
            (
                "LogisticsHead",
                {
                    **_HEAD,
                    **_CARRIER,
                    "logisticsNo": WAYBILL_NO,
                    "orderNo": ORDER_NO,
                    "freight": "10",
                    "insuredFee": "0",
                    "currency": "142",
                    "weight": "1.2",
                    "packNo": "1",
                    "goodsInfo": "橄榄油 两瓶",
                    "consignee": "样例丙",
                    "consigneeAddress": "示范省示范市示范路42号",
                    "consigneeTelephone": "19900000043",
                },
            )
        ],
    ),
    "CEB513": (
        "LogisticsStatus",
        [
            (
                "",
                {
                    **_HEAD,
                    **_CARRIER,
                    "logisticsNo": WAYBILL_NO,
                    "logisticsStatus": "S",
                    "logisticsTime": "20260309183000",
                    "note": "本人签收",
                },
            )
        ],
    ),
    "CEB621": (
        "Inventory",
        [
            (
                "InventoryHead",
                {
                    **_HEAD,
                    "orderNo": ORDER_NO,
                    **_PLATFORM,
                    **_SELLER,
                    "logisticsNo": WAYBILL_NO,
                    **_CARRIER,
                    "copNo": COP_NO,
                    "preNo": PREENTRY_NO,
                    "assureCode": "330196S042",
                    "emsNo": LEDGER,
                    "invtNo": PARCEL_LIST_NO,
                    "ieFlag": "I",
                    "declTime": "20260305",
                    "customsCode": "5165",
                    "portCode": "5165",
                    **_PERSON,
                    "consigneeAddress": "示范省示范市示范路42号",
                    "agentCode": "330196B042",
                    "agentName": "示范报关有限公司",
                    "areaCode": "330196W042",
                    "areaName": "示范保税仓有限公司",
                    "tradeMode": "1210",
                    "trafMode": "Y",
                    "country": "142",
                    "freight": "10",
                    "insuredFee": "0",
                    "currency": "142",
                    "packNo": "1",
                    "grossWeight": "1.2",
                    "netWeight": "1.0",
                    "note": "易碎",
                },
            ),
            (
                "InventoryList",
                {
                    "gnum": "1",
                    "itemRecordNo": "9",
                    "itemNo": "AB-42",
                    "itemName": "橄榄油",
                    "gcode": "1509200000",
                    "gname": "特级初榨橄榄油",
                    "gmodel": "500毫升/瓶",
                    "barCode": GTIN,
                    "country": "307",
                    "currency": "142",
                    "qty": "2",
                    "unit": "142",
                    "qty1": "0.92",
                    "unit1": "035",
                    "price": "125.00",
                    "totalPrice": "250.00",
                },
            ),
        ],
    ),
    "CEB622": (
        "InventoryReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "customsCode": "5165",
                    "ebpCode": "330196P042",
                    "ebcCode": "330196S042",
                    "agentCode": "330196B042",
                    "copNo": COP_NO,
                    "preNo": PREENTRY_NO,
                    "invtNo": PARCEL_LIST_NO,
                    "returnStatus": "800",
                    "returnTime": "20260305101922123",
                    "returnInfo": f"放行[{ORDER_NO}]",
                },
            )
        ],
    ),
    "CEB818": (
        "Tax",
        [
            (
                "TaxHeadStatus",
                {
                    "guid": _GUID,
                    "returnTime": "20260402000000000",
                    "invtNo": PARCEL_LIST_NO,
                    "taxNo": TAX_NO,
                    "status": "2",
                    "entDutyNo": "516520260401000001",
                    "assureCode": "330196S042",
                },
            )
        ],
    ),
    "CEB816": (
        "Tax",
        [
            (
                "TaxHeadRd",
                {
                    "guid": _GUID,
                    "returnTime": "20260401000000000",
                    "invtNo": PARCEL_LIST_NO,
                    "taxNo": TAX_NO,
                    "customsTax": "0",
                    "valueAddedTax": "23.21",
                    "consumptionTax": "0",
                    "status": "2",
                    "entDutyNo": "516520260401000001",
                    "assureCode": "330196S042",
                    "ebcCode": "330196S042",
                    "logisticsCode": "330196L042",
                    "agentCode": "330196B042",
                    "customsCode": "5165",
                    "orderNo": ORDER_NO,
                    "logisticsNo": WAYBILL_NO,
                },
            ),
            (
                "TaxListRd",
                {
                    "gnum": "1",
                    "gcode": "1509200000",
                    "taxPrice": "260.00",
                    "customsTax": "0",
                    "valueAddedTax": "23.21",
                    "consumptionTax": "0",
                },
            ),
        ],
    ),
}

_ANSWER: Fields = {"returnStatus": "120", "returnTime": "20260305101645250"}
_LIST_NUMBERS: Fields = {"copNo": COP_NO, "preNo": PREENTRY_NO, "invtNo": PARCEL_LIST_NO}
_REQUEST: Fields = {
    **_HEAD,
    "appTime": "20260320090000",
    "customsCode": "5165",
    "orderNo": ORDER_NO,
    **_PLATFORM,
    **_SELLER,
    "logisticsNo": WAYBILL_NO,
    **_CARRIER,
    **_LIST_NUMBERS,
    **_PERSON,
    "agentCode": "330196B042",
    "agentName": "示范报关有限公司",
}
_REPLY: Fields = {
    "guid": _GUID,
    "customsCode": "5165",
    "agentCode": "330196B042",
    "ebpCode": "330196P042",
    "ebcCode": "330196S042",
    **_LIST_NUMBERS,
    "returnStatus": "399",
    "returnTime": "20260325110000000",
}
_INBOUND: Fields = {"copNo": "SITE-0042", "preNo": "202600000000000777", "rkdNo": INBOUND_NO}

_CEB |= {
    "CEB312": (
        "OrderReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "ebpCode": "330196P042",
                    "ebcCode": "330196S042",
                    "orderNo": ORDER_NO,
                    **_ANSWER,
                    "returnInfo": f"新增申报成功[{ORDER_NO}]",
                },
            )
        ],
    ),
    "CEB412": (
        "PaymentReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "payCode": "330196Q042",
                    "payTransactionId": PAYMENT_NO,
                    **_ANSWER,
                    "returnInfo": "新增申报成功",
                },
            )
        ],
    ),
    "CEB512": (
        "LogisticsReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "logisticsCode": "330196L042",
                    "logisticsNo": WAYBILL_NO,
                    **_ANSWER,
                    "returnInfo": f"新增申报成功[{WAYBILL_NO}]",
                },
            )
        ],
    ),
    "CEB514": (
        "LogisticsStatusReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "logisticsCode": "330196L042",
                    "logisticsNo": WAYBILL_NO,
                    "logisticsStatus": "S",
                    **_ANSWER,
                    "returnInfo": "新增申报成功",
                },
            )
        ],
    ),
    "CEB623": ("InvtCancel", [("", {**_REQUEST, "reason": "样例乙 取消订单", "note": "急"})]),
    "CEB624": ("InvtCancelReturn", [("", {**_REPLY, "returnInfo": "审结"})]),
    "CEB625": (
        "InvtRefund",
        [
            ("InvtRefundHead", {**_REQUEST, "reason": "样例乙来电 瓶身破损", "note": "已联系"}),
            (
                "InvtRefundList",
                {"gnum": "1", "gcode": "1509200000", "gname": "特级初榨橄榄油", "qty": "1", "unit": "142"},
            ),
        ],
    ),
    "CEB626": ("InvtRefundReturn", [("", {**_REPLY, "returnInfo": f"审结[{PARCEL_LIST_NO}]"})]),
    "CEB711": (
        "Delivery",
        [
            (
                "DeliveryHead",
                {
                    **_HEAD,
                    "customsCode": "5165",
                    **_INBOUND,
                    "operatorCode": "330196W042",
                    "operatorName": "示范监管场所有限公司",
                    "ieFlag": "I",
                    "trafMode": "5",
                    "trafNo": "XX302",
                    "voyageNo": "XX302",
                    "billNo": AIR_WAYBILL,
                    **_CARRIER,
                    "unloadLocation": "A-3",
                    "note": "短少一件",
                },
            ),
            ("DeliveryList", {"gnum": "1", "logisticsNo": WAYBILL_NO, "note": "样例乙的包裹"}),
            ("DeliveryList", {"gnum": "2", "logisticsNo": SECOND_WAYBILL}),
        ],
    ),
    "CEB712": (
        "DeliveryReturn",
        [
            (
                "",
                {
                    "guid": _GUID,
                    "customsCode": "5165",
                    "operatorCode": "330196W042",
                    **_INBOUND,
                    **_ANSWER,
                    "returnInfo": "新增申报成功",
                },
            )
        ],
    ),
}

_FIRMS: Fields = {
    "BizopEtpsSccd": "91990101MA00000426",
    "BizopEtpsno": "330196W042",
    "BizopEtpsNm": "示范保税仓有限公司",
    "DclEtpsSccd": "91990101MA00000439",
    "DclEtpsno": "330196B042",
    "DclEtpsNm": "示范报关有限公司",
    "RvsngdEtpsSccd": "91990101MA00000426",
    "RcvgdEtpsno": "330196W042",
    "RcvgdEtpsNm": "示范保税仓有限公司",
    "InputCreditCode": "91990101MA00000439",
    "InputCode": "330196B042",
    "InputName": "示范报关有限公司",
    "InputTime": "20260301",
}
_LIST_HEAD: Fields = {
    "SeqNo": "202600000000000101",
    "EtpsInnerInvtNo": "WH-2026-0101",
    "BondInvtNo": ENTRY_LIST,
    "PutrecNo": LEDGER,
    "DclTypecd": "1",
    "InvtType": "8",
    **_FIRMS,
    "InvtDclTime": "20260301",
    "ImpexpMarkcd": "I",
    "MtpckEndprdMarkcd": "I",
    "SupvModecd": "1210",
    "TrspModecd": "2",
    "ImpexpPortcd": "5166",
    "DclPlcCuscd": "5165",
    "StshipTrsarvNatcd": "307",
    "DclcusFlag": "1",
    "GenDecFlag": "1",
    "DecType": "1",
    "DclcusTypecd": "2",
    "EntryNo": "516620261000000042",
    "CorrEntryDclEtpsSccd": "91990101MA00000439",
    "CorrEntryDclEtpsNo": "330196B042",
    "CorrEntryDclEtpsNm": "示范报关有限公司",
}
_LIST_LINE: Fields = {
    "GdsSeqno": "1",
    "EntryGdsSeqno": "1",
    "PutrecSeqno": "9",
    "Gdecd": "1509200000",
    "GdsMtno": "AB-42",
    "GdsNm": "特级初榨橄榄油",
    "GdsSpcfModelDesc": "500毫升/瓶",
    "LawfUnitcd": "035",
    "LawfQty": "4600",
    "DclUnitcd": "142",
    "DclQty": "10000",
    "DclCurrcd": "300",
    "DclUprcAmt": "6.2500",
    "DclTotalAmt": "62500",
    "Natcd": "307",
    "DestinationNatcd": "142",
    "LvyrlfModecd": "3",
    "ClyMarkcd": "0",
    "ModfMarkcd": "0",
}
_RECEIPT_HEAD: Fields = {
    "bondInvtNo": ENTRY_LIST,
    "chgTmsCnt": "0",
    "invtPreentNo": "202600000000000101",
    "putrecNo": LEDGER,
    "etpsInnerInvtNo": "WH-2026-0101",
    "bizopEtpsno": "330196W042",
    "bizopEtpsNm": "示范保税仓有限公司",
    "dclEtpsno": "330196B042",
    "invtDclTime": "2026-03-01 00:00:00",
    "impexpPortcd": "5166",
    "dclPlcCuscd": "5165",
    "impexpMarkcd": "I",
    "supvModecd": "1210",
    "trspModecd": "2",
    "stshipTrsarvNatcd": "307",
    "dclcusFlag": "1",
    "dclcusTypecd": "2",
    "prevdTime": "2026-03-01 10:31:00",
    "invtIochkptStucd": "0",
    "vrfdedMarkcd": "1",
    "vrfdedModecd": "D",
    "invtStucd": "0",
    "bondInvtTypecd": "8",
    "entryStucd": "0",
    "dclTypecd": "1",
}
_APPROVAL: Fields = {
    "etpsPreentNo": "202600000000000101",
    "businessId": ENTRY_LIST,
    "tmsCnt": "0",
    "typecd": "1",
    "manageResult": "1",
    "manageDate": "2026-03-01 10:31:02",
}
_GATE_HEAD: Fields = {
    "SeqNo": "202600000000000201",
    "PassportNo": GATE_PASS,
    "EtpsPreentNo": "WH-GP-0201",
    "RltTbTypecd": "1",
    "RltNo": ENTRY_LIST,
    "DclTypecd": "1",
    "IoTypecd": "I",
    "PassportTypecd": "2",
    "BindTypecd": "2",
    "MasterCuscd": "5165",
    "AreainEtpsSccd": "91990101MA00000426",
    "AreainEtpsno": "330196W042",
    "AreainEtpsNm": "示范保税仓有限公司",
    "DclEtpsSccd": "91990101MA00000426",
    "DclEtpsno": "330196W042",
    "DclEtpsNm": "示范保税仓有限公司",
    "InputSccd": "91990101MA00000426",
    "InputCode": "330196W042",
    "InputName": "示范保税仓有限公司",
    "VehicleNo": "示A00042",
    "VehicleWt": "8000",
    "ContainerNo": CONTAINER,
    "TotalGrossWt": "9500",
    "TotalNetWt": "9200",
    "TotalWt": "21400",
    "DclErConc": "样例丁 19900000044",
    "DclTime": "2026-03-02 08:05:00",
}
_GATE_RECEIPT: Fields = {
    "passportNo": GATE_PASS,
    "chgTmsCnt": "0",
    "passportTypecd": "2",
    "sasPassportPreentNo": "202600000000000201",
    "dclTypecd": "1",
    "ioTypecd": "I",
    "bindTypecd": "1",
    "masterCuscd": "5165",
    "rltTbTypecd": "1",
    "rltNo": rf"{ENTRY_LIST}\QD516526I000000043",
    "areainEtpsno": "330196W042",
    "areainEtpsNm": "示范保税仓有限公司",
    "vehicleNo": "示A00042",
    "containerNo": CONTAINER,
    "vehicleWt": "8000",
    "totalWt": "21400",
    "totalGrossWt": "9500",
    "totalNetWt": "9200",
    "dclErConc": "样例丁 19900000044",
    "dclTime": "2026-03-02 08:05:00",
    "stucd": "1",
    "emapvMarkcd": "1",
}
_GATE_LINE: Fields = {
    "passportNo": GATE_PASS,
    "passportSeqno": "1",
    "gdsMtno": "AB-42",
    "gdecd": "1509200000",
    "gdsNm": "特级初榨橄榄油",
    "grossWt": "9500",
    "netWt": "9200",
    "rltGdsSeqno": "1",
    "dclUnitcd": "142",
    "dclQty": "10000",
}
_EXIT_HEAD: Fields = {
    **_LIST_HEAD,
    "SeqNo": "202600000000000301",
    "EtpsInnerInvtNo": "WH-2026-0301",
    "BondInvtNo": EXIT_LIST,
    "ImpexpMarkcd": "E",
    "InvtDclTime": "20260306",
    "TrspModecd": "9",
    "ImpexpPortcd": "5165",
    "StshipTrsarvNatcd": "142",
    "DclcusFlag": "2",
    "DclcusTypecd": None,
    "EntryNo": None,
}

TWO_STEP_PASS = "Z5165I260302T00000000042"
_TWO_STEP: Fields = {
    "passportNo": TWO_STEP_PASS,
    "sasPassportPreentNo": "202600000000000202",
    "chgTmsCnt": "0",
    "dclTypecd": "1",
    "masterCuscd": "5165",
    "areainEtpsno": "330196W042",
    "areainEtpsNm": "示范保税仓有限公司",
    "areainEtpsSccd": "91990101MA00000426",
    "vehicleNo": "示A00042",
    "containerNo": CONTAINER,
    "dclErConc": "样例丁 19900000044",
    "dclTime": "2026-03-02 08:05:00",
    "logisticsStucd": "1",
    "stucd": "1",
    "emapvMarkcd": "1",
    "ownerSystem": "1",
}

_SAS: dict[str, tuple[str, Parts]] = {
    "SAS/CommonResponse": (
        "CommonResponeMessage",
        [
            (
                "",
                {
                    "SeqNo": "202600000000000101",
                    "EtpsPreentNo": "51659600420001",
                    "CheckInfo": "示范应答",
                    "DealFlag": "0",
                },
            )
        ],
    ),
    "SAS/INV101": ("InvtMessage", [("InvtHeadType", _LIST_HEAD), ("InvtListType", _LIST_LINE)]),
    "SAS/INV101-exit": (
        "InvtMessage",
        [
            ("InvtHeadType", _EXIT_HEAD),
            ("InvtListType", {**_LIST_LINE, "DclQty": "4", "LawfQty": "1.84", "DclTotalAmt": "25.00"}),
            (
                "InvtListType",
                {**_LIST_LINE, "GdsSeqno": "2", "PutrecSeqno": "12", "DclQty": "1", "DclTotalAmt": "6.25"},
            ),
            ("InvtCbecBillType", {"SeqNo": "1", "BondInvtNo": EXIT_LIST, "CbecBillNo": PARCEL_LIST_NO}),
            ("InvtCbecBillType", {"SeqNo": "2", "BondInvtNo": EXIT_LIST, "CbecBillNo": "51652026I000000043"}),
        ],
    ),
    "SAS/INV201": (
        "INV201",
        [
            ("HdeApprResult", _APPROVAL),
            ("BondInvtBsc", _RECEIPT_HEAD),
            (
                "BondInvtDt",
                {
                    "bondInvtNo": ENTRY_LIST,
                    "gdsSeqno": "1",
                    "putrecSeqno": "9",
                    "gdecd": "1509200000",
                    "gdsNm": "特级初榨橄榄油",
                    "dclUnitcd": "142",
                    "dclQty": "10000",
                    "natcd": "307",
                },
            ),
        ],
    ),
    "SAS/INV202": (
        "INV202",
        [
            (
                "InvApprResult",
                {
                    "invPreentNo": "202600000000000101",
                    "businessId": ENTRY_LIST,
                    "entrySeqNo": "I20260000000000042",
                    "manageResult": "1",
                    "createDate": "2026-03-01 10:40:00",
                    "reason": "",
                },
            )
        ],
    ),
    "SAS/INV211": (
        "INV211",
        [
            (
                "BondInvtBsc",
                {
                    **_RECEIPT_HEAD,
                    "vrfdedMarkcd": "2",
                    "entryStucd": "1",
                    "entryNo": "516620261000000042",
                    "formalVrfdedTime": "2026-03-02 16:20:03",
                },
            ),
            (
                "BwsDt",
                {
                    "bwsNo": LEDGER,
                    "gdsSeqno": "9",
                    "inDate": "2026-03-02 16:20:03",
                    "gdsMtno": "AB-42",
                    "gdecd": "1509200000",
                    "gdsNm": "特级初榨橄榄油",
                    "natcd": "307",
                    "dclUnitcd": "142",
                    "lawfUnitcd": "035",
                    "inQty": "10000",
                    "inLawfQty": "4600",
                    "invtNo": ENTRY_LIST,
                    "invtGNo": "1",
                },
            ),
        ],
    ),
    "SAS/SAS121": (
        "PassPortMessage",
        [
            ("PassportHead", _GATE_HEAD),
            ("PassportAcmp", {"RtlBillTypecd": "1", "RtlBillNo": ENTRY_LIST}),
            (
                "PassportList",
                {
                    "PassportSeqNo": "1",
                    "RltGdsSeqno": "1",
                    "GdsMtno": "AB-42",
                    "Gdecd": "1509200000",
                    "GdsNm": "特级初榨橄榄油",
                    "DclUnitcd": "142",
                    "DclQty": "10000",
                    "GrossWt": "9500",
                    "NetWt": "9200",
                },
            ),
        ],
    ),
    "SAS/SAS221": (
        "SAS221",
        [
            ("HdeApprResult", {**_APPROVAL, "businessId": GATE_PASS, "manageDate": "2026-03-02 08:06:10"}),
            ("SasPassportBsc", _GATE_RECEIPT),
            ("SasPassportDt", _GATE_LINE),
            ("SasPassportRlt", {"passportNo": GATE_PASS, "rltTbTypecd": "1", "rltNo": ENTRY_LIST}),
        ],
    ),
    "SAS/SAS223": (
        "SAS223",
        [
            ("HdeApprResult", {**_APPROVAL, "businessId": GATE_PASS, "manageDate": "2026-03-02 09:12:09"}),
            ("SasPassportBsc", {**_GATE_RECEIPT, "stucd": "2", "passTime": "2026-03-02 09:12:07"}),
        ],
    ),
    "SAS/SAS224": (
        "SAS224",
        [
            (
                "HdeApprResult",
                {
                    **_APPROVAL,
                    "businessId": GATE_PASS,
                    "manageResult": "3",
                    "manageDate": "2026-03-04 14:20:00",
                },
            ),
            ("SasPassportBsc", {**_GATE_RECEIPT, "stucd": "2", "passTime": "2026-03-02 09:12:07"}),
        ],
    ),
    "SAS/SAS251": (
        "SAS251",
        [
            (
                "HdeApprResult",
                {**_APPROVAL, "businessId": TWO_STEP_PASS, "manageDate": "2026-03-02 08:06:10"},
            ),
            ("Sas2stepPassportBsc", _TWO_STEP),
            ("Sas2stepPassportRlt", {"passportNo": TWO_STEP_PASS, "entryId": "516620261000000042"}),
        ],
    ),
    "SAS/SAS253": (
        "SAS253",
        [
            (
                "HdeApprResult",
                {**_APPROVAL, "businessId": TWO_STEP_PASS, "manageDate": "2026-03-02 09:12:09"},
            ),
            (
                "Sas2stepPassportBsc",
                {**_TWO_STEP, "stucd": "2", "passId": "NS01", "passTime": "2026-03-02 09:12:07"},
            ),
        ],
    ),
}

KINDS = sorted({*_CEB, *_SAS})


@cache
def _order(part: str) -> dict[str, int]:
    """The places of the fields of a part in the tables."""
    rules = next((table.parts[part] for table in message_tables().values() if part in table.parts), {})
    return {name: place for place, name in enumerate(rules)}


def _fields(part: str, fields: Fields, change: Mapping[str, str | None], prefix: str) -> str:
    merged = {**fields}
    for name, value in change.items():
        where, _, field = name.rpartition(".")
        if (where == part) if where else field in fields:
            merged[field] = value
    order = _order(part)
    if prefix:
        merged = dict(sorted(merged.items(), key=lambda pair: order.get(pair[0], len(order))))
    return "".join(
        f"<{prefix}{name}>{escape(value)}</{prefix}{name}>"
        for name, value in merged.items()
        if value is not None
    )


def _record(record: str, parts: Parts, change: Mapping[str, str | None], prefix: str) -> str:
    body = "".join(
        f"<{prefix}{name}>{_fields(name, fields, change, prefix)}</{prefix}{name}>"
        if name
        else _fields(record, fields, change, prefix)
        for name, fields in parts
    )
    return f"<{prefix}{record}>{body}</{prefix}{record}>"


def text(
    kind: str, change: Mapping[str, str | None] | None = None, *, extra: str = "", repeat: int = 1
) -> str:
    """The message as text; ``extra`` is put into the record (CEB) or beside it (SAS)."""
    change = change or {}
    if kind in _CEB:
        record, parts = _CEB[kind]
        body = _record(record, parts, change, "ceb:").replace(f"</ceb:{record}>", f"{extra}</ceb:{record}>")
        transfer = (
            "<ceb:BaseTransfer><ceb:copCode>330196B042</ceb:copCode><ceb:copName>示范报关有限公司</ceb:copName>"
            "<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>DXPENT0000000042</ceb:dxpId></ceb:BaseTransfer>"
        )
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:{kind}Message xmlns:ceb="http://www.chinaport.gov.cn/ceb"'
            f' guid="{_GUID}" version="1.0">{body * repeat}{transfer}</ceb:{kind}Message>\n'
        )
    record, parts = _SAS[kind]
    name = kind.removeprefix("SAS/").partition("-")[0]
    if name == "CommonResponse":  # nothing wraps the port's answer
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{_record(record, parts, change, "")}\n'
    day = "2026-03-06T09:00:00" if kind.endswith("exit") else "2026-03-01T10:30:00"
    package = (
        f"<Package><EnvelopInfo><version>1.0</version><message_type>{name}</message_type>"
        f"<send_time>{day}</send_time></EnvelopInfo><DataInfo><BussinessData>"
        f"{_record(record, parts, change, '')}{extra}</BussinessData></DataInfo></Package>"
    )
    if name in ("INV101", "SAS121"):
        namespace = "http://www.w3.org/2000/09/xmldsig#"
        package = f'<Signature xmlns="{namespace}"><Object Id="x">{package}</Object></Signature>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{package}\n'


def message(
    kind: str, change: Mapping[str, str | None] | None = None, *, extra: str = "", repeat: int = 1
) -> bytes:
    """The message as UTF-8 bytes."""
    return text(kind, change, extra=extra, repeat=repeat).encode("utf-8")
