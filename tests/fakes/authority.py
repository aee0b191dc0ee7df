"""Certificates of every kind, made on the spot."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Pair:
    """A certificate, with what stands between it and its authority, and its key: PEM texts."""

    certificate: str
    key: str

    def server(self) -> ssl.SSLContext:
        """Return a server's context that shows the certificate."""
        from wirewatch.notify.tls import _as_file  # noqa: PLC0415 - tests alone read it here

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with _as_file(f"{self.key}\n{self.certificate}") as path:
            context.load_cert_chain(path)
        return context


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.pem = self._ca.cert_pem.bytes().decode()

    def issue(self, *names: str, days: float = 365, begun_days_ago: float = 1) -> Pair:
        """Return a certificate for `names` that is valid for so many days from now."""
        now = datetime.now(UTC)
        made = self._ca.issue_cert(
            *names,
            not_before=now - timedelta(days=begun_days_ago),
            not_after=now + timedelta(days=days),
        )
        chain = b"".join(one.bytes() for one in made.cert_chain_pems)
        return Pair(chain.decode(), made.private_key_pem.bytes().decode())

    def server(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server with these names."""
        return self.issue(*names).server()


def self_signed(name: str) -> Pair:
    """Return a certificate that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - YEAR)
        .not_valid_after(now + YEAR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(made.public_bytes(Encoding.PEM).decode(), plain.decode())


def encrypted_key() -> str:
    """Return a private key under a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(b"geheim")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()


@contextmanager
def alerting(context: ssl.SSLContext) -> Iterator[int]:
    """Serve HTTP over TLS at the port yielded, and say why a handshake is refused.

    A thread and plain sockets: asyncio's servers close the connection without the alert.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=_serve, args=(listening, context), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            bare, _ = listening.accept()
            bare.settimeout(10)
            with bare, suppress(OSError):
                _answer(bare, context)


def _answer(bare: socket.socket, context: ssl.SSLContext) -> None:
    safe = context.wrap_socket(bare.dup(), server_side=True, do_handshake_on_connect=False)
    with safe:
        try:
            safe.do_handshake()
            safe.recv(65_536)
            safe.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except ssl.SSLError:
            bare.shutdown(socket.SHUT_WR)
            while bare.recv(65_536):  # what is left unread would reset the connection
                pass
