"""PEM texts of certificates and keys: whether they can be used, said in words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

MAX_PEM_CHARS = 65_536
"""A chain of a few certificates has 10,000."""

Certificates = Sequence[x509.Certificate]


class PemProblem(ValueError):
    """A PEM text cannot be used; `str()` says why, in words that follow nothing secret."""


def check_tls(
    ca: str, certificate: str, private_key: str, *, now: datetime | None = None
) -> str | None:
    """Say what is wrong with these PEM texts, None if all is well; empty ones are not used.

    `ca` are the authorities to trust, `certificate` is our own with those between
    it and its authority behind it, `private_key` is its key.
    """
    now = now or datetime.now(UTC)
    try:
        authorities, own = read_tls(ca, certificate, private_key)
        _check_times("the authority's certificate", authorities, now)
        _check_times("the certificate", own[:1], now)
    except PemProblem as problem:
        return str(problem)
    return None


def read_tls(ca: str, certificate: str, private_key: str) -> tuple[Certificates, Certificates]:
    """Return the authorities and our own chain in these PEM texts, empty where there is none.

    Raises PemProblem if one cannot be read or the key is another one's; whether a
    certificate has expired is not looked at.
    """
    if bool(certificate) != bool(private_key):
        has, lacks = ("certificate", "private key")[:: 1 if certificate else -1]
        raise PemProblem(f"there is a {has} without a {lacks}")
    authorities = read_certificates(ca, "the authority") if ca else ()
    own = read_certificates(certificate, "the certificate") if certificate else ()
    if own:
        _check_pair(own[0], _read_key(private_key))
    return authorities, own


def read_certificates(text: str, what: str) -> Certificates:
    """Return the certificates of a PEM text. Raises PemProblem if there is none."""
    _check_size(text, what)
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise PemProblem(f"{what} is not PEM: no line -----BEGIN CERTIFICATE-----")
    try:
        found = x509.load_pem_x509_certificates(text.encode())
        for one in found:  # years that Python has not are only found out now
            _ = one.not_valid_before_utc, one.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise PemProblem(f"{what} cannot be read as PEM certificates") from error
    return found


def _check_size(text: str, what: str) -> None:
    if len(text) > MAX_PEM_CHARS:
        raise PemProblem(f"{what} has {len(text)} characters, at most {MAX_PEM_CHARS} are allowed")


def _check_times(what: str, certificates: Certificates, now: datetime) -> None:
    for one in certificates:
        if one.not_valid_after_utc < now:
            raise PemProblem(f"{what} expired on {one.not_valid_after_utc:%Y-%m-%d}")
        if one.not_valid_before_utc > now:
            raise PemProblem(f"{what} is not valid before {one.not_valid_before_utc:%Y-%m-%d}")


def _read_key(text: str) -> PrivateKeyTypes:
    _check_size(text, "the private key")
    if "PRIVATE KEY-----" not in text:
        raise PemProblem("the private key is not PEM: no line -----BEGIN PRIVATE KEY-----")
    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise PemProblem("the private key is encrypted: store it without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PemProblem("the private key cannot be read as PEM") from error


def _check_pair(certificate: x509.Certificate, key: PrivateKeyTypes) -> None:
    try:
        pair = [
            one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for one in (certificate, key)
        ]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PemProblem("the key of the certificate is of a kind that is not known") from error
    if pair[0] != pair[1]:
        raise PemProblem("the private key does not belong to the certificate")
