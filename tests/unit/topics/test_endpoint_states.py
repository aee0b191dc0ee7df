"""Whether an endpoint is disabled or verified: rules that the API and notify share."""

from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.topics.endpoint_states import (
    DisabledReason,
    EndpointState,
    disabled_by,
    is_verified,
    verification_of,
)
from wirewatch.topics.endpoints import Endpoint, EndpointKind, Verification

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def endpoint(**fields) -> Endpoint:
    basis = {"id": "end_1", "url": "https://x/", "created_at": AT, "updated_at": AT}
    return Endpoint(**(basis | fields))


def state(**fields) -> EndpointState:
    return EndpointState(**({"endpoint_id": "end_1", "changed_at": AT} | fields))


GONE = state(disabled_at=LATER, disabled_reason=DisabledReason.GONE)


@pytest.mark.parametrize(
    ("one", "seen", "reason"),
    [
        (endpoint(), None, None),
        (endpoint(), state(), None),
        (endpoint(paused=True), state(), None),
        (endpoint(disabled=True), None, DisabledReason.BY_HAND),
        (endpoint(disabled=True), GONE, DisabledReason.BY_HAND),
        (endpoint(), GONE, DisabledReason.GONE),
        (endpoint(enabled_at=AT), GONE, DisabledReason.GONE),
        (endpoint(enabled_at=LATER), GONE, None),
        # One that was deleted and made anew is not what notify saw.
        (endpoint(created_at=LATER), GONE, None),
        (endpoint(), state(disabled_at=LATER), DisabledReason.FAILING),
    ],
)
def test_what_disables_an_endpoint(one, seen, reason):
    assert disabled_by(one, seen) is reason


def test_what_was_proved_is_of_one_address_one_kind_and_one_way():
    ping = {"verification": Verification.PING}
    proofs = [
        verification_of(one)
        for one in (
            endpoint(**ping),
            endpoint(verification=Verification.HANDSHAKE),
            endpoint(**ping, url="https://y/"),
            endpoint(**ping, kind=EndpointKind.CLOUDEVENTS),
            endpoint(**ping, url_id="url_1"),
            endpoint(**ping, url_id="url_2"),
        )
    ]
    assert len(set(proofs)) == len(proofs)
    assert verification_of(endpoint(**ping, name="x", sealed="y")) == proofs[0]


def test_nothing_is_asked_of_an_endpoint_without_verification():
    assert verification_of(endpoint()) == ""
    assert is_verified(endpoint(), None)
    asked = endpoint(verification=Verification.PING)
    assert not is_verified(asked, None)
    assert not is_verified(asked, state())
    assert is_verified(asked, state(verified=verification_of(asked)))
