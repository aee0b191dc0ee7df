"""Where a redirect leads, and who may know the credentials."""

import pytest

from wirewatch.web.hops import Credentials, Hop


@pytest.mark.parametrize(
    ("url", "location", "known"),
    [
        ("http://me:word@h.example/", "https://h.example/x", True),
        ("http://me:word@h.example/", "http://H.example:80/x", True),
        ("https://me:word@h.example/", "http://h.example/x", False),
        ("http://me:word@h.example/", "http://h.example:8080/x", False),
        ("http://me:word@h.example:8080/", "https://h.example/x", False),
        ("http://me:word@h.example/", "http://sub.h.example/x", False),
    ],
)
def test_credentials_stay_with_their_origin_or_its_tls(
    url: str, location: str, known: bool
) -> None:
    hop = Hop.first(url).next(location, 301, most=5, retry_after=None)

    assert hop.auth == (Credentials("me", "word") if known else None)
    assert "word" not in str(hop.url)
    assert ("word" in hop.moved_to) is known


def test_credentials_come_back_on_the_way_back() -> None:
    hop = Hop.first("http://me:word@h.example/")
    for location in ("http://other.example/", "http://h.example/x"):
        hop = hop.next(location, 302, most=5, retry_after=None)

    assert hop.auth == Credentials("me", "word")
