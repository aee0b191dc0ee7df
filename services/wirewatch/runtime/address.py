"""Which network addresses a feed or an endpoint may live at (SSRF guard).

The check is made on the address that is really connected to: a guard that looks
at names alone is passed by literal addresses and by DNS rebinding. The feed
fetcher, the WebSub client and the webhook sender open every connection through
`Guard.open_socket`, redirects included.
"""

import errno
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wirewatch.runtime.ports import DEFAULT_PORTS, Ports, parse_ports

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddress(OSError):
    """A connection to an address or port that is neither public nor allowed by the operator."""

    def __init__(self, words: str) -> None:
        super().__init__(errno.EACCES, words)


METADATA = {
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",  # nearly all clouds
        "169.254.170.2",  # credentials of containers
        "100.100.100.200",  # within carrier-grade NAT
        "168.63.129.16",  # looks public, and is answered by the machine's own host
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
}
"""Where clouds tell a machine its own credentials. An allowed network does not open them
by the way: each has to be named alone."""

_KINDS_4 = [
    (ipaddress.IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
"""https://www.iana.org/assignments/iana-ipv4-special-registry. Written out: what Python calls
global differs between its versions."""
_KINDS_6 = [
    (ipaddress.IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("2001::/32", "Teredo"),
        ("2001:2::/48", "benchmarking"),
        ("2001:db8::/32", "documentation"),
        ("2001::/23", "reserved"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("2000::/3", ""),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
        ("::/0", "reserved"),
    )
]
"""https://www.iana.org/assignments/iana-ipv6-special-registry; the first that fits counts, and
empty is public. The tunnels (Teredo, 6to4) and IPv4-compatible addresses lead to an IPv4
address that cannot be vouched for, and no web server lives there."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address. Where a machine has IPv6 alone, the whole
IPv4 internet is here."""


def parse_networks(networks: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks written in CIDR form. Raises ValueError if one is not."""
    return tuple(ipaddress.ip_network(network) for network in networks)


def kind_of(address: str) -> str:
    """Return what kind of address `address` (a literal, maybe with a zone) is; empty if public."""
    parsed = _parse(address)
    return "cloud metadata" if parsed in METADATA else _kind(parsed)


def _kind(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return next((kind for network, kind in _KINDS_4 if address in network), "")
    return next(kind for network, kind in _KINDS_6 if address in network)


def _parse(address: str) -> Address:
    """Return the address, as IPv4 where that is what is connected to in the end."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed
    if parsed in _NAT64:
        return ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
    return parsed.ipv4_mapped or parsed


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be connected to: public addresses at `ports`, and `networks` at every port.

    `networks` are the operator's own: whoever allows one means its servers,
    wherever they listen.
    """

    networks: tuple[Network, ...]
    ports: Ports

    @staticmethod
    def of(networks: Iterable[str] = (), ports: Iterable[str] = DEFAULT_PORTS) -> "Guard":
        """Return the guard of these settings. Raises ValueError if one cannot be read."""
        return Guard(parse_networks(networks), parse_ports(ports))

    def refusal(self, address: str, port: int) -> str | None:
        """Say why `address` (a literal) may not be asked at `port`; None if it may."""
        return self._refusal(address, port, f"{address} is not a public address")

    def refusal_of_name(self, host: str, address: str, port: int) -> str | None:
        """Say the same of `host`, which is at `address`: whoever named it need not learn where."""
        return self._refusal(address, port, f"{host} leads to an address that is not public")

    def _refusal(self, address: str, port: int, what: str) -> str | None:
        if self._is_own(_parse(address)):
            return None
        if kind := kind_of(address):
            return (
                f"{what} ({kind}); an operator may allow its network with WIREWATCH_ALLOW_NETWORKS"
            )
        if port not in self.ports:
            return (
                f"port {port} is not one that feeds and endpoints may have; an operator may "
                "allow it with WIREWATCH_ALLOW_PORTS"
            )
        return None

    def _is_own(self, address: Address) -> bool:
        if address in METADATA:
            return any(address in one and one.num_addresses == 1 for one in self.networks)
        return any(address in one for one in self.networks)

    def open_socket(self, info: Any) -> socket.socket:
        """Return a socket for what is about to be connected to (aiohttp's `socket_factory`).

        Raises ForbiddenAddress, an OSError, if it may not be.
        """
        family, kind, protocol, _, address = info
        if words := self.refusal(address[0], address[1]):
            raise ForbiddenAddress(words)
        return socket.socket(family, kind, protocol)
