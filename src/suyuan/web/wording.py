"""Plain words for the vocabulary of a trace: steps, roles, assurance, documents, legs' states.

Message ids are English and are translated where they are shown. What is not listed here is shown by its
own name, written as words: an unlisted step or document of a partner is never dropped.
"""

from __future__ import annotations

from typing import NamedTuple

from suyuan.web.language import N_


class AssuranceWords(NamedTuple):
    """How a level of assurance looks and reads: an icon, a short label, one sentence."""

    icon: str
    tone: str
    label: str
    meaning: str


ASSURANCE: dict[str, AssuranceWords] = {
    "authority-verified": AssuranceWords(
        "seal",
        "strong",
        N_("Confirmed by the authority"),
        N_("The authority itself confirmed this, or signed it and the signature was checked."),
    ),
    "inspected": AssuranceWords(
        "eye",
        "strong",
        N_("Inspected by a third party"),
        N_("An inspector who neither owns nor sells the goods recorded this."),
    ),
    "partner-signed": AssuranceWords(
        "pen",
        "medium",
        N_("Signed by the partner"),
        N_("The firm that did this signed the record and the signature was checked."),
    ),
    "relayed": AssuranceWords(
        "relay",
        "medium",
        N_("Passed on by a partner"),
        N_("A firm passed on a paper of somebody else, such as customs, who has not confirmed it directly."),
    ),
    "self-declared": AssuranceWords(
        "note",
        "plain",
        N_("Stated by the firm itself"),
        N_("The firm recorded this about its own work; nobody else has checked it."),
    ),
}

ROLES: dict[str, str] = {
    "operator": N_("operator of this system"),
    "manufacturer": N_("manufacturer"),
    "brand-owner": N_("brand owner"),
    "entrusted-firm": N_("entrusted domestic firm"),
    "label-maker": N_("label maker"),
    "laboratory": N_("laboratory"),
    "inspector": N_("independent inspector"),
    "forwarder": N_("freight forwarder"),
    "carrier": N_("carrier"),
    "customs-broker": N_("customs broker"),
    "bonded-warehouse": N_("bonded warehouse"),
    "platform": N_("shopping platform"),
    "seller": N_("seller"),
    "payment": N_("payment firm"),
    "courier": N_("courier"),
    "regulator": N_("regulator"),
    "authority": N_("authority"),
    "importer": N_("importer"),
    "logistics": N_("freight forwarder"),
    "broker": N_("customs broker"),
    "warehouse": N_("bonded warehouse"),
    "entrusted": N_("entrusted domestic firm"),
}

DOCUMENTS: dict[str, str] = {
    "declaration": N_("Customs declaration no."),
    "declaration-unified": N_("Customs unified no."),
    "bonded-list": N_("Supervision no. (bonded list)"),
    "bonded-list-preentry": N_("Bonded list pre-entry no."),
    "gate-pass": N_("Gate pass"),
    "ledger-item": N_("Customs ledger item"),
    "bol": N_("Bill of lading"),
    "vessel-voyage": N_("Vessel and voyage"),
    "flight": N_("Flight"),
    "mrn": N_("Export declaration (MRN)"),
    "quarantine": N_("Quarantine no."),
    "tally": N_("Warehouse tally"),
    "certificate": N_("Certificate"),
    "cert": N_("Certificate"),
    "recall": N_("Recall no."),
    "seal": N_("Seal"),
    "order": N_("Order"),
    "payment": N_("Payment"),
    "waybill": N_("Waybill"),
    "parcel-list": N_("Parcel declaration"),
    "tax-bill": N_("Tax bill"),
    "packing-list": N_("Packing list"),
    "stock-bill": N_("Warehouse bill"),
    "gate-pass-preentry": N_("Gate pass pre-entry no."),
    "bonded-list-draft": N_("Bonded list, internal no."),
    "parcel-list-draft": N_("Parcel declaration, internal no."),
    "code-batch": N_("Code batch"),
    "awb": N_("Air waybill"),
    "po": N_("Purchase order"),
    "inv": N_("Invoice"),
    "desadv": N_("Dispatch advice"),
}

# Where one step means different things, ``timeline.headline`` first looks for a more exact sentence.
STEPS: dict[str, str] = {
    "accepting": N_("Accepted"),
    "activating": N_("Code activated"),
    "aliasing": N_("Another number noted"),
    "arriving": N_("Arrived"),
    "assembling": N_("Assembled"),
    "clearing": N_("Customs status recorded"),
    "collecting": N_("Collected"),
    "commissioning": N_("Code assigned"),
    "consigning": N_("Consigned"),
    "cycle_counting": N_("Counted"),
    "declaring": N_("Declared to customs"),
    "decommissioning": N_("Code withdrawn"),
    "departing": N_("Departed"),
    "destroying": N_("Destroyed"),
    "disassembling": N_("Taken apart"),
    "dispensing": N_("Handed out"),
    "encoding": N_("Code written"),
    "enrolling": N_("Label enrolled"),
    "entering_exiting": N_("Passed a gate"),
    "holding": N_("Put on hold"),
    "inspecting": N_("Inspected"),
    "installing": N_("Installed"),
    "loading": N_("Loaded"),
    "ordering": N_("Ordered"),
    "packing": N_("Packed"),
    "paying": N_("Paid"),
    "picking": N_("Picked"),
    "receiving": N_("Received"),
    "recalling": N_("Recall announced"),
    "releasing": N_("Released"),
    "removing": N_("Removed"),
    "repackaging": N_("Repacked"),
    "repairing": N_("Repaired"),
    "replacing": N_("Replaced"),
    "reserving": N_("Reserved"),
    "retail_selling": N_("Sold"),
    "sampling": N_("Sampled"),
    "sensor_reporting": N_("Measured"),
    "shipping": N_("Shipped"),
    "staging_outbound": N_("Made ready for dispatch"),
    "stocking": N_("Stocked"),
    "stock_taking": N_("Stock taken"),
    "storing": N_("Put into storage"),
    "taxing": N_("Import tax settled"),
    "transforming": N_("Made into another product"),
    "transporting": N_("On its way"),
    "unloading": N_("Unloaded"),
    "unpacking": N_("Unpacked"),
    "verifying": N_("Code checked by its holder"),
    "void_shipping": N_("Dispatch cancelled"),
    "waybill_issued": N_("Waybill issued"),
}

# What a customs receipt says of its paper, by disposition.
CUSTOMS_STATES: dict[str, str] = {
    "stored": N_("received by the port system"),
    "declaring": N_("being declared"),
    "declared": N_("declared"),
    "sent": N_("sent to customs"),
    "send_failed": N_("could not be sent to customs"),
    "rejected": N_("rejected by customs"),
    "accepted": N_("accepted by customs"),
    "approved": N_("approved by customs"),
    "in_review": N_("in review at customs"),
    "inspection": N_("chosen for inspection"),
    "detained": N_("detained by customs"),
    "returned": N_("returned by customs"),
    "released": N_("released by customs"),
    "concluded": N_("concluded"),
    "closed": N_("closed"),
    "deducted": N_("deducted from the ledger"),
    "deleted": N_("deleted"),
    "void": N_("void"),
    "passed_gate": N_("passed the gate"),
    "declaration_drafted": N_("import declaration drafted"),
    "declaration_failed": N_("import declaration not drafted"),
    "shipped_back": N_("shipped back"),
    "tax_issued": N_("tax bill issued"),
    "tax_consolidated": N_("tax bill consolidated"),
    "tax_void": N_("tax bill void"),
}

# What is asked of customs after a declaration; the state of the request follows in the disposition.
REQUESTS: dict[str, str] = {
    "return": N_("return request"),
    "cancellation": N_("cancellation request"),
}

TIE_LINKS: dict[str, str] = {
    "package": N_("case"),
    "case": N_("case"),
    "pallet": N_("pallet"),
    "container": N_("container"),
    "lot": N_("lot"),
    "waybill": N_("parcel"),
    "parcel": N_("parcel"),
    "parcel-list": N_("parcel declaration"),
    "bonded-list": N_("bonded list"),
    "ledger-item": N_("customs ledger item"),
    "declaration": N_("customs declaration"),
    "bol": N_("bill of lading"),
    "vessel-voyage": N_("vessel"),
    "gate-pass": N_("gate pass"),
}

TIES: dict[str, str] = {
    "direct": N_("About this very item"),
    "containment": N_("About what the item was in"),
    "transformation": N_("About what the item was made from"),
    "lot": N_("About the whole lot"),
    "document": N_("About its papers"),
    "alias": N_("About another code of this item"),
}

LEG_STATES: dict[str, tuple[str, str]] = {
    "present": ("check", N_("present")),
    "late": ("clock", N_("present, came late")),
    "missing": ("cross", N_("missing")),
    "not yet due": ("wait", N_("not yet due")),
    "contradictory": ("warn", N_("contradictory")),
    "not required": ("dash", N_("not required")),
}

MODES: dict[str, str] = {
    "1210": N_("bonded import (1210)"),
    "9610": N_("direct mail import (9610)"),
}

# Facts' extra attributes that a consumer can use; anything else stays with the machine answer.
ATTRIBUTES: dict[str, str] = {
    "result": N_("Result"),
    "listDistrict": N_("Customs district"),
    "listLastFour": N_("Last four digits"),
    "transportMode": N_("Transport mode"),
    "vessel": N_("Vessel"),
    "voyage": N_("Voyage"),
    "flightNo": N_("Flight"),
    "sealNo": N_("Seal"),
    "containerNo": N_("Container"),
    "lotNumber": N_("Lot"),
    "itemExpirationDate": N_("Expires"),
    "bestBeforeDate": N_("Best before"),
    "productionDate": N_("Produced"),
    "warehouse": N_("Warehouse"),
    "reason": N_("Reason"),
    "measure": N_("Measure"),
}
DATES = frozenset({"itemExpirationDate", "bestBeforeDate", "productionDate"})

# Results that inspectors write as a code or a stock phrase; any other result is shown in its own words.
RESULTS: dict[str, str] = {
    "pass": N_("passed"),
    "passed": N_("passed"),
    "conformant": N_("passed"),
    "fail": N_("failed"),
    "failed": N_("failed"),
    "non_conformant": N_("failed"),
    "sample taken for risk monitoring": N_("sample taken for risk monitoring"),
    "first": N_("first check"),
    "repeat": N_("checked before"),
}

# Why a record was withdrawn, by the last part of the CBV's error reason.
REASONS: dict[str, str] = {
    "did_not_occur": N_("it did not happen"),
    "incorrect_data": N_("its data was wrong"),
}

# How goods travel, by the code of customs or its word. Codes of mere storage have none.
TRANSPORT_MODES: dict[str, str] = {
    "2": N_("by sea"),
    "3": N_("by rail"),
    "4": N_("by road"),
    "5": N_("by air"),
    "6": N_("by post"),
    "sea": N_("by sea"),
    "rail": N_("by rail"),
    "road": N_("by road"),
    "air": N_("by air"),
    "courier": N_("by courier"),
}


def plain(word: str) -> str:
    """A word of somebody's vocabulary as it can be read: the last part of a URI, without its joints."""
    return (
        word.rstrip("/")
        .replace("#", "/")
        .rsplit("/", 1)[-1]
        .rsplit(":", 1)[-1]
        .replace("_", " ")
        .replace("-", " ")
    )


PRODUCT_FIELDS: tuple[tuple[str, str], ...] = (
    ("brand", N_("Brand")),
    ("net_content", N_("Contents")),
    ("origin", N_("Origin")),
    ("producer", N_("Producer")),
    ("importer", N_("Importer")),
    ("agent", N_("Agent in China")),
    ("distributor", N_("Distributor")),
    ("production_date", N_("Produced")),
    ("best_before", N_("Best before")),
    ("expiry", N_("Expires")),
)
