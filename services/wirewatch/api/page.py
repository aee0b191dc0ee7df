"""The status page. Pure: what is held and the time come in, HTML goes out.

Everything from outside goes through Jinja's escaping; a link is made only for
an http or https URL, so no feed can put a script behind one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from wirewatch.api.health import HealthState
from wirewatch.api.status import (
    Holdings,
    Piece,
    StatusView,
    marked_snippets,
    marked_title,
    status_of,
)
from wirewatch.api.views import (
    AlertView,
    DeadLetterView,
    FeedView,
    alert_views,
    dead_letter_views,
    feed_view,
)
from wirewatch.api.words import ago

MAX_ALERTS = 20
MAX_SNIPPETS = 2
MAX_FEEDS = 25
MAX_DEAD_LETTERS = 5
REFRESH_S = 10

_ORDER = (
    HealthState.FAILING,
    HealthState.GONE,
    HealthState.WAITING,
    HealthState.OK,
    HealthState.PAUSED,
)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed as the page shows it."""

    view: FeedView
    link: str | None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as the page shows it."""

    view: AlertView
    link: str | None
    title: tuple[Piece, ...]
    snippets: tuple[tuple[Piece, ...], ...]
    when: str


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead letter as the page shows it."""

    view: DeadLetterView
    when: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute in a sparkline: place and size in its own units."""

    x: int
    y: int
    height: int


BAR_STEP = 5
SPARK_HEIGHT = 40


def sparkline(counts: Iterable[int]) -> tuple[Bar, ...]:
    """Return a bar for each minute that had any; the highest one is `SPARK_HEIGHT` high."""
    known = tuple(counts)
    most = max(known, default=0)
    bars = []
    for index, count in enumerate(known):
        if count:
            height = max(2, round(SPARK_HEIGHT * count / most))
            bars.append(Bar(index * BAR_STEP, SPARK_HEIGHT - height, height))
    return tuple(bars)


def safe_link(url: str) -> str | None:
    """Return `url` if a browser may follow it: http and https only."""
    return url if url.lower().startswith(("http://", "https://")) else None


def render_page(held: Holdings, now: datetime, *, refresh: bool = True) -> str:
    """Return the page as HTML. With `refresh` the browser reloads it every `REFRESH_S`."""
    status = status_of(held, now)
    feeds = _feed_rows(held, now)
    alerts = alert_views(held.alerts)
    letters = dead_letter_views(held.dead_letters)
    return _template().render(
        status=status,
        now=now,
        refresh_s=REFRESH_S if refresh else None,
        feeds=feeds[:MAX_FEEDS],
        more_feeds=max(0, len(feeds) - MAX_FEEDS),
        alerts=[_alert_row(alert, now) for alert in alerts[:MAX_ALERTS]],
        dead_letters=[
            DeadLetterRow(view, ago(view.died_at, now)) for view in letters[:MAX_DEAD_LETTERS]
        ],
        dead_total=len(letters),
        articles_bars=sparkline(status.articles.per_minute),
        alerts_bars=sparkline(status.alerts.per_minute),
        spark_width=BAR_STEP * len(status.articles.per_minute),
        spark_height=SPARK_HEIGHT,
        advice=_advice(status),
    )


def _feed_rows(held: Holdings, now: datetime) -> list[FeedRow]:
    views = [feed_view(feed, held.feed_states.get(feed.id), now) for feed in held.feeds]
    views.sort(key=lambda view: (_ORDER.index(view.health.state), view.title or view.url))
    return [FeedRow(view, safe_link(view.url)) for view in views]


def _alert_row(alert: AlertView, now: datetime) -> AlertRow:
    return AlertRow(
        view=alert,
        link=safe_link(alert.article.url),
        title=marked_title(alert),
        snippets=marked_snippets(alert.proofs, MAX_SNIPPETS),
        when=ago(alert.found_at, now),
    )


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, and the command for it."""

    text: str
    command: str


def _advice(status: StatusView) -> Advice | None:
    """Return what a newcomer has to do before an alert can come, None when all is there."""
    if not sum((status.feeds.ok, status.feeds.failing, status.feeds.waiting, status.feeds.paused)):
        return Advice(
            "No feed is watched yet. Add one:",
            "wirewatch feeds add https://www.example.org/feed.xml",
        )
    if not status.subscriptions.active + status.subscriptions.resting:
        return Advice(
            "Feeds are watched, but nobody has asked for anything yet. Add an alert:",
            'wirewatch alerts add Storms "storm OR hurricane" --to https://www.example.org/hook',
        )
    return None


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("status.html")
