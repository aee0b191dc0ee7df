"""Which feed is fetched next."""

from datetime import UTC, datetime, timedelta

from wirewatch.ingest.line import Line
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.errors import FetchProblem
from wirewatch.web.gate import HostGate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def line(concurrency: int = 2, spacing: timedelta = timedelta(0)) -> Line:
    return Line(HostGate(concurrency=concurrency, spacing=spacing))


def take_all(line: Line, now: datetime = NOW) -> list[str]:
    found = []
    while (feed_id := line.take(now)) is not None:
        found.append(feed_id)
    return found


def test_what_is_due_comes_out_the_longest_overdue_first() -> None:
    one = line()
    one.put("later", "http://a.example/", NOW + SECOND)
    one.put("second", "http://b.example/", NOW - SECOND)
    one.put("first", "http://c.example/", NOW - 2 * SECOND)

    assert take_all(one) == ["first", "second"]
    assert one.first() == NOW + SECOND
    assert take_all(one, NOW + SECOND) == ["later"]
    assert one.first() is None


def test_a_busy_host_holds_up_no_other_and_its_feeds_wait_in_line() -> None:
    one = line(concurrency=2)
    for number in range(5):
        one.put(f"busy{number}", f"http://busy.example/{number}", NOW)
    one.put("other", "http://other.example/", NOW)

    assert take_all(one) == ["busy0", "busy1", "other"]
    assert take_all(one) == []
    one.leave("http://busy.example/0", NOW, None)
    assert take_all(one) == ["busy2"]
    one.leave("http://busy.example/1", NOW, None)
    one.leave("http://busy.example/2", NOW, None)
    assert take_all(one) == ["busy3", "busy4"]


def test_ten_thousand_feeds_of_a_busy_host_are_not_looked_at_again_and_again() -> None:
    one = line(concurrency=1)
    for number in range(10_000):
        one.put(f"f{number}", f"http://busy.example/{number}", NOW)
    assert take_all(one) == ["f0"]

    first = one.first()
    assert first is not None
    assert first > NOW
    assert len(one) == 9_999


def test_fetches_of_a_host_keep_their_distance() -> None:
    one = line(concurrency=5, spacing=SECOND)
    for name in "abc":
        one.put(name, f"http://x.example/{name}", NOW)

    assert take_all(one) == ["a"]
    assert one.first() == NOW + SECOND
    assert take_all(one, NOW + SECOND) == ["b"]
    assert take_all(one, NOW + 1.5 * SECOND) == []
    assert take_all(one, NOW + 2 * SECOND) == ["c"]


def test_a_host_that_says_too_many_requests_is_left_alone() -> None:
    one = line(concurrency=1)
    one.put("a", "http://x.example/a", NOW)
    one.put("b", "http://x.example/b", NOW)
    assert take_all(one) == ["a"]
    problem = FetchProblem(
        FetchReason.HTTP_STATUS, "429", status=429, retry_after=timedelta(seconds=60)
    )
    one.leave("http://x.example/a", NOW, problem)

    assert take_all(one, NOW + 59 * SECOND) == []
    assert take_all(one, NOW + 61 * SECOND) == ["b"]


def test_a_feed_that_is_dropped_does_not_come_out_of_its_line() -> None:
    one = line(concurrency=1)
    for name in "abc":
        one.put(name, f"http://x.example/{name}", NOW)
    assert take_all(one) == ["a"]
    one.drop("b")
    one.leave("http://x.example/a", NOW, None)

    assert take_all(one) == ["c"]
    assert len(one) == 0


def test_a_feed_that_is_dropped_and_put_again_comes_out_once() -> None:
    one = line(concurrency=1)
    for name in "ab":
        one.put(name, f"http://x.example/{name}", NOW)
    assert take_all(one) == ["a"]
    one.drop("b")
    one.put("b", "http://x.example/b", NOW)
    assert take_all(one) == []
    one.leave("http://x.example/a", NOW, None)

    assert take_all(one) == ["b"]
    one.leave("http://x.example/b", NOW, None)
    assert take_all(one, NOW + SECOND) == []


def test_a_feed_that_moves_to_another_host_while_it_waits_leaves_the_line() -> None:
    one = line(concurrency=1)
    one.put("a", "http://x.example/a", NOW)
    one.put("b", "http://x.example/b", NOW)
    assert take_all(one) == ["a"]
    one.drop("b")
    one.put("b", "http://y.example/b", NOW)

    assert take_all(one) == ["b"]
    one.leave("http://x.example/a", NOW, None)
    assert take_all(one, NOW + SECOND) == []
