"""/v1/deliveries: what became of each delivery, and sending one again."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

import msgspec
from aiohttp import web

from wirewatch.api.again import Again, endpoint_to_send_to, note_of, request_key
from wirewatch.api.answers import API, answer, body_of, paged_newest, time_parameter
from wirewatch.api.bodies import ResendBody
from wirewatch.api.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from wirewatch.api.fates import (
    DeliveryDetail,
    DeliveryPage,
    DeliveryView,
    Fate,
    Fates,
    Names,
    TriedView,
    at_hand,
)
from wirewatch.api.logs import Span
from wirewatch.api.lookback import attempts_of, give_alerts, give_dead, spans_back
from wirewatch.api.replaying import KEPT, ResendView, What
from wirewatch.api.store import BACKLOG, Api
from wirewatch.topics.alerts import ALERTS, Alert
from wirewatch.topics.attempts import ATTEMPTS, Attempt, AttemptReason, Outcome
from wirewatch.topics.deliveries import DELIVERIES, Delivery
from wirewatch.topics.ids import delivery_id

E = TypeVar("E", bound=StrEnum)

routes = web.RouteTableDef()

DEFAULT_BACK = timedelta(days=1)
"""How far back the deliveries to one endpoint are looked for, if nothing is said."""
ONLY_RECENT = (
    "These are the recent ones, of all endpoints: choose one with `endpoint`, and a time with "
    "`since`, to see all."
)


@routes.get("/v1/deliveries")
async def listing(request: web.Request) -> web.Response:
    """List deliveries, newest first: recent ones, or all to one `endpoint` since a time."""
    api = request.app[API]
    wanted = _wanted(request)
    endpoint_id, since = request.query.get("endpoint"), time_parameter(request, "since")
    if endpoint_id is None:
        alerts, attempts = api.tables.alerts.values(), api.tables.attempts.values()
        fates = at_hand(attempts, alerts, holds_all=len(attempts) < BACKLOG)
        complete, note = False, ONLY_RECENT
    else:
        since = since or api.clock() - DEFAULT_BACK
        fates, note = await _read_back(api, endpoint_id, since)
        complete = not note
    names = _names(api)
    chosen = [
        view for view in fates.views(names) if wanted(view) and (since is None or view.at >= since)
    ]
    part, following = paged_newest(chosen, request)
    return answer(DeliveryPage(items=tuple(part), next=following, complete=complete, note=note))


def _wanted(request: web.Request) -> Callable[[DeliveryView], bool]:
    """Return what says whether a delivery was asked for. Raises Invalid."""
    states, reasons = _choices(request, "state", Fate), _choices(request, "reason", AttemptReason)
    subscription = request.query.get("subscription")

    def wanted(view: DeliveryView) -> bool:
        return (
            (not states or view.state in states)
            and (not reasons or view.reason in reasons)
            and subscription in (None, view.subscription_id)
        )

    return wanted


def _choices(request: web.Request, name: str, known: type[E]) -> frozenset[E]:
    raw = request.query.get(name, "")
    try:
        return frozenset(known(each) for each in raw.split(",") if each)
    except ValueError as error:
        said = f"must be one or more, with commas, of {', '.join(known)}"
        raise Invalid([FieldError(name, said)]) from error


async def _read_back(api: Api, endpoint_id: str, since: datetime) -> tuple[Fates, str]:
    """Return the deliveries to an endpoint since a time, and what is to be said of them.

    The attempts are read first. An alert found after that could have been tried since.
    """
    began = api.clock()
    _refuse_forgotten(since, began)
    fates = Fates()
    read_until = since

    async def take_attempts(attempts: Sequence[Attempt]) -> bool:
        nonlocal read_until
        read_until = attempts[-1].started_at
        fates.tried(each for each in attempts if each.endpoint_id == endpoint_id)
        return not fates.is_full

    async def take_records(deliveries: Sequence[Delivery]) -> bool:
        fates.recorded(each for each in deliveries if each.endpoint_id == endpoint_id)
        return not fates.is_full

    async def take_alerts(alerts: Sequence[Alert]) -> bool:
        ours = (each for each in alerts if each.endpoint_id == endpoint_id)
        fates.found(each for each in ours if each.found_at <= began)
        return not fates.is_full

    span = Span(since, None, endpoint_id)
    async with api.past.reading() as reading:
        await reading.read(ATTEMPTS, span, take_attempts)
        attempts_are_whole = reading.is_whole and not fates.is_full
        if attempts_are_whole:
            await reading.read(DELIVERIES, span, take_records)
            await reading.read(ALERTS, span, take_alerts)
    if not attempts_are_whole:
        return fates, (
            "There is more than can be read in one request: this is how they stood at "
            f"{read_until:%Y-%m-%dT%H:%M:%SZ}. Go on with that as `since`."
        )
    if reading.is_whole and not fates.is_full:
        return fates, ""
    return fates, (
        "There is more than can be read in one request: deliveries that were not tried are "
        "missing. Ask with a later `since`."
    )


def _refuse_forgotten(since: datetime, now: datetime) -> None:
    kept = KEPT[What.FAILED]
    if since < now - kept:
        said = f"lies further back than the {kept.days} days for which attempts are kept"
        raise Invalid([FieldError("since", said)])


def _names(api: Api) -> Names:
    return Names(
        endpoints={each.id: each for each in api.endpoints},
        subscriptions={each.id: each for each in api.subscriptions},
        titles={each.id: each.article.title for each in api.tables.alerts.values()},
    )


@routes.get("/v1/deliveries/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one delivery with every attempt; `endpoint` says where to look for an older one."""
    api, key = request.app[API], request.match_info["id"]
    attempts = _attempts_at_hand(api, key)
    alert = _alert_at_hand(api, key)
    endpoint_id = _endpoint_of(attempts, alert) or request.query.get("endpoint")
    if endpoint_id is None:
        raise _unknown(key)
    note = ""
    if len(attempts) < (attempts[-1].number if attempts else 1):
        earlier, note = await _earlier(api, key, endpoint_id, time_parameter(request, "since"))
        attempts = _together(earlier, attempts)
    fates = Fates()
    fates.tried(attempts)
    fates.found([alert] if alert else [])
    if not attempts and alert is None:
        raise NotFound(
            f"No attempt of a delivery {key[:100]} to {endpoint_id[:100]} is known: attempts are "
            f"kept for {KEPT[What.FAILED].days} days."
        )
    views = tuple(msgspec.convert(each, TriedView, from_attributes=True) for each in attempts)
    return answer(
        DeliveryDetail(
            delivery=fates.view(key, _names(api)), attempts=views, complete=not note, note=note
        )
    )


def _attempts_at_hand(api: Api, key: str) -> list[Attempt]:
    found = (each for each in api.tables.attempts.values() if each.delivery_id == key)
    return _together(found)


def _together(*several: Iterable[Attempt]) -> list[Attempt]:
    """Return attempts of one delivery, each once, in order."""
    by_number = {each.number: each for attempts in several for each in attempts}
    return [by_number[number] for number in sorted(by_number)]


def _alert_at_hand(api: Api, key: str) -> Alert | None:
    for alert in reversed(api.tables.alerts.values()):
        if delivery_id(alert.id, alert.endpoint_id) == key:
            return alert
    return None


def _endpoint_of(attempts: Sequence[Attempt], alert: Alert | None) -> str | None:
    if alert is not None:
        return alert.endpoint_id
    return attempts[0].endpoint_id if attempts else None


def _unknown(key: str) -> NotFound:
    return NotFound(
        f"No recent delivery {key[:100]} is known: name its endpoint, whose deliveries are read "
        "back for a month (`endpoint`)."
    )


async def _earlier(
    api: Api, key: str, endpoint_id: str, since: datetime | None
) -> tuple[list[Attempt], str]:
    async with api.past.reading() as reading:
        now = api.clock()
        attempts = await attempts_of(reading, key, endpoint_id, now=now, since=since)
    if reading.is_whole:
        return attempts, ""
    return attempts, (
        "There may be more attempts than could be read in time: give a `since`, from which on "
        "all are read."
    )


@routes.post("/v1/deliveries/{id}/resend")
async def resend(request: web.Request) -> web.Response:
    """Send one delivery again; one that is pending is tried now."""
    api, key = request.app[API], request.match_info["id"]
    body = await body_of(request, ResendBody)
    name = request_key(request, body.id, key)
    attempts = _attempts_at_hand(api, key)
    alert = _alert_at_hand(api, key)
    endpoint_id = _endpoint_of(attempts, alert) or body.endpoint
    if not endpoint_id:
        raise _unknown(key)
    endpoint = endpoint_to_send_to(api, endpoint_id)
    numbers = {key: max((each.number for each in attempts), default=0)}
    sending = Again(api, request, name, numbers, dry=False)
    if alert is not None:
        await sending.give([alert])
    else:
        await _look_and_give(api, key, endpoint_id, sending)
    if not sending.sent:
        raise _cannot(key, endpoint_id, attempts)
    view = ResendView(
        id=name, delivery_id=key, endpoint_id=endpoint_id, note=note_of(api, endpoint)
    )
    return answer(view, HTTPStatus.ACCEPTED)


async def _look_and_give(api: Api, key: str, endpoint_id: str, sending: Again) -> None:
    """Look for what `key` told: among the alerts, then among what was given up."""
    now = api.clock()
    wanted = {key}
    async with api.past.reading() as reading:
        parts = spans_back(now, oldest=now - KEPT[What.ALL], place=endpoint_id)
        await give_alerts(reading, wanted, sending.give, parts)
        parts = spans_back(now, oldest=now - KEPT[What.DEAD], place=None)
        await give_dead(reading, wanted, sending.give, parts)
        if wanted and not reading.is_whole:
            raise Unavailable(
                f"The delivery {key[:100]} was not found in what could be read in time: "
                "ask again later."
            )


def _cannot(key: str, endpoint_id: str, attempts: Sequence[Attempt]) -> Exception:
    last = max(attempts, key=lambda each: each.number, default=None)
    if last is not None and not last.alert_id and last.outcome is not Outcome.DEAD:
        return Conflict(
            f"The delivery {key[:100]} tells a digest or a notice that was not given up: "
            "only alerts, and what was given up, can be sent again."
        )
    return NotFound(
        f"There is no delivery {key[:100]} to {endpoint_id[:100]} any more whose alert is kept: "
        f"alerts are kept for {KEPT[What.ALL].days} days, what was given up for "
        f"{KEPT[What.DEAD].days}."
    )
