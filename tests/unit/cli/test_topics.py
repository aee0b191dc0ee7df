import json

import pytest

from wirewatch.cli import topics
from wirewatch.runtime.topic_admin import TopicReport, TopicState

GOOD = TopicReport("wirewatch.feeds", TopicState.OK, 8, 1, {"cleanup.policy": "compact"})
BAD = TopicReport(
    "wirewatch.alerts", TopicState.DIFFERS, 4, 1, {}, ("wirewatch.alerts: has 4 partitions",)
)


@pytest.fixture
def reports(monkeypatch):
    """What the broker is said to hold."""
    found = [GOOD]

    async def report(_settings):
        return list(found)

    for name in ("create_topics", "check_topics", "describe_topics"):
        monkeypatch.setattr(topics, name, report)
    return found


def test_a_difference_is_exit_code_1(wirewatch, reports):
    assert wirewatch("topics", "check").exit_code == 0
    reports.append(BAD)
    result = wirewatch("topics", "check")
    assert result.exit_code == 1
    assert result.stderr == "wirewatch: wirewatch.alerts: has 4 partitions\n"
    assert "differs" in result.stdout


def test_topics_as_json(wirewatch, reports):
    assert json.loads(wirewatch("topics", "check", "--json").stdout)[0] == {
        "name": "wirewatch.feeds", "state": "ok", "partitions": 8, "replication": 1,
        "config": {"cleanup.policy": "compact"}, "differences": [],
    }  # fmt: skip


def test_describing_shows_the_settings(wirewatch, reports):
    shown = wirewatch("topics", "describe").stdout
    assert "wirewatch.feeds: cleanup.policy=compact" in shown


def test_a_kafka_that_is_away_is_one_sentence(wirewatch, monkeypatch):
    monkeypatch.setenv("WIREWATCH_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("WIREWATCH_KAFKA_WAIT_S", "0.1")
    result = wirewatch("topics", "check")
    assert result.exit_code == 1
    assert result.stderr.startswith("wirewatch: Kafka at 127.0.0.1:9 cannot be reached")
