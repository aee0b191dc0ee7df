"""Names, ids and placement: what every service relies on without saying so."""

import re
from pathlib import Path

import pytest

from wirewatch.topics import ALERTS, ALL, DELIVERIES, FEED_STATES, FEEDS
from wirewatch.topics.ids import alert_id, article_id, content_id, delivery_id
from wirewatch.topics.table import topics_table

ROOT = Path(__file__).parents[3]


def test_names_are_plural_nouns_without_underscores() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*s", topic.name) for topic in ALL)


def test_neither_root_hides_the_other() -> None:
    assert not (ROOT / "topics" / "wirewatch" / "__init__.py").exists()
    assert not (ROOT / "services" / "wirewatch" / "__init__.py").exists()


def test_every_topic_is_written_and_read_by_someone() -> None:
    services = {"ingest", "match", "notify", "api"}
    for topic in ALL:
        assert topic.written_by
        assert topic.read_by
        assert services >= {*topic.written_by, *topic.read_by}


def test_compacted_topics_keep_records_for_ever_and_others_do_not() -> None:
    for topic in ALL:
        assert (topic.retention is None) == (topic.config()["cleanup.policy"] == "compact")


def test_the_table_in_the_readme_is_the_one_the_specs_give() -> None:
    assert topics_table() in (ROOT / "topics" / "README.md").read_text()


def test_ids_are_the_same_in_every_process() -> None:
    assert article_id("feed_1", "urn:1") == "art_loml237xjv5unhlub6km5dal"
    assert alert_id("sub_1", "art_1") != delivery_id("sub_1", "art_1")


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), (("a",), ("a", ""))])
def test_ids_do_not_mix_their_parts_up(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert content_id("x", *one) != content_id("x", *other)


def test_ids_take_any_text() -> None:
    assert re.fullmatch(r"x_[a-z2-7]{24}", content_id("x", "\ud800 北朝鮮"))


def test_what_must_stand_together_is_placed_by_the_same_value() -> None:
    assert FEEDS.key_means == FEED_STATES.key_means == "feed id"
    assert DELIVERIES.placed_by_means == ALERTS.key_means == "endpoint id"
