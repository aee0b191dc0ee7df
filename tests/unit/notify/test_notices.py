"""What is told about endpoints, to whom, and how often."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from wirewatch.notify import notices
from wirewatch.notify.outcome import Failure
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Notice, NoticeType
from wirewatch.topics.endpoint_states import DisabledReason, EndpointState
from wirewatch.topics.endpoints import Endpoint, OperationalEvent, Verification

DISABLED = OperationalEvent.ENDPOINT_DISABLED
DOWN = Failure(AttemptReason.SERVER_ERROR, "down")
EXHAUSTED = OperationalEvent.DELIVERY_EXHAUSTED


@pytest.fixture
def asked(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, name="Desk", verification=Verification.PING, sealed="sealed")


@pytest.fixture
def watcher(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, id="end_w", events=(DISABLED, EXHAUSTED))


def state_of(endpoint: Endpoint, at: datetime) -> EndpointState:
    return EndpointState(
        endpoint_id=endpoint.id,
        failing_since=at - timedelta(days=5),
        last_reason=AttemptReason.CONNECT,
        last_detail="nobody there",
        disabled_at=at,
        disabled_reason=DisabledReason.FAILING,
        changed_at=at,
    )


def test_the_same_question_is_the_same_delivery(asked: Endpoint, at: datetime) -> None:
    one = notices.verification(asked, at)
    again = notices.verification(replace(asked, name="Other"), at + timedelta(hours=1))

    assert (one.endpoint_id, one.state, one.due_at) == (asked.id, DeliveryState.PENDING, at)
    assert one.id == again.id
    assert one.notice is not None
    assert again.notice is not None
    assert one.notice.challenge == again.notice.challenge
    assert one.notice.type is NoticeType.ENDPOINT_VERIFY
    assert (one.notice.endpoint_id, one.notice.endpoint_name, one.notice.endpoint_url) == (
        asked.id,
        "Desk",
        asked.url,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://other.example/in"},
        {"verification": Verification.HANDSHAKE},
        {"id": "end_2"},
    ],
)
def test_another_address_or_way_is_another_question(
    asked: Endpoint, at: datetime, change: dict[str, str]
) -> None:
    one, other = (notices.verification(each, at) for each in (asked, replace(asked, **change)))

    assert one.id != other.id
    assert one.notice is not None
    assert other.notice is not None
    assert one.notice.challenge != other.notice.challenge


def test_the_challenge_cannot_be_worked_out_from_what_may_be_shown(
    asked: Endpoint, at: datetime
) -> None:
    one, other = (
        notices.verification(each, at).notice for each in (asked, replace(asked, sealed="else"))
    )

    assert one is not None
    assert other is not None
    assert one.challenge != other.challenge
    assert "sealed" not in one.challenge


def test_who_asked_for_it_is_told_that_an_endpoint_is_disabled(
    endpoint: Endpoint, watcher: Endpoint, at: datetime
) -> None:
    deaf = replace(watcher, id="end_d", events=(EXHAUSTED,))

    [told] = notices.disabled(endpoint, state_of(endpoint, at), [watcher, deaf, endpoint], at)

    assert (told.endpoint_id, told.state, told.due_at, told.alert) == (
        "end_w",
        DeliveryState.PENDING,
        at,
        None,
    )
    assert told.notice == Notice(
        type=NoticeType.ENDPOINT_DISABLED,
        endpoint_id=endpoint.id,
        endpoint_name="",
        endpoint_url=endpoint.url,
        reason="failing",
        detail="nobody there",
        failing_since=at - timedelta(days=5),
        at=at,
    )


def test_no_endpoint_is_told_of_itself(watcher: Endpoint, at: datetime, delivery: Delivery) -> None:
    assert notices.disabled(watcher, state_of(watcher, at), [watcher], at) == []
    assert notices.exhausted(watcher, delivery, DOWN, [watcher], at) == []


def test_each_disabling_is_told_once_more(
    endpoint: Endpoint, watcher: Endpoint, at: datetime
) -> None:
    later = at + timedelta(days=9)
    first, again, second = (
        notices.disabled(endpoint, state_of(endpoint, when), [watcher], when)[0].id
        for when in (at, at, later)
    )

    assert first == again
    assert first != second


def test_one_exhausted_delivery_of_an_hour_is_told_of(
    endpoint: Endpoint, watcher: Endpoint, delivery: Delivery, at: datetime
) -> None:
    other = replace(delivery, id="msg_2", attempts=9)
    [one] = notices.exhausted(endpoint, replace(delivery, attempts=9), DOWN, [watcher], at)
    [same_hour] = notices.exhausted(endpoint, other, DOWN, [watcher], at + timedelta(minutes=59))
    [next_hour] = notices.exhausted(endpoint, other, DOWN, [watcher], at + timedelta(hours=1))
    [of_another] = notices.exhausted(replace(endpoint, id="end_2"), other, DOWN, [watcher], at)

    assert len({one.id, next_hour.id, of_another.id}) == 3
    assert same_hour.id == one.id
    assert one.notice == Notice(
        type=NoticeType.DELIVERY_EXHAUSTED,
        endpoint_id=endpoint.id,
        endpoint_url=endpoint.url,
        reason="server_error",
        detail="down",
        delivery_id="msg_1",
        alert_id="alert_1",
        subscription_id="sub_1",
        attempts=10,
        at=at,
    )
