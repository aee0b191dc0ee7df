"""The wire: the bytes of every record, as other versions and other programs read them.

A golden file changes only with a decision: a new field with a default is
compatible, anything else needs a new `version`.
"""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from wirewatch.topics import ALL
from wirewatch.topics.alerts import Alert, ArticleDigest, Field, NamedEntity, Proof
from wirewatch.topics.articles import Article, Enclosure
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.codec import DecodeError, decode, encode
from wirewatch.topics.dead_letters import DeadLetter, DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoint_states import Breaker, EndpointState
from wirewatch.topics.endpoints import (
    Endpoint,
    EndpointSecrets,
    OperationalEvent,
    Order,
    SigningKey,
    Verification,
)
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode, Role
from wirewatch.topics.feed_entries import FeedEntries
from wirewatch.topics.feed_states import FeedState, FetchReason, PushLease, PushState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.pushes import Push, PushKind
from wirewatch.topics.spec import Record, Topic
from wirewatch.topics.stories import StoryClaim, StoryClaims
from wirewatch.topics.subscriptions import Pace, QuietHours, Subscription

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)

ALERT = Alert(
    id="alert_1",
    endpoint_id="end_1",
    subscription_id="sub_1",
    subscription_name="Waffen für Pjöngjang",
    query='entity:"North Korea" AND entity:Russia',
    tags=("asia",),
    article=ArticleDigest(
        id="art_1",
        story_id="art_1",
        revision=1,
        url="https://news.example/1",
        title="Nordkoreanische Delegation in Russland",
        summary="Eine Delegation …",
        language="de",
        source="news.example",
        feed_id="feed_1",
        feed_title="Nachrichten",
        authors=("A. Autorin",),
        published_at=AT,
        fetched_at=AT,
    ),
    proofs=(
        Proof(
            leaf='entity:"North Korea"',
            entity_id="Q423",
            field=Field.TITLE,
            start=0,
            end=15,
            text="Nordkoreanische",
            snippet="Nordkoreanische Delegation in Russland",
            mark_start=0,
            mark_end=15,
        ),
    ),
    entities=(NamedEntity(id="Q423", kind=Kind.COUNTRY, name="Nordkorea"),),
    found_at=AT,
)

RECORDS: dict[str, Record] = {
    "feeds": Feed(
        id="feed_1",
        url="https://news.example/rss",
        title="Nachrichten",
        language="de",
        tags=("world",),
        interval_s=600,
        full_text=True,
        country="DE",
        created_at=AT,
        updated_at=AT,
    ),
    "feed-states": FeedState(
        feed_id="feed_1",
        url="https://news.example/rss",
        title="Nachrichten",
        etag='W/"abc"',
        last_modified="Mon, 23 Nov 2026 08:00:00 GMT",
        fetched_at=AT,
        changed_at=AT,
        next_fetch_at=AT,
        failures=2,
        failing_since=AT,
        reason=FetchReason.HTTP_STATUS,
        detail="503",
        body_digest="d1",
        location="https://news.example/feed",
        moving_to="https://news.example/new",
        moves=2,
        change_gap_s=1800.5,
        ttl_s=900,
        skip_hours=(1, 2),
        skip_days=(6,),
        push=PushLease(
            hub="https://hub.example/",
            topic="https://news.example/rss",
            state=PushState.ACTIVE,
            lease_until=AT,
        ),
    ),
    "feed-entries": FeedEntries(feed_id="feed_1", layout=1, packed=b"\x00\xff"),
    "pushes": Push(
        feed_id="feed_1", kind=PushKind.CONTENT, content_type="text/xml", body=b"<rss/>"
    ),
    "stories": StoryClaims(
        feed_id="feed_1",
        seen=41,
        claims=(StoryClaim(article_id="art_2", story_id="art_1", signature=b"\x01\x02", at=AT),),
    ),
    "articles": Article(
        id="art_1",
        story_id="art_1",
        feed_id="feed_1",
        feed_title="Nachrichten",
        url="https://news.example/1",
        title="Nordkoreanische Delegation in Russland",
        lead="Eine Delegation …",
        body="Eine Delegation aus Nordkorea …",
        language="de",
        authors=("A. Autorin",),
        categories=("Ausland",),
        source="news.example",
        source_name="Nachrichten",
        source_country="DE",
        image="https://news.example/1.jpg",
        enclosures=(Enclosure("https://news.example/1.mp3", "audio/mpeg", 1000),),
        published_at=AT,
        fetched_at=AT,
    ),
    "entities": Entity(
        id="Q423",
        kind=Kind.COUNTRY,
        labels={"de": "Nordkorea", "en": "North Korea"},
        aliases=(
            Alias(text="nordkoreanisch", language="de", role=Role.ADJECTIVE, mode=Mode.INFLECT),
            Alias(text="DPRK", language="*", role=Role.ABBREVIATION, case=Case.ALL),
        ),
        updated_at=AT,
    ),
    "subscriptions": Subscription(
        id="sub_1",
        name="Waffen für Pjöngjang",
        query='entity:"North Korea" AND entity:Russia',
        endpoint_ids=("end_1",),
        tags=("asia",),
        pace=Pace(
            at=("08:00",),
            quiet=(QuietHours(start="22:00", end="07:00", days=(0, 1)),),
            muted_sources=("news.example",),
            time_zone="Europe/Berlin",
        ),
        created_at=AT,
        updated_at=AT,
    ),
    "endpoints": Endpoint(
        id="end_1",
        name="desk",
        url="https://hooks.example/desk",
        sealed="v1.sealed",
        enabled_at=AT,
        retry_schedule_s=(5.0, 60.0),
        concurrency=2,
        rate_per_s=1.5,
        timeout_s=5.0,
        order=Order.STRICT,
        redirects=1,
        verification=Verification.PING,
        events=(OperationalEvent.ENDPOINT_DISABLED,),
        created_at=AT,
        updated_at=AT,
    ),
    "endpoint-states": EndpointState(
        endpoint_id="end_1",
        breaker=Breaker.OPEN,
        failures=7,
        failing_since=AT,
        last_failure_at=AT,
        last_reason=AttemptReason.TIMEOUT,
        last_detail="no answer within 15 s",
        probe_at=AT,
        changed_at=AT,
    ),
    "alerts": ALERT,
    "deliveries": Delivery(
        id="msg_1",
        endpoint_id="end_1",
        alert_id="alert_1",
        state=DeliveryState.PENDING,
        attempts=1,
        due_at=AT,
        created_at=AT,
        alert=ALERT,
    ),
    "attempts": Attempt(
        delivery_id="msg_1",
        alert_id="alert_1",
        subscription_id="sub_1",
        endpoint_id="end_1",
        number=1,
        outcome=Outcome.RETRY,
        reason=AttemptReason.SERVER_ERROR,
        detail="500",
        to="hooks.example:443",
        status=500,
        request_bytes=2100,
        response_bytes=4,
        response_head="oops",
        started_at=AT,
        duration_ms=12,
        next_attempt_at=AT,
    ),
    "dead-letters": DeadLetter(
        id="dead_1",
        service="match",
        reason=DeadReason.UNREADABLE,
        detail="not a readable Article",
        topic="wirewatch.articles",
        partition=3,
        offset=42,
        key="art_1",
        payload=b"\xff{",
        died_at=AT,
    ),
}


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_bytes_are_as_they_were(topic: Topic[Record]) -> None:
    golden = (GOLDEN / f"{topic.name}.json").read_bytes().rstrip(b"\n")

    assert encode(RECORDS[topic.name]) == golden
    assert decode(golden, topic.record) == RECORDS[topic.name]


@pytest.mark.parametrize("file", sorted((GOLDEN / "before").glob("*.json")), ids=lambda f: f.stem)
def test_what_an_earlier_program_wrote_is_still_read(file: Path) -> None:
    [topic] = [topic for topic in ALL if topic.name == file.stem]

    assert decode(file.read_bytes(), topic.record).version == 1


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_unknown_fields_of_a_later_program_are_passed_over(topic: Topic[Record]) -> None:
    fields = msgspec.json.decode(encode(RECORDS[topic.name]))
    later = msgspec.json.encode(fields | {"field_of_next_year": 1})

    assert decode(later, topic.record) == RECORDS[topic.name]


def test_a_newer_version_is_refused_not_half_understood() -> None:
    feed = msgspec.structs.replace(RECORDS["feeds"], version=2)

    with pytest.raises(DecodeError, match="Feed has version 2, this program reads 1 to 1"):
        decode(encode(feed), Feed)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, "not a readable Feed"),
        (b'{"version": 1}', "missing required field `id`"),
        (b'{"version": "1"}', r"Expected `int`, got `str` - at `\$.version`"),
    ],
)
def test_what_is_not_a_record_says_why(raw: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        decode(raw, Feed)


def test_a_secret_does_not_show_in_a_representation() -> None:
    endpoint = decode((GOLDEN / "before/endpoints.json").read_bytes(), Endpoint)
    secrets = EndpointSecrets(
        keys=(SigningKey(secret=endpoint.secret),), headers=(("a", endpoint.secret),)
    )

    assert endpoint.secret
    for shown in (repr(endpoint), str((endpoint,)), repr(secrets), repr(secrets.keys)):
        assert endpoint.secret not in shown
