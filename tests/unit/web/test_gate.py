"""How often one host is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.errors import FetchProblem
from wirewatch.web.gate import HostGate, host_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
URL = "https://news.example/feed"
SECOND = timedelta(seconds=1)


def busy(status: int = 429, retry_after: timedelta | None = None) -> FetchProblem:
    return FetchProblem(FetchReason.HTTP_STATUS, "busy", status=status, retry_after=retry_after)


def hold(gate: HostGate, now: datetime, problem: FetchProblem) -> timedelta | None:
    """Ask once, be told `problem`, and say how long the host is held."""
    assert gate.enter(URL, now) is None
    gate.leave(URL, now, problem)
    return gate.enter(URL, now)


def test_at_most_two_at_once() -> None:
    gate = HostGate()
    assert gate.enter(URL, NOW) is None
    assert gate.enter(URL, NOW) is None
    wait = gate.enter(URL, NOW)
    assert wait is not None
    assert wait > timedelta(0)

    gate.leave(URL, NOW, None)
    assert gate.enter(URL, NOW) is None


def test_starts_are_spaced() -> None:
    gate = HostGate(spacing=SECOND)
    assert gate.enter(URL, NOW) is None
    gate.leave(URL, NOW, None)

    assert gate.enter(URL, NOW + SECOND / 4) == SECOND * 3 / 4
    assert gate.enter(URL, NOW + SECOND) is None


def test_hosts_do_not_wait_for_one_another() -> None:
    gate = HostGate(concurrency=1, spacing=SECOND)
    assert gate.enter(URL, NOW) is None
    assert gate.enter("https://other.example/feed", NOW) is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_host_is_held_ever_longer_up_to_five_minutes(status: int) -> None:
    gate = HostGate()
    now = NOW
    held = []
    for _ in range(9):
        wait = hold(gate, now, busy(status))
        assert wait is not None
        held.append(wait.total_seconds())
        now += wait

    assert held == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(("asked", "held"), [(0, 5), (3, 5), (60, 60), (300, 300), (86_400, 300)])
def test_retry_after_holds_the_host_but_not_for_hours(asked: int, held: int) -> None:
    """FreshRSS/FreshRSS#7870: one bad feed stopped all feeds of its host."""
    wait = hold(HostGate(), NOW, busy(503, timedelta(seconds=asked)))

    assert wait == timedelta(seconds=held)


def test_a_success_after_the_hold_forgives() -> None:
    gate = HostGate()
    hold(gate, NOW, busy())
    hold(gate, NOW + 5 * SECOND, busy())
    later = NOW + 15 * SECOND
    assert gate.enter(URL, later) is None
    gate.leave(URL, later, None)

    assert hold(gate, later, busy()) == 5 * SECOND


def test_requests_under_way_together_are_one_word_of_the_host() -> None:
    gate = HostGate(concurrency=3)
    for _ in range(3):
        assert gate.enter(URL, NOW) is None
    gate.leave(URL, NOW, busy())
    gate.leave(URL, NOW, busy())
    gate.leave(URL, NOW, None)
    assert gate.enter(URL, NOW) == 5 * SECOND

    assert hold(gate, NOW + 5 * SECOND, busy()) == 10 * SECOND


@pytest.mark.parametrize("status", [None, 403, 404, 500, 502])
def test_other_problems_are_the_feeds_own(status: int | None) -> None:
    problem = FetchProblem(FetchReason.HTTP_STATUS, "", status=status, retry_after=SECOND)

    assert hold(HostGate(), NOW, problem) is None


def test_hosts_not_asked_for_long_are_forgotten_but_none_under_way() -> None:
    gate = HostGate(concurrency=1, max_hosts=3)
    assert gate.enter(URL, NOW) is None
    for number in range(100):
        url = f"https://{number}.example/"
        assert gate.enter(url, NOW) is None
        gate.leave(url, NOW, None)

    assert len(gate) == 3
    assert gate.enter(URL, NOW) is not None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://News.Example:8443/feed", "news.example"),
        ("http://me:word@www.news.example./x", "news.example"),
        ("https://a.tumblr.com/rss", "tumblr.com"),  # FreshRSS/FreshRSS#8925
        ("https://b.tumblr.com/rss", "tumblr.com"),
        ("https://old.reddit.com/.rss", "reddit.com"),
        ("https://feeds.bbci.co.uk/x", "feeds.bbci.co.uk"),
        ("http://127.0.0.1:2888/feed", "127.0.0.1:2888"),  # FreshRSS/FreshRSS#7870
        ("http://[::1]:2888/feed", "::1:2888"),
        ("http://rsshub:1200/feed", "rsshub:1200"),
        ("http://localhost/feed", "localhost"),
        ("http://[bad/", ""),
        ("http://h:port/", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_what_counts_as_one_host(url: str, host: str) -> None:
    assert host_of(url) == host
