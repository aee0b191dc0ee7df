"""Which network addresses a feed or an endpoint may live at (SSRF guard).

The check is made on the address that is really connected to: a guard in the
resolver alone is passed by literal addresses and by DNS rebinding. Both the
feed fetcher and the webhook sender open their connections through `guarded_socket`.
"""

import errno
import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""


class ForbiddenAddress(OSError):
    """A connection to an address that is neither public nor allowed by the operator."""

    def __init__(self, address: str) -> None:
        super().__init__(
            errno.EACCES,
            f"{address} is not a public address; an operator may allow its network "
            "with WIREWATCH_ALLOW_NETWORKS",
        )


def parse_networks(networks: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks written in CIDR form. Raises ValueError if one is not."""
    return tuple(ipaddress.ip_network(network) for network in networks)


def is_allowed(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Say whether `address` (a literal, maybe with a zone) may be connected to."""
    parsed = _unwrap(ipaddress.ip_address(address.partition("%")[0]))
    if any(parsed in network for network in allowed):
        return True
    return parsed.is_global and not parsed.is_multicast


def _unwrap(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour or address


def guarded_socket(allowed: Iterable[Network] = ()) -> Callable[[Any], socket.socket]:
    """Return a socket factory for aiohttp's TCPConnector that refuses forbidden addresses.

    Raises ForbiddenAddress, an OSError, when asked for a socket to one.
    """
    networks = tuple(allowed)

    def factory(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not is_allowed(address[0], networks):
            raise ForbiddenAddress(address[0])
        return socket.socket(family, kind, protocol)

    return factory
