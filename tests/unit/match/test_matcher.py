from datetime import timedelta

import pytest

from fakes.news import AT, CATALOGUE, article, subscription
from wirewatch.match.matcher import Matcher, cut
from wirewatch.match.progress import STALLED_AFTER, Progress
from wirewatch.query.errors import QueryError
from wirewatch.topics.alerts import MAX_SUMMARY_CHARS
from wirewatch.topics.ids import alert_id


def test_an_alert_for_each_endpoint_with_the_same_id() -> None:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("entity:Russia", endpoint_ids=("end_1", "end_2", "end_1")))

    alerts = matcher.match(article("Russia said", lead="A summary."), now=AT)

    assert [alert.endpoint_id for alert in alerts] == ["end_1", "end_2"]
    assert {alert.id for alert in alerts} == {alert_id("sub_1", "art_1")}
    assert alerts[0].subscription_name == "name of sub_1"
    assert alerts[0].article.title == "Russia said"
    assert alerts[0].article.summary == "A summary."
    assert [(proof.leaf, proof.text) for proof in alerts[0].proofs] == [("entity:Russia", "Russia")]
    assert alerts[0].found_at == AT


def test_a_paused_or_removed_subscription_finds_nothing() -> None:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("quake"))
    matcher.put(subscription("quake", id="sub_2"))
    assert len(matcher.match(article("quake"), now=AT)) == 2

    matcher.put(subscription("quake", paused=True))
    matcher.remove("sub_2")

    assert len(matcher) == 0
    assert matcher.match(article("quake"), now=AT) == []


def test_a_query_that_cannot_be_read_leaves_the_subscription_out() -> None:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("quake"))

    with pytest.raises(QueryError):
        matcher.put(subscription("quake AND ("))

    assert matcher.match(article("quake"), now=AT) == []


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("short", 10, "short"), ("one two three", 9, "one two…"), ("x" * 20, 10, "x" * 9 + "…")],
)
def test_a_summary_is_cut_between_words(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short


def test_a_summary_is_of_the_lead_or_else_of_the_body() -> None:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("quake"))

    [alert] = matcher.match(article("quake", body="word " * 1000), now=AT)

    assert alert.article.summary.startswith("word word")
    assert len(alert.article.summary) <= MAX_SUMMARY_CHARS


def test_progress_is_offsets_that_move_while_there_is_work() -> None:
    progress = Progress()
    late = AT + STALLED_AFTER + timedelta(seconds=1)

    assert progress.note({0: 5, 1: 7}, {0: 5, 1: 9}, AT) == 2
    assert progress.note({0: 5, 1: 7}, {0: 5, 1: 20}, late) == 13
    assert progress.problem(late) == "no offset committed for 90 s on partitions [1]"
    progress.note({0: 5, 1: 8}, {0: 5, 1: 20}, late)
    assert progress.problem(late) is None
    progress.note({}, {}, late)
    assert progress.problem(late + STALLED_AFTER) is None


def test_a_query_that_cannot_be_looked_for_does_not_disturb_the_others() -> None:
    matcher = Matcher(CATALOGUE)
    matcher.put(subscription("quake"))
    with pytest.raises(QueryError):
        matcher.put(subscription("quake OR ـ", id="sub_2"))

    assert len(matcher.match(article("quake"), now=AT)) == 1
