"""How the endpoints of this worker stand, and what of it has to be written down."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.breaker import after_failure, after_success, begun_anew, is_news
from wirewatch.notify.outcome import Failure
from wirewatch.runtime.projection import MemoryTable
from wirewatch.topics.endpoint_states import EndpointState, disabled_by, verification_of
from wirewatch.topics.endpoints import Endpoint


class States:
    """The state of each endpoint; those that never failed have none.

    `table` is a projection of the topic, of which this worker alone writes its
    partitions; what it has not written (a count) or not read back stands here.
    """

    def __init__(self, table: MemoryTable[EndpointState], disable_after: timedelta) -> None:
        self._table = table
        self._disable_after = disable_after
        self._newer: dict[str, EndpointState] = {}

    def get(self, endpoint_id: str) -> EndpointState | None:
        """Return how the endpoint stands, None if nothing was ever wrong with it."""
        return self._newer.get(endpoint_id) or self._table.get(endpoint_id)

    def standing(self, endpoint: Endpoint) -> EndpointState | None:
        """Return how it stands; as new where it was enabled by hand after notify disabled it."""
        return _enabled_again(self.get(endpoint.id), endpoint)

    def clear(self) -> None:
        """Forget what is not in the topic: the partitions were given up."""
        self._newer.clear()

    def forget(self, endpoint_id: str) -> None:
        """Forget the state of an endpoint that is gone; its tombstone is on its way."""
        self._newer.pop(endpoint_id, None)

    def all(self) -> list[EndpointState]:
        """Return every state there is."""
        rows = {state.endpoint_id: state for state in self._table}
        return list((rows | self._newer).values())

    def note(
        self, endpoint: Endpoint, failure: Failure | None, now: datetime
    ) -> EndpointState | None:
        """Take in how an attempt ended; return the new state if it has to be written down."""
        before = self.get(endpoint.id)
        if failure is None:
            return self._set(before, after_success(before, now))
        after = after_failure(
            _enabled_again(before, endpoint),
            failure,
            endpoint_id=endpoint.id,
            now=now,
            disable_after=self._disable_after,
        )
        return self._set(before, after)

    def note_check(
        self, endpoint: Endpoint, failure: Failure | None, now: datetime
    ) -> EndpointState | None:
        """Take in how a verification ended; return the new state if it has to be written down."""
        before = self.get(endpoint.id)
        known = before or EndpointState(endpoint_id=endpoint.id, changed_at=now)
        if failure is None:
            after = replace(
                known, verified=verification_of(endpoint), unverified_detail="", changed_at=now
            )
        else:
            after = replace(known, unverified_detail=failure.detail, changed_at=now)
        return self._set(before, after)

    def _set(
        self, before: EndpointState | None, after: EndpointState | None
    ) -> EndpointState | None:
        if after is None or after is before:
            return None
        self._newer[after.endpoint_id] = after
        return after if is_news(before, after) else None


def _enabled_again(state: EndpointState | None, endpoint: Endpoint) -> EndpointState | None:
    """Return `state`, as new where the endpoint was enabled by hand after notify disabled it."""
    if state is None or state.disabled_at is None or disabled_by(endpoint, state) is not None:
        return state
    return replace(begun_anew(state), disabled_at=None, disabled_reason=None)
