"""Several alerts told together, by story."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.notify.digest import (
    MAX_DIGEST_BYTES,
    MAX_LEAF_CHARS,
    best_proofs,
    make_digest,
)
from wirewatch.topics.alerts import Alert, ArticleDigest, Field, Proof
from wirewatch.topics.digests import MAX_DIGEST_STORIES, DigestWhy
from wirewatch.topics.ids import digest_delivery_id as digest_id

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE, UNTIL = AT - timedelta(hours=1), AT + timedelta(hours=1)


def proof(leaf: str = "storm", field: Field = Field.TITLE, start: int = 0) -> Proof:
    return Proof(
        leaf=leaf, field=field, start=start, end=start + 5, text="Storm", snippet="Storm",
        mark_start=0, mark_end=5,
    )  # fmt: skip


def alert(number: int, story: str, minutes: int = 0, **changes: object) -> Alert:
    at = AT + timedelta(minutes=minutes)
    fields = {
        "id": f"alert_{number}",
        "endpoint_id": "end_1",
        "subscription_id": "sub_1",
        "subscription_name": "Storms",
        "query": "storm",
        "tags": ("sea",),
        "article": ArticleDigest(
            id=f"art_{number}", story_id=story, revision=1, url=f"https://news.example/{number}",
            title=f"Title {number}", summary=f"Summary {number}", language="en",
            source=f"{number}.news.example", feed_id="feed_1", feed_title="News", authors=(),
            published_at=at, fetched_at=at, image=f"https://news.example/{number}.png",
        ),
        "proofs": (proof(),),
        "found_at": AT,
    }  # fmt: skip
    return Alert(**(fields | changes))


def digest(*alerts: Alert, part: int = 1):
    return make_digest(alerts, why=DigestWhy.QUIET, since=SINCE, until=UNTIL, part=part)


def test_alerts_are_told_by_story_with_its_first_article():
    made = digest(alert(2, "a", 5), alert(1, "a", 1), alert(3, "b", 9))
    assert (made.subscription_id, made.subscription_name, made.query) == (
        "sub_1", "Storms", "storm",
    )  # fmt: skip
    assert (made.tags, made.why, made.since, made.until) == (
        ("sea",), DigestWhy.QUIET, SINCE, UNTIL,
    )  # fmt: skip
    assert (made.alerts, made.more_stories, made.part) == (3, 0, 1)
    first = made.stories[0]
    assert (first.story_id, first.articles) == ("a", 2)
    assert (first.title, first.url, first.summary) == (
        "Title 1", "https://news.example/1", "Summary 1",
    )  # fmt: skip
    assert (first.source, first.language, first.published_at, first.image) == (
        "1.news.example", "en", AT + timedelta(minutes=1), "https://news.example/1.png",
    )  # fmt: skip
    assert first.sources == ("1.news.example", "2.news.example")
    assert first.alert_ids == ("alert_1", "alert_2")
    assert first.proofs == (proof(),)


def test_the_largest_story_stands_first_then_that_with_the_newest_article():
    made = digest(
        alert(1, "small", 9), alert(2, "large", 1), alert(3, "large", 2), alert(4, "new", 10),
        alert(5, "same", 9),
    )  # fmt: skip
    assert [story.story_id for story in made.stories] == ["large", "new", "same", "small"]


def test_an_alert_that_comes_twice_counts_once_and_its_newer_article_is_told():
    old = alert(1, "a")
    new = replace(old, article=replace(old.article, revision=2, title="Corrected"))
    for order in ((old, new), (new, old), (old, new, old)):
        made = digest(*order)
        assert (made.alerts, made.stories[0].articles) == (1, 1)
        assert made.stories[0].title == "Corrected"


def test_lists_have_limits_and_the_rest_is_counted():
    made = digest(*(alert(number, "a", number) for number in range(30)))
    assert made.stories[0].articles == 30
    assert len(made.stories[0].alert_ids) == len(made.stories[0].sources) == 20
    made = digest(*(alert(number, f"story_{number:03}") for number in range(53)))
    assert len(made.stories) == MAX_DIGEST_STORIES
    assert (made.alerts, made.more_stories) == (53, 3)


def test_a_source_is_named_once():
    one, two = alert(1, "a"), alert(2, "a")
    two = replace(two, article=replace(two.article, source=one.article.source))
    assert digest(one, two).stories[0].sources == ("1.news.example",)


def test_a_subscription_that_was_renamed_has_its_new_name():
    renamed = replace(alert(1, "a"), subscription_name="Gales", found_at=AT + timedelta(hours=1))
    assert digest(renamed, alert(2, "a", 5)).subscription_name == "Gales"


def test_of_the_proofs_the_best_three_are_told():
    body = [proof("wind", Field.BODY, at) for at in (40, 10, 20)]
    lead, titles = proof("flood", Field.LEAD), [proof("storm", start=at) for at in (9, 3)]
    assert best_proofs([*body, lead, *titles]) == (titles[1], lead, body[1])
    assert best_proofs([*body, titles[0]]) == (titles[0], body[1], body[2])
    assert best_proofs([]) == ()


def test_a_long_leaf_is_cut_and_its_proofs_are_still_told_apart():
    near = [proof("NEAR " + "x" * 4_000 + end, start=n) for n, end in enumerate("ab")]
    made = digest(alert(1, "a", proofs=(*near, proof("y" * MAX_LEAF_CHARS))))
    leaves = [each.leaf for each in made.stories[0].proofs]
    assert [len(leaf) for leaf in leaves] == [MAX_LEAF_CHARS] * 3
    assert sorted(leaf[-1] for leaf in leaves) == ["y", "…", "…"]


def large_stories(**texts):
    """Return alerts of more stories than are told, each with `texts` in its article."""
    for number in range(60):
        one = alert(number, f"story_{number:02}", proofs=())
        yield replace(one, article=replace(one.article, **texts))


def size(made):
    return len(msgspec.json.encode(made))


def test_of_a_digest_that_is_too_large_proofs_go_first_then_summaries_then_stories():
    long = replace(proof(), text="t" * 7_000)
    with_proofs = [replace(one, proofs=(long,)) for one in large_stories(summary="s")]
    made = digest(*with_proofs)
    assert size(made) <= MAX_DIGEST_BYTES
    assert {(each.proofs, each.summary) for each in made.stories} == {((), "s")}
    assert (len(made.stories), made.more_stories) == (50, 10)

    made = digest(*large_stories(summary="s" * 6_000))
    assert size(made) <= MAX_DIGEST_BYTES
    assert {each.summary for each in made.stories} == {""}
    assert (len(made.stories), made.more_stories) == (50, 10)

    made = digest(*large_stories(title="ä" * 4_000))
    assert MAX_DIGEST_BYTES - 10_000 < size(made) <= MAX_DIGEST_BYTES
    assert len(made.stories) + made.more_stories == 60
    assert [each.story_id for each in made.stories] == sorted(
        each.story_id for each in made.stories
    )


def test_a_digest_that_fits_is_left_as_it_is():
    made = digest(*(replace(one, proofs=(proof(),)) for one in large_stories(summary="s" * 500)))
    assert {(each.proofs, len(each.summary)) for each in made.stories} == {((proof(),), 500)}


def test_a_digest_of_nothing_is_a_mistake():
    with pytest.raises(ValueError, match="needs alerts"):
        digest()


alerts = st.lists(
    st.builds(alert, st.integers(0, 500), st.sampled_from("abc"), st.integers(0, 3)),
    min_size=1, unique_by=lambda each: each.id,
)  # fmt: skip


@given(alerts, st.randoms(use_true_random=False))
def test_the_order_of_the_alerts_does_not_matter(alerts, random):
    shuffled = random.sample(alerts, len(alerts))
    assert digest(*shuffled) == digest(*alerts)
    assert digest(*shuffled, *alerts) == digest(*alerts)


@given(alerts)
def test_every_alert_is_counted_in_a_story(alerts):
    made = digest(*alerts)
    assert made.alerts == len(alerts) == sum(story.articles for story in made.stories)


def test_an_id_names_the_part_and_the_moment_whatever_its_zone():
    first = digest_id("sub_1", "end_1", AT, 1)
    assert first.startswith("msg_")
    assert digest_id("sub_1", "end_1", AT.astimezone(timezone(timedelta(hours=5))), 1) == first
    others = {
        digest_id("sub_2", "end_1", AT, 1),
        digest_id("sub_1", "end_2", AT, 1),
        digest_id("sub_1", "end_1", AT + timedelta(microseconds=1), 1),
        digest_id("sub_1", "end_1", AT, 2),
    }
    assert len(others | {first}) == 5
