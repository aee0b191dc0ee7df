from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.api.status import (
    Holdings,
    Piece,
    count_deliveries,
    mark,
    marked_snippets,
    marked_title,
    status_of,
)
from wirewatch.api.store import HeadsTable, Locks, PerMinute
from wirewatch.api.views import alert_views, dead_letter_views
from wirewatch.api.words import ago, ahead, count, span
from wirewatch.runtime.kafka import Position, Received
from wirewatch.topics.alerts import Field
from wirewatch.topics.attempts import Outcome
from wirewatch.topics.dead_letters import DeadReason, bury
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.topics.subscriptions import Subscription

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
MARKED = True


def _feed(key, **changes):
    return Feed(id=key, url=f"https://{key}.example/", created_at=NOW, updated_at=NOW, **changes)


def _state(key, **changes):
    fields = {"fetched_at": NOW, "next_fetch_at": NOW + timedelta(minutes=5)} | changes
    return FeedState(feed_id=key, url=f"https://{key}.example/", **fields)


def _letter(topic="t.articles", offset=7, payload=b"x", reason=DeadReason.UNREADABLE):
    return bury(
        payload, service="match", reason=reason, detail="", topic=topic,
        partition=1, offset=offset, key="k", now=NOW,
    )  # fmt: skip


def test_everything_is_counted(make):
    held = Holdings(
        feeds=[_feed("a"), _feed("b"), _feed("c"), _feed("d", paused=True), _feed("e")],
        feed_states={
            "a": _state("a"),
            "b": _state("b", failures=1, reason=FetchReason.TIMEOUT, failing_since=NOW),
            "d": _state("d", failures=1, reason=FetchReason.TIMEOUT, failing_since=NOW),
            "e": _state("e", fetched_at=None),
        },
        subscriptions=[
            Subscription(id=str(n), name="", query="", endpoint_ids=(), paused=n == 2,
                         created_at=NOW, updated_at=NOW)
            for n in range(3)
        ],
        endpoints=[
            Endpoint(id="x", url="", secret="", disabled=True, created_at=NOW, updated_at=NOW)
        ],
        attempts=[
            make.attempt(delivery_id="1", number=2, outcome=Outcome.DELIVERED),
            make.attempt(delivery_id="1", number=1, outcome=Outcome.RETRY),
            make.attempt(delivery_id="2", outcome=Outcome.RETRY),
            make.attempt(delivery_id="3", outcome=Outcome.DEAD),
        ],
        dead_letters=[_letter(), _letter(), _letter(offset=8)],
        articles_per_minute=(0, 2, 3),
        alerts_per_minute=(1, 0, 0),
    )  # fmt: skip
    status = status_of(held, NOW)
    assert (status.feeds.ok, status.feeds.failing) == (1, 1)
    assert (status.feeds.waiting, status.feeds.paused) == (2, 1)
    assert (status.subscriptions.active, status.subscriptions.resting) == (2, 1)
    assert (status.endpoints.active, status.endpoints.resting) == (0, 1)
    assert (status.articles.last_hour, status.articles.per_minute) == (5, (0, 2, 3))
    assert status.alerts.last_hour == 1
    deliveries = status.deliveries
    assert (deliveries.delivered, deliveries.retrying, deliveries.dead) == (1, 1, 1)
    assert status.dead_letters == {"unreadable": 2}


def test_the_last_attempt_of_a_delivery_counts_in_any_order(make):
    attempts = [
        make.attempt(number=3, outcome=Outcome.DEAD),
        make.attempt(number=1, outcome=Outcome.RETRY),
        make.attempt(number=2, outcome=Outcome.RETRY),
    ]
    counts = count_deliveries(attempts)
    assert (counts.delivered, counts.retrying, counts.dead) == (0, 0, 1)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [Piece("abcdef")]),
        ([(1, 3)], [Piece("a"), Piece("bc", MARKED), Piece("def")]),
        ([(3, 4), (0, 1)], [Piece("a", MARKED), Piece("bc"), Piece("d", MARKED), Piece("ef")]),
        ([(1, 4), (2, 5)], [Piece("a"), Piece("bcd", MARKED), Piece("e", MARKED), Piece("f")]),
        ([(1, 4), (2, 3)], [Piece("a"), Piece("bcd", MARKED), Piece("ef")]),
        ([(4, 99), (-5, 0), (9, 12), (3, 2)], [Piece("abcd"), Piece("ef", MARKED)]),
    ],
)
def test_marking_loses_and_doubles_no_character(spans, expected):
    pieces = mark("abcdef", spans)
    assert list(pieces) == expected
    assert "".join(piece.text for piece in pieces) == "abcdef"


def test_marks_count_code_points(make):
    title = "🌪 عاصفة تضرب الساحل"
    alert = make.alert(
        article=make.article(title=title), proofs=(make.proof(start=2, end=7, text="عاصفة"),)
    )
    assert marked_title(alert_views([alert])[0])[1] == Piece("عاصفة", MARKED)


def test_proofs_in_one_snippet_are_shown_together(make):
    body = {"field": Field.BODY, "snippet": "storm and flood"}
    proofs = (
        make.proof(),
        make.proof(**body, mark_start=0, mark_end=5),
        make.proof(**body, mark_start=10, mark_end=15),
        make.proof(field=Field.LEAD, snippet="other", mark_start=0, mark_end=5),
    )
    assert marked_snippets(proofs, 2) == (
        (Piece("storm", MARKED), Piece(" and "), Piece("flood", MARKED)),
        (Piece("other", MARKED),),
    )
    assert len(marked_snippets(proofs, 1)) == 1


def test_an_alert_for_several_endpoints_is_one_newest_first(make):
    records = [
        make.alert(id="old", endpoint_id="b"),
        make.alert(id="new", found_at=NOW),
        make.alert(id="old", endpoint_id="a"),
        make.alert(id="old", endpoint_id="a"),
    ]
    views = alert_views(records)
    assert [view.id for view in views] == ["new", "old"]
    assert views[1].endpoint_ids == ("a", "b")


def test_a_dead_endpoint_record_shows_no_secret():
    views = dead_letter_views(
        [
            _letter(topic="wirewatch.endpoints", payload=b'{"secret": "whsec_x"'),
            _letter(topic="wirewatch.articles", payload=b"\xffarticle"),
        ]
    )
    assert {view.topic: view.payload_head for view in views} == {
        "wirewatch.endpoints": "",
        "wirewatch.articles": "\ufffdarticle",
    }


def test_only_the_head_of_a_dead_letter_is_kept():
    table = HeadsTable(10)
    letter = _letter(payload=b"x" * 100_000)
    table.apply([Received(Position(0, 0), "k", letter)])
    (kept,) = table.values()
    assert (len(kept.payload), kept.payload_is_cut, kept.id) == (2_048, True, letter.id)


def _minutes(table, now):
    return {59 - i: n for i, n in enumerate(table.counts(now)) if n}


def test_counts_by_minute_leave_out_repeats_and_what_is_old(make):
    table = PerMinute(lambda a: a.id, lambda a: a.found_at, lambda: NOW)
    for key, age_s in [("a", 0), ("a", 0), ("b", 31), ("c", 91), ("d", 3_570), ("e", 3_600),
                       ("future", -500)]:  # fmt: skip
        table.count(make.alert(id=key, found_at=NOW - timedelta(seconds=age_s)))
    assert _minutes(table, NOW) == {0: 2, 1: 1, 2: 1, 59: 1}
    assert _minutes(table, NOW + timedelta(minutes=1)) == {1: 2, 2: 1, 3: 1}
    assert len(table.counts(NOW)) == 60


def test_counts_forget_old_minutes_and_ids(make, monkeypatch):
    monkeypatch.setattr("wirewatch.api.store.IDS_REMEMBERED", 10)
    now = NOW
    table = PerMinute(lambda a: a.id, lambda a: a.found_at, lambda: now)
    for number in range(200):
        now = NOW + timedelta(minutes=number)
        table.count(make.alert(id=str(number), found_at=now))
    assert len(table._counts) == 60
    assert len(table._seen) == 10


async def test_locks_that_nobody_holds_are_gone():
    locks = Locks()
    async with locks.hold("a"):
        assert len(locks._locks) == 1
    assert len(locks._locks) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "a moment"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (7_300, "2 hours"),
     (90_000, "1 day"), (864_000, "10 days")],
)  # fmt: skip
def test_lengths_in_words(seconds, text):
    assert span(timedelta(seconds=seconds)) == text


def test_times_and_counts_in_words():
    assert ago(NOW - timedelta(seconds=5), NOW) == "5 seconds ago"
    assert ago(NOW + timedelta(seconds=5), NOW) == "just now"
    assert ahead(NOW + timedelta(hours=1), NOW) == "in 1 hour"
    assert ahead(NOW - timedelta(hours=1), NOW) == "now"
    assert count(1, "feed") == "1 feed"
    assert count(1_200, "feed") == "1,200 feeds"
    assert count(0, "fetch", "fetches") == "0 fetches"
