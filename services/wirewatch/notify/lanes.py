"""All lanes of this worker, and which of them may have the next request.

Touches nothing but the outbox: no network, no Kafka. Times are seconds since 1970.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from heapq import heapify, heappop, heappush
from itertools import chain, islice

from msgspec.structs import replace

from wirewatch.notify.lane import Gate, Job, Lane, Trust, Way, gate
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.retry import FREE_RETRY_AFTER, schedule_of
from wirewatch.notify.turns import Turns
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.endpoints import Endpoint, Order

LANE_FRESH = 64
FLOW_FRESH = 256
"""Alerts of one endpoint, and of one article, that wait in memory; what is more goes to the
outbox, so that whoever comes behind them need not wait for it to be sent."""
OUTBOX_EVERY_S = 0.02
BEHIND_S = 0.5
"""While alerts wait to be read, all capacity goes to reading them and to what is fresh: what was
put off and what waits in the outbox has one turn in so many seconds, and it lasts as long after
the last time there were many."""
LOAD = 16
"""Deliveries read back from the outbox at once."""
MOST_LANES = 50_000
"""When there are more, those where nothing waits are forgotten."""
TICK = timedelta(microseconds=1)
"""Deliveries differ in when they are due, so that their order is that of their alerts."""
CLOCKS_DIFFER_S = 60.0
"""The clocks of two workers, at most."""
SAMPLE = 1_000
"""Lanes that are looked at to say how late they are."""
MOST_OUTDATED = 1_000
"""Times to wake that no longer count, before they are cleared away."""
SHORT_S = 1.0
"""A lane that opens again so soon keeps its fresh alerts in memory."""

LATE_FLOW = ""
"""What was put off and what is read back from the outbox have one flow: a backlog is one cause."""


@dataclass(frozen=True, slots=True)
class Views:
    """How lanes look at what is known of an endpoint."""

    endpoint: Callable[[str], Endpoint | None]
    state: Callable[[str], EndpointState | None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A lane that waits for its turn, with what is fresh or with what is in the outbox."""

    lane: Lane
    is_backlog: bool


Park = Callable[[Job], None]
"""Writes a job's delivery down as pending; its alert need not be kept in hand any more."""


class Lanes:
    """Who waits, and whose turn it is.

    `take` gives out jobs; each must come back by `over` when its request has
    ended and by `recorded` when what came of it is in the outbox. One that was
    parked before it was begun comes back by `parked`.
    """

    def __init__(self, outbox: Outbox, views: Views, concurrency: int, park: Park) -> None:
        self._outbox = outbox
        self._views = views
        self._concurrency = concurrency
        self._park = park
        self._lanes: dict[str, Lane] = {}
        self._turns: dict[Trust, Turns[_Waiting]] = {trust: Turns() for trust in Trust}
        self._sleeping: list[tuple[float, int, Lane]] = []
        self._slept = 0
        self._most_lanes = MOST_LANES
        self._ages: deque[tuple[float, Job]] = deque()
        self._flows: Counter[str] = Counter()
        self.fresh_ids: set[str] = set()
        """Deliveries in hand or waiting here of which no record stands in the topic yet."""
        self.fresh = 0
        self._behind_until = 0.0
        self._outbox_at = 0.0

    # What comes in

    def note_behind(self, now: float) -> None:
        """Note that more alerts wait to be read than are read at once."""
        self._behind_until = now + BEHIND_S

    def begin(self) -> None:
        """Take over what waits in the outbox."""
        for waiting in self._outbox.waiting():
            lane = self.lane(waiting.endpoint_id)
            lane.next_due, lane.check_due = waiting.due_at, waiting.check_due_at
            self.turn(lane)

    def clear(self) -> None:
        """Forget everything: the partitions were given up."""
        self._lanes.clear()
        self._turns = {trust: Turns() for trust in Trust}
        self._sleeping.clear()
        self._ages.clear()
        self._flows.clear()
        self.fresh_ids.clear()
        self.fresh = 0

    def add(
        self, delivery: Delivery, receipt: tuple[int, int], now: float, *, is_late: bool = False
    ) -> None:
        """Take in the delivery of an alert that was just read; `is_late` if it was put off."""
        lane = self.lane(delivery.endpoint_id)
        if self._is_strict(lane):
            delivery = self._in_order(lane, delivery, now)
        job = Job(delivery, lane, receipt, is_backlog=is_late)
        self.fresh_ids.add(delivery.id)
        if self._has_to_park(lane, job, now):
            self._park_ahead(lane)
            self._park_job(job)
            return
        self._insert(lane, job)
        self.fresh += 1
        self._flows[_flow(job)] += 1
        self._ages.append((now, job))
        self.turn(lane)

    def _insert(self, lane: Lane, job: Job) -> None:
        """Let `job` wait, before what was put off if it was not."""
        index = len(lane.fresh)
        while index and lane.fresh[index - 1].is_backlog and not job.is_backlog:
            index -= 1
        lane.fresh.insert(index, job)

    def waiting(self, article_id: str) -> int:
        """Return how many alerts of the article wait in memory, those that were put off aside."""
        return self._flows[article_id]

    def late(self) -> int:
        """Return how many alerts wait in memory that were put off."""
        return self._flows[LATE_FLOW]

    def _is_strict(self, lane: Lane) -> bool:
        return _is_strict(self._views.endpoint(lane.endpoint_id))

    def may_pass(self, endpoint_id: str) -> bool:
        """Say whether others may go before an alert for it: of a new one nothing is known yet."""
        endpoint = self._views.endpoint(endpoint_id)
        return endpoint is not None and not _is_strict(endpoint)

    def _in_order(self, lane: Lane, delivery: Delivery, now: float) -> Delivery:
        """Return `delivery`, due after all before it, which another clock may have dated.

        What is due later than clocks differ was put off while order was not strict.
        """
        latest = now + CLOCKS_DIFFER_S
        if lane.last_due is None:
            lane.last_due = self._outbox.last_due_at(lane.endpoint_id, latest)
        last = lane.last_due
        if last is not None and delivery.due_at <= last and last.timestamp() <= latest:
            delivery = replace(delivery, due_at=last + TICK)
        lane.last_due = delivery.due_at
        return delivery

    def _has_to_park(self, lane: Lane, job: Job, now: float) -> bool:
        endpoint = self._views.endpoint(lane.endpoint_id)
        found = self._gate(lane, endpoint, now)
        if found.way is Way.CHECKS or (found.way is Way.SHUT and _is_long(found, now)):
            return True
        if lane.next_due is not None and _is_strict(endpoint):
            return True
        return len(lane.fresh) >= LANE_FRESH or self._flows[_flow(job)] >= FLOW_FRESH

    def note_pending(self, endpoint_id: str, due_at: float, check: bool) -> None:
        """Note that a pending delivery came into the outbox (`outbox.OnPending`)."""
        lane = self.lane(endpoint_id)
        if check:
            lane.check_due = due_at if lane.check_due is None else min(lane.check_due, due_at)
        else:
            lane.next_due = due_at if lane.next_due is None else min(lane.next_due, due_at)
        self.turn(lane)

    def touch(self, endpoint_id: str) -> None:
        """Note that something about the endpoint has changed."""
        lane = self._lanes.get(endpoint_id)
        if lane is not None:
            self.turn(lane)

    def lane(self, endpoint_id: str) -> Lane:
        """Return the endpoint's lane, a new one if there is none."""
        lane = self._lanes.get(endpoint_id)
        if lane is None:
            if len(self._lanes) >= self._most_lanes:
                self._forget_idle()
            state = self._views.state(endpoint_id)
            is_doubted = state is not None and state.failing_since is not None
            trust = Trust.DOUBTED if is_doubted else Trust.NEW
            lane = self._lanes[endpoint_id] = Lane(endpoint_id, trust=trust)
        return lane

    def _forget_idle(self) -> None:
        for lane in [lane for lane in self._lanes.values() if lane.is_idle()]:
            del self._lanes[lane.endpoint_id]
        # Looked at again only when there are many more: most may be busy.
        self._most_lanes = max(MOST_LANES, 2 * len(self._lanes))

    def is_in_hand(self, endpoint_id: str, delivery_id: str) -> bool:
        """Say whether the delivery was begun, or waits here alone.

        What was read back from the outbox and was not begun is dropped: it may change there.
        """
        lane = self._lanes.get(endpoint_id)
        if lane is None:
            return False
        if any(job.delivery.id == delivery_id for job in lane.loaded):
            self._put_back(lane)
            self.turn(lane)
        return delivery_id in self.fresh_ids or delivery_id in lane.in_hand

    # Whose turn it is

    def turn(self, lane: Lane) -> None:
        """Let `lane` have a turn, if there is anything in it and it is still one of ours."""
        if not lane.has_any() or self._lanes.get(lane.endpoint_id) is not lane:
            return
        if lane.fresh and not lane.fresh[0].is_backlog:
            if not lane.waits_fresh:
                # Also where it waits as backlog: what is fresh does not wait for others' backlog.
                lane.waits_fresh = True
                self._turns[lane.trust].add(_flow(lane.fresh[0]), _Waiting(lane, is_backlog=False))
        elif not lane.waits_backlog:
            lane.waits_backlog = True
            self._turns[lane.trust].add(LATE_FLOW, _Waiting(lane, is_backlog=True))

    def _sleep(self, lane: Lane, until: float | None) -> None:
        """Let `lane` have a turn at `until`; if it is None, something else will wake it."""
        if until is None or (lane.wakes_at is not None and lane.wakes_at <= until):
            return
        lane.wakes_at = until
        self._slept += 1
        heappush(self._sleeping, (until, self._slept, lane))
        if len(self._sleeping) > 2 * len(self._lanes) + MOST_OUTDATED:
            self._sleep_anew()

    def _sleep_anew(self) -> None:
        """Drop what a lane has slept for before it was woken earlier."""
        asleep = [lane for lane in self._lanes.values() if lane.wakes_at is not None]
        self._sleeping = [(lane.wakes_at or 0.0, n, lane) for n, lane in enumerate(asleep)]
        heapify(self._sleeping)

    def wake(self, now: float) -> None:
        """Wake the lanes whose time has come."""
        while self._sleeping and self._sleeping[0][0] <= now:
            at, _, lane = heappop(self._sleeping)
            if lane.wakes_at == at:
                lane.wakes_at = None
                self.turn(lane)

    def take(self, trust: Trust, now: float, *, backlog: bool = True) -> Job | None:
        """Return the next job of a lane of this trust that may be begun, None if there is none.

        Without `backlog`, of lanes where something fresh waits.
        """
        has_to_wait = now < min(self._behind_until, self._outbox_at)
        but = LATE_FLOW if has_to_wait or not backlog else None
        while (waiting := self._turns[trust].take(but)) is not None:
            lane = waiting.lane
            if waiting.is_backlog:
                lane.waits_backlog = False
            else:
                lane.waits_fresh = False
            if lane.trust is Trust.DOUBTED and trust is not Trust.DOUBTED:
                self.turn(lane)  # it has failed while it waited
                continue
            job = self._serve(lane, now)
            if job is not None:
                job.trust = trust
                lane.running += 1
                lane.in_hand[job.delivery.id] = job
                job.begun_at = now
                if job.receipt is None:
                    job.is_backlog = True
                if job.is_backlog:
                    self._outbox_at = now + OUTBOX_EVERY_S
                self.turn(lane)
                return job
        return None

    def _serve(self, lane: Lane, now: float) -> Job | None:
        endpoint = self._views.endpoint(lane.endpoint_id)
        found = self._gate(lane, endpoint, now)
        if found.way is Way.SHUT:
            return self._shut(lane, endpoint, found, now)
        if found.room <= 0:
            return None  # it has a turn again when a request of it ends
        check = self._next_check(lane, now)
        if check is not None:
            return check
        if found.way is Way.CHECKS:
            self._park_fresh(lane)
            return None
        is_strict = found.way is Way.OPEN and _is_strict(endpoint)
        return self._next(lane, now, is_strict=is_strict)

    def _gate(self, lane: Lane, endpoint: Endpoint | None, now: float) -> Gate:
        state = self._views.state(lane.endpoint_id)
        return gate(lane, endpoint, state, now=now, concurrency=self._concurrency)

    def _shut(self, lane: Lane, endpoint: Endpoint | None, found: Gate, now: float) -> Job | None:
        """Wait; but what has waited longer than its whole schedule is given up meanwhile.

        Only where the endpoint has failed for as long: what waited for other reasons (a pause,
        a verification, a low rate) was not tried in vain.
        """
        if not lane.running and (check := self._next_check(lane, now)) is not None:
            return check
        self._sleep(lane, found.until)
        if _is_long(found, now):
            self._park_fresh(lane)
        lasts = max(sum(schedule_of(endpoint), timedelta()), FREE_RETRY_AFTER)
        before = now - lasts.total_seconds()
        if not found.is_down or self._failing_since(lane, endpoint, now) > before:
            return None
        if lane.next_due is None or lane.next_due > before or len(lane.in_hand) >= LOAD:
            return None
        for delivery in self._outbox.due(lane.endpoint_id, before, 1, but=lane.in_hand):
            not_before = delivery.not_before
            if not_before is not None and not_before.timestamp() > before:
                return None  # the head of a strict lane had a turn, and has another one
            return Job(delivery, lane, is_expired=True)
        self._look_again(lane)
        return None

    def _failing_since(self, lane: Lane, endpoint: Endpoint | None, now: float) -> float:
        """Return since when it has failed as it is set up now; `now` where it does not fail."""
        state = self._views.state(lane.endpoint_id)
        if state is None or state.failing_since is None or endpoint is None:
            return now
        return max(state.failing_since, endpoint.updated_at).timestamp()

    def _next_check(self, lane: Lane, now: float) -> Job | None:
        if lane.check_due is None:
            return None
        delivery = self._outbox.next_check(lane.endpoint_id, but=lane.in_hand)
        lane.check_due = None if delivery is None else delivery.due_at.timestamp()
        if delivery is None or delivery.due_at.timestamp() > now:
            self._sleep(lane, lane.check_due)
            return None
        return Job(delivery, lane)

    def _next(self, lane: Lane, now: float, *, is_strict: bool) -> Job | None:
        """Return what is due first, from memory or from the outbox."""
        if not lane.loaded and lane.next_due is not None and lane.next_due <= now:
            first = lane.fresh[0].delivery.due_at.timestamp() if lane.fresh else now
            if lane.next_due <= first:
                self._load(lane, now, 1 if is_strict or lane.trust is not Trust.PROVEN else LOAD)
        if lane.loaded:
            return self._loaded(lane, now, is_strict=is_strict)
        if lane.fresh and not (is_strict and lane.parking):
            return self._take_fresh(lane)
        # Where order is strict, what is on its way into the outbox goes before what is fresh.
        self._sleep(lane, lane.next_due)
        return None

    def _load(self, lane: Lane, now: float, limit: int) -> None:
        found = self._outbox.due(lane.endpoint_id, now, limit, but=lane.in_hand)
        lane.loaded.extend(Job(delivery, lane) for delivery in found)
        self._look_again(lane)

    def _look_again(self, lane: Lane) -> None:
        in_hand = [*lane.in_hand, *(job.delivery.id for job in lane.loaded)]
        lane.next_due = self._outbox.next_due_at(lane.endpoint_id, but=in_hand)

    def _loaded(self, lane: Lane, now: float, *, is_strict: bool) -> Job | None:
        job = lane.loaded[0]
        not_before = job.delivery.not_before
        if is_strict and not_before is not None and not_before.timestamp() > now:
            # The head of a strict lane: those behind it wait with it.
            self._put_back(lane)
            self._sleep(lane, not_before.timestamp())
            return None
        return lane.loaded.pop(0)

    def _put_back(self, lane: Lane) -> None:
        lane.loaded.clear()
        self._look_again(lane)

    def _take_fresh(self, lane: Lane) -> Job:
        job = lane.fresh.pop(0)
        self._left(job)
        return job

    def _left(self, job: Job) -> None:
        self.fresh -= 1
        flow = _flow(job)
        self._flows[flow] -= 1
        if not self._flows[flow]:
            del self._flows[flow]

    # What becomes of it

    def over(self, job: Job) -> None:
        """Note that the request of `job` has ended."""
        job.is_over = True
        job.lane.running -= 1
        self.turn(job.lane)

    def recorded(self, job: Job) -> None:
        """Note that what came of `job` is in the outbox, or that it was broken off."""
        job.lane.in_hand.pop(job.delivery.id, None)
        self._no_longer_fresh(job)

    def parked(self, job: Job) -> None:
        """Note that the record of `job`, which was parked and not begun, is in the outbox."""
        job.lane.parking.pop(job.delivery.id, None)
        self._no_longer_fresh(job)

    def _no_longer_fresh(self, job: Job) -> None:
        # After `clear` the same delivery may have come in anew: that one is another job.
        if self._lanes.get(job.lane.endpoint_id) is job.lane:
            self.fresh_ids.discard(job.delivery.id)
            self.turn(job.lane)

    def drop_loaded(self, endpoint_id: str) -> None:
        """Read again from the outbox what was read and not begun: it has changed there."""
        lane = self._lanes.get(endpoint_id)
        if lane is not None and lane.loaded:
            self._put_back(lane)

    def park_old(self, before: float) -> None:
        """Park what has waited in memory since `before`: its alert holds up the commits."""
        while self._ages and self._ages[0][0] <= before:
            _, job = self._ages.popleft()
            lane = job.lane
            if lane.fresh and not job.begun_at and job in lane.fresh:
                if self._is_strict(lane):
                    self._park_fresh(lane, job)
                else:
                    lane.fresh.remove(job)
                    self._left(job)
                    self._park_job(job)

    def _park_fresh(self, lane: Lane, last: Job | None = None) -> None:
        """Park what is fresh, in its order; no more than `last` and those before it."""
        if lane.fresh:
            self._park_in_hand(lane)
        while lane.fresh:
            job = self._take_fresh(lane)
            self._park_job(job)
            if job is last:
                return

    def _park_ahead(self, lane: Lane) -> None:
        """Where order is strict, park what goes before one that is parked.

        After a crash, what is not written down comes behind what is.
        """
        if self._is_strict(lane):
            self._park_in_hand(lane)
            self._park_fresh(lane)

    def _park_in_hand(self, lane: Lane) -> None:
        if self._is_strict(lane):
            for job in lane.in_hand.values():
                if job.receipt is not None and not job.is_over:
                    self._park(job)

    def _park_job(self, job: Job) -> None:
        job.lane.parking[job.delivery.id] = None
        self._park(job)

    def most_overdue(self, now: float) -> float:
        """Return for how many seconds what has a turn has waited for it, of the first SAMPLE."""
        late = 0.0
        for waiting in islice(chain.from_iterable(self._turns.values()), SAMPLE):
            lane = waiting.lane
            if lane.fresh:
                late = max(late, now - lane.fresh[0].delivery.due_at.timestamp())
            if lane.next_due is not None:
                late = max(late, now - lane.next_due)
        return late


def _flow(job: Job) -> str:
    alert = job.delivery.alert
    return LATE_FLOW if job.is_backlog or alert is None else alert.article.id


def _is_strict(endpoint: Endpoint | None) -> bool:
    return endpoint is not None and endpoint.order is Order.STRICT


def _is_long(found: Gate, now: float) -> bool:
    return found.until is None or found.until - now > SHORT_S
