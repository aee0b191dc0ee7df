"""Records that the tests of notify begin with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from wirewatch.topics.alerts import Alert, ArticleDigest, Field, Proof
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoints import Endpoint

AT = datetime(2024, 11, 23, 9, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def alert() -> Alert:
    return Alert(
        id="alert_1",
        endpoint_id="end_1",
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="entity:Russia",
        tags=("de",),
        article=ArticleDigest(
            id="art_1",
            story_id="story_1",
            revision=1,
            url="https://news.example/1",
            title="Ein russisches Werk",
            summary="Nur kurz.",
            language="de",
            source="news.example",
            feed_id="feed_1",
            feed_title="Nachrichten",
            authors=("A. B.",),
            published_at=AT,
            fetched_at=AT,
        ),
        proofs=(
            Proof(
                leaf="entity:Russia",
                entity_id="Q159",
                field=Field.TITLE,
                start=4,
                end=14,
                text="russisches",
                snippet="Ein russisches Werk",
                mark_start=4,
                mark_end=14,
            ),
        ),
        found_at=AT,
    )


@pytest.fixture
def delivery(alert: Alert) -> Delivery:
    return Delivery(
        id="msg_1",
        endpoint_id="end_1",
        alert_id="alert_1",
        due_at=AT,
        created_at=AT,
        alert=alert,
    )


@pytest.fixture
def make_delivery(delivery: Delivery) -> Callable[..., Delivery]:
    """Return a function that makes deliveries which differ in the given fields."""

    def make(delivery_id: str, **changes: Any) -> Delivery:
        return replace(delivery, id=delivery_id, **changes)

    return make


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint(
        id="end_1", url="https://hook.example/in", secret=SECRET, created_at=AT, updated_at=AT
    )
