"""A small receiver of webhooks: what a subscriber has to write, once, as an example."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from aiohttp import web

from wirewatch.cli.payload import AlertPayload, ReceivedAlert, read_event
from wirewatch.cli.verify import Unverified, verify, webhook_id
from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.observe import listen

MAX_BODY_BYTES = 1_048_576
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
OnNote = Callable[[str], None]
"""Called with a sentence about a webhook that is not an alert or is refused."""


def _silent(_: str) -> None:
    return


async def start_receiver(
    host: str,
    port: int,
    secret_of: SecretOf,
    on_alert: OnAlert,
    *,
    on_note: OnNote = _silent,
    clock: Clock = utc_now,
) -> Receiver:
    """Receive webhooks at any path of `host`:`port` (0: a free one) until closed.

    A webhook that does not verify is answered with 401, one that cannot be
    read with 400, everything else with 204. Raises PortTaken.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/{path:.*}", _Inbox(secret_of, on_alert, on_note, clock).receive)
    runner = await listen(
        app, what="The webhook receiver", host=host, port=port, setting="WIREWATCH_LISTEN_PORT"
    )
    bound = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return Receiver(f"http://{shown}:{bound}/", runner)


class _Inbox:
    """Takes webhooks in, knows the last ones by id."""

    def __init__(
        self, secret_of: SecretOf, on_alert: OnAlert, on_note: OnNote, clock: Clock
    ) -> None:
        self._secret_of = secret_of
        self._on_alert = on_alert
        self._on_note = on_note
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
            self._on_note(f"refused a webhook that does not verify: {error}")
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text=f"{error}\n")
        try:
            event = read_event(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._on_note(f"refused webhook {known}, it cannot be read: {error}")
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"{error}\n")
        is_repeat = self._remember(known)
        if isinstance(event, AlertPayload):
            self._on_alert(ReceivedAlert(known, event, secret is not None, is_repeat))
        else:
            self._on_note(f"webhook {known} is of type {event.type}, nothing to show")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _remember(self, known: str) -> bool:
        """Remember the id; say whether it was known."""
        if known in self._seen:
            return True
        self._seen[known] = None
        if len(self._seen) > IDS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return False
