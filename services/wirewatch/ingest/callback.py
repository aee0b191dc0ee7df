"""Answer WebSub hubs: they verify a subscription (5.3), deny it (5.2), send content (7).

https://www.w3.org/TR/websub/. What a hub says becomes a `Push` in Kafka and is
acted on by whichever worker has the feed; this worker keeps nothing. A hub gets its
2xx only when the record is safe. The server stands in the open internet, best behind
a proxy that speaks https and limits connections.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from wirewatch.ingest import websub
from wirewatch.runtime.errors import PortTaken
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.pushes import MAX_PUSH_BYTES, Push, PushKind

MAX_AT_ONCE = 64
"""Requests in hand; each holds at most MAX_PUSH_BYTES of its body."""
MAX_HEADER_BYTES = 8_190
MAX_HEADERS = 64
MAX_CHALLENGE_CHARS = 1_024
MAX_CONTENT_TYPE_CHARS = 200
MAX_REASON_CHARS = 300
PIECE_BYTES = 65_536
BODY_LIMIT_S = 30.0
PUBLISH_LIMIT_S = 5.0
"""Hubs do not wait long; they come again."""
RETRY_AFTER_S = 60
KEEPALIVE_S = 15.0
LINGER_S = 1.0
SIGNATURE_HEADERS = ("X-Hub-Signature", "X-Hub-Signature-256")
"""The second is not in the specification, but some hubs send it beside the first."""

Publish = Callable[[Push], Awaitable[None]]
Count = Callable[[str], None]
"""Counts a message by outcome: content, notice, verified, ended, refused."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = get_logger("ingest")
_STRANGERS = logging.Logger("callback", logging.CRITICAL)  # noqa: LOG001 - nobody else gets it
"""What is no HTTP gets a 400 from aiohttp, but no traceback: strangers could fill the log."""


class Refusal(Exception):
    """A request that is answered with an error: its status, and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class CallbackServer:
    """A server that listens until `cleanup`."""

    runner: web.AppRunner
    port: int

    async def cleanup(self) -> None:
        """Stop listening; requests in hand are finished."""
        await self.runner.cleanup()


async def start_callback(  # noqa: PLR0917 - started in one place
    host: str, port: int, publish: Publish, secret: str, count: Count, max_bytes: int
) -> CallbackServer:
    """Listen for hubs at `host` and `port` (0: any that is free).

    `publish` returns when the record is safe. A body of more than `max_bytes`
    is refused, one of more than MAX_PUSH_BYTES is passed on as a notice.
    Raises PortTaken.
    """
    desk = _Desk(publish, secret, count, max_bytes)
    app = web.Application(middlewares=[_Guard().answer])
    path = f"/{websub.PATH}/{{feed_id}}/{{token}}"
    app.router.add_get(path, desk.verify, allow_head=False)
    app.router.add_post(path, desk.receive)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_STRANGERS,
        handle_signals=False,
        auto_decompress=False,  # signed is what came over the wire
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=PUBLISH_LIMIT_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        setting = "WIREWATCH_INGEST_CALLBACK_PORT"
        raise PortTaken("ingest: WebSub callback", host, port, setting) from error
    return CallbackServer(runner, runner.addresses[0][1])


class _Guard:
    """Stands before the handlers: not too many at once, and every error is one sentence."""

    def __init__(self) -> None:
        self._in_hand = 0

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let `handler` answer, if there is room."""
        if self._in_hand >= MAX_AT_ONCE:
            return _refuse(Refusal(503, "Too many requests at once."))
        self._in_hand += 1
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refuse(refusal)
        except web.HTTPException as error:
            return _refuse(Refusal(error.status, f"{error.reason}."))
        except Exception:  # our mistake; the stranger gets a sentence, the log the rest
            log.exception("a hub's request failed")
            return _refuse(Refusal(500, "Something went wrong here."))
        finally:
            self._in_hand -= 1


def _refuse(refusal: Refusal) -> web.Response:
    response = web.Response(status=refusal.status, text=f"{refusal}\n")
    if refusal.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    response.force_close()  # a body that nobody wants need not come to its end
    return response


class _Desk:
    """Where hubs are answered."""

    def __init__(self, publish: Publish, secret: str, count: Count, max_bytes: int) -> None:
        self._publish = publish
        self._secret = secret
        self._count = count
        self._max_bytes = max_bytes

    async def verify(self, request: web.Request) -> web.Response:
        """Confirm a subscription that we have asked for, or take note of its denial.

        An unsubscription is never confirmed: we ask for none, leases run out.
        """
        feed_id, token = self._addressed(request)
        if not websub.is_about(self._secret, feed_id, token, request.query.get("hub.topic", "")):
            self._count("refused")
            raise Refusal(404, "There is no subscription to this topic.")
        mode, challenge = request.query.get("hub.mode"), request.query.get("hub.challenge", "")
        if mode == "denied":
            reason = request.query.get("hub.reason", "")[:MAX_REASON_CHARS]
            detail = f"{websub.mark_of(token)} {reason}".strip()
            await self._send(Push(feed_id=feed_id, kind=PushKind.ENDED, detail=detail), "ended")
            return web.Response(text="Noted.\n")
        if mode != "subscribe" or not 0 < len(challenge) <= MAX_CHALLENGE_CHARS:
            self._count("refused")
            raise Refusal(404, "This was not asked for.")
        push = Push(
            feed_id=feed_id,
            kind=PushKind.VERIFIED,
            lease_s=websub.granted_lease_s(request.query.get("hub.lease_seconds")),
            detail=websub.mark_of(token),
        )
        await self._send(push, "verified")
        # It comes from outside and goes back as it is: no browser may take it for HTML.
        return web.Response(text=challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def receive(self, request: web.Request) -> web.Response:
        """Take in content (7). What is not signed as agreed is ignored, with a 2xx (7.1.2)."""
        feed_id, token = self._addressed(request)
        signatures = [s for name in SIGNATURE_HEADERS for s in request.headers.getall(name, [])]
        key = websub.content_secret(self._secret, feed_id, token)
        check = websub.SignatureCheck(signatures, key)
        body = await self._read(request, check)
        if not websub.is_signed(token):
            body = b""
        elif not check.holds():
            self._count("refused")
            log.debug("a push without a right signature", feed=feed_id)
            return web.Response(status=202)
        if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            body = b""  # not unpacked: the fetch that follows has all limits for that
        push = Push(
            feed_id=feed_id,
            kind=PushKind.CONTENT,
            content_type=request.headers.get("Content-Type", "")[:MAX_CONTENT_TYPE_CHARS],
            body=body,
            detail=websub.mark_of(token),
        )
        await self._send(push, "content" if body else "notice")
        return web.Response(status=202)

    def _addressed(self, request: web.Request) -> tuple[str, str]:
        """Return feed id and token of a callback URL that is ours."""
        feed_id, token = request.match_info["feed_id"], request.match_info["token"]
        if not websub.is_genuine(self._secret, feed_id, token):
            self._count("refused")
            raise Refusal(404, "There is no such callback.")
        return feed_id, token

    async def _read(self, request: web.Request, check: websub.SignatureCheck) -> bytes:
        """Return the body, empty if it is more than a Push may hold; show all to `check`."""
        size, kept = 0, bytearray()
        if (request.content_length or 0) > self._max_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(BODY_LIMIT_S):
                async for piece in request.content.iter_chunked(PIECE_BYTES):
                    size += len(piece)
                    if size > self._max_bytes:
                        raise self._too_large()
                    check.update(piece)
                    if size <= MAX_PUSH_BYTES:
                        kept += piece
        except TimeoutError as error:
            raise Refusal(408, "The body did not come to its end in time.") from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise Refusal(400, "The body broke off.") from error
        return bytes(kept) if size <= MAX_PUSH_BYTES else b""

    def _too_large(self) -> Refusal:
        self._count("refused")
        return Refusal(413, f"More than {self._max_bytes} bytes are not read.")

    async def _send(self, push: Push, outcome: str) -> None:
        try:
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                await self._publish(push)
        except Exception as error:
            log.warning("a hub's message could not be kept", feed=push.feed_id, error=repr(error))
            raise Refusal(503, "This cannot be kept now, come again later.") from error
        self._count(outcome)
