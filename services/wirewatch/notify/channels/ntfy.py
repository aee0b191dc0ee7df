"""ntfy: a notification on a phone, published as JSON. Pure.

https://docs.ntfy.sh/publish/
"""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from wirewatch.notify.channels.job import Job, posted
from wirewatch.notify.channels.news import News, read_news
from wirewatch.notify.channels.words import fit, utf8
from wirewatch.notify.errors import AddressError
from wirewatch.notify.request import HttpRequest

MAX_MESSAGE_BYTES = 3_000
"""The server takes 4,096, and twice as much for all of the JSON with its escapes."""
MAX_TITLE_BYTES = 250
DEFAULT_PRIORITY = 3
HIGH_PRIORITY = 4

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


def request(job: Job) -> HttpRequest:
    """Return the notification. Raises AddressError where the URL ends in no topic."""
    server, topic = _server_and_topic(job.address)
    news = read_news(job.telling)
    message: dict[str, Any] = {
        "topic": topic,
        "title": fit(news.title, MAX_TITLE_BYTES, measure=utf8),
        "message": fit(_message(news), MAX_MESSAGE_BYTES, measure=utf8),
        "tags": ["warning" if news.is_warning else "newspaper"],
        "priority": HIGH_PRIORITY if news.is_warning else DEFAULT_PRIORITY,
    }
    if len(news.items) == 1 and news.items[0].url:
        message["click"] = news.items[0].url
    return posted(job, message, url=server, token=job.secrets.token)


def _server_and_topic(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise AddressError("the URL is none") from None
    before, _, topic = parts.path.rstrip("/").rpartition("/")
    if not _TOPIC.fullmatch(topic):
        raise AddressError("the URL does not end in an ntfy topic: letters, digits, - and _")
    return urlunsplit((parts.scheme, parts.netloc, before + "/", "", "")), topic


def _message(news: News) -> str:
    if not news.items:
        return "\n".join([news.text, *(f"{name}: {value}" for name, value in news.facts)])
    if len(news.items) == 1:
        item = news.items[0]
        texts = ("".join(piece.text for piece in excerpt) for excerpt in item.excerpts)
        return "\n".join([item.title, *texts, item.origin, *filter(None, [news.below()])])
    lines = [f"• {item.title} ({item.origin})" for item in news.items]
    return "\n".join([*lines, news.below()])
