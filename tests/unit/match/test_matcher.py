from datetime import timedelta
from pathlib import Path

import pytest

from fakes.news import AT, CATALOGUE, article, subscription
from wirewatch.match.matcher import Matcher, cut
from wirewatch.match.progress import STALLED_AFTER, Progress
from wirewatch.match.records import RecordFile
from wirewatch.query.errors import QueryError
from wirewatch.topics.alerts import MAX_SUMMARY_CHARS
from wirewatch.topics.codec import encode
from wirewatch.topics.ids import alert_id
from wirewatch.topics.spec import MAX_MESSAGE_BYTES


def test_an_alert_for_each_endpoint_with_the_same_id(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription("entity:Russia", endpoint_ids=("end_1", "end_2", "end_1")))

    alerts = matcher.match(article("Russia said", lead="A summary."), now=AT)

    assert [alert.endpoint_id for alert in alerts] == ["end_1", "end_2"]
    assert {alert.id for alert in alerts} == {alert_id("sub_1", "art_1")}
    assert alerts[0].subscription_name == "name of sub_1"
    assert alerts[0].article.title == "Russia said"
    assert alerts[0].article.summary == "A summary."
    assert [(proof.leaf, proof.text) for proof in alerts[0].proofs] == [("entity:Russia", "Russia")]
    assert alerts[0].found_at == AT


def test_an_alert_names_entities_in_the_language_of_its_subscription(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription("entity:Russia", language="de-AT"))
    matcher.put(subscription("entity:Russia", id="sub_2"))

    alerts = matcher.match(article("Russia said"), now=AT)

    named = {alert.subscription_id: [each.name for each in alert.entities] for alert in alerts}
    assert named == {"sub_1": ["Russland"], "sub_2": ["Russia"]}


def test_a_paused_or_removed_subscription_finds_nothing(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription("quake"))
    matcher.put(subscription("quake", id="sub_2"))
    assert len(matcher.match(article("quake"), now=AT)) == 2

    matcher.put(subscription("quake", paused=True))
    matcher.remove("sub_2")

    assert len(matcher) == 0
    assert matcher.match(article("quake"), now=AT) == []


def test_a_query_that_cannot_be_read_leaves_the_subscription_out(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
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


def test_a_summary_is_of_the_lead_or_else_of_the_body(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
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
    progress.note({1: 8}, {1: 20}, late + STALLED_AFTER * 2, told=500)
    assert progress.problem(late + STALLED_AFTER * 2) is None
    progress.note({}, {}, late)
    assert progress.problem(late + STALLED_AFTER) is None


def test_a_query_that_cannot_be_looked_for_does_not_disturb_the_others(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription("quake"))
    with pytest.raises(QueryError):
        matcher.put(subscription("quake OR ـ", id="sub_2"))

    assert len(matcher.match(article("quake"), now=AT)) == 1


def test_an_alert_fits_into_a_message_however_long_the_words_are(tmp_path: Path) -> None:
    matcher = Matcher(CATALOGUE, RecordFile(tmp_path / "records"))
    matcher.put(subscription(" ".join(f"{'𐐨' * n}*" for n in range(2, 30))))

    [alert] = matcher.match(article("long", body="𐐨" * 100_000), now=AT)

    assert len(alert.proofs) >= 1
    assert len(encode(alert)) < MAX_MESSAGE_BYTES
