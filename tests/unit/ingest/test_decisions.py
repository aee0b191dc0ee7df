"""What is new, when to fetch, how a state goes on: by value."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from wirewatch.ingest import state as states
from wirewatch.ingest.change import MAX_SEEN, find_changes
from wirewatch.ingest.due import DueQueue
from wirewatch.ingest.errors import FeedProblem
from wirewatch.ingest.schedule import JITTER, LONGEST, after_failure, after_success
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FeedState, FetchReason, Seen
from wirewatch.topics.feeds import Feed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)


def article(number: int, title: str = "title") -> Article:
    return Article(
        id=f"art_{number}",
        story_id=f"art_{number}",
        feed_id="feed_1",
        url=f"https://news.example/{number}",
        title=title,
        published_at=NOW,
        fetched_at=NOW,
    )


def test_each_entry_is_published_once_and_an_edit_is_a_revision() -> None:
    first = find_changes([article(1), article(2)], ())
    assert [one.id for one in first.new] == ["art_1", "art_2"]

    same = find_changes([article(2), article(1)], first.seen)
    assert (same.new, same.revised) == ((), ())

    redated = msgspec.structs.replace(article(1), published_at=NOW + HOUR, fetched_at=NOW + HOUR)
    assert find_changes([redated], first.seen).revised == ()

    edited = find_changes([article(1, "corrected"), article(3)], same.seen)
    assert [(one.id, one.revision) for one in edited.revised] == [("art_1", 2)]
    assert [one.id for one in edited.new] == ["art_3"]
    assert {one.article_id for one in edited.seen} == {"art_1", "art_2", "art_3"}


def test_an_entry_that_comes_back_is_not_new() -> None:
    first = find_changes([article(1)], ())
    gone = find_changes([article(2)], first.seen)

    assert find_changes([article(1)], gone.seen).new == ()


def test_of_two_entries_with_one_id_the_first_counts_and_nothing_flips() -> None:
    document = [article(1, "one"), article(1, "other")]
    first = find_changes(document, ())

    assert [one.title for one in first.new] == ["one"]
    assert find_changes(document, first.seen).revised == ()


def test_memory_is_bounded_and_holds_the_whole_document() -> None:
    old = tuple(Seen(f"old_{n}", "d", 1) for n in range(MAX_SEEN))
    seen = find_changes([article(n) for n in range(10)], old).seen

    assert len(seen) == MAX_SEEN
    assert seen[0].article_id == "old_10"
    assert {f"art_{n}" for n in range(10)} <= {one.article_id for one in seen}
    many = find_changes([article(n) for n in range(MAX_SEEN + 5)], old).seen
    assert len(many) == MAX_SEEN + 5


def test_feeds_do_not_march_in_step() -> None:
    waits = {after_success(f"feed_{n}", NOW, HOUR) - NOW for n in range(50)}

    assert len(waits) == 50
    assert all(HOUR * (1 - JITTER) <= wait <= HOUR * (1 + JITTER) for wait in waits)
    assert after_success("feed_1", NOW, HOUR) == after_success("feed_1", NOW, HOUR)


def test_failures_wait_longer_each_time_up_to_a_day() -> None:
    waits = [after_failure("f", NOW, HOUR, failures=n) - NOW for n in (1, 2, 3, 4, 5, 50, 5000)]

    assert waits == sorted(waits)
    assert timedelta(hours=1.8) <= waits[0] <= timedelta(hours=2.2)
    assert max(waits) <= LONGEST


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (timedelta(hours=6), timedelta(hours=6), timedelta(hours=6)),
        (timedelta(seconds=1), timedelta(hours=1.8), timedelta(hours=2.2)),
        (timedelta(days=400), LONGEST, LONGEST),
    ],
)
def test_a_server_may_ask_for_more_but_not_for_ever(
    asked: timedelta, least: timedelta, most: timedelta
) -> None:
    wait = after_failure("f", NOW, HOUR, failures=1, retry_after=asked) - NOW

    assert least <= wait <= most


def test_a_state_of_another_url_keeps_only_what_was_seen() -> None:
    seen = (Seen("art_1", "d", 1),)
    old = FeedState(
        feed_id="feed_1",
        url="https://old.example/",
        etag='"e"',
        next_fetch_at=NOW + HOUR,
        failures=3,
        seen=seen,
    )

    fresh = states.usable(old, FEED, NOW)

    assert (fresh.url, fresh.etag, fresh.failures) == (FEED.url, None, 0)
    assert fresh.next_fetch_at == NOW
    assert fresh.seen == seen
    assert states.usable(None, FEED, NOW) == states.first_state(FEED, NOW)


def test_a_feed_fails_and_recovers() -> None:
    state = states.first_state(FEED, NOW)
    problem = FeedProblem(FetchReason.TIMEOUT, "slow")
    once = states.after_failure(state, NOW, HOUR, problem)
    twice = states.after_failure(once, NOW + HOUR, HOUR, problem)

    assert (twice.failures, twice.failing_since, twice.reason) == (2, NOW, FetchReason.TIMEOUT)
    well = states.after_success(twice, NOW + 2 * HOUR, HOUR, etag='"n"', last_modified=None)
    assert (well.failures, well.failing_since, well.reason, well.detail) == (0, None, None, "")
    assert well.etag == '"n"'
    assert well.changed_at is None


def test_what_is_due_comes_longest_overdue_first_and_can_be_moved() -> None:
    due = DueQueue()
    due.put("a", NOW)
    due.put("b", NOW - HOUR)
    due.put("c", NOW + HOUR)
    due.put("a", NOW - 2 * HOUR)
    due.put("d", NOW - HOUR)
    due.drop("d")

    assert due.first() == NOW - 2 * HOUR
    assert [due.take(NOW), due.take(NOW), due.take(NOW)] == ["a", "b", None]
    assert (len(due), due.first()) == (1, NOW + HOUR)
