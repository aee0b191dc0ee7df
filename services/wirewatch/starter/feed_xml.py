"""Articles as RSS 2.0 and Atom 1.0 documents. Pure."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from wirewatch.starter.articles import AGENCY, SampleArticle

_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"
ET.register_namespace("content", _CONTENT)
ET.register_namespace("dc", _DC)


def feed_title(language: str) -> str:
    """Return the title of the newsroom's feed in `language`."""
    return f"{AGENCY} ({language})"


def article_html(article: SampleArticle) -> str:
    """Return the body of `article` as HTML paragraphs."""
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in article.body)


def article_page(article: SampleArticle) -> str:
    """Return `article` as a web page."""
    title, language = escape(article.title), escape(article.language)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{title}</title></head><body><article dir=auto><h1>{title}</h1>"
        f"<p><em>{escape(article.author)}, {AGENCY}: sample text about an invented event</em></p>"
        f"{article_html(article)}</article></body></html>"
    )


def rss(language: str, articles: Sequence[SampleArticle], base: str, now: datetime) -> bytes:
    """Return an RSS 2.0 document; `base` is the newsroom's address."""
    root = Element("rss", version="2.0")
    channel = SubElement(root, "channel")
    SubElement(channel, "title").text = feed_title(language)
    SubElement(channel, "link").text = base
    SubElement(channel, "description").text = "Sample text about invented events"
    SubElement(channel, "language").text = language
    for article in articles:
        item = SubElement(channel, "item")
        SubElement(item, "guid", isPermaLink="false").text = article.guid
        SubElement(item, "title").text = article.title
        SubElement(item, "link").text = f"{base}/articles/{article.guid}"
        SubElement(item, "description").text = article.summary
        SubElement(item, f"{{{_CONTENT}}}encoded").text = article_html(article)
        SubElement(item, f"{{{_DC}}}creator").text = article.author
        SubElement(item, "category").text = article.category
        SubElement(item, "pubDate").text = format_datetime(now - article.age)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def atom(language: str, articles: Sequence[SampleArticle], base: str, now: datetime) -> bytes:
    """Return an Atom 1.0 document (RFC 4287); `base` is the newsroom's address."""
    root = Element("feed", {"xmlns": _ATOM, f"{{{_XML}}}lang": language})
    SubElement(root, "id").text = f"urn:wirewatch:newsroom:{language}"
    SubElement(root, "title").text = feed_title(language)
    SubElement(root, "link", href=base)
    SubElement(root, "updated").text = now.isoformat()
    for article in articles:
        entry = SubElement(root, "entry")
        SubElement(entry, "id").text = f"urn:wirewatch:newsroom:{article.guid}"
        SubElement(entry, "title").text = article.title
        SubElement(entry, "link", href=f"{base}/articles/{article.guid}")
        SubElement(entry, "summary").text = article.summary
        SubElement(entry, "content", type="html").text = article_html(article)
        SubElement(SubElement(entry, "author"), "name").text = article.author
        SubElement(entry, "category", term=article.category)
        SubElement(entry, "published").text = (now - article.age).isoformat()
        SubElement(entry, "updated").text = (now - article.age).isoformat()
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
