"""Turn the result of an attempt into the records that tell of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.outcome import Answer, Failure, NoAnswer, judge
from wirewatch.notify.retry import Dead, after_failure, schedule_of
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: the attempt, the delivery as it stands now, and why it died if it did."""

    attempt: Attempt
    delivery: Delivery
    dead: DeadReason | None = None


def conclude(
    result: Answer | NoAnswer,
    delivery: Delivery,
    endpoint: Endpoint | None,
    *,
    started_at: datetime,
    took: timedelta,
) -> Verdict:
    """Say what follows from the attempt at `delivery` that began at `started_at`.

    An ended delivery no longer carries its alert.
    """
    ended_at = started_at + took
    number = delivery.attempts + 1
    failure = judge(result, now=ended_at)
    if failure is None:
        attempt = _attempt(result, delivery, None, started_at=started_at, took=took)
        return Verdict(attempt, _ended(delivery, DeliveryState.DELIVERED, ended_at))
    decision = after_failure(
        failure,
        delivery_id=delivery.id,
        attempt=number,
        now=ended_at,
        schedule=schedule_of(endpoint),
    )
    attempt = _attempt(result, delivery, failure, started_at=started_at, took=took)
    if isinstance(decision, Dead):
        attempt = replace(attempt, outcome=Outcome.DEAD)
        return Verdict(attempt, _ended(delivery, DeliveryState.DEAD, ended_at), decision.reason)
    return Verdict(
        replace(attempt, outcome=Outcome.RETRY, next_attempt_at=decision.at),
        replace(delivery, attempts=number, due_at=decision.at),
    )


def _ended(delivery: Delivery, state: DeliveryState, at: datetime) -> Delivery:
    return replace(delivery, state=state, attempts=delivery.attempts + 1, ended_at=at, alert=None)


def _attempt(
    result: Answer | NoAnswer,
    delivery: Delivery,
    failure: Failure | None,
    *,
    started_at: datetime,
    took: timedelta,
) -> Attempt:
    return Attempt(
        delivery_id=delivery.id,
        alert_id=delivery.alert_id,
        subscription_id=delivery.alert.subscription_id if delivery.alert else "",
        endpoint_id=delivery.endpoint_id,
        number=delivery.attempts + 1,
        outcome=Outcome.DELIVERED,
        reason=failure.reason if failure else None,
        detail=failure.detail if failure else "",
        status=result.status if isinstance(result, Answer) else None,
        response_head=result.head if isinstance(result, Answer) else "",
        started_at=started_at,
        duration_ms=round(took / timedelta(milliseconds=1)),
    )
