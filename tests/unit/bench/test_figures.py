from datetime import UTC, datetime, timedelta

import pytest

from bench.flow import Sample, median
from bench.latency import Arrival, due_times, summary, waits
from bench.processes import TICKS, Use, cpu_of, parent_of
from bench.report import BEGIN, END, Goal, Section, render, replaced, table
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FeedState

AT = datetime(2026, 11, 23, tzinfo=UTC)
STAT = "12 (a (strange) name) S 7 1 1 0 -1 4194560 35083 0 0 0 100 50 20 10 20 0 8 0 2748978"


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def state(fetched_s: float, next_s: float) -> FeedState:
    return FeedState(
        feed_id="f", url="https://f.example/", fetched_at=at(fetched_s), next_fetch_at=at(next_s)
    )


def arrival(fetched_s: float, arrived_s: float) -> Arrival:
    article = Article(
        id="a",
        story_id="s",
        feed_id="f",
        url="https://f.example/1",
        title="t",
        published_at=AT,
        fetched_at=at(fetched_s),
    )
    return Arrival(article, at(arrived_s))


def test_a_stat_line_is_read_behind_the_name() -> None:
    assert parent_of(STAT) == 7
    assert cpu_of(STAT) == 180 / TICKS


def test_an_article_waits_from_when_it_was_due_and_there() -> None:
    due = due_times([state(12.5, 20), state(0, 10), state(20.75, 30)])
    late_fetch = arrival(20.5, 21)
    late_change = arrival(12, 12.75)
    assert waits([late_fetch, late_change], [at(5), at(12)], due) == [1.0, 0.75]


def test_what_was_there_before_the_first_change_is_not_counted() -> None:
    assert waits([arrival(4, 5)], [at(6)], due_times([state(0, 3)])) == []
    assert waits([arrival(4, 5)], [at(1)], {}) == []


def test_percentiles() -> None:
    found = summary([float(number) for number in range(200)], Use(1, 1, 0))
    assert (found.p50, found.p99, found.worst) == (100.0, 198.0, 199.0)


def test_the_median_is_that_of_one_case_of_one_peer() -> None:
    samples = [Sample("we", "304", looks, Use(2, 1, 0), 1) for looks in (10, 20, 90)]
    samples.append(Sample("they", "304", 5, Use(2, 1, 0), 1))
    assert median(samples, "we", "304", lambda s: s.per_s) == 10
    assert median(samples, "they", "304", lambda s: s.cpu_per_1000) == 200


def test_figures_are_put_between_the_markers_again_and_again() -> None:
    page = f"# Before\n{BEGIN}\nold\n{END}\nafter\n"
    once = replaced(page, "| new |\n")
    assert once == f"# Before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert replaced(once, "| new |\n") == once
    with pytest.raises(ValueError, match="the page has no"):
        replaced("# Before\n", "")


def test_a_goal_that_is_missed_is_told() -> None:
    missed = Goal("speed", "10", "9", is_met=False)
    figures = render([Section("One", ("a",), (("1|2",),), (missed,), "Note.")], at=AT, quick=True)
    assert "make bench-ingest QUICK=1` on 2026-11-23 00:00 UTC" in figures
    assert "| speed | 10 | 9 | **no** |" in figures
    assert "### One\n\n| a |\n| --- |\n| 1/2 |\n\nNote." in figures


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
