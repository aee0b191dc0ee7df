"""A small receiver of webhooks: what a subscriber has to write, once, as an example."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import web

from wirewatch.cli.payload import (
    AlertPayload,
    DigestPayload,
    Event,
    P,
    ReceivedAlert,
    ReceivedDigest,
    VerifyPayload,
    read_event,
)
from wirewatch.cli.verify import Unverified, verify, webhook_id
from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.observe import listen

MAX_BODY_BYTES = 1_048_576
MAX_WORDS_CHARS = 200
IDS_REMEMBERED = 10_000
"""A repeat is recognised among as many webhooks."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that runs. `url` is what an endpoint has to name."""

    url: str
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop receiving."""
        await self.runner.cleanup()


SecretOf = Callable[[], str | None]
"""Returns the secret to verify with, None to accept unverified webhooks."""
OnAlert = Callable[[ReceivedAlert], None]
OnDigest = Callable[[ReceivedDigest], None]
OnNote = Callable[[str], None]
"""Called with a sentence about a webhook that is not an alert or is refused."""


def _silent(_: object) -> None:
    return


async def start_receiver(
    host: str,
    port: int,
    secret_of: SecretOf,
    on_alert: OnAlert,
    *,
    on_digest: OnDigest = _silent,
    on_note: OnNote = _silent,
    clock: Clock = utc_now,
) -> Receiver:
    """Receive webhooks at any path of `host`:`port` (0: a free one) until closed.

    A webhook that does not verify is answered with 401, one that cannot be
    read with 400, an `endpoint.verify` with its challenge, everything else with 204.
    A sender that asks beforehand (OPTIONS) is told that it may. Raises PortTaken.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    inbox = _Inbox(secret_of, _Told(on_alert, on_digest, on_note), clock)
    app.router.add_post("/{path:.*}", inbox.receive)
    app.router.add_options("/{path:.*}", _grant)
    runner = await listen(
        app, what="The webhook receiver", host=host, port=port, setting="WIREWATCH_LISTEN_PORT"
    )
    bound = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return Receiver(f"http://{shown}:{bound}/", runner)


async def _grant(request: web.Request) -> web.Response:
    """Let who asks send webhooks (CloudEvents Web Hooks 1.0, section 4)."""
    origin = request.headers.get("WebHook-Request-Origin")
    if origin is None:
        return web.Response(
            status=HTTPStatus.BAD_REQUEST, text="WebHook-Request-Origin is missing\n"
        )
    headers = {"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin}
    if "WebHook-Request-Rate" in request.headers:
        headers["WebHook-Allowed-Rate"] = "*"
    return web.Response(headers=headers)


@dataclass(frozen=True, slots=True)
class _Told:
    """Who is told of what comes in."""

    on_alert: OnAlert
    on_digest: OnDigest
    on_note: OnNote


class _Inbox:
    """Takes webhooks in, knows the last ones by id."""

    def __init__(self, secret_of: SecretOf, told: _Told, clock: Clock) -> None:
        self._secret_of = secret_of
        self._told = told
        self._clock = clock
        self._seen: dict[str, None] = {}

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        secret = self._secret_of()
        try:
            known = webhook_id(request.headers)
            if secret is not None:
                verify(request.headers, body, secret=secret, now=self._clock())
        except Unverified as error:
            self._told.on_note(f"refused a webhook that does not verify: {error}")
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text=f"{error}\n")
        try:
            event = read_event(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._told.on_note(f"refused webhook {known}, it cannot be read: {error}")
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"{error}\n")
        self._tell(known, event, verified=secret is not None)
        if isinstance(event, VerifyPayload):
            return web.json_response({"challenge": event.data.challenge})
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _tell(self, known: str, event: P | Event, *, verified: bool) -> None:
        is_repeat = self._remember(known)
        match event:
            case AlertPayload():
                self._told.on_alert(ReceivedAlert(known, event, verified, is_repeat))
            case DigestPayload():
                self._told.on_digest(ReceivedDigest(known, event, verified, is_repeat))
            case VerifyPayload():
                self._told.on_note(f"webhook {known} asks for verification, answered")
            case Event():
                self._told.on_note(_in_words(known, event))

    def _remember(self, known: str) -> bool:
        """Remember the id; say whether it was known."""
        if known in self._seen:
            return True
        self._seen[known] = None
        if len(self._seen) > IDS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False


def _in_words(known: str, event: Event) -> str:
    """Return a notice in one line: its type, the endpoint it is about, and what it says."""
    data = event.data if isinstance(event.data, dict) else {}
    about = data.get("endpoint")
    endpoint = about if isinstance(about, dict) else {}
    named = endpoint.get("name") or endpoint.get("url") or endpoint.get("id")
    said = [named, data.get("reason"), data.get("detail")]
    words = [each[:MAX_WORDS_CHARS] for each in said if isinstance(each, str) and each]
    text = ": ".join(words) or "nothing to show"
    return f"webhook {known} is of type {event.type[:MAX_WORDS_CHARS]}, {text}"
