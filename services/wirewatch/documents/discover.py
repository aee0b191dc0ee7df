"""Where a site's feeds may be: what its pages, its robots.txt and custom say. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import chain, islice
from urllib.parse import urlsplit

from wirewatch.documents.charset import to_utf8
from wirewatch.documents.draft import join
from wirewatch.documents.plain import plain_text
from wirewatch.documents.tags import ATTRIBUTES, attributes

MAX_LINKS = 20
MAX_PAGE_BYTES = 2_000_000
"""Of a page that is searched; feeds are named in its head, or near its end at the latest."""
MAX_URL_CHARS = 2_048
MAX_DECLARED = 200
MAX_TAGS = 10_000
MAX_WORDS_CHARS = 500
"""Markup behind a link in which its words are looked for."""
MAX_ROBOTS_CHARS = 500_000
"""As much of a robots.txt as RFC 9309 asks for."""
MAX_TITLE_CHARS = 200

COMMON_PATHS = (
    "/feed",
    "/rss",
    "/feed.xml",
    "/rss.xml",
    "/atom.xml",
    "/index.xml",
    "/feed.json",
    "/rss/index.xml",
    "/feeds/posts/default",
    "/index.rdf",
)
"""Where feeds most often are, from WordPress and others to Blogger."""

_WANTED = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?:script|style)\b.*?(?:</(?:script|style)\b|\Z)"
    rf"|<(link|a|base)(?=[\s/])({ATTRIBUTES})>",
    re.IGNORECASE | re.DOTALL,
)
_TYPES = {
    "application/rss+xml": "application/rss+xml",
    "application/atom+xml": "application/atom+xml",
    "application/feed+json": "application/feed+json",
    "application/json": "application/feed+json",
    "application/rdf+xml": "application/rdf+xml",
    "application/x-rss+xml": "application/rss+xml",
    "application/x.atom+xml": "application/atom+xml",
    "application/xml": "application/xml",
    "text/xml": "application/xml",
    "text/rss": "application/rss+xml",
    "text/rss+xml": "application/rss+xml",
    "text/atom+xml": "application/atom+xml",
}
_NO_FEED = re.compile(r"/(?:wp-json|oembed)\b|\.(?:css|js|png|jpe?g|svg)$", re.IGNORECASE)
"""What pages offer as an alternate of type JSON or XML, and is none."""
_FEED_PATH = re.compile(
    r"(?:^|[/._=-])(?:rss|atom|feeds?|rdf)(?:[/._&-]|\d|$)|\.(?:rss|atom|rdf)$", re.IGNORECASE
)
_FEED_WORDS = re.compile(r"\b(?:rss|atom|xml feed|rss-feed|feed rss)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"\bcomments?\b|kommentar|comentario|commentaire|комментари", re.IGNORECASE)
_READERS = frozenset({"feedly.com", "inoreader.com", "newsblur.com", "netvibes.com", "yahoo.com"})
"""Sites that a link leads to which subscribes its reader to the feed in it."""
_SITEMAP = re.compile(r"\s*sitemap\s*:\s*(\S+)", re.IGNORECASE)
_NEWS = re.compile(r"news|latest|recent|nachricht|noticia|actualit|notizi|haber", re.IGNORECASE)
_NO_NEWS = re.compile(r"image|video|tags?\b|author|categor|product|archiv", re.IGNORECASE)
_SECTION = re.compile(r"[\w-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names. `url` is absolute; `type` is a media type, empty if not said."""

    url: str
    title: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag, and what follows it up to its end."""

    name: str
    attributes: dict[str, str]
    words: str

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    @property
    def type(self) -> str:
        return self.get("type").partition(";")[0].strip().lower()


def feed_links(html: bytes, *, content_type: str, url: str) -> tuple[FeedLink, ...]:
    """Return the feeds that the page `html` names, the likeliest first.

    Links of its head go before links that only look like feeds, its own site before
    others, comments last. Whatever the page is, there is an answer; it may be empty.
    """
    tags = list(islice(_tags(to_utf8(html[:MAX_PAGE_BYTES], content_type).decode()), MAX_TAGS))
    base = _base(tags, url)
    declared = list(islice(_declared(tags, base), MAX_DECLARED))
    found: dict[str, FeedLink] = {}
    for link in chain(declared, _anchors(tags, base)):
        found.setdefault(_key(link.url), link)
    found.pop(_key(url), None)

    def rank(link: FeedLink) -> tuple[bool, bool, bool]:
        return _is_of_comments(link), link not in declared, not _is_near(link.url, url)

    return tuple(sorted(found.values(), key=rank)[:MAX_LINKS])


def _tags(html: str) -> Iterator[_Tag]:
    """Yield the tags of `html` that feeds can be named in; not what is a comment or a script."""
    html = html[: html.rfind(">") + 1]
    for match in _WANTED.finditer(html):
        if match[1]:
            words = html[match.end() : match.end() + MAX_WORDS_CHARS].partition("</a")[0]
            yield _Tag(match[1].lower(), attributes(match[2]), words)


def _base(tags: list[_Tag], url: str) -> str:
    href = next((tag.get("href") for tag in tags if tag.name == "base" and tag.get("href")), "")
    return _absolute(url, href) or url


def _absolute(base: str, href: str) -> str:
    """Return `href` as the address of a page, without its fragment; empty where it is none."""
    href = href.strip()
    if href.lower().startswith("feed:"):
        href = href[5:] if "://" in href[5:] else "http:" + href[5:]
    joined = join(base, href).partition("#")[0] if href else ""
    is_web = joined.startswith(("http://", "https://")) and len(joined) <= MAX_URL_CHARS
    return joined if is_web and _host(joined) else ""


def _declared(tags: list[_Tag], base: str) -> Iterator[FeedLink]:
    for tag in tags:
        rels = tag.get("rel").lower().split()
        is_feed = "feed" in rels or ("alternate" in rels and tag.type in _TYPES)
        link = _absolute(base, tag.get("href")) if tag.name == "link" and is_feed else ""
        if link and not _is_other(link):
            yield FeedLink(link, _title(tag.get("title")), _TYPES.get(tag.type, ""))


def _anchors(tags: list[_Tag], base: str) -> Iterator[FeedLink]:
    """Yield what looks like a feed by its address, its words or its type."""
    for tag in tags:
        if tag.name == "a":
            words = _title(tag.get("title")) or plain_text(tag.words, MAX_TITLE_CHARS)
            looks_like_it = _FEED_PATH.search(tag.get("href")) or _FEED_WORDS.search(words)
            link = _absolute(base, tag.get("href")) if looks_like_it or tag.type in _TYPES else ""
            if link and not _is_other(link):
                yield FeedLink(link, words, _TYPES.get(tag.type, ""))


def _title(text: str) -> str:
    return plain_text(escape(text[:MAX_URL_CHARS], quote=False), MAX_TITLE_CHARS)


def _is_other(link: str) -> bool:
    """Say whether what looks like a feed is known to be none."""
    site = ".".join(_host(link).split(".")[-2:])
    return site in _READERS or bool(_NO_FEED.search(urlsplit(link).path))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _is_near(link: str, url: str) -> bool:
    """Say whether `link` is on the site of `url`, or a part of it."""
    one, other = _host(link), _host(url)
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def _is_of_comments(link: FeedLink) -> bool:
    return bool(_COMMENTS.search(link.title) or _COMMENTS.search(urlsplit(link.url).path))


def _key(url: str) -> str:
    """Return what two addresses of the same feed have in common."""
    return url.partition("#")[0].rpartition("://")[2].removeprefix("www.").rstrip("/")


def common_urls(url: str) -> tuple[str, ...]:
    """Return where the site of the page `url` may have feeds; first those of its section."""
    origin = _absolute(url, "/")
    if not origin:
        return ()
    first = urlsplit(url).path.lstrip("/").partition("/")[0]
    section = (f"/{first}/feed", f"/{first}/rss.xml") if _SECTION.fullmatch(first) else ()
    return tuple(origin.rstrip("/") + path for path in dict.fromkeys(section + COMMON_PATHS))


def robots_sitemaps(robots_txt: str, url: str) -> tuple[str, ...]:
    """Return the sitemaps that the robots.txt of the site of `url` names, those of news first."""
    lines = robots_txt[:MAX_ROBOTS_CHARS].splitlines()
    named = (_absolute(url, match[1]) for line in lines if (match := _SITEMAP.match(line)))
    found = dict.fromkeys(filter(None, named))
    return tuple(sorted(found, key=_sitemap_rank)[:MAX_LINKS])


def _sitemap_rank(url: str) -> int:
    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}"
    if _NEWS.search(where):
        return 0
    return 2 if _NO_NEWS.search(where) else 1
