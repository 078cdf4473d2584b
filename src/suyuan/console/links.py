"""Addresses of the console's own pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from suyuan.capture.links import PERSON_KINDS, document_kind

THING = "/console/thing"
FINDINGS = "/console/findings"
FINDING = "/console/finding"
LABELS = "/console/labels"


def with_query(path: str, **values: object) -> str:
    """A path with those of the values that are not empty."""
    kept = {name: str(value) for name, value in values.items() if value not in ("", None)}
    return f"{path}?{urlencode(kept)}" if kept else path


def thing_href(uri: str) -> str:
    """The page of a thing or a goods document. Empty for a person's document, which no address names."""
    return "" if not uri or document_kind(uri) in PERSON_KINDS else with_query(THING, uri=uri)


def changed(path: str, query: Mapping[str, str], **values: object) -> str:
    """The same page with some values of its query put differently."""
    return with_query(path, **{**query, **values})
