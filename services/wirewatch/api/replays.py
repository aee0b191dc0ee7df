"""/v1/replays: many deliveries to one endpoint are sent again.

First it is chosen which, then what they told is looked up and sent, a batch at a
time. The client may go away or repeat the request: nothing is sent twice.
"""

from collections.abc import Callable, Collection, Sequence, Sized
from datetime import MAXYEAR, UTC, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web

from wirewatch.api.again import Again, endpoint_to_send_to, note_of, request_key
from wirewatch.api.answers import API, answer, body_of
from wirewatch.api.bodies import ReplayBody
from wirewatch.api.errors import FieldError, Invalid, NotFound
from wirewatch.api.logs import MAX_SECONDS, Reading, Span
from wirewatch.api.lookback import give_alerts, give_dead, spans_back
from wirewatch.api.replaying import (
    KEPT,
    MAX_CONSIDERED,
    MAX_REPLAYED,
    REASONS,
    Choice,
    Dead,
    Found,
    ReplayView,
    Tried,
    What,
    Window,
    choose,
)
from wirewatch.api.words import count
from wirewatch.topics.alerts import ALERTS
from wirewatch.topics.attempts import ATTEMPTS
from wirewatch.topics.dead_letters import DEAD_LETTERS
from wirewatch.topics.deliveries import DELIVERIES
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

routes = web.RouteTableDef()

WRITTEN_LATER = timedelta(minutes=5)
"""How long after its time a record may be written."""


@routes.post("/v1/replays")
async def replay(request: web.Request) -> web.Response:
    """Send deliveries to one endpoint again: what failed, what was given up, or all."""
    api = request.app[API]
    body = await body_of(request, ReplayBody)
    now = api.clock()
    window = _window(body)
    _check(body, window, now)
    parts = (body.endpoint, body.what, window.since.isoformat(), str(window.until))
    name = request_key(request, body.id, *parts, ",".join(body.reasons))
    endpoint = endpoint_to_send_to(api, body.endpoint)
    async with api.past.reading() as reading:
        choice, tried = await _choose(reading, body, window, now)
        if not choice.found:
            raise _nothing(body, window)
        numbers = {key: each.number for key, each in tried.last.items()}
        sending = Again(api, request, name, numbers, dry=body.dry_run)
        left = set(choice.chosen)
        await _give(reading, left, sending, what=body.what, tried=tried, now=now)
        done = reading.is_whole and not sending.is_alone
    note = note_of(api, endpoint) if done else _go_on(name, len(left))
    return answer(
        ReplayView(
            id=name,
            endpoint_id=body.endpoint,
            what=body.what,
            since=window.since,
            until=window.until,
            dry_run=body.dry_run,
            found=choice.found,
            sent=sending.sent,
            delivered=choice.delivered,
            held_back=choice.held_back,
            missing=len(left) if done else 0,
            left=choice.left,
            next_since=choice.next_since,
            complete=done,
            note=note,
        ),
        HTTPStatus.ACCEPTED,
    )


def _go_on(name: str, left: int) -> str:
    return (
        f"{count(left, 'delivery was', 'deliveries were')} not reached in the time of one request: "
        f"send it again with the id {name}, nothing is sent twice."
    )


def _nothing(body: ReplayBody, window: Window) -> NotFound:
    words = {
        What.FAILED: "no attempt failed",
        What.DEAD: "no delivery was given up",
        What.ALL: "no alert was found",
    }
    narrowed = f" for {' or '.join(body.reasons)}" if body.reasons else ""
    until = f" and before {window.until:%Y-%m-%d %H:%M:%S} UTC" if window.until else ""
    return NotFound(
        f"There is nothing to send to {window.endpoint_id} again: {words[body.what]}{narrowed} "
        f"since {window.since:%Y-%m-%d %H:%M:%S} UTC{until}."
    )


def _window(body: ReplayBody) -> Window:
    until = None if body.until is None else _utc(body.until)
    return Window(body.endpoint, _utc(body.since), until)


def _utc(at: datetime) -> datetime:
    """Return `at` in UTC; for the calendar's first and last year, a time in the one beside it.

    Zones and sums would lead out of the calendar there.
    """
    if not 1 < at.year < MAXYEAR:
        at = at.replace(year=min(max(at.year, 2), MAXYEAR - 1), day=1)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _check(body: ReplayBody, window: Window, now: datetime) -> None:
    """Raise Invalid if a field has a value that is not allowed."""
    wrong = {
        "since": _since_mistake(window.since, KEPT[body.what], now),
        "until": _until_mistake(window),
        "limit": None if 1 <= body.limit <= MAX_REPLAYED else f"must be 1 to {MAX_REPLAYED:,}",
        "reasons": _reasons_mistake(body.reasons, REASONS[body.what]),
    }
    errors = [FieldError(field, said) for field, said in wrong.items() if said]
    if errors:
        raise Invalid(errors)


def _since_mistake(since: datetime, kept: timedelta, now: datetime) -> str | None:
    if since >= now:
        return "lies in the future"
    if since < now - kept:
        return f"lies further back than the {kept.days} days for which this is kept"
    return None


def _until_mistake(window: Window) -> str | None:
    is_wrong = window.until is not None and window.until <= window.since
    return "is not after `since`" if is_wrong else None


def _reasons_mistake(reasons: Sequence[str], known: Collection[str]) -> str | None:
    unknown = [reason for reason in reasons if reason not in known]
    if not unknown:
        return None
    if not known:
        return "choose nothing where all is sent again: leave them out"
    return f"{unknown[0][:100]} is none of {', '.join(known)}"


async def _choose(
    reading: Reading, body: ReplayBody, window: Window, now: datetime
) -> tuple[Choice, Tried]:
    """Choose what is to be sent again, and say what was tried. Raises Invalid if it is too much."""
    tried = Tried(window)
    if body.what is What.FAILED:
        await _read_attempts(reading, tried, now)
        return tried.choose(body.reasons, body.limit), tried
    if body.what is What.DEAD:
        dead = Dead(window, body.reasons)
        await _read(reading, DEAD_LETTERS, _span(window, None), into=dead, take=dead.take)
        if dead.died:
            await _read_attempts(reading, tried, now)
        delivered = tried.delivered_after(dead.died)
        return choose(dead.died, delivered=delivered, limit=body.limit), tried
    found, place = Found(window), window.endpoint_id
    await _read(reading, ALERTS, _span(window, place), into=found, take=found.take)
    if found.found:
        span = Span(window.since, None, place)
        await _read(reading, DELIVERIES, span, into=(), take=found.take_records)
    return found.choose(body.limit), tried


async def _read_attempts(reading: Reading, tried: Tried, now: datetime) -> None:
    # Also those after the window: what has been delivered since is not sent again.
    since = max(tried.window.since, now - KEPT[What.FAILED])
    span = Span(since, None, tried.window.endpoint_id)
    await _read(reading, ATTEMPTS, span, into=tried, take=tried.take)


async def _read(
    reading: Reading,
    topic: Topic[R],
    span: Span,
    *,
    into: Sized,
    take: Callable[[Sequence[R]], None],
) -> None:
    """Read `span` to its end. Raises Invalid if that, or what is held then, is too much."""

    async def take_all(records: Sequence[R]) -> bool:
        take(records)
        return len(into) <= MAX_CONSIDERED

    await reading.read(topic, span, take_all)
    if not reading.is_whole or len(into) > MAX_CONSIDERED:
        said = (
            "lies too far back for one request, which reads for "
            f"{MAX_SECONDS:.0f} s and chooses from {MAX_CONSIDERED:,} deliveries at most: "
            "choose a later time"
        )
        raise Invalid([FieldError("since", said)])


def _span(window: Window, place: str | None) -> Span:
    until = None if window.until is None else window.until + WRITTEN_LATER
    return Span(window.since, until, place)


async def _give(
    reading: Reading, left: set[str], sending: Again, *, what: What, tried: Tried, now: datetime
) -> None:
    """Look up what the chosen deliveries told and send it; those sent are taken out of `left`."""
    window = tried.window
    if what is What.DEAD:
        return await give_dead(reading, left, sending.give, [_span(window, None)])
    if what is What.ALL:
        return await give_alerts(reading, left, sending.give, [_span(window, window.endpoint_id)])
    # What failed since then may have been found long before.
    alerts = {key for key in left if tried.last[key].has_alert}
    chosen = frozenset(alerts)
    parts = spans_back(window.since, oldest=now - KEPT[What.ALL], place=window.endpoint_id)
    await give_alerts(reading, alerts, sending.give, parts)
    left.difference_update(chosen - alerts)
    await give_dead(reading, left, sending.give, [Span(window.since)])
    return None
