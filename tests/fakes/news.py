"""Articles, subscriptions and a tiny catalogue for the tests of the pure rooms."""

from datetime import UTC, datetime

from wirewatch.entities.catalogue import Catalogue
from wirewatch.topics.articles import Article
from wirewatch.topics.entities import Alias, Entity, Kind, Mode
from wirewatch.topics.subscriptions import Subscription

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)

CATALOGUE = Catalogue(
    [
        Entity(
            id="Q423",
            kind=Kind.COUNTRY,
            labels={"en": "North Korea", "de": "Nordkorea"},
            aliases=(
                Alias(text="North Korea", language="en"),
                Alias(text="Nordkorea", language="de", mode=Mode.INFLECT),
                Alias(text="北朝鮮", language="ja", mode=Mode.SUBSTRING),
            ),
        ),
        Entity(
            id="Q159",
            kind=Kind.COUNTRY,
            labels={"en": "Russia", "de": "Russland"},
            aliases=(
                Alias(text="Russia", language="en"),
                Alias(text="Russland", language="de", mode=Mode.INFLECT),
            ),
        ),
        Entity(
            id="topic:military",
            kind=Kind.THEME,
            labels={"en": "military"},
            aliases=(
                Alias(text="army", language="en"),
                Alias(text="Armee", language="de", mode=Mode.INFLECT),
            ),
        ),
    ]
)


def article(
    title: str = "",
    *,
    lead: str = "",
    body: str = "",
    language: str = "en",
    id: str = "art_1",
    source: str = "",
    authors: tuple[str, ...] = (),
) -> Article:
    return Article(
        id=id,
        story_id=id,
        feed_id="feed_1",
        url=f"https://news.example/{id}",
        title=title,
        lead=lead,
        body=body,
        language=language,
        source=source,
        authors=authors,
        published_at=AT,
        fetched_at=AT,
    )


def subscription(
    query: str,
    *,
    id: str = "sub_1",
    endpoint_ids: tuple[str, ...] = ("end_1",),
    paused: bool = False,
    language: str = "en",
) -> Subscription:
    return Subscription(
        id=id,
        name=f"name of {id}",
        query=query,
        endpoint_ids=endpoint_ids,
        paused=paused,
        language=language,
        created_at=AT,
        updated_at=AT,
    )
