"""Whose address a request comes from, where proxies may stand in between.

A proxy adds the address that it was called from to the right end of ``X-Forwarded-For``. The header is read from
there, and only as long as the one who wrote the next entry is a proxy that the operator trusts
(``SUYUAN_TRUSTED_PROXIES``); whatever a stranger put in front is never looked at. Without trusted proxies the header
means nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"
ADDRESS = "suyuan_address"
# More proxies than this in a row are nobody's deployment.
_MAX_HOPS = 16


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks in CIDR notation, separated by commas. Raises ``ValueError``."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def read_address(text: str) -> Address | None:
    """An address, with a port or in brackets as proxies write it; None where it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def caller(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> Address | None:
    """The address nearest to us that is no trusted proxy; ``forwarded`` are the header's lines in their order."""
    found = read_address(peer)
    if found is None or not _within(found, trusted):
        return found
    hops = ",".join(forwarded).split(",")
    for hop in reversed(hops[-_MAX_HOPS:]):
        named = read_address(hop)
        if named is None:
            break
        found = named
        if not _within(found, trusted):
            break
    return found


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def address_in(scope: Any, trusted: Sequence[Network]) -> str:
    """The caller's address in an ASGI scope as text; empty where the server names no peer (a socket file)."""
    client = scope.get("client")
    if not client:
        return ""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    found = caller(str(client[0]), lines, trusted)
    return str(found) if found is not None else str(client[0])
