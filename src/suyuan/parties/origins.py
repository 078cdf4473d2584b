"""Where somebody's request came from, as coarsely as it is counted by and as it is kept. Pure."""

from __future__ import annotations

import ipaddress


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 of IPv6 that one subscriber is given.

    A text that is no address counts as itself.
    """
    found = _read(address)
    if found is None:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def network_of(address: str) -> str:
    """The network of an address as it is kept (IPv4 /24, IPv6 /48); empty where there is no address."""
    found = _read(address)
    if found is None:
        return ""
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
