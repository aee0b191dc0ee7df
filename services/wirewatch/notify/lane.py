"""An endpoint's own queue, and what may leave it now. Pure; times are seconds since 1970.

What waits is in three places: `fresh` (alerts just read, not yet in the deliveries
topic), `loaded` (read back from the outbox) and the outbox itself, of which the
lane knows only when the next one is due.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import Breaker, EndpointState, disabled_by, is_verified
from wirewatch.topics.endpoints import Endpoint, Order

BURY_AT_ONCE = 16
"""Deliveries to an endpoint that is gone, ended at once; no request is made."""


class Trust(Enum):
    """What is known of how an endpoint answers: who may hang has places of its own."""

    PROVEN = "proven"
    """It took the last one."""
    NEW = "new"
    """It was not asked since this worker began."""
    DOUBTED = "doubted"
    """The last attempt failed."""


@dataclass(slots=True, eq=False)
class Job:
    """A delivery in hand.

    `receipt` is where its alert stands (partition, offset), until a record of
    it does. `is_expired` has waited longer than its schedule lasts. `trust` is
    whose place it has, and `is_backlog` says that it was put off or read back from the outbox.
    """

    delivery: Delivery
    lane: "Lane"
    receipt: tuple[int, int] | None = None
    begun_at: float = 0.0
    is_slow: bool = False
    is_over: bool = False
    is_expired: bool = False
    is_backlog: bool = False
    trust: Trust = Trust.NEW


@dataclass(slots=True, eq=False)
class Lane:
    """What waits for one endpoint.

    There may be 100,000 of them: empty, a deque or a set takes ten times what a list or a
    dictionary does, and the lists are short.

    `in_hand` are the jobs by id that were begun and are not yet recorded, `parking`
    the ids that are on their way into the outbox, `running` how many requests are
    under way. `quiet_until` is what a 429 asked for, `paced_at`
    when the rate allows the next request (GCRA, ITU-T I.371). `waits_fresh` says that it waits
    for its turn with what is fresh, `waits_backlog` that it does with what was put off or is in
    the outbox. Where order is strict, `last_due` is when what was taken in last is due.
    """

    endpoint_id: str
    fresh: list[Job] = field(default_factory=list)
    loaded: list[Job] = field(default_factory=list)
    next_due: float | None = None
    check_due: float | None = None
    running: int = 0
    in_hand: dict[str, Job] = field(default_factory=dict)
    parking: dict[str, None] = field(default_factory=dict)
    quiet_until: float = 0.0
    paced_at: float = 0.0
    trust: Trust = Trust.NEW
    waits_fresh: bool = False
    waits_backlog: bool = False
    last_due: datetime | None = None
    wakes_at: float | None = None

    def has_any(self) -> bool:
        """Say whether there is anything that might be begun, now or later."""
        is_due = self.next_due is not None or self.check_due is not None
        return bool(self.fresh or self.loaded) or is_due

    def is_idle(self) -> bool:
        """Say whether nothing would be lost with it."""
        waits = self.waits_fresh or self.waits_backlog or self.has_any()
        return not (waits or self.parking or self.in_hand or self.running)


class Way(Enum):
    """What may leave a lane."""

    OPEN = "open"
    CHECKS = "checks"
    """Only what asks the endpoint itself something: tests and verifications."""
    SHUT = "shut"
    """Nothing before a moment, if there is one."""
    BURY = "bury"
    """Everything, without a request: the endpoint is gone or disabled."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What may leave now, how many of it, and where SHUT until when.

    `is_down` says that it is shut by what the endpoint answered, not by its rate.
    """

    way: Way
    room: int = 0
    until: float | None = None
    is_down: bool = False


def gate(
    lane: Lane,
    endpoint: Endpoint | None,
    state: EndpointState | None,
    *,
    now: float,
    concurrency: int,
) -> Gate:
    """Say what may leave `lane` now. `endpoint` is None where it is deleted or not yet known.

    `concurrency` counts where the endpoint does not say how many at once it takes.
    """
    if endpoint is None or disabled_by(endpoint, state) is not None:
        return Gate(Way.BURY, BURY_AT_ONCE - lane.running)
    if endpoint.paused or not is_verified(endpoint, state):
        return Gate(Way.CHECKS, 1 - lane.running)
    shut_until = max(lane.quiet_until, _probe_at(state))
    if shut_until > now:
        return Gate(Way.SHUT, until=shut_until, is_down=True)
    if endpoint.rate_per_s and lane.paced_at > now:
        return Gate(Way.SHUT, until=lane.paced_at)
    return Gate(Way.OPEN, _room(lane, endpoint, state, concurrency))


def _probe_at(state: EndpointState | None) -> float:
    if state is None or state.breaker is Breaker.CLOSED or state.probe_at is None:
        return 0.0
    return state.probe_at.timestamp()


def _room(lane: Lane, endpoint: Endpoint, state: EndpointState | None, concurrency: int) -> int:
    """Say how many more may be under way.

    One where order is strict (and that until it is recorded), where the circuit
    is being tried, and where nothing is known of the endpoint or the last
    attempt failed: so those that hang hold one place each.
    """
    if endpoint.order is Order.STRICT:
        return 1 - len(lane.in_hand)
    is_tried = state is not None and state.breaker is not Breaker.CLOSED
    if is_tried or lane.trust is not Trust.PROVEN:
        return 1 - lane.running
    return (endpoint.concurrency or concurrency) - lane.running


def pace(lane: Lane, endpoint: Endpoint, now: float) -> None:
    """Count a request against the endpoint's rate; a burst of a second's worth is free."""
    if endpoint.rate_per_s:
        step = 1.0 / endpoint.rate_per_s
        burst = max(1.0, endpoint.rate_per_s) - 1.0
        # paced_at is when the next request may go, so the burst is taken off it.
        lane.paced_at = max(lane.paced_at + step, now + step - burst * step)
