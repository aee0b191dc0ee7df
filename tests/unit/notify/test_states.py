"""How endpoints stand: what notify has written, and what it knows beyond that."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from wirewatch.notify.breaker import OPEN_AFTER
from wirewatch.notify.outcome import Failure
from wirewatch.notify.states import States
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    EndpointState,
    disabled_by,
    is_verified,
)
from wirewatch.topics.endpoints import Endpoint, Verification

REFUSED = Failure(AttemptReason.CONNECT, "nobody there")
GONE = Failure(AttemptReason.GONE, "the receiver answered 410")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def table() -> MemoryTable[EndpointState]:
    return MemoryTable()


@pytest.fixture
def states(table: MemoryTable[EndpointState]) -> States:
    return States(table, timedelta(days=5))


def written(table: MemoryTable[EndpointState], state: EndpointState, offset: int = 0) -> None:
    table.apply([Received(Position(0, offset), state.endpoint_id, state)])


def test_an_endpoint_that_never_failed_has_no_state(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    assert states.note(endpoint, None, at) is None
    assert states.get(endpoint.id) is None
    assert states.all() == []


def test_what_has_changed_is_to_be_written_and_a_mere_count_is_not(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    first = states.note(endpoint, REFUSED, at)
    second = states.note(endpoint, REFUSED, at + MINUTE)

    assert first is not None
    assert first.failures == 1
    assert second is None
    known = states.get(endpoint.id)
    assert known is not None
    assert known.failures == 2
    assert states.all() == [known]

    healed = states.note(endpoint, None, at + 2 * MINUTE)
    assert healed is not None
    assert healed.failing_since is None


def test_what_this_worker_knows_goes_before_what_it_reads_back(
    states: States, table: MemoryTable[EndpointState], endpoint: Endpoint, at: datetime
) -> None:
    first = states.note(endpoint, REFUSED, at)
    states.note(endpoint, REFUSED, at)
    assert first is not None

    written(table, first)

    known = states.get(endpoint.id)
    assert known is not None
    assert known.failures == 2


def test_what_was_only_counted_is_forgotten_with_the_partitions(
    states: States, table: MemoryTable[EndpointState], endpoint: Endpoint, at: datetime
) -> None:
    first = states.note(endpoint, REFUSED, at)
    states.note(endpoint, REFUSED, at)
    assert first is not None
    written(table, first)

    states.clear()

    assert states.get(endpoint.id) == first


def test_a_state_from_the_topic_goes_on(
    states: States, table: MemoryTable[EndpointState], endpoint: Endpoint, at: datetime
) -> None:
    written(
        table,
        EndpointState(
            endpoint_id=endpoint.id,
            failures=OPEN_AFTER - 1,
            unreachable=OPEN_AFTER - 1,
            failing_since=at,
            changed_at=at,
        ),
    )

    state = states.note(endpoint, REFUSED, at + MINUTE)

    assert state is not None
    assert state.breaker is Breaker.OPEN


def test_410_disables_until_it_is_enabled_by_hand(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    state = states.note(endpoint, GONE, at + MINUTE)
    enabled = replace(endpoint, enabled_at=at + 2 * MINUTE)

    assert disabled_by(endpoint, state) is DisabledReason.GONE
    assert disabled_by(enabled, state) is None


def test_enabled_again_it_begins_anew(states: States, endpoint: Endpoint, at: datetime) -> None:
    """After days of failures it is not disabled, nor its circuit opened, by the next one."""
    begin = at + MINUTE
    for _ in range(20):
        states.note(endpoint, REFUSED, begin)
    states.note(endpoint, REFUSED, begin + timedelta(days=5))
    was = states.get(endpoint.id)
    assert was is not None
    assert was.disabled_reason is DisabledReason.FAILING

    enabled_at = begin + timedelta(days=6)
    enabled = replace(endpoint, enabled_at=enabled_at)
    state = states.note(enabled, REFUSED, enabled_at + MINUTE)

    assert state is not None
    assert disabled_by(enabled, state) is None
    assert (state.failures, state.failing_since) == (1, enabled_at + MINUTE)
    assert (state.breaker, state.probe_at) == (Breaker.CLOSED, None)


def test_a_success_after_it_was_enabled_leaves_nothing_of_the_past(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    states.note(endpoint, GONE, at + MINUTE)
    enabled = replace(endpoint, enabled_at=at + 2 * MINUTE)

    states.note(enabled, None, at + 3 * MINUTE)
    state = states.note(enabled, REFUSED, at + 4 * MINUTE)

    assert state is not None
    assert disabled_by(enabled, state) is None
    assert state.failures == 1


def test_410_after_it_was_enabled_disables_it_once_more(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    states.note(endpoint, GONE, at + MINUTE)
    enabled = replace(endpoint, enabled_at=at + 2 * MINUTE)

    state = states.note(enabled, GONE, at + 3 * MINUTE)

    assert disabled_by(enabled, state) is DisabledReason.GONE


def test_a_verification_that_was_answered_is_remembered_for_that_address(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    asked = replace(endpoint, verification=Verification.PING)
    assert not is_verified(asked, states.get(asked.id))

    state = states.note_check(asked, None, at)

    assert state is not None
    assert is_verified(asked, state)
    assert not is_verified(replace(asked, url="https://other.example/"), state)


def test_a_verification_in_vain_says_why_and_counts_as_no_failure(
    states: States, endpoint: Endpoint, at: datetime
) -> None:
    asked = replace(endpoint, verification=Verification.PING)
    wrong = Failure(AttemptReason.CHALLENGE, "another challenge came back")

    state = states.note_check(asked, wrong, at)

    assert state is not None
    assert (state.unverified_detail, state.failures, state.failing_since) == (
        "another challenge came back",
        0,
        None,
    )
    assert states.note_check(asked, wrong, at + MINUTE) is None, "nothing new"
    proved = states.note_check(asked, None, at + 2 * MINUTE)
    assert proved is not None
    assert proved.unverified_detail == ""
