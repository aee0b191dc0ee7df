"""The paces of subscriptions, of those that ask for one."""

import pytest

from wirewatch.notify.paces import AT_ONCE, PACED, Paced, Paces
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.codec import decode, encode
from wirewatch.topics.subscriptions import Pace, Subscription

HOURLY = Pace(every_min=60)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def paces(told: list[str]) -> Paces:
    paces = Paces()
    paces.on_pace = told.append
    return paces


def read(key: str, pace: Pace | None, offset: int = 0) -> Received[Paced]:
    value = None if pace is None else Paced(id=key, pace=pace)
    return Received(Position(0, offset), key, value)


def test_who_asks_for_nothing_is_told_at_once(paces: Paces, told: list[str]) -> None:
    paces.apply([read("sub_1", Pace())])

    assert paces.get("sub_1") is AT_ONCE
    assert paces.get("sub_unknown") is AT_ONCE
    assert told == []
    assert paces.resume_at(0) is None


def test_a_change_is_told_once_and_the_last_one_counts(paces: Paces, told: list[str]) -> None:
    paces.apply([read("sub_1", HOURLY), read("sub_1", HOURLY, 1), read("sub_2", HOURLY, 2)])
    paces.apply([read("sub_1", Pace(at=("08:00",)), 3)])

    assert paces.get("sub_1") == Pace(at=("08:00",))
    assert paces.get("sub_2") == HOURLY
    assert told == ["sub_1", "sub_2", "sub_1"]


@pytest.mark.parametrize("end", [None, Pace()])
def test_what_is_held_for_a_deleted_subscription_is_told_of_its_end(
    paces: Paces, told: list[str], end: Pace | None
) -> None:
    paces.apply([read("sub_1", HOURLY), read("sub_1", end, 1)])

    assert paces.get("sub_1") is AT_ONCE
    assert told == ["sub_1", "sub_1"]
    assert paces._paces == {}, "it takes no place"


def test_before_anybody_asks_changes_are_taken_in_all_the_same() -> None:
    paces = Paces()

    paces.apply([read("sub_1", HOURLY)])

    assert paces.get("sub_1") == HOURLY


def test_a_subscription_is_read_as_its_pace(at: object) -> None:
    subscription = Subscription(
        id="sub_1",
        name="Panzer",
        query="panzer",
        endpoint_ids=("end_1",),
        pace=HOURLY,
        created_at=at,
        updated_at=at,
    )

    paced = decode(encode(subscription), Paced)

    assert paced == Paced(id="sub_1", pace=HOURLY)
    assert PACED.key(paced) == "sub_1"
    assert PACED.name == "subscriptions"
