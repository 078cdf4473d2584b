"""Every reader of bytes from outside, with samples that it reads: what the fuzzers call."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from suyuan import customs
from suyuan.api.codes import IssueCommand
from suyuan.api.requests import decode_command
from suyuan.capture.paper import read_paper
from suyuan.catalog.reading import read_places_csv, read_products_csv
from suyuan.compliance.legs import read_profile
from suyuan.customs.certificates import read_certificate
from suyuan.customs.signature import SignedMessage, read_signed
from suyuan.db import age
from suyuan.db.archive import open_archive
from suyuan.disclosure.policy import policy_text, read_policy
from suyuan.epcis import canonical_body, event_hash, person_documents
from suyuan.epcis.long_documents import batches, is_long_document, survey
from suyuan.gs1.digital_link import canonical, check_uri, parse
from suyuan.gs1.epc_urn import digital_link_to_urn, urn_to_digital_link
from suyuan.proof.bundle import read_bundle
from suyuan.proof.verification import verify_bundle
from suyuan.tlog import note, proof_file, tile, trust_policy

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
for folder in ("customs", "proof"):
    if str(TESTS / folder) not in sys.path:
        sys.path.append(str(TESTS / folder))
NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


class Target(msgspec.Struct, frozen=True):
    """A reader: ``read`` raises nothing but ``SuyuanError``; ``weight`` says how often it is called."""

    read: Callable[[bytes], object]
    samples: Callable[[], tuple[bytes, ...]]
    weight: float = 1.0


# What the demo fills into its papers, filled with one of each.
_FILLED = ((rb"\{\{(?:each|end)[^}]*\}\}", b""), (rb"\{\{sscc[^}]*\}\}", b"087100000000000000"),
           (rb"\{\{case[^}]*\}\}", b"C1"), (rb"\{\{serial[^}]*\}\}", b"A1"),
           (rb"\{\{[^}]*\}\}", b"https://id.gs1.org/01/08710000001236/21/A1"))  # fmt: skip


def _filled(data: bytes) -> bytes:
    if data.startswith(b"PK"):
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(made, "w") as out:
            for name in archive.namelist():
                out.writestr(name, _filled(archive.read(name)))
        return made.getvalue()
    for pattern, text in _FILLED:
        data = re.sub(pattern, text, data)
    return data


@cache
def _papers(*suffixes: str) -> tuple[bytes, ...]:
    found = sorted(path for path in (ROOT / "examples").rglob("papers/*") if path.suffix in suffixes)
    return tuple(_filled(path.read_bytes()) for path in found if path.stat().st_size < 20_000)


def _read_paper(data: bytes) -> None:
    reading = read_paper(data, name="paper")
    for derived in reading.events[:20]:
        canonical_body(derived.event)
        event_hash(derived.event)
        person_documents(derived.event)
    for field in reading.personal:
        assert 0 <= field.start <= field.end <= len(data)


def _read_customs(data: bytes) -> None:
    customs.check(data)
    customs.fields(data)


def _read_stream(data: bytes) -> None:
    if is_long_document(data[:8192]):
        found = survey(lambda: io.BytesIO(data))
        if found is not None:
            for batch in batches(lambda: io.BytesIO(data), found):
                assert batch.events or batch.data is not None


def _read_uri(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    check_uri(text)
    errors = []
    for read in (parse, canonical, urn_to_digital_link, digital_link_to_urn):
        with _collecting(errors):
            read(text)
    with _collecting(errors):
        parse(text, older_forms=True)
    if len(errors) > 4:
        raise errors[0]


@contextlib.contextmanager
def _collecting(errors: list[Exception]) -> Iterator[None]:
    from suyuan.errors import SuyuanError

    try:
        yield
    except SuyuanError as error:
        errors.append(error)


@cache
def _uris() -> tuple[bytes, ...]:
    found = [
        "https://id.gs1.org/01/09506000134352/10/L1/21/A%2F1?17=260101&3103=000123",
        "https://example.org/a/b/8004/9506000134352%2FX",
        "https://id.gs1.org/00/195060001343520012?x=1", "https://example.cn/gtin/9506000134352/ser/A1",
        "https://id.gs1.org/414/9520000000011/254/X",
        "urn:epc:id:sgtin:9506000.013435.A%2F1", "urn:epc:id:sscc:9506000.1343520012",
        "urn:epc:class:lgtin:9506000.013435.L1",
        "urn:epc:id:sgln:952000000.001.0", "urn:epc:idpat:sgtin:9506000.013435.*",
        "urn:epc:id:cpi:9506000.A1.12", "urn:epc:id:itip:9506000.013435.01.02.A",
    ]  # fmt: skip
    return tuple(text.encode() for text in found)


@cache
def _bundles() -> tuple[bytes, ...]:
    import proof_journey

    return (proof_journey.Journey().bundle(),)


def _read_bundle(data: bytes) -> None:
    import proof_journey

    read_bundle(data)
    verify_bundle(data, proof_journey.SIGNER.vkey)


def _read_log_files(data: bytes) -> None:
    errors: list[Exception] = []
    for read in (
        note.split_note,
        proof_file.read_proof_file,
        trust_policy.read_trust_policy,
        tile.read_entries,
    ):
        with _collecting(errors):
            read(data)
    text = data.decode("utf-8", "replace")
    for parse_text in (note.read_vkey, note.read_skey, tile.parse_index):
        with _collecting(errors):
            parse_text(text)
    if len(errors) > 6:
        raise errors[0]


@cache
def _log_files() -> tuple[bytes, ...]:
    import proof_journey

    signer = proof_journey.SIGNER
    signed = note.sign_note(b"log.example/suyuan\n5\n" + b"A" * 43 + b"=\n", [signer])
    policy = f"log {signer.vkey}\nwitness w1 {signer.vkey}\ngroup g 1 w1\nquorum g\n".encode()
    proof = b"c2sp.org/tlog-proof@v1\nindex 3\n" + (b"A" * 43 + b"=\n") * 2 + b"\n" + signed
    entries = tile.write_entries([b"one", b"two" * 30])
    skey = note.write_skey("log.example/suyuan", bytes(32)).encode()
    return signed, policy, proof, entries, signer.vkey.encode(), skey, b"x123/x456/789.p/17"


def _read_tables(data: bytes) -> None:
    errors: list[Exception] = []
    for read in (read_products_csv, read_places_csv):
        with _collecting(errors):
            read(data)
    if len(errors) > 1:
        raise errors[0]


@cache
def _tables() -> tuple[bytes, ...]:
    found = sorted((ROOT / "examples").glob("*/p[lr]*s.csv"))
    return tuple(path.read_bytes() for path in found)


@cache
def _mapped() -> tuple[bytes, ...]:
    folder = ROOT / "examples" / "mappings"
    pairs = (("flat.toml", "flat.csv"), ("nested.toml", "nested.json"), ("lines.toml", "lines.jsonl"))
    return tuple(
        b"#suyuan:mapping\n"
        + (folder / toml).read_bytes()
        + b"\n#suyuan:data\n"
        + (folder / data).read_bytes()
        for toml, data in pairs
    )


@cache
def _policies() -> tuple[bytes, ...]:
    return (policy_text().encode(),)


@cache
def _profiles() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((ROOT / "src/suyuan/compliance/data").rglob("*.toml")))


@cache
def _certificates() -> tuple[bytes, ...]:
    import base64

    import signing

    made = (signing.certificate(signing.rsa_key()), signing.elliptic_certificate())
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(made[0]) + b"-----END CERTIFICATE-----\n"
    return (*made, signing.sm2_certificate(b"\4" + bytes(range(64))), pem)


@cache
def _signed() -> tuple[bytes, ...]:
    import signing

    key = signing.rsa_key()
    der = signing.certificate(key)
    plain = next(data for data in _papers(".xml") if b"CEB622Message" in data[:400])
    return (signing.sign(plain, key, der),)


def _read_signed(data: bytes) -> None:
    read_paper(data)  # bounds it, as everywhere
    found = read_signed(data)
    if isinstance(found, SignedMessage):
        found.verify(read_certificate(_certificates()[0]), NOW)


PASSPHRASE = "correct horse"
_IDENTITY = age.new_identity()


@cache
def _sealed() -> tuple[bytes, ...]:
    return (
        age.seal(b"secret" * 100, recipients=[age.recipient_of(_IDENTITY)]),
        # A work factor of one bit, so that the fuzzer's time goes into reading.
        b"age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 1\nXYCs8bnBxOuFdZIZr6gCYAgEfIBSRLDkTCqYQcx5kPs\n--- "
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" + bytes(40),
    )


def _unseal(data: bytes) -> None:
    age.unseal(data, identities=[_IDENTITY], passphrase="")


@cache
def _archives() -> tuple[bytes, ...]:
    made = io.BytesIO()
    digest = hashlib.sha256(b"abc").hexdigest()
    origin = {
        "base_url": "https://trace.example", "log_origin": "trace.example/log", "code_host": "trace.example",
        "log_key": "x", "events": 1, "sequenced": 1, "published": 1, "checkpoint": "", "erasures": 0,
        "keys": {},
    }  # fmt: skip
    manifest = {
        "format": 1, "made_at": "2026-03-01T00:00:00Z", "made_by": "0.1.0", "server_version": "18",
        "sequences": {"s": 1},
        "migrations": [{"number": 1, "name": "a", "checksum": "b"}], "files": [], "origin": origin,
        "tables": [{"name": "event", "columns": ["a"], "rows": 1, "size": 3, "sha256": digest}],
    }  # fmt: skip
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("manifest.note", b"note")
        archive.writestr("tables/event", b"abc")
    return (made.getvalue(),)


def _read_archive(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".backup") as file:
        file.write(data)
        file.flush()
        with open_archive(Path(file.name)) as archive:
            archive.verify()


def _command(data: bytes) -> Any:
    return decode_command(data, IssueCommand)


TARGETS: dict[str, Target] = {
    "EPCIS JSON": Target(_read_paper, lambda: _papers(".jsonld"), 2),
    "EPCIS, customs and SAS XML": Target(_read_paper, lambda: _papers(".xml"), 2),
    "customs check": Target(_read_customs, lambda: _papers(".xml"), 1),
    "sheets": Target(_read_paper, lambda: _papers(".csv", ".json"), 2),
    "workbooks": Target(_read_paper, lambda: _papers(".xlsx"), 0.3),
    "mapped scans": Target(_read_paper, _mapped),
    "streams": Target(_read_stream, lambda: _papers(".jsonld", ".xml"), 2),
    "identifiers": Target(_read_uri, _uris, 3),
    "bundles": Target(_read_bundle, _bundles, 0.5),
    "log files": Target(_read_log_files, _log_files, 3),
    "products and places": Target(_read_tables, _tables),
    "policies": Target(lambda data: read_policy(data.decode("utf-8", "replace")), _policies, 0.3),
    "profiles": Target(lambda data: read_profile(data, path="profile"), _profiles, 0.5),
    "certificates": Target(read_certificate, _certificates, 2),
    "signed messages": Target(_read_signed, _signed, 0.5),
    "sealed files": Target(_unseal, _sealed, 2),
    "backups": Target(_read_archive, _archives),
    "commands": Target(_command, lambda: (b'{"gtin": "09506000134352", "lot": "L", "count": 3}',), 2),
}
