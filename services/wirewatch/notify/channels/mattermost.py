"""Mattermost: an incoming webhook with message attachments. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import BREAK, Piece, fit, fit_pieces, no_mentions
from wirewatch.notify.request import HttpRequest

MAX_TITLE_UNITS = 300
MAX_EXCERPT_UNITS = 500
MAX_TEXT_UNITS = 1_500
NEWS_COLOR = "#2f6fde"
WARNING_COLOR = "#d9822b"

_MARKDOWN = re.compile(r"[\\`*_\[\]|~]|^[#>+-]|(?<=^\d)\.")

Json = dict[str, Any]


def request(job: Job) -> HttpRequest:
    """Return the message: it calls nobody, whatever stands in it."""
    news = read_news(job.telling)
    text = f"**{fit(news.title, MAX_TITLE_UNITS, escape)}**"
    if news.below():
        text += "\n" + fit(news.below(), MAX_TITLE_UNITS, escape)
    return posted(job, {"text": text, "attachments": list(_attachments(news))})


def escape(text: str) -> str:
    """Return `text` so that Mattermost's Markdown shows it as it is."""
    return plain(_MARKDOWN.sub(r"\\\g<0>", text))


def plain(text: str) -> str:
    """Return `text` in which nothing calls anybody, neither `@all` nor Slack's `<!channel>`."""
    return no_mentions(text).replace("<", "<" + BREAK)


def _attachments(news: News) -> Iterable[Json]:
    for item in news.items:
        yield _item(item)
    if news.text:
        yield {
            "fallback": fit(news.summary, MAX_TITLE_UNITS, plain),
            "color": WARNING_COLOR if news.is_warning else NEWS_COLOR,
            "text": "\n".join(_lines(news)),
        }


def _item(item: Item) -> Json:
    lines = [
        "> " + fit_pieces(excerpt, MAX_EXCERPT_UNITS, escape, lambda text: f"**{text}**")
        for excerpt in item.excerpts
    ]
    made: Json = {
        "fallback": fit(item.title, MAX_TITLE_UNITS, plain),
        "color": NEWS_COLOR,
        "title": fit(item.title, MAX_TITLE_UNITS, plain),
        "text": "\n\n".join(lines),
        "footer": fit(item.origin, MAX_TITLE_UNITS, plain),
    }
    if item.url:
        made["title_link"] = item.url
    if item.image:
        made["thumb_url"] = item.image
    return made


def _lines(news: News) -> Iterable[str]:
    yield fit(news.text, MAX_TEXT_UNITS, escape)
    for name, value in news.facts:
        pieces = (Piece(name, marked=True), Piece(f": {value}"))
        yield fit_pieces(pieces, MAX_EXCERPT_UNITS, escape, lambda text: f"**{text}**")
