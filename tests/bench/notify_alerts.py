"""Alerts, endpoints and deliveries without end, made from numbers. Pure.

An alert has the size of a real one: some 3 KB with its summary, its proofs and its entities.
"""

import hashlib
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Self

from msgspec.structs import replace

from wirewatch.topics.alerts import Alert, ArticleDigest, Field, NamedEntity, Proof
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.entities import Kind
from wirewatch.topics.ids import alert_id, article_id, delivery_id

from .feed_server import host_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = 64
"""So many different texts: what compresses them finds few repeats within a batch."""
PROOFS = 4
ENTITIES = 7
_SYLLABLES = ("an", "ber", "cor", "da", "el", "fin", "gra", "hal", "in", "ju", "ker", "lo", "tor")


@dataclass(frozen=True, slots=True)
class Crowd:
    """Endpoints that behave alike: `count` of them on `hosts` hosts, from host `first_host` on.

    `port` is where they are asked, `manner` what the receiver does there (`notify_receiver`).
    `first` is where the numbers in their ids begin: several crowds may share a name.
    """

    name: str
    manner: str
    count: int
    first_host: int
    hosts: int
    port: int
    first: int = 0

    def id(self, number: int) -> str:
        """Return the id of endpoint `number` of these."""
        return f"end_{self.name}_{self.first + number:06}"

    def url(self, number: int) -> str:
        """Return the address of endpoint `number`."""
        host = host_of(self.first_host + number % self.hosts)
        return f"http://{host}:{self.port}/{self.manner}/{number}"

    def endpoint(self, number: int) -> Endpoint:
        """Return endpoint `number` as it stands in the topic."""
        return Endpoint(
            id=self.id(number),
            name=f"{self.name} {number}",
            url=self.url(number),
            secret=secret_of(self.id(number)),
            created_at=AT,
            updated_at=AT,
        )

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield all of them."""
        return (self.endpoint(number) for number in range(self.count))

    def alerts(self, count: int, *, first: int = 0, article: str = "") -> Iterator[Alert]:
        """Yield so many alerts from number `first` on, one endpoint after the other.

        Each is of an article of its own unless `article` names one for all.
        """
        for number in range(first, first + count):
            about = article or f"{self.name} {number}"
            yield alert(number, self.id(number % self.count), about)

    def word(self) -> str:
        """Return it as one word, for a command line."""
        return ",".join(map(str, astuple(self)))

    @classmethod
    def read(cls, word: str) -> Self:
        """Return the crowd of a word."""
        name, manner, *numbers = word.split(",")
        return cls(name, manner, *map(int, numbers))


def secret_of(endpoint: str) -> str:
    """Return the signing secret of an endpoint."""
    return "whsec_" + b64encode(hashlib.sha256(endpoint.encode()).digest()).decode()


def alert(number: int, endpoint: str, article: str) -> Alert:
    """Return an alert that tells `endpoint` of `article`; `number` chooses its text."""
    base = _text(number % TEXTS)
    article = article_id("feed_bench", article)
    subscription = f"sub_{endpoint}"
    return replace(
        base,
        id=alert_id(subscription, article),
        endpoint_id=endpoint,
        subscription_id=subscription,
        article=replace(base.article, id=article, story_id=article),
    )


def webhook_id(told: Alert) -> str:
    """Return the `webhook-id` under which the alert will arrive."""
    return delivery_id(told.id, told.endpoint_id)


def pending(told: Alert, *, due_at: datetime, now: datetime) -> Delivery:
    """Return the delivery of an alert that failed before and waits until `due_at`."""
    return Delivery(
        id=webhook_id(told),
        endpoint_id=told.endpoint_id,
        alert_id=told.id,
        attempts=3,
        due_at=due_at,
        created_at=now - timedelta(hours=1),
        alert=told,
    )


@cache
def _text(number: int) -> Alert:
    words = _Words(number)
    return Alert(
        id="",
        endpoint_id="",
        subscription_id="",
        subscription_name=words.some(4),
        query=f'{words.some(1)} AND ("{words.some(2)}" OR {words.some(1)}*) NOT {words.some(1)}',
        tags=(words.some(1), words.some(1)),
        article=_digest(words, number),
        proofs=tuple(_proof(words) for _ in range(PROOFS)),
        entities=tuple(
            NamedEntity(
                id=f"organisation:{words.some(1)}",
                kind=Kind.ORGANISATION,
                name=words.some(2).title(),
            )
            for _ in range(ENTITIES)
        ),
        found_at=AT,
    )


def _digest(words: "_Words", number: int) -> ArticleDigest:
    return ArticleDigest(
        id="",
        story_id="",
        revision=1,
        url=f"https://news.example/{words.some(6).replace(' ', '-')}-{number}",
        title=words.some(10).capitalize(),
        summary=words.some(70)[:480],
        language="en",
        source="news.example",
        feed_id="feed_bench",
        feed_title=words.some(3).title(),
        authors=(words.some(2).title(),),
        published_at=AT,
        fetched_at=AT,
        image=f"https://news.example/images/{number}.jpeg",
    )


def _proof(words: "_Words") -> Proof:
    snippet = words.some(20)[:155]
    start = snippet.index(" ") + 1
    text = snippet[start:].split(" ", 1)[0]
    return Proof(
        leaf=text,
        field=Field.BODY,
        start=400 + start,
        end=400 + start + len(text),
        text=text,
        snippet=snippet,
        mark_start=start,
        mark_end=start + len(text),
    )


class _Words:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def some(self, count: int) -> str:
        return " ".join("".join(self._random.choices(_SYLLABLES, k=3)) for _ in range(count))
