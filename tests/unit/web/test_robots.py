"""robots.txt, as RFC 9309 wants it read."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta

import pytest

from fakes.publisher import Publisher, answer, cut, head, redirect
from wirewatch.web.client import WebClient
from wirewatch.web.robots import Robots

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def says(publisher: Publisher, text: str | bytes, *headers: tuple[str, str]) -> None:
    body = text if isinstance(text, bytes) else text.encode()
    publisher.pages["/robots.txt"] = answer(body, *headers)


async def paths(client: WebClient, publisher: Publisher, *names: str) -> list[str]:
    """Return which of the paths are allowed."""
    robots = Robots(client)
    return [name for name in names if await robots.allowed(publisher.url(name), NOW)]


async def test_everyones_rules_are_ours(client: WebClient, publisher: Publisher) -> None:
    says(publisher, "User-agent: other\nDisallow: /\n\nUser-Agent: *\nDisallow: /a\nAllow: /a/b$\n")

    assert await paths(client, publisher, "/a", "/a/b", "/a/b/c", "/x") == ["/a/b", "/x"]


async def test_rules_for_us_go_before_everyones(client: WebClient, publisher: Publisher) -> None:
    says(
        publisher,
        "User-agent: *\nDisallow: /\n"
        "User-agent: other\nUser-agent: WireWatch/1.0 # hello\nDisallow: /b\nSitemap: /s.xml\n"
        "User-agent: wirewatchbot\nDisallow: /c",
    )

    assert await paths(client, publisher, "/a", "/b", "/c") == ["/a", "/c"]


@pytest.mark.parametrize(
    "text", ["", "<html>no robots here</html>", "\ufeffUser-agent: *\nAllow: /"]
)
async def test_what_says_nothing_forbids_nothing(
    client: WebClient, publisher: Publisher, text: str
) -> None:
    says(publisher, text)

    assert await paths(client, publisher, "/a") == ["/a"]


@pytest.mark.parametrize(
    "status", ["401 No", "403 Forbidden", "404 Not Found", "410 Gone", "204 Nothing"]
)
async def test_none_there_allows_all(client: WebClient, publisher: Publisher, status: str) -> None:
    publisher.pages["/robots.txt"] = answer(b"", status=status)

    assert await paths(client, publisher, "/a") == ["/a"]


@pytest.mark.parametrize("status", ["429 Too Many", "500 Oh", "503 Busy"])
async def test_one_that_cannot_be_had_forbids_all_for_now(
    client: WebClient, publisher: Publisher, status: str
) -> None:
    publisher.pages["/robots.txt"] = answer(b"", status=status)
    robots = Robots(client)
    assert not await robots.allowed(publisher.url("/a"), NOW)
    assert not await robots.allowed(publisher.url("/a"), NOW + timedelta(minutes=5))
    assert len(publisher.asked) == 1

    says(publisher, "")
    assert await robots.allowed(publisher.url("/a"), NOW + timedelta(minutes=10))


async def test_retry_after_is_waited_for(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/robots.txt"] = answer(b"", ("Retry-After", "7200"), status="503 Busy")
    robots = Robots(client)
    await robots.allowed(publisher.url("/a"), NOW)
    await robots.allowed(publisher.url("/a"), NOW + HOUR)

    assert len(publisher.asked) == 1


async def test_nobody_there_forbids_all(client: WebClient) -> None:
    assert not await Robots(client).allowed("http://127.0.0.1:1/a", NOW)


async def test_what_is_packed_wrongly_cannot_be_had(
    client: WebClient, publisher: Publisher
) -> None:
    says(publisher, "User-agent: *\nAllow: /", ("Content-Encoding", "gzip"))

    assert await paths(client, publisher, "/a") == []


async def test_a_body_cut_short_cannot_be_had(client: WebClient, publisher: Publisher) -> None:
    publisher.pages["/robots.txt"] = cut(head(("Content-Length", "99")) + b"User-agent: *\n")

    assert await paths(client, publisher, "/a") == []


async def test_old_rules_hold_on_while_new_ones_cannot_be_had(
    client: WebClient, publisher: Publisher
) -> None:
    says(publisher, "User-agent: *\nDisallow: /a")
    robots = Robots(client)
    await robots.allowed(publisher.url("/a"), NOW)
    publisher.pages["/robots.txt"] = answer(b"", status="500 Oh")
    for days in (2, 4):
        later = NOW + timedelta(days=days)
        assert await robots.allowed(publisher.url("/b"), later)
        assert not await robots.allowed(publisher.url("/a"), later)

    assert len(publisher.asked) == 3


async def test_redirects_are_followed_and_too_many_are_none_there(
    client: WebClient, publisher: Publisher
) -> None:
    publisher.pages["/robots.txt"] = redirect("/elsewhere")
    publisher.pages["/elsewhere"] = answer(b"User-agent: *\nDisallow: /a")
    assert await paths(client, publisher, "/a", "/b") == ["/b"]

    publisher.pages["/elsewhere"] = redirect("/robots.txt")
    assert await paths(client, publisher, "/a", "/b") == ["/a", "/b"]


async def test_it_is_asked_for_once_a_day_and_origin(
    client: WebClient, publisher: Publisher
) -> None:
    says(publisher, "User-agent: *\nDisallow: /a", ("Cache-Control", "max-age=999999"))
    robots = Robots(client)
    urls = [publisher.url(f"/{number}") for number in range(5)]
    assert all(await asyncio.gather(*(robots.allowed(url, NOW) for url in urls)))
    await robots.allowed(urls[0], NOW + 23 * HOUR)
    assert [one.path for one in publisher.asked] == ["/robots.txt"]

    await robots.allowed(urls[0], NOW + 24 * HOUR)
    assert len(publisher.asked) == 2


async def test_it_may_be_fresh_for_less_but_not_for_less_than_an_hour(
    client: WebClient, publisher: Publisher
) -> None:
    says(publisher, "User-agent: *\nDisallow: /a", ("Cache-Control", "max-age=60"))
    robots = Robots(client)
    for minutes in (0, 59, 60):
        await robots.allowed(publisher.url("/b"), NOW + timedelta(minutes=minutes))

    assert len(publisher.asked) == 2


async def test_more_than_its_limit_is_read_up_to_a_whole_line(
    client: WebClient, publisher: Publisher
) -> None:
    start = b"User-agent: *\nDisallow: /a\n"
    filler = b"#" * (512_000 - len(start) - 12) + b"\n"
    says(publisher, start + filler + b"Disallow: /b/only/here\n" + b"#" * 100_000)

    assert await paths(client, publisher, "/a", "/b/x") == ["/b/x"]


async def test_it_may_be_packed(client: WebClient, publisher: Publisher) -> None:
    text = gzip.compress(b"User-agent: *\nDisallow: /a")
    says(publisher, text, ("Content-Encoding", "gzip"))

    assert await paths(client, publisher, "/a", "/b") == ["/b"]


async def test_one_made_to_be_slow_is_read_in_time(client: WebClient, publisher: Publisher) -> None:
    agents = "".join(f"User-agent: agent{number}\n" for number in range(12_000))
    rules = "".join(f"Disallow: /*{number}*a*b$\n" for number in range(8_000))
    says(publisher, f"{agents}{rules}User-agent: *\nDisallow: /x\n")

    assert await paths(client, publisher, "/x", "/y") == ["/y"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("User-agent: *\nCrawl-delay: 2.5", 2.5),
        ("User-agent: *\nRequest-rate: 1/10", 10),
        ("User-agent: other\nCrawl-delay: 2", 0),
        ("User-agent: *\nCrawl-delay: inf", 0),
        ("User-agent: *\nCrawl-delay: -1", 0),
        ("User-agent: *\nCrawl-delay: 1e300", 86_400),
        ("User-agent: *\nRequest-rate: 1/" + "9" * 400, 86_400),
    ],
)
async def test_the_wait_it_asks_for(
    client: WebClient, publisher: Publisher, text: str, seconds: float
) -> None:
    says(publisher, text)
    robots = Robots(client)
    url = publisher.url("/a")
    assert robots.delay(url) == timedelta(0)
    await robots.allowed(url, NOW)

    assert robots.delay(url) == timedelta(seconds=seconds)


async def test_origins_not_asked_for_long_are_forgotten(
    client: WebClient, publisher: Publisher
) -> None:
    robots = Robots(client, max_origins=2)
    async with Publisher() as second, Publisher() as third:
        for one in (publisher, second, third):
            says(one, "User-agent: *\nDisallow: /a")
            await robots.allowed(one.url("/b"), NOW)
        await robots.allowed(third.url("/b"), NOW)
        assert (len(robots), len(third.asked)) == (2, 1)
        await robots.allowed(publisher.url("/b"), NOW)

    assert len(publisher.asked) == 2


async def test_large_ones_take_the_place_of_others(client: WebClient, publisher: Publisher) -> None:
    robots = Robots(client)
    rules = "".join(f"Disallow: /{number:04}{'x' * 480}\n" for number in range(1_000))
    publishers = [Publisher() for _ in range(6)]
    for one in publishers:
        async with one:
            says(one, f"User-agent: *\n{rules}")
            await robots.allowed(one.url("/a"), NOW)

    assert len(robots) == 4


async def test_what_is_no_web_address_is_left_to_the_client(client: WebClient) -> None:
    assert await Robots(client).allowed("ftp://x/", NOW)
    assert await Robots(client).allowed("http://[bad/", NOW)


async def test_its_text_for_who_looks_for_sitemaps(client: WebClient, publisher: Publisher) -> None:
    says(publisher, "Sitemap: /s.xml\n")
    robots = Robots(client)
    assert await robots.sitemaps(publisher.url("/any/page?x=1#y")) == "Sitemap: /s.xml\n"

    publisher.pages.clear()
    assert await robots.sitemaps(publisher.url()) == ""
    assert await robots.sitemaps("nonsense") == ""
