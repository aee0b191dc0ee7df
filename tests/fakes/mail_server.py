"""A mail server on this machine, with aiosmtpd's idea of SMTP and habits of a test's choice."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """Takes mail for all but `refuse` (address -> its answer), and says `answer` to a message.

    `logins` is who may log in; where there are any, they have to. `drop_after`
    ends a connection after so many messages, without a word.
    """

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    logins: dict[str, str] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    answer: str = "250 taken"
    drop_after: int = 0
    utf8: bool = True
    taken: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    connections: int = 0
    secured: list[bool] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._open: list[SMTP] = []
        self._server = await loop.create_server(self._connect, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for one in self._open:
            if one.transport is not None:
                one.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def _connect(self) -> SMTP:
        self.connections += 1
        self._open.append(
            SMTP(
                self,
                hostname="mail.example",
                enable_SMTPUTF8=self.utf8,
                tls_context=self.starttls,
                require_starttls=self.starttls is not None,
                authenticator=self._log_in if self.logins else None,
                auth_required=bool(self.logins),
            )
        )
        return self._open[-1]

    def _log_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        is_right = (
            isinstance(data, LoginPassword)
            and self.logins.get(data.login.decode()) == data.password.decode()
        )
        return AuthResult(success=is_right, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.envelopes.append(envelope)
        self.secured.append(session.ssl is not None or self.tls is not None)
        if self.drop_after and len(self.taken) % self.drop_after == 0:
            asyncio.get_running_loop().call_later(0.02, server.transport.abort)
        return self.answer
