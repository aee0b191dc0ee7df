"""From a host's name to its addresses, without one slow name server holding up all others.

The C library's look-up blocks a thread. A process has few of them, and one feed
or endpoint whose name server never answers takes one for many seconds: six such
names and nobody is delivered to. Here every look-up is only a packet that is
waited for (c-ares), next to which any number of others go on. /etc/hosts, the search domains
and name servers of /etc/resolv.conf and the order in /etc/nsswitch.conf count as usual.
"""

import asyncio
import re
import socket
from collections.abc import Sequence

import aiodns
from aiodns import error as dns
from aiohttp.abc import AbstractResolver, ResolveResult

from wirewatch.runtime.address import ForbiddenAddress, Guard
from wirewatch.runtime.logs import get_logger

FIRST_WAIT_S = 1.0
"""After so long without an answer the question is asked again, and then after twice as long
each time; c-ares shortens it where a server has shown to be quick."""
TRIES = 5
LOOKUP_LIMIT_S = 10.0
"""How long one look-up may take over all tries, servers and search domains."""

log = get_logger("names")

_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
_WORDS = {
    dns.ARES_ENOTFOUND: "the name {} was not found",
    dns.ARES_ENODATA: "the name {} has no address",
    dns.ARES_ETIMEOUT: "no name server answered in time for {}",
    dns.ARES_ESERVFAIL: "the name servers failed to look up {}",
    dns.ARES_EREFUSED: "the name servers refused to look up {}",
    dns.ARES_ECONNREFUSED: "no name server can be reached to look up {}",
    dns.ARES_EBADNAME: "{} is no host name",
}


class NameProblem(OSError):
    """A name could not be looked up; `str()` says why, in one line."""


class Names(AbstractResolver):
    """Looks names up for aiohttp. Made in the running event loop; `close` when done.

    Of a name's addresses only those that `guard` allows are returned, so that a
    name with a public and a private address is served at the public one.
    `servers` replace those of the system, `host` or `host:port` each.
    """

    def __init__(self, guard: Guard, *, servers: Sequence[str] = ()) -> None:
        self._guard = guard
        self._resolver = aiodns.DNSResolver(
            list(servers) or None, timeout=FIRST_WAIT_S, tries=TRIES, rotate=False
        )

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host` that may be asked at `port`.

        Raises NameProblem if there is none at all, ForbiddenAddress if there are
        only others or the name is an address in one of the forms of old
        (`0x7f.1`), which some resolvers would read and others not.
        """
        if _NUMBER.fullmatch(host.rpartition(".")[2] or host):
            raise ForbiddenAddress(f"{host} is not a public address (a number, not of four parts)")
        found = await self._look_up(host, port, family)
        refusals = [self._guard.refusal_of_name(host, address, port) for address, _ in found]
        allowed = [one for one, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not allowed:
            log.debug("a name is refused", host=host, addresses=[address for address, _ in found])
            raise ForbiddenAddress(refusals[0] or "")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address, kind in allowed
        ]

    async def _look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[tuple[str, int]]:
        try:
            async with asyncio.timeout(LOOKUP_LIMIT_S):
                answer = await self._resolver.getaddrinfo(
                    host, port=port, type=socket.SOCK_STREAM, family=family
                )
        except TimeoutError as error:
            raise NameProblem(_WORDS[dns.ARES_ETIMEOUT].format(host)) from error
        except aiodns.error.DNSError as error:
            words = _WORDS.get(error.args[0], "the name {} could not be looked up")
            raise NameProblem(words.format(host)) from error
        found = [(node.addr[0].decode("ascii"), node.family) for node in answer.nodes]
        if not found:
            raise NameProblem(_WORDS[dns.ARES_ENODATA].format(host))
        return found

    async def close(self) -> None:
        """Stop all look-ups."""
        await self._resolver.close()
