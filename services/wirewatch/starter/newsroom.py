"""The sample newsroom: a small HTTP server of feeds, as a well-behaved publisher runs one."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from wirewatch.starter.articles import SampleArticle, sample_articles
from wirewatch.starter.feed_xml import article_page, atom, feed_title, rss
from wirewatch.starter.opml import FeedOutline, write_opml

ATOM_LANGUAGES = frozenset({"fr", "ja", "ar", "uk", "pt", "tr", "hi"})
"""These are served as Atom, the others as RSS: both are found among real publishers."""
TAG = "sample newsroom"


@dataclass(frozen=True, slots=True)
class Newsroom:
    """A newsroom that is open. `feeds` are its feeds with their full addresses."""

    feeds: tuple[FeedOutline, ...]
    runner: web.AppRunner

    async def close(self) -> None:
        """Close the server."""
        await self.runner.cleanup()


async def start_newsroom(host: str, port: int, *, now: datetime) -> Newsroom:
    """Serve the sample articles at `host`:`port` (0: a free one), dated back from `now`.

    Raises OSError if the port is taken.
    """
    by_language: defaultdict[str, list[SampleArticle]] = defaultdict(list)
    for article in sample_articles():
        by_language[article.language].append(article)
    desk = _Desk(by_language, now.astimezone(UTC).replace(microsecond=0))
    runner = web.AppRunner(desk.app(), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    desk.base = f"http://{host}:{runner.addresses[0][1]}"
    return Newsroom(desk.feeds(), runner)


class _Desk:
    def __init__(self, articles: dict[str, list[SampleArticle]], now: datetime) -> None:
        self._articles = articles
        self._now = now
        self.base = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/feeds.opml", self._opml)
        app.router.add_get("/feeds/{language}.xml", self._feed)
        app.router.add_get("/articles/{guid}", self._article)
        return app

    def feeds(self) -> tuple[FeedOutline, ...]:
        return tuple(
            FeedOutline(f"{self.base}/feeds/{language}.xml", feed_title(language), language, (TAG,))
            for language in self._articles
        )

    async def _opml(self, _: web.Request) -> web.Response:
        return web.Response(body=write_opml(self.feeds()), content_type="text/x-opml")

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        language = request.match_info["language"]
        if language not in self._articles:
            raise web.HTTPNotFound(text=f"there is no feed in {language}")
        articles = self._articles[language]
        make, kind = (atom, "atom") if language in ATOM_LANGUAGES else (rss, "rss")
        body = make(language, articles, self.base, self._now)
        headers = {
            "ETag": f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
            "Last-Modified": format_datetime(self._newest(articles), usegmt=True),
        }
        if _is_unchanged(request, headers):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=body, content_type=f"application/{kind}+xml", charset="utf-8", headers=headers
        )

    def _newest(self, articles: Sequence[SampleArticle]) -> datetime:
        return max(self._now - article.age for article in articles)

    async def _article(self, request: web.Request) -> web.Response:
        guid = request.match_info["guid"]
        for article in sample_articles():
            if article.guid == guid:
                return web.Response(text=article_page(article), content_type="text/html")
        raise web.HTTPNotFound(text=f"there is no article {guid}")


def _is_unchanged(request: web.Request, headers: dict[str, str]) -> bool:
    """Say whether the client has this document; If-None-Match goes first (RFC 9110 §13.2.2)."""
    asked = request.headers.get("If-None-Match")
    if asked is not None:
        tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return headers["ETag"] in tags or "*" in tags
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
    except ValueError:
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return since >= parsedate_to_datetime(headers["Last-Modified"])
