"""What the channels are shown: alerts, digests and notices in many scripts, some hostile."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from wirewatch.notify.channels import make_request
from wirewatch.notify.request import HttpRequest, Mail
from wirewatch.topics.alerts import Alert, ArticleDigest, Field, NamedEntity, Proof
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.digests import Digest, DigestStory, DigestWhy, Notice, NoticeType, Telling
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets, SigningKey
from wirewatch.topics.entities import Kind

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
TOKEN = "123456:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
TEMPLATE = (
    '{"kind": {{ type|tojson }}, "title": {{ data.article.title|tojson }}, '
    '"stories": [{% for story in data.stories %}{{ story.title|tojson }}'
    "{% if not loop.last %}, {% endif %}{% endfor %}]}"
)
URLS = {
    EndpointKind.EMAIL: "mailto:desk@news.example",
    EndpointKind.NTFY: "https://ntfy.example/tanks",
    EndpointKind.TELEGRAM: "https://telegram.example",
}

LEAD = "وقال المتحدث إن مصنع الدبابات في روسيا & كوريا الشمالية <b>يعمل</b>"


def proof_of(snippet: str, word: str, field: Field = Field.BODY) -> Proof:
    start = snippet.index(word)
    end = start + len(word)
    return Proof(
        leaf=f"entity:{word}",
        entity_id="Q159",
        field=field,
        start=start,
        end=end,
        text=word,
        snippet=snippet,
        mark_start=start,
        mark_end=end,
    )


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def alert() -> Alert:
    return Alert(
        id="alert_1",
        endpoint_id="end_1",
        subscription_id="sub_1",
        subscription_name="Panzer & <Waffen> @all",
        query="entity:Russia",
        tags=("de",),
        article=ArticleDigest(
            id="art_1",
            story_id="story_1",
            revision=1,
            url="https://news.example/a_(1)?x=1&y=<2>",
            title="@everyone <!channel> *北朝鮮* の戦車 👩‍👩‍👧 [click](https://evil.example)",
            summary="دبابات",
            language="ar",
            source="news.example",
            feed_id="feed_1",
            feed_title="Nachrichten",
            authors=("A. B.",),
            published_at=AT,
            fetched_at=AT,
            image="https://news.example/i.jpg",
        ),
        proofs=(proof_of(LEAD, "روسيا", Field.LEAD), proof_of(LEAD, "كوريا الشمالية", Field.LEAD)),
        entities=(NamedEntity(id="Q159", kind=Kind.COUNTRY, name="Russia"),),
        found_at=AT,
    )


def story_of(number: int, **changes: Any) -> DigestStory:
    story = DigestStory(
        story_id=f"story_{number}",
        title=f"{number}. 북한 전차 🚜 @here",
        url=f"https://news.example/{number}",
        source="news.example",
        language="ko",
        published_at=AT,
        proofs=(proof_of("공장에서 북한 전차를 봤다", "북한"),),
        articles=number,
        sources=("news.example",),
        alert_ids=(f"alert_{number}",),
    )
    return replace(story, **changes)


@pytest.fixture
def digest() -> Digest:
    return Digest(
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="entity:Russia",
        tags=("de",),
        why=DigestWhy.QUIET,
        since=AT.replace(hour=1),
        until=AT,
        alerts=15,
        stories=tuple(map(story_of, range(1, 13))),
        more_stories=3,
    )


@pytest.fixture
def notice() -> Notice:
    return Notice(
        type=NoticeType.ENDPOINT_DISABLED,
        endpoint_id="end_2",
        endpoint_name="Ops @channel",
        endpoint_url="https://hook.example",
        reason="failing",
        detail="the receiver answered 500 <br>",
        failing_since=AT.replace(day=18),
        at=AT,
    )


@pytest.fixture
def tellings(alert: Alert, digest: Digest, notice: Notice) -> dict[str, Telling]:
    return {"alert": alert, "digest": digest, "notice": notice}


Make = Callable[..., Any]


def endpoint_of(kind: EndpointKind, **changes: Any) -> Endpoint:
    endpoint = Endpoint(
        id="end_1",
        kind=kind,
        url=URLS.get(kind, "https://hook.example/in"),
        chat_id="-1001234",
        template=TEMPLATE,
        created_at=AT,
        updated_at=AT,
    )
    return replace(endpoint, **changes)


def secrets_of(kind: EndpointKind, **changes: Any) -> EndpointSecrets:
    token = TOKEN if kind is EndpointKind.TELEGRAM else ""
    return replace(EndpointSecrets(keys=(SigningKey(secret=SECRET),), token=token), **changes)


def delivery_of(telling: Telling) -> Delivery:
    field = {Alert: "alert", Digest: "digest", Notice: "notice"}[type(telling)]
    return Delivery(id="msg_1", endpoint_id="end_1", due_at=AT, created_at=AT, **{field: telling})


@pytest.fixture
def make() -> Make:
    """Return a function that makes the request that tells an endpoint of a kind of something."""

    def make(
        telling: Telling,
        kind: EndpointKind,
        *,
        secrets: Any = None,
        now: datetime = AT,
        **changes: Any,
    ) -> HttpRequest | Mail:
        return make_request(
            delivery_of(telling),
            endpoint_of(kind, **changes),
            secrets_of(kind, **(secrets or {})),
            now=now,
            user_agent="wirewatch/1",
            origin="alerts.example",
        )

    return make


@pytest.fixture
def story() -> Callable[..., DigestStory]:
    return story_of


@pytest.fixture
def proof() -> Callable[..., Proof]:
    return proof_of
