"""Where a redirect leads: one address after the other, each of them checked. Pure."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

from yarl import URL

from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.errors import FetchProblem

MAX_URL_CHARS = 8_192
PERMANENT = frozenset({301, 308})

_HOST = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63})*\.?")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    user: str
    password: str

    @property
    def header(self) -> dict[str, str]:
        """The header that shows them (RFC 7617)."""
        pair = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}


@dataclass(frozen=True, slots=True)
class Hop:
    """One address on the way. `url` has no credentials and no fragment; `auth` is for it.

    `start` is the origin that `own` credentials belong to; `seen` are all
    addresses so far; `permanent` is whether all redirects were.
    """

    url: URL
    auth: Credentials | None = None
    own: Credentials | None = None
    start: URL = field(default_factory=URL)
    seen: tuple[URL, ...] = ()
    permanent: bool = True

    @staticmethod
    def first(url: str) -> "Hop":
        """Return the first hop. Raises FetchProblem (ADDRESS) if `url` is no web address."""
        parsed = _checked(url.strip())
        auth = _credentials(parsed)
        plain = parsed.with_user(None).with_fragment(None)
        return Hop(plain, auth, auth, plain.origin(), (plain,))

    def next(
        self, location: str, status: int, *, most: int, retry_after: timedelta | None
    ) -> "Hop":
        """Return the hop that a redirect with `status` leads to.

        Credentials in a Location are the words of another server and are not
        used. Raises FetchProblem: ADDRESS if it is no web address, REDIRECTS if
        it is one too many or goes in a circle.
        """
        target = _checked(location.strip(), self.url).with_user(None).with_fragment(None)
        if target in self.seen:
            raise self._problem("they go in a circle", status, retry_after)
        if len(self.seen) > most:
            raise self._problem(f"more than {most}", status, retry_after)
        return Hop(
            target,
            self.own if self._may_know(target) else None,
            self.own,
            self.start,
            (*self.seen, target),
            self.permanent and status in PERMANENT,
        )

    def _problem(self, words: str, status: int, retry_after: timedelta | None) -> FetchProblem:
        return FetchProblem(FetchReason.REDIRECTS, words, status=status, retry_after=retry_after)

    def _may_know(self, target: URL) -> bool:
        """Say whether `target` may have the credentials: the same origin, or the same made safe."""
        origin = target.origin()
        to_tls = self.start.scheme == "http" and self.start.is_default_port()
        return origin == self.start or (to_tls and origin == self.start.with_scheme("https"))

    @property
    def moved_to(self) -> str:
        """The address if every redirect to it was permanent, else empty."""
        if len(self.seen) == 1 or not self.permanent:
            return ""
        if self.auth is None:
            return str(self.url)
        return str(self.url.with_user(self.auth.user).with_password(self.auth.password))


def _credentials(url: URL) -> Credentials | None:
    if not (url.user or url.password):
        return None
    if ":" in (url.user or ""):
        raise FetchProblem(FetchReason.ADDRESS, "a user name cannot have a colon (RFC 7617 §2)")
    return Credentials(url.user or "", url.password or "")


def _checked(text: str, base: URL | None = None) -> URL:
    """Return `text` as an absolute web address. Raises FetchProblem (ADDRESS) if it is none."""
    try:
        if len(text) > MAX_URL_CHARS:
            raise ValueError(f"more than {MAX_URL_CHARS} characters")  # noqa: TRY301
        url = URL(_readable(text).replace(" ", "%20"))
        url = base.join(url) if base and not url.scheme else url
        return _on_the_web(url)
    except (ValueError, TypeError) as error:
        words = str(error).encode("ascii", "replace").decode()[:200]
        raise FetchProblem(FetchReason.ADDRESS, f"not a web address: {words}") from error


def _readable(text: str) -> str:
    """Bytes that are not UTF-8 come from aiohttp as lone surrogates: send them as they were."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        return quote(text.encode("utf-8", "surrogateescape"), safe=_ASCII)
    return text


def _on_the_web(url: URL) -> URL:
    if url.scheme not in {"http", "https"}:
        raise ValueError(f"{url.scheme[:20] or 'no'} scheme, neither http nor https")
    host = url.raw_host or ""
    if not (":" in host and "%" not in host) and not (len(host) < 254 and _HOST.fullmatch(host)):
        raise ValueError(f"no host name: {host[:60]!r}")
    if url.port == 0:
        raise ValueError("port 0")
    return url.with_port(None) if url.explicit_port and url.is_default_port() else url
