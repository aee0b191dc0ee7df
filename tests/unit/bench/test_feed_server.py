import gzip
from datetime import UTC, datetime
from ipaddress import ip_address

from bench.feed_server import Shelf, host_of, make_answers, obey
from bench.make_feeds import Outlet

AT = datetime(2026, 11, 23, tzinfo=UTC)


def shelf() -> Shelf:
    made = Shelf(2, AT)
    made.add(make_answers((range(2), 0, 1, AT)))
    return made


def test_every_host_is_a_loopback_address_of_its_own() -> None:
    hosts = {ip_address(host_of(number)) for number in range(100_000)}
    assert len(hosts) == 100_000
    assert all(host.is_loopback for host in hosts)


def test_the_version_is_the_validator() -> None:
    served = shelf()
    head, _, body = served.answer(b"GET /1 HTTP/1.1\r\n").partition(b"\r\n\r\n")
    assert b'ETag: "v0"' in head
    assert gzip.decompress(body) == Outlet(1, AT).document(0)

    asked_again = b'GET /1 HTTP/1.1\r\nIf-None-Match: "v0"\r\n'
    assert served.answer(asked_again).startswith(b"HTTP/1.1 304 ")
    assert obey(served, "version 1") == "done"
    assert served.answer(asked_again).startswith(b"HTTP/1.1 200 ")
    assert obey(served, "count") == "2 1"


def test_what_is_not_there_is_not_found() -> None:
    served = shelf()
    obey(served, "version 7")
    assert served.answer(b"GET /1 HTTP/1.1\r\n").startswith(b"HTTP/1.1 404 ")
    assert obey(served, "dance") == "what?"
