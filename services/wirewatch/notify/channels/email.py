"""E-mail: a message in plain text and in HTML, which says the same. Pure.

No pictures are loaded from anywhere: that would tell their hosts who reads.
"""

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

from wirewatch.notify.channels.job import Job
from wirewatch.notify.channels.news import Item, News, read_news
from wirewatch.notify.channels.words import Piece, clean, cut_pieces, fit
from wirewatch.notify.errors import AddressError
from wirewatch.notify.request import Mail
from wirewatch.topics.digests import Notice

MAX_SUBJECT_UNITS = 200
MAX_TITLE_UNITS = 500
MAX_EXCERPT_UNITS = 1_000
MAX_TEXT_UNITS = 2_000
MAX_LIST_NAME_CHARS = 60
DOMAIN = "wirewatch.local"
"""Behind the `@` of message ids and in list ids: names, not addresses."""

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x20\x7f-\xa0]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,253}")
_ID = re.compile(r"[^A-Za-z0-9_-]")
_NOT_IN_PHRASE = re.compile(r'[()<>\[\]:;@\\,."]')
"""What has a meaning in a header (RFC 5322, 3.2.3)."""


def request(job: Job) -> Mail:
    """Return the mail. Raises AddressError where the URL is not `mailto:` and one address."""
    news = read_news(job.telling)
    return Mail(
        to=mail_address(job.address),
        subject=fit(news.summary, MAX_SUBJECT_UNITS) or "wirewatch",
        text="\n".join(_text(news)) + "\n",
        html="\n".join(_html(news)) + "\n",
        message_id=f"<{_ID.sub('-', job.delivery_id)}@{DOMAIN}>",
        headers={"List-Id": _list_id(job), "X-Auto-Response-Suppress": "All"},
    )


def mail_address(url: str) -> str:
    """Return the address in a `mailto:` URL. Raises AddressError."""
    scheme, _, rest = url.partition(":")
    address = unquote(rest.partition("?")[0]).strip()
    if scheme.lower() != "mailto" or not _ADDRESS.fullmatch(address):
        raise AddressError("the URL is not mailto: and one address")
    return address


def _list_id(job: Job) -> str:
    """Return a name and an id by which mail is sorted: those of the subscription."""
    told = job.telling
    if isinstance(told, Notice):
        return f"<notices.{DOMAIN}>"
    name = fit(clean(_NOT_IN_PHRASE.sub(" ", told.subscription_name)), MAX_LIST_NAME_CHARS)
    return f"{name} <{_ID.sub('-', told.subscription_id)}.{DOMAIN}>".strip()


def _text(news: News) -> Iterable[str]:
    yield fit(news.title, MAX_TITLE_UNITS)
    yield ""
    for item in news.items:
        yield from _text_of(item)
    if news.text:
        yield fit(news.text, MAX_TEXT_UNITS)
    for name, value in news.facts:
        yield f"{name}: {fit(value, MAX_EXCERPT_UNITS)}"
    if news.below():
        yield news.below()


def _text_of(item: Item) -> Iterable[str]:
    yield fit(item.title, MAX_TITLE_UNITS)
    if item.url:
        yield item.url
    for excerpt in item.excerpts:
        pieces = cut_pieces(excerpt, MAX_EXCERPT_UNITS)
        yield "  " + "".join(f"*{p.text}*" if p.marked else p.text for p in pieces)
    yield fit(item.origin, MAX_TITLE_UNITS)
    yield ""


def _html(news: News) -> Iterable[str]:
    yield '<!DOCTYPE html><html><head><meta charset="utf-8"></head>'
    yield '<body style="font-family: sans-serif; max-width: 40em">'
    yield f'<h2 dir="auto">{_escaped(news.title, MAX_TITLE_UNITS)}</h2>'
    for item in news.items:
        yield from _html_of(item)
    if news.text:
        yield f'<p dir="auto">{_escaped(news.text, MAX_TEXT_UNITS)}</p>'
    for name, value in news.facts:
        shown = _escaped(value, MAX_EXCERPT_UNITS)
        yield f"<p><b>{html.escape(name)}</b>: <bdi>{shown}</bdi></p>"
    if news.below():
        yield f'<p style="color: #666">{html.escape(news.below())}</p>'
    yield "</body></html>"


def _html_of(item: Item) -> Iterable[str]:
    title = _escaped(item.title, MAX_TITLE_UNITS)
    if item.url:
        title = f'<a href="{html.escape(item.url)}">{title}</a>'
    yield f'<h3 dir="auto">{title}</h3>'
    for excerpt in item.excerpts:
        pieces = "".join(map(_html_piece, cut_pieces(excerpt, MAX_EXCERPT_UNITS)))
        yield f'<blockquote dir="auto">{pieces}</blockquote>'
    yield f'<p style="color: #666">{_escaped(item.origin, MAX_TITLE_UNITS)}</p>'


def _html_piece(piece: Piece) -> str:
    text = html.escape(piece.text)
    return f"<b>{text}</b>" if piece.marked else text


def _escaped(text: str, limit: int) -> str:
    return html.escape(fit(text, limit))
