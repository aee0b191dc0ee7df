"""One attempt: whatever goes wrong in it comes back as a failure."""

import asyncio
from datetime import datetime

import pytest
import structlog
from msgspec.structs import replace

from wirewatch.notify import attempts as module
from wirewatch.notify.attempts import Attempts
from wirewatch.notify.breaker import OURS
from wirewatch.notify.lane import Job, Lane
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.request import HttpRequest, Request
from wirewatch.notify.verdict import Tried, conclude
from wirewatch.runtime.vault import Vault
from wirewatch.topics.attempts import AttemptReason, Outcome
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets, SigningKey

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


class Post:
    """Answers, or raises what it was given."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    async def send(self, request: Request) -> Answer | NoAnswer:
        if self.error is not None:
            raise self.error
        return Answer(200, to="hook.example:443")


async def attempt(post: Post, delivery: Delivery, endpoint: Endpoint) -> Tried:
    attempts = Attempts(post, Vault([b"k" * 32]), lambda: endpoint.created_at, "wirewatch")
    return await attempts.make(Job(delivery, Lane(endpoint.id)), endpoint, None)


def broken(*_: object, **__: object) -> None:
    raise KeyError("whsec_geheim")


@pytest.mark.parametrize("where", ["make_request", "_size", "judge", "send"])
async def test_what_nobody_foresaw_is_our_failure_and_tried_again(
    delivery: Delivery, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    post = Post(KeyError("whsec_geheim") if where == "send" else None)
    if where != "send":
        monkeypatch.setattr(module, where, broken)
    with structlog.testing.capture_logs() as lines:
        tried = await attempt(post, delivery, endpoint)

    assert tried.failure is not None
    assert tried.failure.reason is AttemptReason.INTERNAL
    assert tried.failure.reason in OURS
    assert "geheim" not in tried.failure.detail
    verdict = conclude(tried, delivery, endpoint)
    assert verdict.attempt.outcome is Outcome.RETRY
    assert verdict.delivery.state is DeliveryState.PENDING
    [line] = lines
    assert (line["log_level"], line["delivery"], line["endpoint"]) == ("error", "msg_1", "end_1")
    assert isinstance(line["exc_info"], KeyError)


async def test_the_schedule_of_what_fails_here_has_an_end(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    tried = await attempt(Post(RuntimeError("a bug")), replace(delivery, attempts=9), endpoint)

    verdict = conclude(tried, replace(delivery, attempts=9, created_at=at), endpoint)
    assert verdict.delivery.state is DeliveryState.DEAD


async def test_who_is_cancelled_ends(delivery: Delivery, endpoint: Endpoint) -> None:
    with pytest.raises(asyncio.CancelledError):
        await attempt(Post(asyncio.CancelledError()), delivery, endpoint)


class Echo(Post):
    """Answers with the headers that it was sent."""

    async def send(self, request: Request) -> Answer | NoAnswer:
        assert isinstance(request, HttpRequest)
        return Answer(404, head=str(dict(request.headers)), to="hook.example:443")


async def test_a_receiver_that_repeats_a_secret_does_not_have_it_kept(
    delivery: Delivery, endpoint: Endpoint
) -> None:
    vault = Vault([b"k" * 32])
    headers = (("X-Api-Key", "geheim-1234"),)
    sealed = vault.seal(
        EndpointSecrets(headers=headers, keys=(SigningKey(secret=SECRET),)), bound_to="end_1"
    )
    tried = await attempt(Echo(), delivery, replace(endpoint, secret="", sealed=sealed))

    kept = conclude(tried, delivery, endpoint).attempt.response_head
    assert "'X-Api-Key': '[redacted]'" in kept
    assert "geheim" not in kept


async def test_it_is_not_kept_either_where_many_others_were_asked_meanwhile(
    delivery: Delivery, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened secrets of few endpoints are at hand; those of an attempt are its own."""
    monkeypatch.setattr(module, "SECRETS_KEPT", 0)
    await test_a_receiver_that_repeats_a_secret_does_not_have_it_kept(delivery, endpoint)


class Says(Post):
    """Answers one thing."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    async def send(self, request: Request) -> Answer | NoAnswer:
        return self.answer


async def test_an_answer_is_judged_as_it_came_and_its_words_are_kept_without_secrets(
    delivery: Delivery, endpoint: Endpoint
) -> None:
    vault = Vault([b"k" * 32])
    url = "https://hooks.slack.com/services/T000/B000/geheim0geheim0"
    sealed = vault.seal(EndpointSecrets(url=url), bound_to="end_1")
    slack = replace(
        endpoint,
        kind=EndpointKind.SLACK,
        url="https://hooks.slack.com/…",
        secret="",
        sealed=sealed,
    )
    gone = await attempt(Says(Answer(404, head="no_service", received_bytes=10)), delivery, slack)
    assert gone.failure is not None
    assert gone.failure.reason is AttemptReason.GONE
    assert gone.failure.detail == "the receiver answered 404: no_service"

    said = "invalid_payload at geheim0geheim0"
    failed = await attempt(Says(Answer(200, head=said, received_bytes=33)), delivery, slack)
    assert failed.failure is not None
    assert failed.failure.detail.endswith("invalid_payload at [redacted]")
    assert isinstance(failed.result, Answer)
    assert failed.result.head == "invalid_payload at [redacted]"
