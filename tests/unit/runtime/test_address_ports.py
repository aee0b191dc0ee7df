"""Which ports may be asked."""

import pytest

from wirewatch.runtime.ports import DEFAULT_PORTS, parse_ports


@pytest.mark.parametrize("port", [80, 443, 1024, 3000, 5000, 8000, 8080, 8443, 9000, 9443, 65535])
def test_where_web_servers_listen_is_allowed(port: int) -> None:
    assert port in parse_ports(DEFAULT_PORTS)


@pytest.mark.parametrize(
    "port",
    [
        *(0, 1, 21, 22, 23, 25, 53, 110, 143, 445, 465, 587, 993, 1023),
        *(1433, 2049, 2375, 3306, 3389, 5432, 6000, 6379, 6443, 6667),
        *(9092, 9200, 10250, 11211, 27017),
    ],
)
def test_where_other_servers_listen_is_not(port: int) -> None:
    assert port not in parse_ports(DEFAULT_PORTS)


def test_a_port_named_alone_is_meant() -> None:
    ports = parse_ports(["6379", "8000-8002", " 25 "])

    assert [port for port in (25, 6379, 6380, 7999, 8000, 8002, 8003) if port in ports] == [
        *(25, 6379, 8000, 8002)
    ]


def test_out_of_a_range_the_refused_ones_are_left() -> None:
    assert [port for port in range(6378, 6382) if port in parse_ports(["1-65535"])] == [6378, 6381]


@pytest.mark.parametrize("part", ["", "x", "0", "-1", "65536", "80-", "-80", "90-80", "٨٠", "1e3"])
def test_what_is_no_port_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=r"neither a port|ends before"):
        parse_ports([part])


def test_no_ports_are_no_ports() -> None:
    assert 443 not in parse_ports([])
