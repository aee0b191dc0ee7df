"""Discord: a webhook with embeds, one a story. Pure.

https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

import re
from collections.abc import Iterable
from typing import Any

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import Piece, fit, fit_pieces, no_mentions
from wirewatch.notify.request import HttpRequest

MAX_EMBEDS = 10
MAX_TOTAL_UNITS = 6_000
"""All texts of all embeds together."""
MAX_TITLE_UNITS = 256
MAX_DESCRIPTION_UNITS = 4_096
MAX_CONTENT_UNITS = 2_000
MAX_NOTICE_UNITS = 1_500
MAX_FOOTER_UNITS = 100
MAX_NOTE_UNITS = 300
MAX_EXCERPT_UNITS = 450
MAX_EXCERPT_OF_SEVERAL_UNITS = 200
"""Ten embeds with title, excerpt and footer as long as they may be stay below the total."""
NEWS_COLOR = 0x2F6FDE
WARNING_COLOR = 0xD9822B

_MARKDOWN = re.compile(r"[\\*_~`|\[\]<]|:(?=\w+:)|^[#>+-]|(?<=^\d)\.")

Json = dict[str, Any]


def request(job: Job) -> HttpRequest:
    """Return the message: it calls nobody, whatever stands in it."""
    news = read_news(job.telling)
    message: Json = {"embeds": list(_embeds(news)), "allowed_mentions": {"parse": []}}
    if news.items:
        lines = [f"**{fit(news.title, MAX_TITLE_UNITS, escape)}**"]
        if news.below():
            lines.append(fit(news.below(), MAX_NOTE_UNITS, escape))
        message["content"] = "\n".join(lines)
    return posted(job, message)


def escape(text: str) -> str:
    """Return `text` so that Discord's Markdown shows it as it is."""
    return no_mentions(_MARKDOWN.sub(r"\\\g<0>", text))


def _embeds(news: News) -> Iterable[Json]:
    if not news.items:
        yield _notice(news)
    for item in news.items[:MAX_EMBEDS]:
        yield _item(
            item, MAX_EXCERPT_UNITS if len(news.items) == 1 else MAX_EXCERPT_OF_SEVERAL_UNITS
        )


def _item(item: Item, excerpt_units: int) -> Json:
    lines = [
        fit_pieces(excerpt, excerpt_units, escape, lambda text: f"**{text}**")
        for excerpt in item.excerpts
    ]
    embed: Json = {
        "title": fit(item.title, MAX_TITLE_UNITS, escape),
        "description": "\n".join(f"> {line}" for line in lines if line.strip()),
        "color": NEWS_COLOR,
        "footer": {"text": fit(item.origin, MAX_FOOTER_UNITS)},
    }
    if item.url:
        embed["url"] = item.url
    if item.image:
        embed["thumbnail"] = {"url": item.image}
    return embed


def _notice(news: News) -> Json:
    facts = [
        fit_pieces(
            (Piece(name, marked=True), Piece(f": {value}")),
            MAX_EXCERPT_UNITS,
            escape,
            lambda text: f"**{text}**",
        )
        for name, value in news.facts
    ]
    text = fit(news.text, MAX_NOTICE_UNITS, escape)
    return {
        "title": fit(news.title, MAX_TITLE_UNITS, escape),
        "description": "\n".join([text, *facts]),
        "color": WARNING_COLOR if news.is_warning else NEWS_COLOR,
    }
