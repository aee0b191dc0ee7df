"""ingest and the open web on a real Kafka: pages, hubs, moves, refusals, hostile answers."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from fakes.hub import FakeHub
from fakes.ingest import Start, held, until
from fakes.publisher import Publisher, answer, cut, forever, head, redirect, silence
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, FEED_STATES, FEEDS
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FeedState, FetchReason, PushState
from wirewatch.topics.feeds import Feed

AT = datetime(2026, 11, 23, tzinfo=UTC)
HOUR_S = 3600
WIRE = (
    "Ferry with 120 people on board runs aground off Norwegian coast",
    (
        "A passenger ferry with 120 people on board ran aground off the western coast of Norway "
        "late on Sunday; rescue helicopters brought everybody to the port of Florø, police said."
    ),
)


def rss(*items: tuple[str, str], more: str = "") -> bytes:
    """Return a feed of today: title and path of each entry."""
    at = format_datetime(datetime.now(UTC))
    entries = "".join(
        f"<item><title>{title}</title><link>{link}</link><pubDate>{at}</pubDate></item>"
        for title, link in items
    )
    return f"<rss version='2.0'><channel><title>N</title>{more}{entries}</channel></rss>".encode()


@pytest.fixture
async def site() -> AsyncIterator[Publisher]:
    async with Publisher() as publisher:
        yield publisher


@pytest.fixture
async def hub() -> AsyncIterator[FakeHub]:
    hub = FakeHub()
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
def world(site: Publisher, hub: FakeHub) -> tuple[Publisher, FakeHub]:
    return site, hub


def feed(site: Publisher, path: str = "/feed", *, full_text: bool = False) -> Feed:
    return Feed(
        id=f"feed_{path.strip('/')}",
        url=site.url(path),
        created_at=AT,
        updated_at=AT,
        full_text=full_text,
    )


def paths(site: Publisher) -> list[str]:
    return [asked.path for asked in site.asked]


async def articles(settings: Settings) -> list[Article]:
    return [article for _, article in await held(settings, ARTICLES)]


async def state_of(settings: Settings, feed_id: str) -> FeedState:
    found: FeedState = dict(await held(settings, FEED_STATES))[feed_id]
    return found


async def test_full_text_is_read_from_the_page_where_robots_txt_allows_it(
    kafka_settings: Settings, producer: Producer, site: Publisher, start: Start
) -> None:
    sentence = "The council met for nine hours before the vote was taken, and nobody left early. "
    page = (
        f"<html><head><title>Vote</title></head><body><nav>Home News Sport</nav><article>"
        f"<h1>Vote</h1><p>{sentence * 3}</p><p>{sentence * 3}</p></article></body></html>"
    )
    site.pages |= {
        "/feed": answer(rss(("Vote taken", "/open/1"), ("Kept back", "/closed/2"))),
        "/robots.txt": answer(b"User-agent: *\nDisallow: /closed/\n"),
        "/open/1": answer(page.encode(), ("Content-Type", "text/html; charset=utf-8")),
        "/closed/2": answer(page.encode(), ("Content-Type", "text/html; charset=utf-8")),
    }
    worker = await start(ingest_interval_s=HOUR_S, ingest_page_spacing_s=0)
    await producer.send(FEEDS, feed(site, full_text=True))
    await until(lambda: worker.count("articles_total", kind="new") == 2, "both are published")

    body = {article.title: article.body for article in await articles(kafka_settings)}
    assert sentence.strip() in body["Vote taken"]
    assert "Sport" not in body["Vote taken"]
    assert body["Kept back"] == ""
    assert "/closed/2" not in paths(site)
    assert paths(site).count("/robots.txt") == 1
    assert worker.count("pages_total", outcome="read") == 1
    assert worker.count("pages_total", outcome="robots") == 1


async def test_what_a_hub_pushes_is_published_without_a_fetch(
    kafka_settings: Settings,
    producer: Producer,
    world: tuple[Publisher, FakeHub],
    start: Start,
    free_ports: Callable[[int], int],
) -> None:
    (site, hub), port = world, free_ports(1)
    links = (
        f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='{hub.url}'/>"
        f"<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='{site.url()}'/>"
    )
    site.pages["/feed"] = answer(rss(("One", "/1"), more=links))
    worker = await start(
        ingest_interval_s=HOUR_S,
        ingest_callback_url=f"http://127.0.0.1:{port}",
        ingest_callback_port=port,
        ingest_websub_secret=SecretStr("a secret of this test"),
    )
    await producer.send(FEEDS, feed(site))
    await until(lambda: len(hub.subscribers) == 1, "subscribed")
    await until(lambda: worker.count("pushes_total", outcome="verified") == 1, "verified")

    pushed = rss(("Two", "/2"), ("One", "/1"), more=links)
    replies = await hub.distribute(site.url(), pushed, "application/rss+xml", times=2)
    assert [reply.status for reply in replies] == [202, 202]
    await until(lambda: worker.count("articles_total", kind="new") == 2, "pushed")
    hub.signs_wrongly = True
    await hub.distribute(site.url(), rss(("Forged", "/3")), "application/rss+xml")
    await until(lambda: worker.count("pushes_total", outcome="refused") == 1, "the forged one")
    await worker.stop()

    assert paths(site) == ["/feed"]
    assert sorted(one.title for one in await articles(kafka_settings)) == ["One", "Two"]
    state = await state_of(kafka_settings, "feed_feed")
    assert state.push.state is PushState.ACTIVE


async def test_one_report_in_two_feeds_is_one_story(
    kafka_settings: Settings, producer: Producer, site: Publisher, start: Start
) -> None:
    title, lead = WIRE
    at = format_datetime(datetime.now(UTC))

    def document(title: str, lead: str) -> bytes:
        item = f"<guid>1</guid><title>{title}</title><description>{lead}</description>"
        return answer(
            f"<rss version='2.0'><channel><item>{item}<pubDate>{at}</pubDate></item>"
            "</channel></rss>".encode()
        )

    site.pages |= {
        "/a": document(title, lead),
        "/b": document(f"{title} - Example Times", f"OSLO (Wire) - {lead}"),
        "/c": document("Parliament adopts the budget after a night of talks", "It took ten hours."),
    }
    worker = await start(ingest_interval_s=HOUR_S)
    await producer.send_all(FEEDS, [feed(site, path) for path in ("/a", "/b", "/c")])
    await until(lambda: worker.count("articles_total", kind="new") == 3, "published")

    stories = {one.feed_id: one.story_id for one in await articles(kafka_settings)}
    assert stories["feed_a"] == stories["feed_b"] != stories["feed_c"]


async def test_a_feed_that_has_moved_for_good_is_followed_after_five_times(
    kafka_settings: Settings, producer: Producer, site: Publisher, start: Start
) -> None:
    site.pages |= {
        "/old": redirect("/new", status="301 Moved Permanently"),
        "/passing": redirect("/new", status="302 Found"),
        "/new": answer(rss(("One", "/1"))),
    }
    worker = await start()
    await producer.send_all(FEEDS, [feed(site, "/old"), feed(site, "/passing")])
    await until(lambda: paths(site).count("/passing") >= 7, "asked seven times")
    await worker.stop()

    assert paths(site).count("/old") == 5
    assert (await state_of(kafka_settings, "feed_old")).location == site.url("/new")
    assert (await state_of(kafka_settings, "feed_passing")).location == ""
    assert {one.title for one in await articles(kafka_settings)} == {"One"}


async def test_a_publisher_who_says_no_or_not_now_is_left_alone(
    kafka_settings: Settings, producer: Producer, site: Publisher, start: Start
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=False)
    site.pages |= {
        "/gone": answer(status="410 Gone"),
        "/busy": answer(b"", ("Retry-After", "7200"), status="429 Too Many Requests"),
        "/closed": answer(b"", ("Retry-After", later), status="503 Service Unavailable"),
        "/missing": answer(status="404 Not Found"),
    }
    worker = await start(ingest_host_concurrency=1)
    for path in ("/gone", "/missing", "/busy"):
        await producer.send(FEEDS, feed(site, path))
        await until(lambda: path in paths(site), "asked")  # noqa: B023
    await until(
        lambda: (
            worker.count("feeds", health="failing") == 2
            and worker.count("feeds", health="gone") == 1
        ),
        "all have answered",
    )
    # All of them live on one host, which has asked for rest: so the next is not even tried.
    await producer.send(FEEDS, feed(site, "/closed"))
    await asyncio.sleep(1.5)
    await worker.stop()

    now = datetime.now(UTC)
    assert paths(site) == ["/gone", "/missing", "/busy"]
    gone = await state_of(kafka_settings, "feed_gone")
    busy = await state_of(kafka_settings, "feed_busy")
    assert gone.reason is FetchReason.GONE
    assert gone.next_fetch_at > now + timedelta(days=5)
    assert busy.next_fetch_at > now + timedelta(seconds=7000)


HOSTILE = {
    "bomb": (FetchReason.TOO_LARGE, FetchReason.TOO_COSTLY),
    "endless": (FetchReason.TOO_LARGE,),
    "drip": (FetchReason.TIMEOUT,),
    "silence": (FetchReason.TIMEOUT,),
    "loop": (FetchReason.REDIRECTS,),
    "deep": (FetchReason.TOO_COSTLY, FetchReason.MALFORMED),
    "attributes": (FetchReason.TOO_COSTLY, FetchReason.MALFORMED),
    "cut": (FetchReason.BROKEN,),
    "zeros": (FetchReason.NOT_A_FEED,),
    "huge-header": (FetchReason.BROKEN, FetchReason.TOO_LARGE),
    "elsewhere": (FetchReason.ADDRESS,),
}


def _be_hostile(site: Publisher) -> None:
    whole = rss(("One", "/1"))
    bomb = gzip.compress(b"<rss>" + b" " * 200_000_000, 1)
    many = " ".join(f"a{n}='x'" for n in range(200_000))
    site.pages |= {
        "/bomb": answer(bomb, ("Content-Encoding", "gzip")),
        "/endless": forever(head(("Content-Type", "text/xml")), b"<item/>" * 10_000),
        "/drip": forever(head(("Content-Length", "100000")), b"<", 0.1),
        "/silence": silence,
        "/loop": redirect("/loop"),
        "/deep": answer(b"<rss><channel>" + b"<a>" * 500_000),
        "/attributes": answer(f"<rss><channel {many}></channel></rss>".encode()),
        "/cut": cut(head(("Content-Length", "100000")) + whole),
        "/zeros": answer(b"\0" * 1_000_000),
        "/huge-header": answer(whole, ("X-Much", "x" * 10_000_000)),
        "/elsewhere": redirect("http://169.254.169.254/latest/meta-data/"),
        "/good": answer(whole),
    }


async def test_each_hostile_answer_is_one_failed_fetch_with_its_reason(
    kafka_settings: Settings, producer: Producer, site: Publisher, start: Start
) -> None:
    _be_hostile(site)
    worker = await start(ingest_timeout_s=3, ingest_host_concurrency=20)
    await producer.send(FEEDS, feed(site, "/good"))
    await until(lambda: worker.count("fetches_total", outcome="unchanged") >= 1, "good is read")
    await producer.send_all(FEEDS, [feed(site, f"/{name}") for name in HOSTILE])
    await until(lambda: worker.count("feeds", health="failing") == len(HOSTILE), "all have failed")
    seen = worker.count("fetches_total", outcome="unchanged")
    await until(lambda: worker.count("fetches_total", outcome="unchanged") > seen, "good goes on")
    assert worker.problems() == []
    await worker.stop()

    for name, reasons in HOSTILE.items():
        state = await state_of(kafka_settings, f"feed_{name}")
        assert state.reason in reasons, f"{name}: {state.reason} {state.detail}"
        assert state.failures >= 1
        assert len(state.detail) < 300
    assert [one.title for one in await articles(kafka_settings)] == ["One"]
