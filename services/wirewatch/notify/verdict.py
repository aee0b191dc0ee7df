"""Turn the result of an attempt into the records that tell of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.outcome import Answer, Failure, NoAnswer
from wirewatch.notify.retry import Dead, Retry, after_failure, schedule_of
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint, Order


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt that was made: what came back, and what was wrong with it if anything was."""

    result: Answer | NoAnswer
    failure: Failure | None
    started_at: datetime
    took: timedelta
    request_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: the attempt, the delivery as it stands now, and why it died if it did."""

    attempt: Attempt
    delivery: Delivery
    dead: DeadReason | None = None


def conclude(tried: Tried, delivery: Delivery, endpoint: Endpoint | None) -> Verdict:
    """Say what follows from an attempt at `delivery`.

    An ended delivery no longer carries what it told.
    """
    ended_at = tried.started_at + tried.took
    if tried.failure is None:
        attempt = _attempt(tried, delivery, Outcome.DELIVERED)
        return Verdict(attempt, _ended(delivery, DeliveryState.DELIVERED, ended_at))
    number = delivery.attempts + 1
    decision = after_failure(
        tried.failure,
        delivery_id=delivery.id,
        attempt=number - delivery.attempts_before,
        now=ended_at,
        schedule=schedule_of(endpoint),
    )
    if isinstance(decision, Dead):
        attempt = _attempt(tried, delivery, Outcome.DEAD)
        return Verdict(attempt, _ended(delivery, DeliveryState.DEAD, ended_at), decision.reason)
    attempt = _attempt(tried, delivery, Outcome.RETRY, next_attempt_at=decision.at)
    return Verdict(attempt, _postponed(delivery, decision, endpoint))


def _postponed(delivery: Delivery, decision: Retry, endpoint: Endpoint | None) -> Delivery:
    """Return `delivery` as it waits; where order is strict it keeps its turn."""
    number = delivery.attempts + 1
    if endpoint is not None and endpoint.order is Order.STRICT:
        return replace(delivery, attempts=number, not_before=decision.at)
    return replace(delivery, attempts=number, due_at=decision.at, not_before=None)


def _ended(delivery: Delivery, state: DeliveryState, at: datetime) -> Delivery:
    return Delivery(
        id=delivery.id,
        endpoint_id=delivery.endpoint_id,
        alert_id=delivery.alert_id,
        state=state,
        attempts=delivery.attempts + 1,
        due_at=delivery.due_at,
        created_at=delivery.created_at,
        ended_at=at,
        resend_id=delivery.resend_id,
        attempts_before=delivery.attempts_before,
    )


def _attempt(
    tried: Tried,
    delivery: Delivery,
    outcome: Outcome,
    *,
    next_attempt_at: datetime | None = None,
) -> Attempt:
    result, failure = tried.result, tried.failure
    answer = result if isinstance(result, Answer) else None
    return Attempt(
        delivery_id=delivery.id,
        alert_id=delivery.alert_id,
        subscription_id=delivery.subscription_id,
        endpoint_id=delivery.endpoint_id,
        number=delivery.attempts + 1,
        outcome=outcome,
        reason=failure.reason if failure else None,
        detail=failure.detail if failure else "",
        to=result.to,
        status=answer.status if answer else None,
        request_bytes=tried.request_bytes,
        response_bytes=answer.received_bytes if answer else 0,
        response_head=answer.head if answer else "",
        started_at=tried.started_at,
        duration_ms=round(tried.took / timedelta(milliseconds=1)),
        next_attempt_at=next_attempt_at,
    )
