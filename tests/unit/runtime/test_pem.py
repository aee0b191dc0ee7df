"""What is wrong with PEM texts, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from fakes.authority import Authority, Pair, encrypted_key
from wirewatch.runtime.pem import MAX_PEM_CHARS, check_tls, read_tls

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
BROKEN_KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def own(authority: Authority) -> Pair:
    return authority.issue("client.example")


def test_all_is_well(authority: Authority, own: Pair) -> None:
    assert check_tls("", "", "") is None
    assert check_tls(authority.pem, "", "") is None
    assert check_tls(authority.pem * 2, "", "") is None
    assert check_tls("", own.certificate, own.key) is None
    assert check_tls(authority.pem, own.certificate + authority.pem, own.key) is None


def test_a_certificate_needs_its_key(authority: Authority, own: Pair) -> None:
    other = authority.issue("client.example")

    assert check_tls("", own.certificate, "") == "there is a certificate without a private key"
    assert check_tls("", "", own.key) == "there is a private key without a certificate"
    assert check_tls("", own.certificate, other.key) == (
        "the private key does not belong to the certificate"
    )


def test_what_is_no_pem_is_named(own: Pair) -> None:
    no = "is not PEM: no line -----BEGIN"

    assert check_tls("geheim", "", "") == f"the authority {no} CERTIFICATE-----"
    assert check_tls(own.key, "", "") == f"the authority {no} CERTIFICATE-----"
    assert check_tls("", "geheim", own.key) == f"the certificate {no} CERTIFICATE-----"
    assert check_tls("", own.certificate, "geheim") == f"the private key {no} PRIVATE KEY-----"
    assert check_tls(BROKEN, "", "") == "the authority cannot be read as PEM certificates"
    assert check_tls("", BROKEN, own.key) == "the certificate cannot be read as PEM certificates"
    assert check_tls("", own.certificate, BROKEN_KEY) == "the private key cannot be read as PEM"


def test_an_encrypted_key_cannot_be_used(own: Pair) -> None:
    assert check_tls("", own.certificate, encrypted_key()) == (
        "the private key is encrypted: store it without a password"
    )


def test_a_certificate_has_its_time(authority: Authority, own: Pair) -> None:
    past = authority.issue("client.example", days=-2, begun_days_ago=10)
    future = authority.issue("client.example", begun_days_ago=-3)
    now = datetime.now(UTC)

    gone = f"{now - timedelta(days=2):%Y-%m-%d}"
    assert check_tls("", past.certificate, past.key) == f"the certificate expired on {gone}"
    assert check_tls("", past.certificate, past.key, now=now - timedelta(days=5)) is None
    comes = f"{now + timedelta(days=3):%Y-%m-%d}"
    assert check_tls("", future.certificate, future.key) == (
        f"the certificate is not valid before {comes}"
    )
    assert check_tls(past.certificate, "", "") == f"the authority's certificate expired on {gone}"
    assert read_tls("", past.certificate, past.key)[1]


def test_too_much_is_not_read(own: Pair) -> None:
    much = "x" * (MAX_PEM_CHARS + 1)

    for ca, certificate, key in ((much, "", ""), ("", much, own.key), ("", own.certificate, much)):
        assert "has 65537 characters, at most 65536" in (check_tls(ca, certificate, key) or "")
