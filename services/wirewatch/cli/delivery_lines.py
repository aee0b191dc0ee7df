"""Deliveries as lines for a terminal. Pure."""

from collections.abc import Iterator

from rich.text import Text

from wirewatch.api.fates import DeliveryDetail, DeliveryView, Fate, TriedView
from wirewatch.api.replaying import ReplayView
from wirewatch.api.words import count
from wirewatch.cli.show import harmless
from wirewatch.cli.times import stamp, took
from wirewatch.topics.attempts import Outcome

COLOURS = {
    Fate.DELIVERED: "green",
    Fate.DEAD: "bold red",
    Fate.PENDING: "yellow",
    Fate.HELD: "yellow",
    Fate.UNTRIED: "yellow",
    Fate.DIGESTED: "green",
    Fate.MUTED: "dim",
}
MEANINGS = {
    Fate.HELD: "it waits for the digest that will tell of it",
    Fate.UNTRIED: "no attempt was made yet",
    Fate.DIGESTED: "a digest told of it",
    Fate.MUTED: "its source or story was muted, nobody was told",
}
"""What those states mean that no attempt explains."""
MAX_HEAD_LINES = 12
"""Of the start of an answer; a page of HTML would push everything else away."""


HEADS = ("DELIVERY", "WHEN (UTC)", "STATE", "TRIES")


def delivery_row(view: DeliveryView) -> tuple[Text, str, Text, str]:
    """Return the cells under `HEADS`; the first has what, where, how it went, and the id."""
    cell = Text(harmless(title_of(view)))
    cell.append("\n" + harmless(where(view)), "dim")
    if said := last_answer(view):
        colour = "red" if view.state in {Fate.DEAD, Fate.PENDING} and view.attempts else "dim"
        cell.append("\n" + harmless(said), colour)
    cell.append("\n" + harmless(view.id), "dim")
    return cell, stamp(view.at), Text(view.state, COLOURS[view.state]), str(view.attempts)


def title_of(view: DeliveryView) -> str:
    """Return what a delivery tells: the alert's name and the article, as far as known."""
    if not view.alert_id and not view.subscription_id:
        return "a notice"
    name = view.subscription_name or view.subscription_id or view.alert_id
    if not view.alert_id and view.attempts:
        return f"{name}: a digest"
    return f"{name}: {view.title}" if view.title else name


def where(view: DeliveryView) -> str:
    """Return where it goes, by the id if the endpoint is gone."""
    return view.endpoint_url or f"{view.endpoint_id} (removed)"


def last_answer(view: DeliveryView) -> str:
    """Return how the last attempt went and when the next one is; empty if nothing is to be said."""
    if not view.attempts or view.state in MEANINGS:
        said = MEANINGS.get(view.state, "")
    elif view.reason is None:
        said = f"answered {view.status}" if view.status else ""
    else:
        said = view.detail or str(view.reason)
    if view.state is Fate.PENDING and view.next_attempt_at is not None:
        said = ", ".join(filter(None, (said, f"next try {stamp(view.next_attempt_at)}")))
    return said


def timeline(detail: DeliveryDetail) -> Iterator[Text]:
    """Yield a delivery as lines: what it is, then every attempt."""
    view = detail.delivery
    yield Text(harmless(title_of(view)), "bold")
    yield _field("id", view.id)
    yield _field("endpoint", where(view) + (f"  {view.endpoint_id}" if view.endpoint_url else ""))
    if view.alert_id:
        yield _field("alert", view.alert_id)
    state = _field("state", "")
    state.append(view.state, COLOURS[view.state])
    if meaning := MEANINGS.get(view.state):
        state.append(f", {meaning}")
    if view.next_attempt_at is not None:
        state.append(f", next try {stamp(view.next_attempt_at)} UTC")
    yield state
    for attempt in detail.attempts:
        yield Text()
        yield from _attempt(attempt)
    if detail.note:
        yield Text()
        yield Text(harmless(detail.note), "yellow")


def _field(name: str, value: str) -> Text:
    return Text(f"  {name:<9}  {harmless(value)}")


def _attempt(attempt: TriedView) -> Iterator[Text]:
    is_good = attempt.outcome is Outcome.DELIVERED
    line = Text(f"{attempt.number:>4}. {stamp(attempt.started_at)} UTC  ")
    word = "delivered" if is_good else str(attempt.reason or attempt.outcome)
    line.append(word, "green" if is_good else "red")
    if attempt.status is not None:
        line.append(f"  {attempt.status}")
    yield line
    if attempt.to:
        yield _under(
            f"{attempt.to}, {took(attempt.duration_ms)}, "
            f"{attempt.request_bytes:,} bytes sent, {attempt.response_bytes:,} received"
        )
    if attempt.detail:
        yield _under(attempt.detail)
    lines = attempt.response_head.splitlines()
    for said in lines[:MAX_HEAD_LINES]:
        yield _under(f"| {said}", "dim")
    if len(lines) > MAX_HEAD_LINES:
        yield _under(f"… {count(len(lines) - MAX_HEAD_LINES, 'more line')}", "dim")
    if attempt.next_attempt_at is not None:
        yield _under(f"next try {stamp(attempt.next_attempt_at)} UTC")
    elif attempt.outcome is Outcome.DEAD:
        yield _under("given up", "red")


def _under(text: str, style: str = "") -> Text:
    return Text("      " + harmless(text), style)


def counts(view: ReplayView) -> str:
    """Return what a replay found and did, as a sentence."""
    sent = "would be sent again" if view.dry_run else "sent again"
    parts = (
        (view.sent, sent),
        (view.delivered, "delivered already"),
        (view.held_back, "muted or waiting for a digest"),
        (view.missing, "not kept any more"),
        (view.left, "left for another time"),
    )
    told = ", ".join(f"{number:,} {words}" for number, words in parts if number or words == sent)
    return f"{view.found:,} found: {told}."
