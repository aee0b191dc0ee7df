"""Mail over a real server on this machine."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtplib.email import flatten_message

from fakes.authority import Authority
from fakes.mail_server import MailServer
from fakes.receiver import Line, Receiver, hang, until
from wirewatch.notify import mail as module
from wirewatch.notify.breaker import OURS
from wirewatch.notify.mail import Mailer, read_address, write_message
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import Mail
from wirewatch.runtime.settings import Settings, SmtpTls
from wirewatch.topics.attempts import AttemptReason

AT = datetime(2024, 11, 23, 9, 0, tzinfo=UTC)
MAIL = Mail(
    to="desk@news.example",
    subject="Ein Werk in Ålesund – 工場",
    text="Grüße\n",
    html="<p>Grüße</p>\n",
    message_id="<msg_1@wirewatch.example>",
    headers={"List-Id": "<sub_1.wirewatch.example>"},
)


def mailer(port: int, **fields: object) -> Mailer:
    given: dict[str, object] = {
        "smtp_host": "localhost",
        "smtp_port": port,
        "smtp_tls": SmtpTls.NONE,
        "smtp_from": "wirewatch <alerts@news.example>",
        "notify_timeout_s": 20,
    }
    return Mailer(Settings(**(given | fields)), clock=lambda: AT)  # type: ignore[arg-type]


async def send(server_port: int, mail: Mail = MAIL, **fields: object) -> Answer | NoAnswer:
    one = mailer(server_port, **fields)
    try:
        return await one.send(mail)
    finally:
        await one.close()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine trusts."""
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


# What is sent


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with MailServer(answer="250 taken as 4711") as server:
        found = await send(server.port)

    assert found == Answer(
        250, head="taken as 4711", received_bytes=13, to=f"localhost:{server.port}"
    )
    (message,), (envelope,) = server.taken, server.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("alerts@news.example", ["desk@news.example"])
    assert message["From"] == "wirewatch <alerts@news.example>"
    assert message["To"] == "desk@news.example"
    assert message["Subject"] == "Ein Werk in Ålesund – 工場"
    assert message["Message-ID"] == "<msg_1@wirewatch.example>"
    assert message["Date"] == "Sat, 23 Nov 2024 09:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<sub_1.wirewatch.example>"
    assert message.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content()) for part in message.iter_parts()]
    assert parts == [("text/plain", "Grüße\r\n"), ("text/html", "<p>Grüße</p>\r\n")]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@b.example", "a@b.example"),
        ("a.b+c@sub.b.example", "a.b+c@sub.b.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("ä@b.example", "ä@b.example"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "@b.example", "a@", "a@b@c", "a b@c.example", "a@b.example, c@d.example"),
        *("a@b.example\r\nRCPT TO:<c@d.example>", "<a@b.example>", "Name <a@b.example>"),
        *("=?utf-8?q?a=0D=0ABcc?=@b.example", "a@=?utf-8?q?b?=.example"),
        *("a@b..example", f"{'a' * 65}@b.example", f"a@{'b' * 64}.example"),
    ],
)
async def test_an_address_that_is_none_is_told_before_anything_is_sent(text: str) -> None:
    mail = Mail(text, "s", "t", "h", "<1@a>")
    async with MailServer() as server:
        found = await send(server.port, mail)

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.URL
    assert server.connections == 0


def test_a_subject_cannot_bring_headers_of_its_own() -> None:
    mail = Mail("a@b.example", "Hi\r\nBcc: all@b.example\0\u2028x" + "y" * 999, "t", "h", "<1@a>")
    message = write_message(mail, sender="c@b.example", at=AT)

    assert message["Subject"].startswith("Hi Bcc: all@b.example x")
    assert message["Bcc"] is None
    assert len(message["Subject"]) == 300


@pytest.mark.parametrize(
    "headers", [{"X-A": "b\r\nBcc: c@d.example"}, {"Subject": "twice"}, {"To": "c@d.example"}]
)
async def test_headers_that_do_not_fit_are_refused(headers: dict[str, str]) -> None:
    async with MailServer() as server:
        found = await send(server.port, Mail("a@b.example", "s", "t", "h", "<1@a>", headers))

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.INTERNAL
    assert found.reason in OURS
    assert server.taken == []


@pytest.mark.parametrize("utf8", [False, True])
@pytest.mark.parametrize("where", ["subject", "List-Id"])
@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?a=0D=0ABcc:_evil@x.example?=",
        "=?utf-8?q?a=0ABcc=3A_evil=40x.example?= <a.b.example>",
        "==?utf-8?b?YQ0KQmNjOiBlQHguZXhhbXBsZQ==?= é",
        "Sub: =?utf-8?b?gggg?= é",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0D=3D0ABcc=3A_e=40x.example=3F=3D?=",
        "=?utf-8?q?=ED=A0=80?=",
    ],
)
def test_encoded_words_in_what_others_wrote_are_not_decoded(
    text: str, where: str, utf8: bool
) -> None:
    own = {"subject": text} if where == "subject" else {"headers": {where: text}}
    message = write_message(replace(MAIL, **own), sender="c@b.example", at=AT)  # type: ignore[arg-type]

    sent = message_from_bytes(flatten_message(message, utf8=utf8), policy=policy.SMTP)
    assert sent.keys() == message.keys()
    assert sent["Bcc"] is None
    assert str(sent[where]) == text.replace("=?", "= ?")


@pytest.mark.parametrize(
    "text", ["=?utf-8?q?a=0D=0ABcc:_evil@x.example?=", "Sub: =?utf-8?b?gggg?= é", "a\ud800b"]
)
async def test_a_header_that_would_not_arrive_as_it_is_is_our_failure(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it were told as a mail server that broke off."""
    monkeypatch.setattr(module, "_as_it_stands", str)
    async with MailServer() as server:
        found = await send(server.port, replace(MAIL, headers={"X-A": text}))

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.INTERNAL
    assert server.connections == 0


async def test_long_lines_and_dots_arrive_as_they_were() -> None:
    text = ".\n..\n" + "x" * 5_000 + "\nFrom here\n"
    async with MailServer() as server:
        await send(server.port, Mail("a@b.example", "s", text, f"<p>{'y' * 5_000}</p>", "<1@a>"))

    plain = server.taken[0].get_body(("plain",))
    assert plain is not None
    assert plain.get_content() == text.replace("\n", "\r\n")


async def test_an_address_beyond_ascii() -> None:
    mail = Mail("grüße@news.example", "s", "t", "h", "<1@a>")
    async with MailServer() as server:
        assert isinstance(await send(server.port, mail), Answer)
    async with MailServer(utf8=False) as server:
        assert await send(server.port, mail) == NoAnswer(
            AttemptReason.URL,
            "the mail server takes no addresses beyond ASCII",
            f"localhost:{server.port}",
        )


# The operator's settings


async def test_without_a_mail_server_nothing_is_sent() -> None:
    assert await Mailer(Settings()).send(MAIL) == NoAnswer(
        AttemptReason.MAIL_SETTINGS, "no mail server is set; an operator sets WIREWATCH_SMTP_HOST"
    )


@pytest.mark.parametrize(
    ("tls", "port"), [(SmtpTls.STARTTLS, 587), (SmtpTls.TLS, 465), (SmtpTls.NONE, 25)]
)
def test_each_kind_of_safety_has_its_port(tls: SmtpTls, port: int) -> None:
    assert mailer(1, smtp_port=None, smtp_tls=tls).to == f"localhost:{port}"


async def test_starttls(trusted: Authority) -> None:
    async with MailServer(starttls=trusted.server("localhost")) as server:
        assert isinstance(await send(server.port, smtp_tls=SmtpTls.STARTTLS), Answer)
    assert server.secured == [True]


async def test_tls_from_the_first_byte(trusted: Authority) -> None:
    async with MailServer(tls=trusted.server("localhost")) as server:
        assert isinstance(await send(server.port, smtp_tls=SmtpTls.TLS), Answer)
    assert server.secured == [True]


async def test_no_mail_goes_without_the_starttls_that_is_set() -> None:
    async with MailServer() as server:
        assert await send(server.port, smtp_tls=SmtpTls.STARTTLS) == NoAnswer(
            AttemptReason.TLS,
            "the mail server does not offer STARTTLS",
            f"localhost:{server.port}",
        )
    assert server.taken == []


@pytest.mark.parametrize("tls", [SmtpTls.STARTTLS, SmtpTls.TLS])
async def test_a_mail_server_is_to_be_who_it_says(tls: SmtpTls) -> None:
    context = Authority().server("localhost")
    server = MailServer(**{tls.value: context})  # type: ignore[arg-type]
    async with server:
        found = await send(server.port, smtp_tls=tls)

    assert found == NoAnswer(
        AttemptReason.TLS,
        "at the mail server: the receiver's certificate comes from an authority that is not known",
        f"localhost:{server.port}",
    )
    assert server.taken == []


async def test_a_login(trusted: Authority, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("geheim\n")
    safe = {"smtp_tls": SmtpTls.STARTTLS, "smtp_user": "me"}
    context = trusted.server("localhost")
    async with MailServer(starttls=context, logins={"me": "geheim"}) as server:
        right = await send(server.port, **safe, smtp_password="geheim")
        from_file = await send(server.port, **safe, smtp_password_file=file)
        wrong = await send(server.port, **safe, smtp_password="falsch")
        missing = await send(server.port, smtp_tls=SmtpTls.STARTTLS)

    answers = (right, from_file, wrong, missing)
    assert [one.status for one in answers if isinstance(one, Answer)] == [250, 250, 535, 530]
    assert len(server.taken) == 2
    assert "falsch" not in repr(wrong)


async def test_a_server_without_login() -> None:
    async with MailServer() as server:
        found = await send(server.port, smtp_user="me", smtp_password="geheim")

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.MAIL_SETTINGS


@pytest.mark.parametrize(
    "fields",
    [
        {"smtp_host": "mail.example"},
        {"smtp_host": "a\r\nb", "smtp_from": "a@b.example"},
        {"smtp_from": "a@b.example\r\nBcc: c"},
        {"smtp_from": "nobody"},
        {"smtp_password": "x", "smtp_password_file": "y"},
        {"smtp_tls": "ssl"},
    ],
)
def test_settings_that_cannot_be(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Settings(**fields)  # type: ignore[arg-type]


def test_the_password_is_not_shown() -> None:
    assert "geheim" not in repr(Settings(smtp_password="geheim"))  # type: ignore[arg-type]


# What comes back


@pytest.mark.parametrize(
    "answer", ["450 try again", "451 greylisted", "550 no such user", "552 full"]
)
async def test_a_recipient_that_is_refused(answer: str) -> None:
    code, _, words = answer.partition(" ")
    async with MailServer(refuse={"desk@news.example": answer}) as server:
        one = mailer(server.port)
        found = await one.send(MAIL)
        assert isinstance(await one.send(Mail("a@b.example", "s", "t", "h", "<1@a>")), Answer)
        await one.close()

    assert isinstance(found, Answer)
    assert (found.status, found.head) == (int(code), words)
    assert len(server.taken) == 1


async def test_a_message_that_is_refused() -> None:
    async with MailServer(answer="554 looks like spam") as server:
        found = await send(server.port)

    assert isinstance(found, Answer)
    assert (found.status, found.head) == (554, "looks like spam")


async def test_connections_are_used_again() -> None:
    async with MailServer() as server:
        one = mailer(server.port)
        for _ in range(3):
            assert isinstance(await one.send(MAIL), Answer)
        await one.close()

    assert (len(server.taken), server.connections) == (3, 1)


async def test_a_connection_is_used_for_so_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MAILS", 2)
    async with MailServer() as server:
        one = mailer(server.port)
        for _ in range(5):
            await one.send(MAIL)
        await one.close()

    assert (len(server.taken), server.connections) == (5, 3)


async def test_only_a_few_mails_are_on_their_way_at_once() -> None:
    async with MailServer() as server:
        one = mailer(server.port)
        found = await asyncio.gather(*(one.send(MAIL) for _ in range(40)))
        await one.close()

    assert {type(answer) for answer in found} == {Answer}
    assert len(server.taken) == 40
    assert server.connections <= module.MAX_CONNECTIONS


async def test_a_connection_that_the_server_has_ended_costs_nothing() -> None:
    async with MailServer(drop_after=1) as server:
        one = mailer(server.port)
        for _ in range(3):
            assert isinstance(await one.send(MAIL), Answer)
            await asyncio.sleep(0.05)  # until it is ended
        await one.close()

    assert (len(server.taken), server.connections) == (3, 3)


async def test_who_leaves_when_a_connection_is_used_again_is_asked_again() -> None:
    turns = 0

    async def talk(line: Line) -> None:
        nonlocal turns
        turns += 1
        await _mail_once(line)
        await line.reader.readline()

    async with Receiver(talk) as server:
        one = mailer(server.port)
        found = [await one.send(MAIL) for _ in range(3)]
        await one.close()

    assert [answer.status for answer in found if isinstance(answer, Answer)] == [250] * 3
    assert turns == 3


async def test_who_says_goodbye_first_is_asked_again() -> None:
    turns = 0

    async def talk(line: Line) -> None:
        nonlocal turns
        turns += 1
        await _mail_once(line)
        if turns == 1:
            await line.reader.readline()
            await line.write(b"421 too long idle\r\n")

    async with Receiver(talk) as server:
        one = mailer(server.port)
        assert isinstance(await one.send(MAIL), Answer)
        found = await one.send(MAIL)
        await one.close()

    assert isinstance(found, Answer)
    assert (found.status, turns) == (250, 2)


async def _mail_once(line: Line) -> None:
    await line.write(b"220 mail.example\r\n")
    while said := await line.reader.readline():
        word = said[:4].upper()
        if word == b"DATA":
            await line.write(b"354 go on\r\n")
            await line.reader.readuntil(b"\r\n.\r\n")
        await line.write(b"250 yes\r\n")
        if word == b"DATA":
            return


@pytest.mark.parametrize("said", [b"", b"220 mail.example\r\n"])
async def test_a_server_that_hangs_is_a_timeout(said: bytes) -> None:
    async def talk(line: Line) -> None:
        await line.write(said)
        await hang(line)

    async with Receiver(talk) as server:
        found = await send(server.port, notify_timeout_s=0.3)
        await until(lambda: server.ended == server.connections)

    assert found == NoAnswer(
        AttemptReason.TIMEOUT,
        "the mail server did not take it within 0.3 s",
        f"localhost:{server.port}",
    )


async def test_waiting_for_a_hanging_server_ends_too() -> None:
    async with Receiver(hang) as server:
        one = mailer(server.port, notify_timeout_s=0.3)
        found = await asyncio.gather(*(one.send(MAIL) for _ in range(30)))
        await one.close()

    assert {answer.reason for answer in found if isinstance(answer, NoAnswer)} == {
        AttemptReason.TIMEOUT
    }


async def test_a_server_that_leaves() -> None:
    async def talk(line: Line) -> None:
        await line.write(b"220 mail.example\r\n")
        await line.reader.readline()

    async with Receiver(talk) as server:
        found = await send(server.port)

    assert isinstance(found, NoAnswer)
    assert found.reason is AttemptReason.BROKEN


async def test_a_server_that_is_none() -> None:
    async def talk(line: Line) -> None:
        await line.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Receiver(talk) as server:
        assert await send(server.port) == NoAnswer(
            AttemptReason.BROKEN, "what listens there is no mail server", f"localhost:{server.port}"
        )


async def test_nobody_listens(free_ports: Callable[[int], int]) -> None:
    port = free_ports(1)
    assert await send(port) == NoAnswer(
        AttemptReason.CONNECT, "no connection to the mail server", f"localhost:{port}"
    )
