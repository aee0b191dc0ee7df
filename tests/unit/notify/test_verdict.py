from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.verdict import Verdict, conclude
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint

TOOK = timedelta(milliseconds=250)


def test_a_2xx_ends_the_delivery_and_drops_its_alert(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    verdict = conclude(Answer(204, head="ok"), delivery, endpoint, started_at=at, took=TOOK)

    assert verdict == Verdict(
        Attempt(
            delivery_id="msg_1",
            alert_id="alert_1",
            subscription_id="sub_1",
            endpoint_id="end_1",
            number=1,
            outcome=Outcome.DELIVERED,
            status=204,
            response_head="ok",
            started_at=at,
            duration_ms=250,
        ),
        replace(
            delivery,
            state=DeliveryState.DELIVERED,
            attempts=1,
            ended_at=at + TOOK,
            alert=None,
        ),
    )


def test_a_failure_is_tried_again_with_the_alert_kept(
    delivery: Delivery, endpoint: Endpoint, at: datetime
) -> None:
    own = replace(endpoint, retry_schedule_s=(0.0, 0.0))
    before = replace(delivery, attempts=1)

    verdict = conclude(Answer(500, head="oops"), before, own, started_at=at, took=TOOK)

    next_at = at + TOOK
    assert verdict == Verdict(
        Attempt(
            delivery_id="msg_1",
            alert_id="alert_1",
            subscription_id="sub_1",
            endpoint_id="end_1",
            number=2,
            outcome=Outcome.RETRY,
            reason=AttemptReason.SERVER_ERROR,
            detail="the receiver answered 500",
            status=500,
            response_head="oops",
            started_at=at,
            duration_ms=250,
            next_attempt_at=next_at,
        ),
        replace(delivery, attempts=2, due_at=next_at),
    )


def test_the_last_failure_is_the_end(delivery: Delivery, endpoint: Endpoint, at: datetime) -> None:
    once = replace(endpoint, retry_schedule_s=())
    nobody = NoAnswer(AttemptReason.CONNECT, "nobody there")

    verdict = conclude(nobody, delivery, once, started_at=at, took=TOOK)

    assert verdict.dead is DeadReason.EXHAUSTED
    assert (verdict.attempt.outcome, verdict.attempt.status) == (Outcome.DEAD, None)
    assert (verdict.attempt.reason, verdict.attempt.detail) == (
        AttemptReason.CONNECT,
        "nobody there",
    )
    assert verdict.attempt.next_attempt_at is None
    assert verdict.delivery == replace(
        delivery, state=DeliveryState.DEAD, attempts=1, ended_at=at + TOOK, alert=None
    )
