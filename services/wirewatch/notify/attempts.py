"""Make one attempt: the request, ready and signed, sent, and what its answer means."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from wirewatch.notify.channels import handshake_request, make_request
from wirewatch.notify.channels.words import ELLIPSIS
from wirewatch.notify.errors import Unsendable
from wirewatch.notify.lane import Job
from wirewatch.notify.outbox import is_check
from wirewatch.notify.outcome import Answer, Failure, NoAnswer, judge, judge_handshake
from wirewatch.notify.redaction import pieces_of, redacted
from wirewatch.notify.request import HttpRequest, Request
from wirewatch.notify.sender import user_agent
from wirewatch.notify.verdict import Tried
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.vault import Vault, VaultError, secrets_of
from wirewatch.topics.attempts import MAX_RESPONSE_HEAD_BYTES, AttemptReason
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.digests import NoticeType
from wirewatch.topics.endpoint_states import EndpointState, disabled_by
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets, Verification

SECRETS_KEPT = 10_000
"""Endpoints whose secrets are kept opened; beyond that the first to be opened go."""

log = get_logger("notify")


class Post(Protocol):
    """Sends requests (`notify.post.Post`); nothing is raised for the network."""

    async def send(self, request: Request) -> Answer | NoAnswer:
        """Send `request` and return what came of it."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The secrets of an endpoint as it was updated, and what no answer is kept with."""

    updated_at: datetime
    secrets: EndpointSecrets
    hidden: tuple[str, ...] = field(repr=False)


class Attempts:
    """Makes attempts. Whatever goes wrong comes back as a failure."""

    def __init__(self, post: Post, vault: Vault, clock: Clock, origin: str) -> None:
        self._post = post
        self._vault = vault
        self._clock = clock
        self._origin = origin
        self._secrets: OrderedDict[str, _Opened] = OrderedDict()

    async def make(self, job: Job, endpoint: Endpoint | None, state: EndpointState | None) -> Tried:
        """Attempt the delivery of `job` once; `endpoint` is None if it was deleted."""
        loop = asyncio.get_running_loop()
        started_at, begun = self._clock(), loop.time()
        request_bytes = 0
        hidden: tuple[str, ...] = ()
        result: Answer | NoAnswer | None = _not_to_be_sent(job, endpoint, state)
        if result is None and endpoint is not None:
            result, request_bytes, hidden = await self._send(job.delivery, endpoint, started_at)
        assert result is not None  # noqa: S101 - an endpoint that is none was told above
        took = timedelta(seconds=loop.time() - begun)
        try:
            failure = self._judge(result, job.delivery, endpoint, started_at + took)
        except Exception as error:  # noqa: BLE001 - as above; receivers choose their answers
            result = none = _unforeseen(error, job.delivery, result.to)
            failure = Failure(none.reason, none.detail)
        return _without(hidden, Tried(result, failure, started_at, took, request_bytes))

    async def _send(
        self, delivery: Delivery, endpoint: Endpoint, now: datetime
    ) -> tuple[Answer | NoAnswer, int, tuple[str, ...]]:
        """Make the request and send it.

        Return what came of it, the size of its body, and what no answer to it is kept with.
        """
        size = 0
        hidden: tuple[str, ...] = ()
        try:
            opened = self._opened(endpoint)
            hidden = opened.hidden
            request = self._request(delivery, endpoint, opened.secrets, now)
            size = _size(request)
            return await self._post.send(request), size, hidden
        except (Unsendable, VaultError) as error:
            reason = getattr(error, "reason", AttemptReason.SECRETS)
            return NoAnswer(reason, str(error)), size, hidden
        except Exception as error:  # noqa: BLE001 - one delivery must not end all others
            return _unforeseen(error, delivery), size, hidden

    def _request(
        self, delivery: Delivery, endpoint: Endpoint, secrets: EndpointSecrets, now: datetime
    ) -> Request:
        if _is_handshake(delivery, endpoint):
            return handshake_request(
                endpoint, secrets, origin=self._origin, user_agent=user_agent()
            )
        return make_request(
            delivery, endpoint, secrets, now=now, user_agent=user_agent(), origin=self._origin
        )

    def _opened(self, endpoint: Endpoint) -> _Opened:
        """Return the endpoint's secrets, opened once for each version of it."""
        kept = self._secrets.get(endpoint.id)
        if kept is not None and kept.updated_at == endpoint.updated_at:
            return kept
        secrets = secrets_of(endpoint, self._vault)
        opened = _Opened(endpoint.updated_at, secrets, pieces_of(endpoint, secrets))
        self._secrets[endpoint.id] = opened
        if len(self._secrets) > SECRETS_KEPT:
            self._secrets.popitem(last=False)
        return opened

    def _judge(
        self,
        result: Answer | NoAnswer,
        delivery: Delivery,
        endpoint: Endpoint | None,
        now: datetime,
    ) -> Failure | None:
        if isinstance(result, Answer) and endpoint and _is_handshake(delivery, endpoint):
            is_granted, detail, _ = judge_handshake(result, self._origin)
            return None if is_granted else Failure(AttemptReason.CHALLENGE, detail)
        kind = endpoint.kind if endpoint is not None else EndpointKind.WEBHOOK
        return judge(result, now=now, kind=kind, notice=delivery.notice)


def _without(hidden: tuple[str, ...], tried: Tried) -> Tried:
    """Return `tried` without the endpoint's secrets, which some receivers repeat."""
    if not hidden:
        return tried
    result, failure = tried.result, tried.failure
    if isinstance(result, Answer):
        is_cut = result.received_bytes > MAX_RESPONSE_HEAD_BYTES
        result = replace(result, head=redacted(result.head, hidden, is_cut=is_cut))
    if failure is not None:
        is_cut = failure.detail.endswith(ELLIPSIS)
        failure = replace(failure, detail=redacted(failure.detail, hidden, is_cut=is_cut))
    return replace(tried, result=result, failure=failure)


def _not_to_be_sent(
    job: Job, endpoint: Endpoint | None, state: EndpointState | None
) -> NoAnswer | None:
    """Return why no request is to be made, None if one is."""
    if endpoint is None:
        return NoAnswer(AttemptReason.NO_ENDPOINT, "the endpoint was deleted")
    reason = disabled_by(endpoint, state)
    if reason is not None and not is_check(job.delivery):
        return NoAnswer(AttemptReason.DISABLED, f"the endpoint is disabled ({reason})")
    if job.is_expired:
        return NoAnswer(
            AttemptReason.EXPIRED, "the endpoint failed for as long as the schedule lasts"
        )
    return None


def _unforeseen(error: Exception, delivery: Delivery, to: str = "") -> NoAnswer:
    """Log `error` and return what the attempt came to, in words that quote no secret."""
    log.error(
        "an attempt failed here, as nobody foresaw",
        delivery=delivery.id,
        endpoint=delivery.endpoint_id,
        exc_info=error,
    )
    words = f"an error inside wirewatch ({type(error).__name__}); its log says more"
    return NoAnswer(AttemptReason.INTERNAL, words, to)


def _is_handshake(delivery: Delivery, endpoint: Endpoint) -> bool:
    notice = delivery.notice
    if notice is None or notice.type is not NoticeType.ENDPOINT_VERIFY:
        return False
    return endpoint.verification is Verification.HANDSHAKE


def _size(request: Request) -> int:
    if isinstance(request, HttpRequest):
        return len(request.body)
    return len(request.text.encode()) + len(request.html.encode())
