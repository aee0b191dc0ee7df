"""The whole road: a feed on HTTP, a verified webhook, and nothing lost or doubled between."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from fakes.road import SECRET, SERVICES, FeedServer, Receiver, Story, Wirewatch, until

TRIO = 'entity:"North Korea" AND entity:Russia AND topic:military'

PARADE = Story(
    guid="parade-1",
    title="Nordkoreanische Delegation besucht russisches Rüstungswerk",
    body=(
        "Eine hochrangige Abordnung aus Nordkorea hat am Montag ein Werk für Panzer besichtigt. "
        "Die russische Seite sprach von einer Vertiefung der militärischen Zusammenarbeit."
    ),
)
TWO_OF_THREE = Story(
    guid="trade-1",
    title="Nordkorea und Russland vereinbaren Ausbau einer Bahnstrecke",
    body="Die Strecke soll vor allem dem Handel mit Kohle und Holz dienen.",
)
OTHER_TWO = Story(
    guid="football-1",
    title="Südkoreanischer Verein gewinnt in Russland",
    body="Die Mannschaft aus Seoul siegte mit drei zu eins, das Militär war nicht dabei.",
)


def numbered(n: int) -> Story:
    return Story(
        guid=f"parade-{n}",
        title=f"Meldung {n}: Nordkorea schickt Soldaten nach Russland",
        body="Die russischen Streitkräfte äußerten sich nicht.",
    )


async def subscribe(wirewatch: Wirewatch, url: str, query: str = TRIO) -> dict[str, Any]:
    endpoint = await wirewatch.post("/v1/endpoints", {"url": url, "secret": SECRET})
    return await wirewatch.post(
        "/v1/subscriptions",
        {"name": "Waffen für Pjöngjang", "query": query, "endpoint_ids": [endpoint["id"]]},
    )


async def matched(wirewatch: Wirewatch, articles: int) -> None:
    """Wait until match has held `articles` articles against the subscriptions."""

    async def condition() -> bool:
        return await wirewatch.metric("match", "wirewatch_match_articles_total") >= articles

    await until(condition, f"{articles} articles matched")


async def received(receiver: Receiver, alerts: int) -> None:
    async def condition() -> bool:
        return len({hook.id for hook in receiver.hooks}) >= alerts

    await until(condition, f"{alerts} alerts received")


async def test_a_german_article_fires_the_alert_and_proves_it(
    wirewatch: Wirewatch, feeds: FeedServer, receiver: Receiver
) -> None:
    subscription = await subscribe(wirewatch, receiver.url)
    feeds.stories["de.xml"] = [PARADE, TWO_OF_THREE, OTHER_TWO]
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/de.xml"})

    await matched(wirewatch, 3)
    await received(receiver, 1)

    [hook] = receiver.hooks
    data = hook.payload["data"]
    assert hook.payload["type"] == "alert.created"
    assert data["subscription"]["id"] == subscription["id"]
    assert data["subscription"]["name"] == "Waffen für Pjöngjang"
    assert data["subscription"]["query"] == TRIO
    assert data["article"]["title"] == PARADE.title
    assert data["article"]["url"] == f"{feeds.url}/articles/parade-1"
    assert data["article"]["language"] == "de"

    proofs = data["proofs"]
    fields = {"title": PARADE.title, "lead": PARADE.body, "body": PARADE.body}
    for proof in proofs:
        assert fields[proof["field"]][proof["start"] : proof["end"]] == proof["text"]
        assert proof["snippet"][proof["mark_start"] : proof["mark_end"]] == proof["text"]
    words = {(proof["leaf"], proof["text"]) for proof in proofs}
    assert ('entity:"North Korea"', "Nordkoreanische") in words
    assert ("entity:Russia", "russisches") in words
    assert ("topic:military", "militärischen") in words
    assert await wirewatch.metric("match", "wirewatch_match_alerts_total") == 1


@pytest.mark.parametrize("victim", SERVICES)
async def test_a_service_killed_in_the_middle_loses_and_doubles_nothing(
    wirewatch: Wirewatch, feeds: FeedServer, receiver: Receiver, victim: str
) -> None:
    receiver.delay_s = 0.05
    await subscribe(wirewatch, receiver.url)
    feeds.stories["de.xml"] = [numbered(n) for n in range(10)]
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/de.xml"})
    await received(receiver, 2)

    wirewatch.kill(victim)
    feeds.stories["de.xml"] += [TWO_OF_THREE, *(numbered(n) for n in range(10, 20))]
    await asyncio.sleep(1)
    wirewatch.start(victim)
    await wirewatch.ready(victim)
    await received(receiver, 20)

    titles = {hook.id: hook.payload["data"]["article"]["title"] for hook in receiver.hooks}
    assert sorted(titles.values()) == sorted(numbered(n).title for n in range(20))
    for hook in receiver.hooks:
        assert titles[hook.id] == hook.payload["data"]["article"]["title"]


async def test_bad_things_are_said_once_and_disturb_nothing(
    wirewatch: Wirewatch, feeds: FeedServer, receiver: Receiver
) -> None:
    broken = Receiver(status=500)
    broken_runner = await broken.start()
    articles = f"{wirewatch.settings.topic_prefix}articles"
    raw = AIOKafkaProducer(bootstrap_servers=wirewatch.settings.bootstrap)
    await raw.start()

    feeds.documents["bad.xml"] = b"<rss><channel><item><title>cut off in the mid"
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/bad.xml"})
    bad_record = await raw.send_and_wait(articles, b"\x00\xff{", partition=1)
    await subscribe(wirewatch, broken.url)
    await subscribe(wirewatch, receiver.url, query=f"({TRIO})")
    feeds.stories["de.xml"] = [PARADE]
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/de.xml"})
    await received(receiver, 1)

    async def refused() -> bool:
        return (
            await wirewatch.metric("notify", "wirewatch_notify_attempts_total", outcome="retry")
            >= 1
        )

    async def failed_twice() -> bool:
        name = "wirewatch_ingest_fetch_failures_total"
        return await wirewatch.metric("ingest", name) >= 2

    async def unreadable() -> bool:
        name = "wirewatch_match_unreadable_records_total"
        return await wirewatch.metric("match", name, topic="articles") == 1

    await until(refused, "the receiver that answers 500 is counted")
    await until(failed_twice, "the malformed feed fails again", 90)
    await until(unreadable, "the unreadable record is counted")
    await raw.stop()
    await broken_runner.cleanup()

    [feed_line] = wirewatch.warnings("ingest")
    assert feed_line["feed"] == f"{feeds.url}/bad.xml"
    assert feed_line["reason"] in {"malformed", "not_a_feed"}
    record_lines = [line for line in wirewatch.warnings("match") if "unreadable" in line["event"]]
    assert [(line["topic"], line["partition"], line["offset"]) for line in record_lines] == [
        (articles, 1, bad_record.offset)
    ]
    [delivery_line] = wirewatch.warnings("notify")
    assert broken.url in str(delivery_line.values())
    assert delivery_line["reason"] == "server_error"
    letters = await wirewatch.get("/v1/dead-letters")
    assert [letter["topic"] for letter in letters["items"]] == [articles]
    assert receiver.titles() == [PARADE.title]


async def test_a_clean_stop_leaves_nothing_to_repeat(
    wirewatch: Wirewatch, feeds: FeedServer, receiver: Receiver
) -> None:
    await subscribe(wirewatch, receiver.url)
    feeds.stories["de.xml"] = [numbered(n) for n in range(10)]
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/de.xml"})
    await received(receiver, 10)

    assert [wirewatch.terminate(service) for service in SERVICES] == [0, 0, 0, 0]
    for service in SERVICES:
        wirewatch.start(service)
    await wirewatch.ready(*SERVICES)
    feeds.stories["de.xml"].append(numbered(10))
    await received(receiver, 11)

    assert len(receiver.hooks) == 11


async def test_a_subscription_is_live_at_once_and_the_status_page_shows_the_proof(
    wirewatch: Wirewatch, feeds: FeedServer, receiver: Receiver
) -> None:
    feeds.stories["de.xml"] = [TWO_OF_THREE]
    await wirewatch.post("/v1/feeds", {"url": f"{feeds.url}/de.xml"})
    await matched(wirewatch, 1)
    await subscribe(wirewatch, receiver.url)
    feeds.stories["de.xml"].append(PARADE)
    await received(receiver, 1)

    async def shown() -> bool:
        return "<mark>russisches</mark>" in await wirewatch.page()

    await until(shown, "the page shows the marked proof")
