"""From names to addresses, with a name server on this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from fakes.name_server import FAILED, NOT_FOUND, NameServer
from fakes.receiver import Receiver, answering
from wirewatch.runtime.address import ForbiddenAddress, Guard
from wirewatch.runtime.names import NameProblem, Names
from wirewatch.web.connections import GuardedConnector

HERE = Guard.of(["127.0.0.0/8"])


@asynccontextmanager
async def asking(server: NameServer, guard: Guard = HERE) -> AsyncIterator[Names]:
    names = Names(guard, servers=[server.address])
    yield names
    await names.close()


async def found(names: Names, host: str) -> list[str]:
    return [one["host"] for one in await names.resolve(host, 443, socket.AF_UNSPEC)]


async def test_a_name_has_its_addresses() -> None:
    async with (
        NameServer({"a.example": [["127.0.0.2", "93.184.216.34"]]}) as server,
        asking(server) as names,
    ):
        assert sorted(await found(names, "a.example")) == ["127.0.0.2", "93.184.216.34"]


async def test_of_several_addresses_the_allowed_ones_are_taken() -> None:
    async with (
        NameServer({"a.example": [["10.0.0.1", "93.184.216.34", "::1"]]}) as server,
        asking(server) as names,
    ):
        assert await found(names, "a.example") == ["93.184.216.34"]


async def test_a_name_with_forbidden_addresses_alone_is_refused() -> None:
    async with (
        NameServer({"a.example": [["10.0.0.1", "fd00::1"]]}) as server,
        asking(server) as names,
    ):
        words = r"a.example leads to an address that is not public \(private\); an operator may"
        with pytest.raises(ForbiddenAddress, match=words) as caught:
            await found(names, "a.example")
        assert "10.0.0.1" not in str(caught.value), "where it leads is the network's own business"


async def test_why_there_is_no_address_is_told_apart() -> None:
    server = NameServer({"none.example": [[]]}, {"no.example": NOT_FOUND, "bad.example": FAILED})
    async with server, asking(server) as names:
        with pytest.raises(NameProblem, match=r"the name no.example was not found"):
            await found(names, "no.example")
        with pytest.raises(NameProblem, match=r"the name none.example has no address"):
            await found(names, "none.example")
        with pytest.raises(NameProblem, match=r"the name servers failed to look up bad.example"):
            await found(names, "bad.example")


async def test_names_that_nobody_answers_for_do_not_hold_up_others() -> None:
    async with NameServer({"good.example": [["127.0.0.1"]]}) as server, asking(server) as names:
        hanging = [
            asyncio.ensure_future(found(names, f"hang{number}.example")) for number in range(200)
        ]
        await server.until_asked(200)

        assert await found(names, "good.example") == ["127.0.0.1"]
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_name_that_nobody_answers_for_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wirewatch.runtime.names.LOOKUP_LIMIT_S", 0.2)
    async with NameServer() as server, asking(server) as names:
        with pytest.raises(NameProblem, match=r"no name server answered in time for hang.example"):
            await found(names, "hang.example")


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0X7F000001", "a.0177", "1."])
async def test_a_number_is_no_name(host: str) -> None:
    async with NameServer({host.lower(): [["127.0.0.1"]]}) as server, asking(server) as names:
        with pytest.raises(ForbiddenAddress, match=r"a number"):
            await found(names, host)


def _hosts() -> list[tuple[str, str]]:
    lines = [line.split("#")[0].split() for line in Path("/etc/hosts").read_text().splitlines()]
    return [(words[1], words[0]) for words in lines if len(words) > 1]


async def test_the_hosts_file_counts() -> None:
    async with NameServer() as server:
        names = Names(Guard.of(["0.0.0.0/0", "::/0"]), servers=[server.address])
        for host, address in _hosts():
            assert address in await found(names, host)
        await names.close()
    assert server.asked == []


async def test_search_domains_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALDOMAIN", "corp.example")  # resolv.conf's `search` for one process
    server = NameServer({"hook.corp.example": [["127.0.0.3"]]}, {"hook": NOT_FOUND})
    async with server, asking(server) as names:
        assert await found(names, "hook") == ["127.0.0.3"]


class Raw(Names):
    """Names whose addresses nobody has looked at: the connector is what guards."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[aiohttp.abc.ResolveResult]:
        self._guard = Guard.of(["0.0.0.0/0"])
        return await super().resolve(host, port, family)


async def test_a_name_that_answers_differently_the_second_time_is_refused_then() -> None:
    """DNS rebinding: the first answer is allowed, the next leads into the network."""
    server = NameServer({"rebind.example": [["127.0.0.1"], ["127.0.0.2"]]})
    guard = Guard.of(["127.0.0.1/32"])
    async with server, Receiver(answering(times=1)) as inside, asking(server, guard) as names:
        raw = Raw(guard, servers=[server.address])
        for resolver in (names, raw):
            server.asked.clear()
            connector = GuardedConnector(
                guard, limit=1, idle=1, resolver=resolver, use_dns_cache=False, force_close=True
            )
            async with aiohttp.ClientSession(connector=connector) as session:
                url = inside.url("/", "rebind.example")
                async with session.get(url) as answer:
                    assert answer.status == 200
                with pytest.raises(aiohttp.ClientConnectorError) as caught:
                    await session.get(url)
                assert isinstance(caught.value.os_error, ForbiddenAddress)
                assert server.asked == ["rebind.example"] * 2
    assert len(inside.asked) == 2
