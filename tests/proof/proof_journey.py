"""A short journey of one tin, committed and logged by hand: what the tests of policy and proof look at."""

from __future__ import annotations

import hashlib
from typing import Any

from suyuan.disclosure import commitment, mask
from suyuan.disclosure.leaf import leaf_bytes
from suyuan.disclosure.policy import load_policy
from suyuan.proof import bundle
from suyuan.tlog import checkpoint, merkle, note

STEP = "https://ref.gs1.org/cbv/BizStep-"
OWN_STEP = "urn:suyuan:bizstep:"
TIN = "https://id.gs1.org/01/08710000001236/21/7K3"
OTHER_TIN = "https://id.gs1.org/01/08710000001236/21/OTHER"
LOT = "https://id.gs1.org/01/08710000001236/10/L25216A"
CASE = "https://id.gs1.org/01/18710000001233/21/C1"
PALLET = "https://id.gs1.org/00/087100000000000123"
CONTAINER = "urn:epc:id:bic:COSU9876546"
BOL = "urn:suyuan:bol:COSU6390001234"
DECLARATION = "urn:suyuan:declaration:516620251000123456"
ENTRY_LIST = "urn:suyuan:bonded-list:QD516525I000012345"
LEDGER_ITEM = "urn:suyuan:ledger-item:T5165W000123:17"
WAYBILL = "urn:suyuan:waybill:abcdefghij"
PARCEL_LIST = "urn:suyuan:parcel-list:klmnopqrst"
ORDER = "urn:suyuan:order:uvwxyz2345"
CHAIN = (CASE, PALLET, CONTAINER, BOL, DECLARATION, ENTRY_LIST, LEDGER_ITEM, WAYBILL, PARCEL_LIST, ORDER)
EXT = "{urn:suyuan:ext}"
MDA = "ilmd/{urn:epcglobal:cbv:mda}"

SIGNER = note.Ed25519Signer("log.example/suyuan", b"\x07" * 32)


def _event(
    type_: str, time: str, step: str, *, kind: str = "EPCIS/JSON", party: str = "groene-wei", **body: Any
) -> Any:
    documents = [{"type": "urn:suyuan:btt:any", "bizTransaction": uri} for uri in body.pop("documents", ())]
    head = {"type": type_, "eventTime": f"{time}.000Z", "eventTimeZoneOffset": "+08:00", "bizStep": step}
    statement = {
        "party": party,
        "partyRole": "any",
        "deliveredAs": kind,
        "assurance": "self-declared",
        "eventID": "ni:///sha-256;" + hashlib.sha256(time.encode()).hexdigest() + "?ver=CBV2.0",
    }
    body.setdefault("action", "OBSERVE")
    return {**head, **body, **({"bizTransactionList": documents} if documents else {})}, statement


def _place(uri: str) -> dict[str, str]:
    return {"id": uri}


EVENTS: list[Any] = [
    _event(
        "ObjectEvent",
        "2025-08-04T07:10:00",
        STEP + "commissioning",
        action="ADD",
        quantityList=[{"epcClass": LOT, "quantity": "43200"}],
        readPoint=_place("urn:suyuan:place:NLZWO"),
        ilmd={"{urn:epcglobal:cbv:mda}lotNumber": "L25216A", "{urn:x}recipe": "secret"},
    ),
    _event(
        "ObjectEvent",
        "2025-08-11T08:00:00",
        STEP + "inspecting",
        quantityList=[{"epcClass": LOT, "quantity": "43200"}],
        documents=["urn:suyuan:certificate:CCIC-EU-2025-004417"],
        **{EXT + "result": "pass", EXT + "photoDigest": "aa" * 32},
    ),
    _event(
        "ObjectEvent",
        "2025-08-12T06:00:00",
        STEP + "commissioning",
        action="ADD",
        epcList=[*(f"{TIN}X{number:05d}" for number in range(700)), TIN],
        ilmd={"{urn:epcglobal:cbv:mda}lotNumber": "L25216A"},
    ),
    _event(
        "AggregationEvent",
        "2025-08-12T07:00:00",
        STEP + "packing",
        action="ADD",
        parentID=CASE,
        childEPCs=[TIN, OTHER_TIN],
    ),
    _event(
        "AggregationEvent",
        "2025-08-13T09:30:00",
        STEP + "packing",
        action="ADD",
        parentID=PALLET,
        childEPCs=[CASE, "https://id.gs1.org/01/18710000001233/21/C2"],
    ),
    _event(
        "AggregationEvent",
        "2025-08-14T11:20:00",
        STEP + "loading",
        action="ADD",
        parentID=CONTAINER,
        childEPCs=[PALLET],
    ),
    _event(
        "ObjectEvent",
        "2025-08-20T03:40:00",
        STEP + "departing",
        epcList=[CONTAINER],
        readPoint=_place("urn:suyuan:place:NLRTM"),
        documents=[BOL],
        **{EXT + "transportMode": "2"},
    ),
    _event(
        "TransactionEvent",
        "2025-09-25T02:05:00",
        OWN_STEP + "declaring",
        kind="SAS/INV101",
        action="ADD",
        documents=[ENTRY_LIST, LEDGER_ITEM, DECLARATION],
        **{EXT + "line": [{"ledgerItem": LEDGER_ITEM, "totalPrice": {"#number": "1000"}}]},
    ),
    _event(
        "TransactionEvent",
        "2025-09-25T07:40:00",
        OWN_STEP + "releasing",
        documents=[DECLARATION, BOL],
        readPoint=_place("urn:suyuan:place:CNNSA:5166"),
    ),
    _event(
        "TransactionEvent",
        "2025-10-08T12:14:32",
        OWN_STEP + "ordering",
        kind="CEB311",
        action="ADD",
        documents=[ORDER],
        quantityList=[{"epcClass": "https://id.gs1.org/01/08710000001236", "quantity": "2"}],
    ),
    _event(
        "TransactionEvent",
        "2025-10-08T12:25:11",
        OWN_STEP + "declaring",
        kind="CEB621",
        action="ADD",
        documents=[PARCEL_LIST, ORDER, WAYBILL, LEDGER_ITEM],
        **{EXT + "listDistrict": "5165", EXT + "listLastFour": "0123", EXT + "declarationDate": "20251008"},
    ),
    _event(
        "AggregationEvent",
        "2025-10-08T13:40:00",
        STEP + "packing",
        action="ADD",
        parentID=WAYBILL,
        childEPCs=[TIN, OTHER_TIN],
        documents=[ORDER, PARCEL_LIST],
        readPoint=_place("https://id.gs1.org/414/9520000000035"),
    ),
    _event(
        "ObjectEvent",
        "2025-10-11T03:32:00",
        STEP + "arriving",
        kind="scan/courier",
        epcList=[WAYBILL],
        readPoint=_place("urn:suyuan:place:CNCTU"),
    ),
    _event(
        "ObjectEvent",
        "2025-10-11T03:31:00",
        STEP + "arriving",
        kind="scan/courier",
        epcList=[WAYBILL],
        readPoint=_place("urn:suyuan:place:CNCTU:depot-17"),
    ),
]
SECRETS = [hashlib.sha256(b"secret %d" % number).digest() for number in range(len(EVENTS))]
DAY = 20_369  # 2025-10-08


class Journey:
    """The journey in a log, among 40 leaves of others."""

    def __init__(self) -> None:
        self.made = [commitment.commit(*event, secret) for event, secret in zip(EVENTS, SECRETS, strict=True)]
        own = [leaf_bytes(one.commitment, DAY) for one in self.made]
        self.leaves = [
            leaf_bytes(hashlib.sha256(b"other %d" % number).digest(), DAY) for number in range(40)
        ] + own
        head = checkpoint.Checkpoint(SIGNER.name, len(self.leaves), merkle.root_hash(self.leaves))
        self.head = head
        self.checkpoint = checkpoint.sign_checkpoint(head, [SIGNER])

    def _read(self, nodes: Any) -> list[bytes]:
        return [merkle.root_hash(self.leaves[one.n << one.level : (one.n + 1) << one.level]) for one in nodes]

    def mask(self, number: int, audience: str) -> mask.Masked:
        """The event with this number as an audience sees it."""
        context = mask.context_of(*EVENTS[number], item=[TIN], lot=[LOT], chain=CHAIN)
        return mask.mask_body(load_policy(), audience, *EVENTS[number], context)

    def facts(self, audience: str) -> list[bundle.BundleFact]:
        """The facts of the journey with what the audience's proof may carry."""
        facts = []
        for number, (event, secret) in enumerate(zip(EVENTS, SECRETS, strict=True)):
            wanted = self.mask(number, audience).disclosed
            if wanted:
                index = len(self.leaves) - len(EVENTS) + number
                proof = tuple(merkle.inclusion_proof(index, len(self.leaves), self._read))
                shown = commitment.disclose(*event, secret, wanted)
                facts.append(bundle.BundleFact(index, self.leaves[index], shown, proof))
        return facts

    def bundle(self, audience: str = "public") -> bytes:
        """The bundle of the tin for an audience."""
        facts = self.facts(audience)
        tied = bundle.tied_facts(TIN, facts)
        kept = [fact for position, fact in enumerate(facts) if position in tied]
        return bundle.build_bundle(
            TIN, audience, "2025-11-01T00:00:00.000Z", kept, self.checkpoint, SIGNER.vkey
        )
