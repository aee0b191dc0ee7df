"""Telegram: a message of a bot, in the HTML that Telegram knows. Pure.

https://core.telegram.org/bots/api#sendmessage
"""

import html
from collections.abc import Iterable
from typing import Any

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import Piece, fit, fit_pieces, link, no_mentions, units
from wirewatch.notify.errors import AddressError, SecretError
from wirewatch.notify.request import HttpRequest
from wirewatch.topics.endpoint_shapes import TELEGRAM_CHAT, TELEGRAM_TOKEN

MAX_TEXT_UNITS = 4_096
"""Telegram counts the text without its markup; here all of it is counted, which is never more."""
MAX_TITLE_UNITS = 300
MAX_EXCERPT_UNITS = 400
MAX_LINK_UNITS = 1_000
"""A longer address stays in the preview only: the excerpts need the room."""
MAX_NOTICE_UNITS = 1_000
MAX_NOTE_UNITS = 400


def request(job: Job) -> HttpRequest:
    """Return the message. Raises SecretError without a bot's token, AddressError without a chat."""
    token, chat = job.secrets.token, job.endpoint.chat_id
    if not TELEGRAM_TOKEN.fullmatch(token):
        raise SecretError("the token is none of a Telegram bot: digits, a colon, letters")
    if not TELEGRAM_CHAT.fullmatch(chat):
        raise AddressError("chat_id is no Telegram chat: a number, or @ and a channel's name")
    if not link(job.address):
        raise AddressError("the URL is not that of a Bot API")
    news = read_news(job.telling)
    message: dict[str, Any] = {
        "chat_id": int(chat) if not chat.startswith("@") else chat,
        "text": _text(news),
        "parse_mode": "HTML",
        "link_preview_options": _preview(news),
    }
    return posted(job, message, url=f"{job.address.rstrip('/')}/bot{token}/sendMessage")


def escape(text: str) -> str:
    """Return `text` as HTML in which `@` calls nobody."""
    return no_mentions(html.escape(text, quote=False))


def _preview(news: News) -> dict[str, Any]:
    if len(news.items) == 1 and news.items[0].url:
        return {"url": news.items[0].url}
    return {"is_disabled": True}


def _text(news: News) -> str:
    """Return as much as fits: the title, the items from the first on, the note."""
    text = f"<b>{fit(news.title, MAX_TITLE_UNITS, escape)}</b>"
    parts = list(_parts(news))
    room = MAX_TEXT_UNITS - MAX_NOTE_UNITS - units(text)
    while parts and (room := room - units(parts[0]) - 2) >= 0:
        text += "\n\n" + parts.pop(0)
    below = news.below(left_out=len(parts))
    return text + "\n\n" + _italic(below) if below else text


def _parts(news: News) -> Iterable[str]:
    for item in news.items:
        yield "\n".join(_item(item))
    if news.text:
        yield fit(news.text, MAX_NOTICE_UNITS, escape)
    for name, value in news.facts:
        yield fit_pieces((Piece(name, marked=True), Piece(f": {value}")), 400, escape, _bold)


def _item(item: Item) -> Iterable[str]:
    title = fit(item.title, MAX_TITLE_UNITS, escape)
    href = html.escape(item.url)
    is_linked = item.url and units(href) <= MAX_LINK_UNITS
    yield f'<a href="{href}">{title}</a>' if is_linked else f"<b>{title}</b>"
    for excerpt in item.excerpts:
        pieces = fit_pieces(excerpt, MAX_EXCERPT_UNITS, escape, _bold)
        yield f"<blockquote>{pieces}</blockquote>"
    yield _italic(item.origin)


def _bold(text: str) -> str:
    return f"<b>{text}</b>"


def _italic(text: str) -> str:
    return f"<i>{fit(text, MAX_TITLE_UNITS, escape)}</i>"
