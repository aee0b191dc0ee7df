"""Microsoft Teams: an adaptive card, as webhooks made with Workflows take it. Pure.

Texts from outside stand in RichTextBlocks: those know no Markdown and call nobody.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import Piece, cut_pieces, fit
from wirewatch.notify.request import HttpRequest

MAX_MESSAGE_BYTES = 20_000
"""Documented are 28 KB; messages above 21 KB were seen to be refused."""
MAX_TITLE_UNITS = 300
MAX_EXCERPT_UNITS = 400
MAX_TEXT_UNITS = 1_000
CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
VERSION = "1.4"

Json = dict[str, Any]


def request(job: Job) -> HttpRequest:
    """Return the message; stories that do not fit are left out from the end."""
    news = read_news(job.telling)
    for shown in range(len(news.items), -1, -1):
        message = _message(news, news.items[:shown])
        if shown <= 1 or len(msgspec.json.encode(message)) <= MAX_MESSAGE_BYTES:
            break
    return posted(job, message)


def _message(news: News, items: tuple[Item, ...]) -> Json:
    left_out = len(news.items) - len(items)
    card: Json = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": VERSION,
        "body": list(_body(news, items, left_out)),
        "msteams": {"width": "Full"},
    }
    if len(items) == 1 and items[0].url:
        card["actions"] = [_open(items[0].url, title="Read")]
    return {
        "type": "message",
        "summary": fit(news.summary, MAX_TITLE_UNITS),
        "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}],
    }


def _body(news: News, items: tuple[Item, ...], left_out: int) -> Iterable[Json]:
    yield _block(_run(news.title, MAX_TITLE_UNITS, size="Medium", weight="Bolder"))
    for item in items:
        yield from _item(item)
    if news.text:
        yield _block(_run(news.text, MAX_TEXT_UNITS))
    for name, value in news.facts:
        yield _block(
            _run(f"{name}: ", MAX_TITLE_UNITS, weight="Bolder"), _run(value, MAX_EXCERPT_UNITS)
        )
    below = news.below(left_out)
    if below:
        yield _block(_run(below, MAX_TEXT_UNITS, size="Small", isSubtle=True))


def _item(item: Item) -> Iterable[Json]:
    title = _run(item.title, MAX_TITLE_UNITS, weight="Bolder")
    if item.url:
        title["selectAction"] = _open(item.url)
    yield {**_block(title), "separator": True}
    for excerpt in item.excerpts:
        pieces = cut_pieces(excerpt, MAX_EXCERPT_UNITS)
        yield _block(*map(_piece, pieces))
    yield _block(_run(item.origin, MAX_TITLE_UNITS, size="Small", isSubtle=True))


def _piece(piece: Piece) -> Json:
    looks = {"weight": "Bolder"} if piece.marked else {}
    return {"type": "TextRun", "text": piece.text, **looks}


def _run(text: str, limit: int, **looks: Any) -> Json:
    return {"type": "TextRun", "text": fit(text, limit) or "wirewatch", **looks}


def _block(*runs: Json) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _open(url: str, **more: str) -> Json:
    return {"type": "Action.OpenUrl", "url": url, **more}
