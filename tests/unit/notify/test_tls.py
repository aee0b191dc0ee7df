"""https: whom we trust and who we say we are, against real servers."""

import asyncio
import gc
import os
import ssl
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.authority import Authority, alerting, encrypted_key, self_signed
from fakes.receiver import Line, Receiver, answering, redirecting, until
from wirewatch.notify import tls
from wirewatch.notify.failures import tls_words
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import HttpRequest, Tls
from wirewatch.notify.sender import Sender
from wirewatch.notify.tls import Contexts, TlsProblem, make_context
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import AttemptReason

HERE = Settings(allow_networks=("127.0.0.0/8",), notify_timeout_s=30)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    sender = Sender(HERE)
    yield sender
    await sender.close()


def to(receiver: Receiver, tls: Tls | None = None, *, redirects: int = 0) -> HttpRequest:
    url = receiver.url("/in?token=geheim", host="localhost")
    return HttpRequest(url, b"{}", {"webhook-id": "m"}, tls=tls, redirects=redirects)


async def refusal(sender: Sender, request: HttpRequest) -> str:
    found = await sender.send(request)
    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.TLS
    return found.detail


async def status(sender: Sender, request: HttpRequest) -> int:
    found = await sender.send(request)
    assert isinstance(found, Answer), found
    return found.status


# The receiver's certificate


async def test_an_authority_of_the_endpoints_own(sender: Sender, authority: Authority) -> None:
    async with Receiver(answering(), tls=authority.server("localhost")) as receiver:
        trusting = Tls(ca=authority.pem)
        for _ in range(2):
            assert await status(sender, to(receiver, trusting)) == 200
        assert receiver.connections == 1
        assert await refusal(sender, to(receiver)) == (
            "the receiver's certificate comes from an authority that is not known"
        )
        assert await refusal(sender, to(receiver, Tls(ca=Authority().pem))) == (
            "the receiver's certificate comes from an authority that is not known"
        )


async def test_an_authority_that_the_system_trusts(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    sender = Sender(HERE)
    async with Receiver(answering(), tls=authority.server("localhost")) as receiver:
        assert await status(sender, to(receiver)) == 200
        assert "not known" in await refusal(sender, to(receiver, Tls(ca=Authority().pem)))
    await sender.close()


@pytest.mark.parametrize(
    ("days", "name", "words"),
    [
        ((10, -1), "localhost", "the receiver's certificate has expired"),
        ((-1, 10), "localhost", "the receiver's certificate is not valid yet"),
        ((1, 10), "other.example", "the receiver's certificate is for another host name"),
    ],
)
async def test_a_certificate_that_does_not_fit(
    sender: Sender, authority: Authority, days: tuple[int, int], name: str, words: str
) -> None:
    pair = authority.issue(name, begun_days_ago=days[0], days=days[1])
    async with Receiver(answering(), tls=pair.server()) as receiver:
        assert await refusal(sender, to(receiver, Tls(ca=authority.pem))) == words


async def test_a_certificate_for_another_address(sender: Sender, authority: Authority) -> None:
    async with Receiver(answering(), tls=authority.server("127.0.0.2")) as receiver:
        request = replace(to(receiver, Tls(ca=authority.pem)), url=receiver.url())
        assert await refusal(sender, request) == "the receiver's certificate is for another address"


async def test_a_self_signed_certificate(sender: Sender) -> None:
    pair = self_signed("localhost")
    async with Receiver(answering(), tls=pair.server()) as receiver:
        assert await refusal(sender, to(receiver)) == "the receiver's certificate is self-signed"
        assert await status(sender, to(receiver, Tls(ca=pair.certificate))) == 200


# The protocol


async def test_a_server_that_speaks_only_tls_1_1(sender: Sender) -> None:
    """Its own words, as OpenSSL may not be willing to say them: a ServerHello of TLS 1.1."""
    hello = b"\x03\x02" + b"\1" * 32 + b"\0" + b"\0\x2f" + b"\0"
    message = b"\2" + len(hello).to_bytes(3, "big") + hello

    async def talk(line: Line) -> None:
        await line.reader.read(5)
        await line.write(b"\x16\x03\x02" + len(message).to_bytes(2, "big") + message)
        await line.stay()

    async with Receiver(talk) as receiver:
        request = replace(to(receiver), url=receiver.url().replace("http:", "https:"))
        assert await refusal(sender, request) == (
            "the receiver speaks only a version of TLS older than 1.2"
        )


async def test_a_server_that_refuses_our_version(sender: Sender) -> None:
    """The alert `protocol_version` (RFC 8446, 6.2)."""

    async def talk(line: Line) -> None:
        await line.reader.read(5)
        await line.write(b"\x15\x03\x01\0\2\2\x46")
        await line.stay()

    async with Receiver(talk) as receiver:
        request = replace(to(receiver), url=receiver.url().replace("http:", "https:"))
        assert "older than 1.2" in await refusal(sender, request)


async def test_tls_1_2_is_spoken(sender: Sender, authority: Authority) -> None:
    context = authority.server("localhost")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with Receiver(answering(), tls=context) as receiver:
        assert await status(sender, to(receiver, Tls(ca=authority.pem))) == 200
    assert make_context().minimum_version is ssl.TLSVersion.TLSv1_2


async def test_plain_http_where_tls_is_expected(sender: Sender) -> None:
    async def talk(line: Line) -> None:
        await line.reader.read(5)
        await line.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Receiver(talk) as receiver:
        request = replace(to(receiver), url=receiver.url().replace("http:", "https:"))
        assert await refusal(sender, request) == "what listens there does not speak TLS"


async def test_a_server_that_leaves_in_the_handshake(sender: Sender) -> None:
    async def talk(line: Line) -> None:
        await line.reader.read(5)

    async with Receiver(talk) as receiver:
        request = replace(to(receiver), url=receiver.url().replace("http:", "https:"))
        assert (
            await refusal(sender, request) == "the connection was closed during the TLS handshake"
        )


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux does")
async def test_nobody_waits_for_a_server_to_say_goodbye(
    sender: Sender, authority: Authority
) -> None:
    async def talk(line: Line) -> None:
        await line.read()
        await line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000)
        line.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with Receiver(talk, tls=authority.server("localhost")) as receiver:
        await sender._contexts.of(Tls(ca=authority.pem))
        before = _open_files()
        assert await status(sender, to(receiver, Tls(ca=authority.pem))) == 200
        async with asyncio.timeout(10):
            await until(lambda: _open_files() <= before + 1)  # the server's own


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, and opens nothing


def test_an_error_that_has_no_words_of_its_own() -> None:
    error = ssl.SSLError(1, "[SSL: DH_KEY_TOO_SMALL] dh key too small")
    error.reason = "DH_KEY_TOO_SMALL"

    assert tls_words(error) == "the TLS handshake failed: dh key too small"


# Our own certificate


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate(
    sender: Sender, authority: Authority, version: ssl.TLSVersion
) -> None:
    own = authority.issue("client.example")
    context = authority.server("localhost")
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    ours = Tls(ca=authority.pem, certificate=own.certificate, private_key=own.key)
    stranger = Authority().issue("client.example")
    strange = replace(ours, certificate=stranger.certificate, private_key=stranger.key)
    expired = authority.issue("client.example", days=-1, begun_days_ago=9)
    late = replace(ours, certificate=expired.certificate, private_key=expired.key)

    with alerting(context) as port:

        def ask(own: Tls) -> HttpRequest:
            return HttpRequest(f"https://localhost:{port}/", b"{}", {}, tls=own)

        assert await status(sender, ask(ours)) == 200
        assert "asks for a client certificate" in await refusal(sender, ask(Tls(ca=authority.pem)))
        assert await refusal(sender, ask(strange)) == (
            "the receiver did not accept our client certificate: it does not know the authority"
        )
        assert await refusal(sender, ask(late)) == (
            "the receiver did not accept our client certificate: it has expired"
        )


async def test_our_certificate_is_not_shown_to_another_origin(
    sender: Sender, authority: Authority
) -> None:
    shown: list[object] = []

    async def talk(line: Line) -> None:
        shown.append(line.writer.get_extra_info("peercert"))
        await answering(times=1)(line)

    context = authority.server("localhost")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.pem)
    own = authority.issue("client.example")
    ours = Tls(ca=authority.pem, certificate=own.certificate, private_key=own.key)
    async with Receiver(talk, tls=context) as other:
        moved = redirecting(other.url(host="localhost"))
        async with Receiver(moved, tls=authority.server("localhost")) as receiver:
            assert await status(sender, to(receiver, ours, redirects=1)) == 200
        assert await status(sender, to(other, ours)) == 200

    assert [bool(certificate) for certificate in shown] == [False, True]


async def test_connections_of_endpoints_with_different_certificates_are_not_shared(
    sender: Sender, authority: Authority
) -> None:
    pairs = [authority.issue("a.example"), authority.issue("b.example")]
    async with Receiver(answering(), tls=authority.server("localhost")) as receiver:
        for pair in pairs * 2:
            ours = Tls(ca=authority.pem, certificate=pair.certificate, private_key=pair.key)
            assert await status(sender, to(receiver, ours)) == 200
        assert receiver.connections == 2


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (Tls(ca="geheim"), "the authority is not PEM"),
        (Tls(certificate="geheim"), "a certificate without a private key"),
        (Tls(certificate="geheim", private_key="geheim"), "the certificate is not PEM"),
    ],
)
async def test_texts_that_cannot_be_used(sender: Sender, own: Tls, words: str) -> None:
    async with Receiver(answering()) as receiver:
        detail = await refusal(sender, to(receiver, own))

    assert detail.startswith("the endpoint's own TLS settings cannot be used: ")
    assert words in detail
    assert "geheim" not in detail


async def test_an_encrypted_key_asks_nobody(sender: Sender, authority: Authority) -> None:
    own = Tls(certificate=authority.issue("a").certificate, private_key=encrypted_key())
    async with Receiver(answering()) as receiver:
        assert "the private key is encrypted" in await refusal(sender, to(receiver, own))


def test_no_key_stays_on_the_disk(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = authority.issue("client.example")
    make_context(Tls(certificate=own.certificate, private_key=own.key))
    assert list(tmp_path.iterdir()) == []

    with tls._as_file_on_disk("geheim") as path:
        assert Path(path).read_text() == "geheim"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # noqa: PTH116 - the mode alone
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_read_from_a_file_where_memory_has_no_path(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(tls, "_as_file", tls._as_file_on_disk)
    own = authority.issue("client.example")

    assert make_context(Tls(certificate=own.certificate, private_key=own.key))
    assert list(tmp_path.iterdir()) == []


# Contexts


async def test_the_same_texts_have_one_context(authority: Authority) -> None:
    contexts = Contexts()
    own = Tls(ca=authority.pem)
    first, second = await asyncio.gather(contexts.of(own), contexts.of(replace(own)))

    assert first is second
    assert first is not contexts.common
    assert await contexts.of(Tls(ca=Authority().pem)) is not first
    assert await contexts.of(Tls()) is contexts.common
    assert await contexts.of(None) is contexts.common


async def test_only_the_contexts_used_last_are_kept(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "MAX_CONTEXTS", 2)
    contexts = Contexts()
    a, b, c = (Tls(ca=authority.pem + "\n" * count) for count in range(3))
    kept = await contexts.of(a)
    dropped = await contexts.of(b)
    assert await contexts.of(a) is kept
    await contexts.of(c)

    assert await contexts.of(a) is kept
    assert await contexts.of(b) is not dropped


async def test_what_failed_is_tried_again_and_not_kept() -> None:
    contexts = Contexts()
    for _ in range(2):
        with pytest.raises(TlsProblem):
            await contexts.of(Tls(ca="geheim"))
    assert contexts._own == {}
    gc.collect()  # no exception was left that nobody looked at


def test_pairs_are_told_apart_by_where_one_text_ends() -> None:
    assert tls._digest(Tls(ca="ab", certificate="c")) != tls._digest(Tls(ca="a", certificate="bc"))


def test_an_authority_may_have_comments_in_any_script() -> None:
    pem = Authority().pem
    commented = make_context(Tls(ca=f"# Müller CA, Київ\n{pem}"))
    assert commented.get_ca_certs() == make_context(Tls(ca=pem)).get_ca_certs() != []
