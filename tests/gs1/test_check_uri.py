"""What is said of one URI in one go is what the single functions say of it, for whatever text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from suyuan.errors import InputError
from suyuan.gs1.digital_link import canonical, check_uri, parse
from suyuan.gs1.epc_urn import canonical_to_urn, digital_link_to_urn

_HOSTS = st.sampled_from(
    ["https://id.gs1.org", "HTTPS://BRAND.EXAMPLE", "http://x.example/shop", "https://", "ftp://x", ""]
)
_KEYS = st.sampled_from(
    [
        "/01/09506000134352", "/01/09506000134353", "/01/95060001343", "/gtin/9506000134352", "/00/095060001343520121",
        "/8006/095060001343520102", "/253/9506000134352A1", "/255/9506000134352", "/414/9506000134352",
        "/417/9506000134352", "/8003/09506000134352X", "/8004/9506000A", "/401/9506000A", "/402/95060001343521348",
        "/8010/9506000-A", "/8013/9506000A", "/8017/950600013435201212", "/8018/950600013435201212", "/21/A",
    ]
)  # fmt: skip
_PARTS = st.sampled_from(
    ["/22/V1", "/10/L1", "/21/S%2F1", "/21/00", "/21/8006", "/235/T", "/254/7", "/8011/12", "/8020/R", "/01/1", "/",
     "//", "/10/", "/lot/1", "/21/(a)", "/21/a b", "/21/%00", "/10/é"]
)  # fmt: skip
_TAILS = st.sampled_from(
    ["", "?17=251231", "?01=09506000134352", "?linkType=all", "?99=1", "?21=A&21=B", "#x", "?"]
)
_URIS = st.builds(
    lambda host, key, parts, tail: host + key + "".join(parts) + tail,
    _HOSTS,
    _KEYS,
    st.lists(_PARTS, max_size=3),
    _TAILS,
)
_URNS = st.builds(
    lambda scheme, rest: f"urn:epc:{scheme}:9506000.{rest}",
    st.sampled_from(
        ["id:sgtin", "id:sscc", "class:lgtin", "idpat:sgtin", "id:sgln", "id:giai", "id:cpi", "id:adi"]
    ),
    st.sampled_from(["013435.A1", "1343520121", "013435.*", "01343.0", "A%2F1", "-A.12", "x"]),
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(_URIS, _URNS, st.text(max_size=40)))
def test_one_go_says_what_the_single_functions_say(uri: str) -> None:
    said = check_uri(uri)
    found = canonical(uri)
    urn = None
    if found is not None:
        try:
            urn = uri if uri.startswith("urn:") else digital_link_to_urn(found)
        except InputError:
            urn = None
    error = ais = None
    try:
        if uri.startswith("urn:") and found is None:
            raise InputError("gs1.epc.form", "This URN has no Digital Link: another scheme, or a wrong form.")
        ais = parse(found if uri.startswith("urn:") and found is not None else uri).element_string
    except InputError as fault:
        error = f"{fault.code}: {fault.reason}"
    assert said == {
        "uri": uri, "valid": error is None, "error": error, "ais": ais, "canonical": found, "urn": urn,
    }  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(_URIS)
def test_the_urn_of_a_canonical_link_needs_no_search(uri: str) -> None:
    found = canonical(uri)
    if found is None:
        return
    answers = []
    for translate in (digital_link_to_urn, canonical_to_urn):
        try:
            answers.append(translate(found))
        except InputError as fault:
            answers.append(fault.code)
    assert answers[0] == answers[1]
