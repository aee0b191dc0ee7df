"""Which addresses may be connected to, by value and through a real connector."""

import aiohttp
import pytest
from aiohttp import web

from wirewatch.runtime.address import guarded_socket, is_allowed, parse_networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # cloud metadata
        "100.64.0.1",  # carrier-grade NAT
        "192.0.2.1",  # documentation
        "224.0.0.1",  # multicast
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
    ],
)
def test_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public(address: str) -> None:
    assert is_allowed(address)


def test_an_operator_may_allow_networks() -> None:
    allowed = parse_networks(["10.20.0.0/16", "127.0.0.0/8"])

    assert is_allowed("10.20.30.40", allowed)
    assert is_allowed("::ffff:127.0.0.1", allowed)
    assert not is_allowed("10.21.0.1", allowed)
    assert not is_allowed("::1", allowed)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_no_form_of_a_loopback_address_passes_the_connector(host: str) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    connector = aiohttp.TCPConnector(socket_factory=guarded_socket())
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientError, match=r"not a (public|canonical)"):
                await session.get(f"http://{host}:{port}/")
    finally:
        await runner.cleanup()
