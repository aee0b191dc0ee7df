import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from wirewatch.notify.payload import MAX_CUT_CHARS, MAX_PAYLOAD_BYTES, make_payload
from wirewatch.notify.webhook_types import SCHEMAS, schema_of
from wirewatch.topics.alerts import Alert, Field, NamedEntity, Proof
from wirewatch.topics.digests import Digest, DigestStory, DigestWhy, Notice, NoticeType
from wirewatch.topics.endpoints import Variant
from wirewatch.topics.entities import Kind

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"
AT = datetime(2024, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def digest(alert: Alert) -> Digest:
    story = DigestStory(
        story_id="story_1",
        title="Ein russisches Werk",
        url="https://news.example/1",
        source="news.example",
        language="de",
        published_at=AT,
        proofs=alert.proofs,
        articles=2,
        sources=("news.example",),
        alert_ids=("alert_1", "alert_2"),
    )
    return Digest(
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="entity:Russia",
        why=DigestWhy.RATE,
        since=AT - timedelta(hours=1),
        until=AT,
        alerts=2,
        stories=(story,),
    )


def notice_of(type_: NoticeType) -> Notice:
    return Notice(
        type=type_,
        endpoint_id="end_2",
        endpoint_name="Ops",
        endpoint_url="https://hook.example",
        reason="failing",
        detail="the receiver answered 500",
        failing_since=AT - timedelta(days=5),
        delivery_id="msg_2",
        alert_id="alert_2",
        subscription_id="sub_2",
        attempts=10,
        challenge="challenge_1",
        at=AT,
    )


def read(body: bytes) -> Any:
    assert len(body) <= MAX_PAYLOAD_BYTES
    return json.loads(body)


def test_the_payload_of_an_alert_by_value(alert: Alert) -> None:
    entity = NamedEntity(id="Q159", kind=Kind.COUNTRY, name="Russia")
    article = replace(alert.article, image="https://news.example/i.jpg")

    body = make_payload(replace(alert, entities=(entity,), article=article), "msg_1")

    assert read(body) == {
        "version": 1,
        "type": "alert.created",
        "timestamp": "2024-11-23T09:00:00Z",
        "data": {
            "alert_id": "alert_1",
            "delivery_id": "msg_1",
            "subscription": {
                "id": "sub_1",
                "name": "Panzer",
                "query": "entity:Russia",
                "tags": ["de"],
            },
            "article": {
                "id": "art_1",
                "story_id": "story_1",
                "revision": 1,
                "url": "https://news.example/1",
                "title": "Ein russisches Werk",
                "summary": "Nur kurz.",
                "language": "de",
                "source": "news.example",
                "feed_id": "feed_1",
                "feed_title": "Nachrichten",
                "authors": ["A. B."],
                "published_at": "2024-11-23T09:00:00Z",
                "fetched_at": "2024-11-23T09:00:00Z",
                "image": "https://news.example/i.jpg",
            },
            "proofs": [
                {
                    "leaf": "entity:Russia",
                    "entity_id": "Q159",
                    "field": "title",
                    "start": 4,
                    "end": 14,
                    "text": "russisches",
                    "snippet": "Ein russisches Werk",
                    "mark_start": 4,
                    "mark_end": 14,
                    "beside": None,
                }
            ],
            "entities": [{"id": "Q159", "kind": "country", "name": "Russia"}],
        },
    }


def test_a_thin_payload_has_ids_title_and_address(alert: Alert) -> None:
    assert read(make_payload(alert, "msg_1", Variant.THIN))["data"] == {
        "alert_id": "alert_1",
        "delivery_id": "msg_1",
        "subscription": {"id": "sub_1", "name": "Panzer"},
        "article": {
            "id": "art_1",
            "story_id": "story_1",
            "url": "https://news.example/1",
            "title": "Ein russisches Werk",
            "published_at": "2024-11-23T09:00:00Z",
        },
    }


def test_the_payload_of_a_digest(digest: Digest) -> None:
    full = read(make_payload(digest, "msg_1"))
    thin = read(make_payload(digest, "msg_1", Variant.THIN))

    assert (full["type"], full["timestamp"]) == ("alert.digest", "2024-11-23T09:00:00Z")
    assert full["data"]["stories"][0]["proofs"][0]["text"] == "russisches"
    assert (full["data"]["why"], full["data"]["alerts"], full["data"]["part"]) == ("rate", 2, 1)
    assert thin["data"] == {
        "delivery_id": "msg_1",
        "subscription": {"id": "sub_1", "name": "Panzer"},
        "why": "rate",
        "since": "2024-11-23T08:00:00Z",
        "until": "2024-11-23T09:00:00Z",
        "part": 1,
        "alerts": 2,
        "stories": [
            {
                "story_id": "story_1",
                "title": "Ein russisches Werk",
                "url": "https://news.example/1",
                "published_at": "2024-11-23T09:00:00Z",
                "articles": 2,
                "alert_ids": ["alert_1", "alert_2"],
            }
        ],
        "more_stories": 0,
    }


ABOUT = {"id": "end_2", "name": "Ops", "url": "https://hook.example"}


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        (
            NoticeType.ENDPOINT_DISABLED,
            {
                "endpoint": ABOUT,
                "reason": "failing",
                "detail": "the receiver answered 500",
                "failing_since": "2024-11-18T09:00:00Z",
            },
        ),
        (
            NoticeType.DELIVERY_EXHAUSTED,
            {
                "endpoint": ABOUT,
                "delivery": {
                    "id": "msg_2",
                    "alert_id": "alert_2",
                    "subscription_id": "sub_2",
                    "attempts": 10,
                },
                "reason": "failing",
                "detail": "the receiver answered 500",
            },
        ),
        (NoticeType.ENDPOINT_VERIFY, {"endpoint": ABOUT, "challenge": "challenge_1"}),
        (NoticeType.ENDPOINT_TEST, {"endpoint": ABOUT, "detail": "the receiver answered 500"}),
    ],
)
def test_the_payload_of_each_notice(type_: NoticeType, data: Any) -> None:
    assert read(make_payload(notice_of(type_), "msg_1")) == {
        "version": 1,
        "type": type_.value,
        "timestamp": "2024-11-23T09:00:00Z",
        "data": data,
    }


# What is cut


def test_the_last_proofs_go_first_and_as_few_as_need_be(alert: Alert) -> None:
    [proof] = alert.proofs
    many = tuple(replace(proof, start=n, snippet="雪" * 160) for n in range(200))

    body = make_payload(replace(alert, proofs=many), "msg_1")

    data = read(body)["data"]
    kept = data["proofs"]
    assert data["truncated"] == ["proofs"]
    assert data["article"]["summary"] == "Nur kurz."
    assert [p["start"] for p in kept] == list(range(len(kept)))
    one_more = len(json.dumps(kept[0], ensure_ascii=False, separators=(",", ":")).encode()) + 16
    assert MAX_PAYLOAD_BYTES - one_more <= len(body)


def test_then_the_summary_goes(alert: Alert) -> None:
    article = replace(alert.article, summary="雪" * 30_000)

    data = read(make_payload(replace(alert, article=article), "msg_1"))["data"]

    assert (data["proofs"], data["article"]["summary"]) == ([], "")
    assert data["truncated"] == ["proofs", "article.summary"]
    assert data["article"]["authors"] == ["A. B."]


def test_a_long_address_is_left_out_and_not_cut(alert: Alert) -> None:
    article = replace(alert.article, url="https://news.example/" + "x" * 70_000)

    data = read(make_payload(replace(alert, article=article), "msg_1"))["data"]

    assert data["article"]["url"] == ""
    assert data["truncated"][-1] == "article.url"


@pytest.mark.parametrize("letter", ["x", "雪", "\x01", "😀"])
def test_whatever_comes_stays_below_the_limit(alert: Alert, letter: str) -> None:
    long = letter * 70_000
    article = replace(
        alert.article, title=long, summary=long, source=long, feed_title=long, authors=(long, long)
    )
    huge = replace(
        alert,
        subscription_name=long,
        query=long,
        tags=(long,) * 20,
        article=article,
        proofs=alert.proofs * 2000,
    )

    data = read(make_payload(huge, "msg_1"))["data"]

    assert data["truncated"] == [
        "proofs",
        "article.summary",
        "subscription.tags",
        "article.authors",
        "subscription.name",
        "subscription.query",
        "article.title",
        "article.source",
        "article.feed_title",
    ]
    assert data["article"]["title"] == letter * MAX_CUT_CHARS
    assert data["alert_id"] == "alert_1"


def test_a_digest_leaves_out_its_last_stories_and_counts_them(digest: Digest) -> None:
    [story] = digest.stories
    stories = tuple(replace(story, story_id=f"s{n}", summary="雪" * 500) for n in range(50))

    data = read(make_payload(replace(digest, stories=stories, more_stories=7), "msg_1"))["data"]

    kept = [one["story_id"] for one in data["stories"]]
    assert kept == [f"s{n}" for n in range(len(kept))]
    assert 30 < len(kept) < 50
    assert data["more_stories"] == 7 + 50 - len(kept)
    assert data["truncated"] == ["stories"]
    assert data["stories"][0]["summary"] == "雪" * 500


def test_a_digest_of_one_huge_story_keeps_it(digest: Digest) -> None:
    [story] = digest.stories
    huge = replace(story, proofs=story.proofs * 2_000, title="雪" * 70_000)

    data = read(make_payload(replace(digest, stories=(huge, huge)), "msg_1"))["data"]

    [kept] = data["stories"]
    assert (kept["proofs"], kept["title"]) == ([], "雪" * MAX_CUT_CHARS)
    assert data["more_stories"] == 1
    assert data["truncated"][:2] == ["stories", "stories.proofs"]


LONG = st.builds(
    lambda text, times: text * times,
    st.text(min_size=1, max_size=8),
    st.integers(1, 9_000),
)
ANY_TEXT = st.one_of(st.text(max_size=60), LONG)


@st.composite
def hard_proofs(draw: Any) -> tuple[Proof, ...]:
    proof = Proof(
        leaf=draw(ANY_TEXT),
        field=draw(st.sampled_from(Field)),
        start=0,
        end=1,
        text=draw(ANY_TEXT)[:2_000],
        snippet=draw(ANY_TEXT)[:160],
        mark_start=0,
        mark_end=1,
    )
    return (proof,) * draw(st.integers(0, 64))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_alert_gives_whole_json_that_its_schema_describes(alert: Alert, data: Any) -> None:
    text = lambda: data.draw(ANY_TEXT)  # noqa: E731
    article = replace(
        alert.article,
        title=text(),
        summary=text(),
        url=text(),
        image=text(),
        source=text(),
        authors=tuple(data.draw(st.lists(ANY_TEXT, max_size=5))),
    )
    hard = replace(
        alert,
        subscription_name=text(),
        query=text(),
        tags=tuple(data.draw(st.lists(ANY_TEXT, max_size=5))),
        article=article,
        proofs=data.draw(hard_proofs()),
    )

    for variant in Variant:
        body = make_payload(hard, "msg_1", variant)

        told = read(body)
        VALIDATORS["alert.created" + (".thin" if variant is Variant.THIN else "")].validate(told)
        assert body.decode().encode() == body
        assert article.title.startswith(told["data"]["article"]["title"])
        assert told["data"]["article"]["url"] in {article.url, ""}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_digest_gives_whole_json_that_its_schema_describes(digest: Digest, data: Any) -> None:
    story = replace(
        digest.stories[0],
        title=data.draw(ANY_TEXT),
        url=data.draw(ANY_TEXT),
        summary=data.draw(ANY_TEXT),
        sources=tuple(data.draw(st.lists(ANY_TEXT, max_size=20))),
        proofs=data.draw(hard_proofs()),
    )
    count = data.draw(st.integers(1, 50))
    hard = replace(digest, query=data.draw(ANY_TEXT), stories=(story,) * count)

    for variant in Variant:
        told = read(make_payload(hard, "msg_1", variant))

        VALIDATORS["alert.digest" + (".thin" if variant is Variant.THIN else "")].validate(told)
        assert len(told["data"]["stories"]) + told["data"]["more_stories"] == count


@given(text=LONG)
def test_any_notice_stays_below_the_limit(text: str) -> None:
    for type_ in NoticeType:
        notice = replace(notice_of(type_), endpoint_name=text, endpoint_url=text, detail=text)

        VALIDATORS[type_].validate(read(make_payload(notice, "msg_1")))


# Its schemas

VALIDATORS = {name: Draft202012Validator(schema_of(name)) for name in SCHEMAS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_documented_schema_is_that_of_the_types(name: str) -> None:
    documented = (FOLDER / f"{name}.json").read_text()

    assert documented == json.dumps(schema_of(name), indent=2) + "\n"  # as `make docs` writes it
    Draft202012Validator.check_schema(json.loads(documented))


def test_there_is_a_schema_for_each_type_and_no_other() -> None:
    types = {"alert.created", "alert.digest", *NoticeType}

    assert {path.stem for path in FOLDER.iterdir()} == set(SCHEMAS)
    assert {name.removesuffix(".thin") for name in SCHEMAS} == types


def test_a_schema_refuses_what_is_another_type(alert: Alert) -> None:
    told = msgspec.json.decode(make_payload(alert, "msg_1"))

    assert VALIDATORS["alert.created"].is_valid(told)
    assert not VALIDATORS["alert.digest"].is_valid(told)
    assert not VALIDATORS["alert.created"].is_valid({**told, "version": 2})
    assert not VALIDATORS["alert.created"].is_valid({**told, "data": {}})
