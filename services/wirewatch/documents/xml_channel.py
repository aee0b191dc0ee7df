"""The elements of a feed beside its entries: what each adds to what is known of it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from wirewatch.documents import pace
from wirewatch.documents.draft import Scope, listed
from wirewatch.documents.feed import MAX_LISTED, Entry, Format, Pace, ParsedFeed
from wirewatch.documents.markup import HTML, TEXT, XHTML, html_of
from wirewatch.documents.names import canonical
from wirewatch.documents.people import author_of

_HTML_TYPES = frozenset({"", "html", "xhtml", HTML, XHTML})


@dataclass(slots=True)
class Channel:
    """A feed in the making. `weak_link` counts where there is no better one."""

    scope: Scope
    title: str = ""
    link: str = ""
    weak_link: str = ""
    id_link: str = ""
    language: str = ""
    self_url: str = ""
    authors: list[str] = field(default_factory=list)
    hubs: list[str] = field(default_factory=list)
    ttl: str = ""
    period: str = ""
    frequency: str = ""
    hours: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)

    def feed(self, entries: tuple[Entry, ...]) -> ParsedFeed:
        """Return what was found, with `entries`; its authors are those of entries without one.

        So says RFC 4287 4.2.1 of Atom; who edits an RSS feed is not who writes in it.
        """
        if self.authors and self.scope.is_atom:
            authors = listed(self.authors)
            entries = tuple(e if e.authors else replace(e, authors=authors) for e in entries)
        return ParsedFeed(
            format=Format.ATOM if self.scope.is_atom else Format.RSS,
            title=self.title,
            link=self.link or self.weak_link or self.id_link,
            language=self.language,
            entries=entries,
            pace=Pace(
                ttl=pace.ttl(self.ttl),
                update_every=pace.update_every(self.period, self.frequency),
                skip_hours=frozenset(self.hours),
                skip_days=frozenset(self.days),
            ),
            hubs=tuple(dict.fromkeys(self.hubs))[:MAX_LISTED],
            self_url=self.self_url,
        )


Handler = Callable[[Channel, Any], None]


def _title(channel: Channel, element: Any) -> None:
    scope = channel.scope
    if not channel.title:
        channel.title = scope.mended(html_of(element, TEXT, guess=not scope.is_atom))


def _link(channel: Channel, element: Any) -> None:
    scope = channel.scope
    href = element.get("href") or element.get("url")
    rels = (element.get("rel") or "alternate").lower().split()
    if not href:
        if text := scope.text(element):
            channel.link = scope.absolute(text, element)
        return
    url = scope.absolute(href, element)
    if "hub" in rels:
        channel.hubs.append(url)
    if "self" in rels:
        channel.self_url = channel.self_url or url
    if any(rel.rpartition("/")[2] == "alternate" for rel in rels):
        _alternate(channel, element, url)


def _alternate(channel: Channel, element: Any, url: str) -> None:
    kind = (element.get("type") or "").strip().lower()
    if kind in _HTML_TYPES and channel.scope.is_atom:
        channel.link = channel.link or url
    else:
        channel.weak_link = channel.weak_link or url


def _id(channel: Channel, element: Any) -> None:
    text = channel.scope.text(element)
    channel.id_link = text if text.startswith(("http://", "https://")) else ""


def _language(channel: Channel, element: Any) -> None:
    channel.language = channel.scope.text(element) or channel.language


def _author(channel: Channel, element: Any) -> None:
    channel.authors.append(author_of(channel.scope, element))


def _ttl(channel: Channel, element: Any) -> None:
    channel.ttl = element.text or ""


def _period(channel: Channel, element: Any) -> None:
    channel.period = element.text or ""


def _frequency(channel: Channel, element: Any) -> None:
    channel.frequency = element.text or ""


def _hours(channel: Channel, element: Any) -> None:
    found = (pace.hour(child.text or "") for child in element)
    channel.hours.update(hour for hour in found if hour is not None)


def _days(channel: Channel, element: Any) -> None:
    found = (pace.day(child.text or "") for child in element)
    channel.days.update(day for day in found if day is not None)


_HANDLERS: dict[str, Handler] = {
    "title": _title,
    "dc:title": _title,
    "link": _link,
    "id": _id,
    "language": _language,
    "dc:language": _language,
    "author": _author,
    "ttl": _ttl,
    "sy:updateperiod": _period,
    "sy:updatefrequency": _frequency,
    "skiphours": _hours,
    "skipdays": _days,
}


def read_channel_element(channel: Channel, element: Any) -> None:
    """Take from `element`, which stands beside the entries, what it says of the feed."""
    if handler := _HANDLERS.get(canonical(element.tag, element.prefix)):
        handler(channel, element)
