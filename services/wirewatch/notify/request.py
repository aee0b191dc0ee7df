"""What an attempt sends, ready to be sent. Pure: `channels` make it, the senders send it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM texts: whom to trust instead of the system's authorities, and who we are."""

    ca: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request over HTTP. Neither URL nor headers are shown: they may hold secrets.

    `redirects` is how many are followed (0: a redirect is a failure). `timeout_s`
    is None where the setting counts.
    """

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"
    redirects: int = 0
    timeout_s: float | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A message of two alternatives, `text` and `html`, to one address.

    `message_id` (RFC 5322, with angle brackets) is the same in every repeat.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)


Request = HttpRequest | Mail
