"""Slack: an incoming webhook with Block Kit. Pure.

Texts from outside stand in rich text and plain text, where Slack reads no markup
and calls nobody; only the notification's line is mrkdwn, and escaped. No images:
Slack refuses a message whose image it cannot load.
"""

from collections.abc import Iterable
from typing import Any

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import cut_pieces, fit, no_mentions
from wirewatch.notify.request import HttpRequest

MAX_HEADER_UNITS = 150
MAX_TITLE_UNITS = 300
MAX_EXCERPT_UNITS = 400
MAX_CONTEXT_UNITS = 1_000
MAX_TEXT_UNITS = 1_000
MAX_BLOCKS = 50

Json = dict[str, Any]


def request(job: Job) -> HttpRequest:
    """Return the message."""
    news = read_news(job.telling)
    return posted(
        job,
        {
            "text": fit(news.summary, MAX_TEXT_UNITS, escape),
            "blocks": list(_blocks(news))[:MAX_BLOCKS],
            "unfurl_links": False,
            "unfurl_media": False,
        },
    )


def escape(text: str) -> str:
    """Return `text` so that mrkdwn shows it, and calls nobody."""
    return no_mentions(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _blocks(news: News) -> Iterable[Json]:
    yield {"type": "header", "text": _plain(news.title, MAX_HEADER_UNITS)}
    for item in news.items:
        yield {"type": "rich_text", "elements": list(_rich(item))}
        yield _context(item.origin)
    if news.text:
        yield {"type": "rich_text", "elements": [_section(*_notice(news))]}
    if news.below():
        yield _context(news.below())


def _rich(item: Item) -> Iterable[Json]:
    yield _section(_title(item))
    for excerpt in item.excerpts:
        pieces = cut_pieces(excerpt, MAX_EXCERPT_UNITS)
        yield {
            "type": "rich_text_quote",
            "elements": [_text(piece.text, bold=piece.marked) for piece in pieces],
        }


def _title(item: Item) -> Json:
    title = fit(item.title, MAX_TITLE_UNITS)
    if not item.url:
        return _text(title, bold=True)
    return {"type": "link", "url": item.url, "text": title, "style": {"bold": True}}


def _notice(news: News) -> Iterable[Json]:
    yield _text(fit(news.text, MAX_TEXT_UNITS))
    for name, value in news.facts:
        yield _text(f"\n{name}: ", bold=True)
        yield _text(fit(value, MAX_EXCERPT_UNITS))


def _section(*elements: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(elements)}


def _text(text: str, *, bold: bool = False) -> Json:
    made: Json = {"type": "text", "text": text or " "}
    return {**made, "style": {"bold": True}} if bold else made


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": fit(text, limit) or "wirewatch", "emoji": False}


def _context(text: str) -> Json:
    return {"type": "context", "elements": [_plain(text, MAX_CONTEXT_UNITS)]}
