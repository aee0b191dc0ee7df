"""Which addresses may be connected to, by value and through a real connector."""

import aiohttp
import pytest
from aiohttp import web

from wirewatch.runtime.address import Guard, kind_of
from wirewatch.web.connections import GuardedConnector

PUBLIC = Guard.of()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.10", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.1.1", "link-local"),
        ("169.254.169.254", "cloud metadata"),
        ("169.254.170.2", "cloud metadata"),
        ("100.100.100.200", "cloud metadata"),
        ("168.63.129.16", "cloud metadata"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("192.0.0.1", "reserved"),
        ("192.88.99.1", "reserved"),
        ("192.0.2.1", "documentation"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::1%1", "loopback"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("fc00::1", "private"),
        ("fd00::1", "private"),
        ("fd00:ec2::254", "cloud metadata"),
        ("fd20:ce::254", "cloud metadata"),
        ("ff02::1", "multicast"),
        ("ff0e::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "reserved"),
        ("100::1", "reserved"),
        ("5f00::1", "reserved"),
        ("4000::1", "reserved"),
        # Of an IPv4 address within, whatever is written around it
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "cloud metadata"),
        ("::ffff:a83f:8110", "cloud metadata"),
        ("::127.0.0.1", "IPv4-compatible"),
        ("::93.184.216.34", "IPv4-compatible"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::169.254.169.254", "cloud metadata"),
        ("64:ff9b:1::7f00:1", "local NAT64"),
        ("64:ff9b:1:7f00:1::", "local NAT64"),
        ("64:ff9b:1::5db8:d822", "local NAT64"),
        ("2002:7f00:1::", "6to4"),
        ("2002:5db8:d822::1", "6to4"),
        ("2001::1", "Teredo"),
        ("2001:0:5db8:d822::80ff:fffe", "Teredo"),
    ],
)
def test_refused(address: str, kind: str) -> None:
    assert kind_of(address) == kind
    assert f"{address} is not a public address ({kind})" in (PUBLIC.refusal(address, 443) or "")


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "169.253.255.255",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:2800:220:1::1",
        "2a00::1",
        "::ffff:93.184.216.34",
        "64:ff9b::5db8:d822",  # what a machine with IPv6 alone has instead
    ],
)
def test_public(address: str) -> None:
    assert kind_of(address) == ""
    assert PUBLIC.refusal(address, 443) is None


def test_an_operator_may_allow_networks() -> None:
    guard = Guard.of(["10.20.0.0/16", "127.0.0.0/8", "fd12::/16"])

    assert guard.refusal("10.20.30.40", 80) is None
    assert guard.refusal("::ffff:127.0.0.1", 80) is None
    assert guard.refusal("64:ff9b::10.20.0.1", 80) is None
    assert guard.refusal("fd12::1", 80) is None
    assert guard.refusal("10.21.0.1", 80)
    assert guard.refusal("::1", 80)
    assert guard.refusal("2002:7f00:1::", 80)
    assert guard.refusal("fd13::1", 80)


def test_metadata_is_not_opened_by_a_network_around_it() -> None:
    wide = Guard.of(["100.64.0.0/10", "169.254.0.0/16", "fd00::/8", "0.0.0.0/0"])

    assert wide.refusal("100.64.0.1", 80) is None
    assert wide.refusal("169.254.1.1", 80) is None
    assert wide.refusal("169.254.169.254", 80)
    assert wide.refusal("100.100.100.200", 80)
    assert wide.refusal("168.63.129.16", 80)
    assert wide.refusal("fd00:ec2::254", 80)
    assert Guard.of(["169.254.169.254/32"]).refusal("169.254.169.254", 80) is None
    assert Guard.of(["fd00:ec2::254"]).refusal("fd00:ec2::254", 80) is None


def test_ports_count_at_public_addresses_and_not_in_allowed_networks() -> None:
    guard = Guard.of(["10.0.0.0/8"], ["443", "8000-8999"])

    assert guard.refusal("93.184.216.34", 443) is None
    assert guard.refusal("93.184.216.34", 8443) is None
    assert "port 80 is not one" in (guard.refusal("93.184.216.34", 80) or "")
    assert "WIREWATCH_ALLOW_PORTS" in (guard.refusal("2606:2800:220:1::1", 22) or "")
    assert guard.refusal("10.0.0.1", 22) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
    ],
)
async def test_no_form_of_a_loopback_address_passes_the_connector(host: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.host)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    connector = GuardedConnector(PUBLIC, limit=1, idle=1)
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"http://{host}:{port}/")
    finally:
        await runner.cleanup()
    assert asked == []
