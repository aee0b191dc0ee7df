from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from wirewatch.notify.outcome import Answer, Failure, NoAnswer
from wirewatch.notify.verdict import Tried, Verdict, conclude
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoints import Endpoint, Order

TOOK = timedelta(milliseconds=250)
DOWN = Failure(AttemptReason.SERVER_ERROR, "the receiver answered 500")


def tried(
    at: datetime, result: Answer | NoAnswer, failure: Failure | None = None, size: int = 0
) -> Tried:
    return Tried(result, failure, at, TOOK, size)


def test_a_2xx_ends_the_delivery_and_drops_what_it_told(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    answer = Answer(204, head="ok", received_bytes=2, to="hook.example:443")
    before = replace(delivery, resend_id="r", attempts_before=0)

    assert conclude(tried(at, answer, size=700), before, endpoint) == Verdict(
        Attempt(
            delivery_id="msg_1",
            alert_id="alert_1",
            subscription_id="sub_1",
            endpoint_id="end_1",
            number=1,
            outcome=Outcome.DELIVERED,
            to="hook.example:443",
            status=204,
            request_bytes=700,
            response_bytes=2,
            response_head="ok",
            started_at=at,
            duration_ms=250,
        ),
        replace(before, state=DeliveryState.DELIVERED, attempts=1, ended_at=at + TOOK, alert=None),
    )


def test_a_failure_is_tried_again_with_the_alert_kept(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    own = replace(endpoint, retry_schedule_s=(0.0, 0.0))
    before = replace(delivery, attempts=1)

    verdict = conclude(tried(at, Answer(500, head="oops"), DOWN), before, own)

    next_at = at + TOOK
    assert verdict.dead is None
    assert verdict.delivery == replace(delivery, attempts=2, due_at=next_at)
    assert (verdict.attempt.number, verdict.attempt.outcome) == (2, Outcome.RETRY)
    assert (verdict.attempt.reason, verdict.attempt.detail) == (DOWN.reason, DOWN.detail)
    assert verdict.attempt.next_attempt_at == next_at


def test_where_order_is_strict_a_failure_keeps_its_turn_and_says_when_to_try_again(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    strict = replace(endpoint, order=Order.STRICT, retry_schedule_s=(0.0, 0.0))

    verdict = conclude(tried(at, Answer(500), DOWN), delivery, strict)

    assert verdict.delivery == replace(delivery, attempts=1, not_before=at + TOOK)
    assert verdict.attempt.next_attempt_at == at + TOOK


def test_where_order_is_no_longer_strict_nothing_is_held_back(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    own = replace(endpoint, retry_schedule_s=(0.0, 0.0))

    verdict = conclude(tried(at, Answer(500), DOWN), replace(delivery, not_before=at), own)

    assert (verdict.delivery.not_before, verdict.delivery.due_at) == (None, at + TOOK)


def test_the_last_failure_is_the_end(delivery: Delivery, endpoint: Endpoint, at: datetime) -> None:
    once = replace(endpoint, retry_schedule_s=())
    nobody = NoAnswer(AttemptReason.CONNECT, "nobody there", to="hook.example:443")

    verdict = conclude(tried(at, nobody, Failure(nobody.reason, nobody.detail)), delivery, once)

    assert verdict.dead is DeadReason.EXHAUSTED
    attempt = verdict.attempt
    assert (attempt.outcome, attempt.status, attempt.to) == (
        Outcome.DEAD,
        None,
        "hook.example:443",
    )
    assert (attempt.reason, attempt.detail) == (AttemptReason.CONNECT, "nobody there")
    assert attempt.next_attempt_at is None
    assert verdict.delivery == replace(
        delivery, state=DeliveryState.DEAD, attempts=1, ended_at=at + TOOK, alert=None
    )


@pytest.mark.parametrize(
    ("reason", "dead"),
    [
        (AttemptReason.NO_ENDPOINT, DeadReason.NO_ENDPOINT),
        (AttemptReason.DISABLED, DeadReason.DISABLED),
        (AttemptReason.EXPIRED, DeadReason.EXHAUSTED),
        (AttemptReason.GONE, DeadReason.REJECTED),
    ],
)
def test_what_ends_a_delivery_without_a_way_back(
    delivery: Delivery, at: datetime, reason: AttemptReason, dead: DeadReason
) -> None:
    verdict = conclude(tried(at, NoAnswer(reason, "no"), Failure(reason, "no")), delivery, None)

    assert verdict.dead is dead
    assert verdict.delivery.state is DeliveryState.DEAD
    assert (verdict.attempt.reason, verdict.attempt.detail) == (reason, "no")


def test_sent_again_the_schedule_begins_anew_and_the_numbers_go_on(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    again = replace(delivery, attempts=10, attempts_before=10, resend_id="r1")

    verdict = conclude(tried(at, Answer(500), DOWN), again, endpoint)

    assert verdict.attempt.number == 11
    assert verdict.delivery.state is DeliveryState.PENDING
    assert (verdict.delivery.attempts, verdict.delivery.attempts_before) == (11, 10)
    assert timedelta(seconds=4) < verdict.delivery.due_at - at < timedelta(seconds=7)


def test_a_notice_has_no_alert_and_no_subscription(endpoint: Endpoint, at: datetime) -> None:
    notice = Notice(type=NoticeType.ENDPOINT_TEST, endpoint_id="end_1", at=at)
    delivery = Delivery(id="m", endpoint_id="end_1", due_at=at, created_at=at, notice=notice)

    verdict = conclude(tried(at, Answer(200)), delivery, endpoint)

    assert (verdict.attempt.alert_id, verdict.attempt.subscription_id) == ("", "")
    assert verdict.delivery.telling is None
