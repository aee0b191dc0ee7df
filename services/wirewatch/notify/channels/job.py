"""What a channel makes a request of, and the parts of one that all channels share. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from wirewatch.notify.errors import SecretError
from wirewatch.notify.request import HttpRequest, Tls
from wirewatch.notify.signature import signed_headers
from wirewatch.topics.digests import Telling
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets

USER_AGENT = "wirewatch"
JSON = "application/json"
MAX_HEADERS = 32
MAX_HEADER_CHARS = 4_096
REMEMBERED_HEADERS = 4_096
OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that say how a request is sent: no endpoint may set them (request smuggling)."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery to be made into a request."""

    delivery_id: str
    telling: Telling
    endpoint: Endpoint
    secrets: EndpointSecrets
    now: datetime
    user_agent: str = USER_AGENT
    origin: str = ""

    @property
    def address(self) -> str:
        """The whole URL, also where the endpoint may only show its beginning."""
        return self.secrets.url or self.endpoint.url


def signed(job: Job, body: bytes, content_type: str, **more: str) -> HttpRequest:
    """Return a POST of `body`, signed. Raises SecretError."""
    signature = signed_headers(job.secrets.keys, webhook_id=job.delivery_id, at=job.now, body=body)
    own = {"Content-Type": content_type, "User-Agent": job.user_agent, **signature, **more}
    return http(job.endpoint, job.secrets, job.address, body=body, own=own)


def posted(job: Job, message: Mapping[str, Any], *, url: str = "", token: str = "") -> HttpRequest:
    """Return a POST of `message` as JSON, as chats take it: `token` is a bearer's."""
    own = {"Content-Type": JSON, "User-Agent": job.user_agent}
    if token:
        own["Authorization"] = f"Bearer {check_value(token, 'the token')}"
    body = _encoder.encode(message)
    return http(job.endpoint, job.secrets, url or job.address, body=body, own=own)


def http(
    endpoint: Endpoint,
    secrets: EndpointSecrets,
    url: str,
    *,
    body: bytes,
    own: Mapping[str, str],
    method: str = "POST",
) -> HttpRequest:
    """Return the request with the endpoint's headers and policies; `own` headers go first."""
    return HttpRequest(
        url=url,
        body=body,
        headers=_with_custom(own, secrets.headers) if secrets.headers else own,
        method=method,
        redirects=endpoint.redirects,
        timeout_s=endpoint.timeout_s,
        tls=_tls(secrets) if secrets.ca or secrets.certificate else None,
    )


def _tls(secrets: EndpointSecrets) -> Tls:
    return Tls(ca=secrets.ca, certificate=secrets.certificate, private_key=secrets.private_key)


def _with_custom(own: Mapping[str, str], custom: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    taken = {name.lower() for name in own}
    more = {name: value for name, value in _checked(custom) if name.lower() not in taken}
    return {**own, **more}


@lru_cache(maxsize=REMEMBERED_HEADERS)
def _checked(custom: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return `custom` if every header may be sent. Raises SecretError."""
    if len(custom) > MAX_HEADERS:
        raise SecretError(f"it has {len(custom)} headers, at most {MAX_HEADERS} are allowed")
    for number, (name, value) in enumerate(custom, 1):
        if not _NAME.fullmatch(name) or len(name) > MAX_HEADER_CHARS:
            raise SecretError(f"header number {number} has a name that HTTP does not allow")
        if name.lower() in OF_THE_CONNECTION:
            raise SecretError(f"the header {name} is set by the connection, not by an endpoint")
        check_value(value, f"the header {name}")
    return custom


def check_value(value: str, what: str) -> str:
    """Return `value` if it can stand in a header. Raises SecretError that does not show it."""
    if len(value) > MAX_HEADER_CHARS:
        raise SecretError(f"{what} has more than {MAX_HEADER_CHARS} characters")
    if not _VALUE.fullmatch(value):
        raise SecretError(f"{what} holds a line break or another character HTTP does not allow")
    return value
