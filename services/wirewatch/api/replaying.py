"""What is to be sent again: chosen from attempts, alerts and dead letters. Pure.

Choosing keeps ids and times only, so a busy month fits into memory; what is
told is looked up afterwards, for those that were chosen.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from wirewatch.topics.alerts import ALERTS, Alert
from wirewatch.topics.attempts import ATTEMPTS, Attempt, AttemptReason, Outcome
from wirewatch.topics.codec import DecodeError, decode
from wirewatch.topics.dead_letters import DEAD_LETTERS, DeadLetter, DeadReason
from wirewatch.topics.deliveries import DELIVERIES, Delivery, DeliveryState
from wirewatch.topics.digests import NoticeType
from wirewatch.topics.ids import content_id, delivery_id

DEFAULT_REPLAYED = 1_000
MAX_REPLAYED = 10_000
"""Deliveries sent again by one request."""
MAX_CONSIDERED = 200_000
"""Deliveries to one endpoint that one request chooses from."""
GIVEN_UP = (
    DeadReason.EXHAUSTED,
    DeadReason.REJECTED,
    DeadReason.DISABLED,
    DeadReason.NO_ENDPOINT,
)
"""Why a delivery becomes a dead letter."""
OF_THE_MOMENT = frozenset({NoticeType.ENDPOINT_VERIFY, NoticeType.ENDPOINT_TEST})
"""Notices that mean nothing later on."""


class What(StrEnum):
    """Which deliveries are sent again."""

    FAILED = "failed"
    """Those with a failed attempt since then that were not delivered after it."""
    DEAD = "dead"
    """Those given up since then."""
    ALL = "all"
    """Those of every alert found since then, also what was delivered."""


KEPT = {
    What.FAILED: ATTEMPTS.retention or timedelta.max,
    What.DEAD: DEAD_LETTERS.retention or timedelta.max,
    What.ALL: ALERTS.retention or timedelta.max,
}
"""How far back each can look."""
REASONS: Mapping[What, Collection[str]] = {
    What.FAILED: tuple(AttemptReason),
    What.DEAD: GIVEN_UP,
    What.ALL: (),
}
"""What each can be narrowed to."""


class ReplayView(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found and did. With `dry_run` nothing was sent: `sent` would have been.

    `found` is `sent`, `delivered` (already), `held_back` (muted, or still waiting
    for a digest or as one), `missing` (what it told is not kept any more) and
    `left` (beyond `limit`: go on with `next_since`). Where `complete` is false
    `note` says how to go on. The same `id` repeats nothing.
    """

    id: str
    endpoint_id: str
    what: What
    since: datetime
    until: datetime | None
    dry_run: bool
    found: int
    sent: int
    delivered: int
    held_back: int
    missing: int
    left: int
    next_since: datetime | None
    complete: bool = True
    note: str = ""


class ResendView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is sent again. `id` names the request: the same one repeats nothing."""

    id: str
    delivery_id: str
    endpoint_id: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """To which endpoint, and when: from `since` to before `until` (None: until now)."""

    endpoint_id: str
    since: datetime
    until: datetime | None = None

    def has(self, endpoint_id: str, at: datetime) -> bool:
        """Say whether something at `at` for `endpoint_id` is inside."""
        is_before = self.until is None or at < self.until
        return endpoint_id == self.endpoint_id and self.since <= at and is_before


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be sent again. `chosen` has delivery ids in the order of their times."""

    found: int
    chosen: tuple[str, ...]
    delivered: int = 0
    held_back: int = 0
    left: int = 0
    next_since: datetime | None = None


def choose(
    candidates: Mapping[str, datetime],
    *,
    delivered: Collection[str] = (),
    held_back: Collection[str] = (),
    limit: int,
) -> Choice:
    """Choose the oldest `limit` of the candidates that neither set has."""
    skipped = {*delivered, *held_back}
    ordered = sorted((at, key) for key, at in candidates.items() if key not in skipped)
    return Choice(
        found=len(candidates),
        chosen=tuple(key for _, key in ordered[:limit]),
        delivered=sum(key in candidates for key in delivered),
        held_back=sum(key in candidates for key in {*held_back} - {*delivered}),
        left=len(ordered[limit:]),
        next_since=ordered[limit][0] if len(ordered) > limit else None,
    )


@dataclass(frozen=True, slots=True)
class Last:
    """As much of a delivery's last attempt as choosing needs."""

    number: int
    outcome: Outcome
    reason: AttemptReason | None
    started_at: datetime
    has_alert: bool
    """False for a digest or a notice."""


@dataclass(slots=True)
class Tried:
    """The last attempt of each delivery to an endpoint, and which failed in a window of time."""

    window: Window
    last: dict[str, Last] = field(default_factory=dict)
    failed: dict[str, datetime] = field(default_factory=dict)
    """When the first failure in the window began."""

    def __len__(self) -> int:
        return len(self.last)

    def take(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts in; they may be of other endpoints and later than the window."""
        for attempt in attempts:
            if attempt.endpoint_id != self.window.endpoint_id:
                continue
            key, known = attempt.delivery_id, self.last.get(attempt.delivery_id)
            if known is None or attempt.number >= known.number:
                self.last[key] = Last(
                    number=attempt.number,
                    outcome=attempt.outcome,
                    reason=attempt.reason,
                    started_at=attempt.started_at,
                    has_alert=bool(attempt.alert_id),
                )
            in_window = self.window.has(attempt.endpoint_id, attempt.started_at)
            if attempt.outcome is not Outcome.DELIVERED and in_window:
                self.failed.setdefault(key, attempt.started_at)

    def delivered_after(self, times: Mapping[str, datetime]) -> set[str]:
        """Return those of `times` whose last attempt delivered, and came after that time."""
        return {
            key
            for key, at in times.items()
            if (last := self.last.get(key)) is not None
            and last.outcome is Outcome.DELIVERED
            and last.started_at >= at
        }

    def choose(self, reasons: Collection[str], limit: int) -> Choice:
        """Choose among what failed; `reasons` narrow to those of the last attempt.

        A digest or notice that still waits for its next attempt cannot be hurried:
        only the outbox has what it tells.
        """
        delivered = self.delivered_after(self.failed)
        wanted = {
            key: at
            for key, at in self.failed.items()
            if not reasons or (key not in delivered and self.last[key].reason in reasons)
        }
        waiting = {
            key
            for key in wanted
            if not self.last[key].has_alert and self.last[key].outcome is Outcome.RETRY
        }
        return choose(wanted, delivered=delivered, held_back=waiting, limit=limit)


@dataclass(slots=True)
class Dead:
    """When each delivery to an endpoint was last given up in a window of time."""

    window: Window
    reasons: Collection[str] = ()
    died: dict[str, datetime] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.died)

    def take(self, letters: Iterable[DeadLetter]) -> None:
        """Take dead letters in, whatever of."""
        for letter in letters:
            if self.reasons and letter.reason not in self.reasons:
                continue
            delivery = delivery_in(letter)
            if delivery is None or not is_worth_it(delivery):
                continue
            if not self.window.has(delivery.endpoint_id, letter.died_at):
                continue
            known = self.died.get(letter.key, letter.died_at)
            self.died[letter.key] = max(known, letter.died_at)


@dataclass(slots=True)
class Found:
    """When the alerts of an endpoint were found, and which are held back."""

    window: Window
    found: dict[str, datetime] = field(default_factory=dict)
    states: dict[str, DeliveryState] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.found)

    def take(self, alerts: Iterable[Alert]) -> None:
        """Take alerts in."""
        for alert in alerts:
            if self.window.has(alert.endpoint_id, alert.found_at):
                self.found.setdefault(delivery_id(alert.id, alert.endpoint_id), alert.found_at)

    def take_records(self, deliveries: Iterable[Delivery]) -> None:
        """Take records of the outbox in, in the order they were written."""
        for delivery in deliveries:
            if delivery.id in self.found:
                self.states[delivery.id] = delivery.state

    def choose(self, limit: int) -> Choice:
        """Choose all but what is muted, or waits for a digest that will tell it."""
        never = {DeliveryState.MUTED, DeliveryState.HELD}
        held = {key for key, state in self.states.items() if state in never}
        return choose(self.found, held_back=held, limit=limit)


def delivery_in(letter: DeadLetter) -> Delivery | None:
    """Return the delivery that was given up, None where it is something else or was cut."""
    if letter.payload_is_cut or not letter.topic.endswith(DELIVERIES.name):
        return None
    try:
        return decode(letter.payload, Delivery)
    except DecodeError:
        return None


def resend_id(delivery: str, request: str) -> str:
    """Return the id under which `request` sends `delivery` again: the same each time."""
    return content_id("again", delivery, request)


def again(
    told: Alert | Delivery, request: str, *, attempts: int, now: datetime
) -> Alert | Delivery:
    """Return the record that has it sent again.

    An alert goes into `alerts` once more. A digest or a notice has none, so its
    delivery is put into the outbox itself, its attempts numbered on from `attempts`.
    """
    if isinstance(told, Delivery) and told.alert is not None:
        told = told.alert
    if isinstance(told, Alert):
        key = delivery_id(told.id, told.endpoint_id)
        return replace(told, resend_id=resend_id(key, request))
    made = max(attempts, told.attempts)
    return replace(
        told,
        state=DeliveryState.PENDING,
        attempts=made,
        attempts_before=made,
        due_at=now,
        not_before=None,
        ended_at=None,
        resend_id=resend_id(told.id, request),
    )


def is_worth_it(delivery: Delivery) -> bool:
    """Say whether a delivery that was given up has something to tell that still means anything."""
    notice = delivery.notice
    return delivery.telling is not None and (notice is None or notice.type not in OF_THE_MOMENT)
