"""Send mail over the operator's own mail server.

The server is a setting, not something a subscriber names: it may be anywhere,
and the guard of addresses and ports does not apply to it.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from email.utils import format_datetime, parseaddr

import aiosmtplib
from aiosmtplib.email import flatten_message

from wirewatch.notify.errors import MailError
from wirewatch.notify.failures import tls_words
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import Mail
from wirewatch.notify.tls import make_context
from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.settings import Settings, SmtpTls
from wirewatch.topics.attempts import MAX_RESPONSE_HEAD_BYTES, AttemptReason

MAX_CONNECTIONS = 8
"""Mails on their way at once; the others wait, within their time-out."""
IDLE_S = 20.0
"""How long a connection waits for the next mail."""
MAX_MAILS = 100
"""Mails over one connection: servers commonly end it then."""
MAX_SUBJECT_CHARS = 300
PORTS = {SmtpTls.STARTTLS: 587, SmtpTls.TLS: 465, SmtpTls.NONE: 25}
CODES = range(200, 600)
GOING_AWAY = 421
"""The server's word for ending a connection (RFC 5321, 3.8)."""

_ADDRESS = re.compile(
    r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f]{1,64}@[^\s<>()\[\]\\,;:@\"\x00-\x1f]{1,253}"
)
_ASCII = re.compile(r"[!-~]+")
_WORD = "=?"
"""What an encoded word begins with."""


@dataclass(slots=True)
class _Line:
    """A connection to the mail server and what it was used for."""

    client: aiosmtplib.SMTP = field(repr=False)
    mails: int = 0
    used_at: float = 0.0


class Mailer:
    """Sends mails, a few at once, over connections that are used again. `close` when done.

    Raises OSError if the file with the password cannot be read.
    """

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self._port = settings.smtp_port or PORTS[settings.smtp_tls]
        self._password = _password(settings)
        is_safe = settings.smtp_tls is not SmtpTls.NONE
        self._context = make_context() if settings.smtp_host and is_safe else None
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[_Line] = []

    @property
    def to(self) -> str:
        """The mail server, as attempts show it."""
        return f"{self._settings.smtp_host}:{self._port}"

    async def close(self) -> None:
        """Close all connections."""
        while self._idle:
            _hang_up(self._idle.pop())

    async def send(self, mail: Mail) -> Answer | NoAnswer:
        """Send the mail and return what came of it; nothing is raised for the network.

        The status is the SMTP code: 250 where the server has taken it, else the
        one with which it refused.
        """
        if not self._settings.smtp_host:
            words = "no mail server is set; an operator sets WIREWATCH_SMTP_HOST"
            return NoAnswer(AttemptReason.MAIL_SETTINGS, words)
        try:
            message = write_message(mail, sender=self._settings.smtp_from, at=self._clock())
        except ValueError as error:
            reason = getattr(error, "reason", AttemptReason.URL)
            return NoAnswer(reason, f"no mail can be written: {error}", self.to)
        limit_s = self._settings.notify_timeout_s
        try:
            async with asyncio.timeout(limit_s), self._slots:
                return await self._deliver(message)
        except TimeoutError:
            words = f"the mail server did not take it within {limit_s:g} s"
            return NoAnswer(AttemptReason.TIMEOUT, words, self.to)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _failed(error, self.to)

    async def _deliver(self, message: EmailMessage) -> Answer:
        while True:
            line = self._waiting_line() or _Line(self._new_client())
            is_used = line.mails > 0
            try:
                async with self._kept(line):
                    _, said = await line.client.send_message(message)
                return self._answer(250, said)
            except aiosmtplib.SMTPRecipientsRefused as refused:
                return self._answer(refused.recipients[0].code, refused.recipients[0].message)
            except aiosmtplib.SMTPResponseException as error:
                if error.code not in CODES:
                    raise
                if not (is_used and error.code == GOING_AWAY):
                    return self._answer(error.code, error.message)
            except aiosmtplib.SMTPServerDisconnected:
                if not is_used:
                    raise

    def _answer(self, code: int, said: str) -> Answer:
        size = len(said.encode())
        return Answer(code, head=said[:MAX_RESPONSE_HEAD_BYTES], received_bytes=size, to=self.to)

    def _waiting_line(self) -> _Line | None:
        """Return the connection that was used last, if it may still be open."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            line = self._idle.pop()
            if line.client.is_connected and now - line.used_at < IDLE_S:
                return line
            _hang_up(line)
        return None

    @asynccontextmanager
    async def _kept(self, line: _Line) -> AsyncIterator[None]:
        """Keep the connection for the next mail if all went well, else close it."""
        is_well = False
        try:
            if not line.client.is_connected:
                await line.client.connect()
            yield
            is_well = True
        finally:
            line.mails += 1
            line.used_at = asyncio.get_running_loop().time()
            if is_well and line.mails < MAX_MAILS:
                self._idle.append(line)
            else:
                _hang_up(line)

    def _new_client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=self._port,
            username=settings.smtp_user or None,
            password=self._password or None,
            local_hostname=_own_name(),
            timeout=settings.notify_timeout_s,
            use_tls=settings.smtp_tls is SmtpTls.TLS,
            start_tls=settings.smtp_tls is SmtpTls.STARTTLS,
            tls_context=self._context,
        )


def _password(settings: Settings) -> str:
    if settings.smtp_password_file is not None:
        return settings.smtp_password_file.read_text(encoding="utf-8").strip()
    return settings.smtp_password.get_secret_value()


def _own_name() -> str:
    """Return how we greet; the library would look our name up, which may hang."""
    name = socket.gethostname()
    return name if _ASCII.fullmatch(name) else "localhost"


def _hang_up(line: _Line) -> None:
    """Close a connection without waiting for the server to say goodbye."""
    if isinstance(line.client.transport, asyncio.WriteTransport):
        line.client.transport.abort()
    line.client.close()


def _failed(error: Exception, to: str) -> NoAnswer:
    reason, words = _explain(error)
    return NoAnswer(reason, words, to)


def _explain(error: Exception) -> tuple[AttemptReason, str]:
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLError):
        return AttemptReason.TLS, f"at the mail server: {tls_words(cause)}"
    if isinstance(cause, socket.gaierror):
        return AttemptReason.DNS, "the name of the mail server was not found"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return AttemptReason.BROKEN, "what listens there is no mail server"
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return AttemptReason.CONNECT, "no connection to the mail server"
    if isinstance(error, aiosmtplib.SMTPServerDisconnected | OSError):
        return AttemptReason.BROKEN, "the mail server broke off the conversation"
    return _not_possible(str(error))


def _not_possible(words: str) -> tuple[AttemptReason, str]:
    """Tell apart what aiosmtplib says in words alone."""
    if "AUTH" in words or "auth" in words:
        return AttemptReason.MAIL_SETTINGS, "the mail server offers no way to log in that we know"
    if "STARTTLS" in words:
        return AttemptReason.TLS, "the mail server does not offer STARTTLS"
    if "SMTPUTF8" in words:
        return AttemptReason.URL, "the mail server takes no addresses beyond ASCII"
    return AttemptReason.BROKEN, "the conversation with the mail server failed"


def write_message(mail: Mail, *, sender: str, at: datetime) -> EmailMessage:
    """Return the message as it is sent. Pure.

    It says that no answer is awaited, so that no absence notices come back (RFC 3834).
    Raises ValueError if it cannot be addressed so, MailError if it would not arrive as it is.
    """
    to = read_address(mail.to)
    try:
        message = _message(mail, to, sender, at)
        _check(message)
    except (ValueError, MessageError) as error:
        raise MailError(str(error)) from error
    return message


def _message(mail: Mail, to: str, sender: str, at: datetime) -> EmailMessage:
    message = EmailMessage(policy=MAIL)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = _as_it_stands(mail.message_id)
    message["Auto-Submitted"] = "auto-generated"
    for name, value in mail.headers.items():
        message[name] = _as_it_stands(value)
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _check(message: EmailMessage) -> None:
    """Raise ValueError if a header is more than one line, or cannot be sent."""
    for name, value in message.items():
        if "\r" in str(value) or "\n" in str(value):
            raise ValueError(f"the header {name} has more than one line")
    # Headers are first encoded here, while it is still known whose mistake it is.
    flatten_message(message, utf8=not str(message["To"]).isascii())


def _one_line(subject: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in subject)
    return _as_it_stands(" ".join(printable.split()))[:MAX_SUBJECT_CHARS]


def _as_it_stands(text: str) -> str:
    """Return `text` without encoded words (RFC 2047).

    EmailMessage decodes them, line ends too: whoever writes a title could add headers.
    """
    return text.replace(_WORD, "= ?")


def read_address(text: str) -> str:
    """Return a bare mail address with its domain in ASCII. Raises ValueError if it is none."""
    if not _ADDRESS.fullmatch(text) or parseaddr(text)[1] != text or _WORD in text:
        raise ValueError("the endpoint's address is no mail address")
    local, _, domain = text.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise ValueError("the domain of the endpoint's address is none") from error
