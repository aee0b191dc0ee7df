"""What is known of an entry while its elements are read. Not for other rooms."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from wirewatch.documents.feed import MAX_LISTED, Enclosure, Entry
from wirewatch.documents.markup import mended

_XML = "{http://www.w3.org/XML/1998/namespace}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds for a whole document.

    Most documents have neither xml:base nor xml:lang nor characters of a wrong
    charset; what they do not have is not looked for.
    """

    url: str
    is_atom: bool
    has_base: bool = False
    has_lang: bool = False
    has_wrong_characters: bool = False

    def absolute(self, link: str, element: Any) -> str:
        """Return `link`, found at `element`, as an absolute URL; empty where it cannot be one."""
        link = link.strip()
        if not self.has_base and link.startswith(("http://", "https://")) and "[" not in link:
            return link
        return join(self.base(element) if self.has_base else self.url, link) if link else ""

    def base(self, element: Any) -> str:
        """Return what relative links at `element` are relative to."""
        if not self.has_base:
            return self.url
        bases = [element.get(_XML + "base")]
        bases += [parent.get(_XML + "base") or "" for parent in element.iterancestors()]
        base = self.url
        for each in reversed(bases):
            joined = join(base, each) if each else base
            base = joined if joined.startswith(("http://", "https://")) or not base else base
        return base

    def language(self, element: Any) -> str:
        """Return the xml:lang that holds at `element`."""
        if not self.has_lang:
            return ""
        language: str | None = element.get(_XML + "lang")
        while language is None and (element := element.getparent()) is not None:
            language = element.get(_XML + "lang")
        return (language or "").strip()

    def text(self, element: Any) -> str:
        """Return what stands in `element`, without tags."""
        text = "".join(element.itertext()) if len(element) else element.text or ""
        return self.mended(text.strip())

    def mended(self, text: str) -> str:
        """Return `text` with characters of a wrong charset put right."""
        return mended(text) if self.has_wrong_characters else text


def join(base: str, link: str) -> str:
    """Return `link` made absolute by `base`; empty where they are no URLs."""
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


@dataclass(slots=True)
class Draft:
    """An entry in the making; `weak_` is what counts where nothing better comes."""

    scope: Scope
    id: str = ""
    link: str = ""
    weak_link: str = ""
    original_link: str = ""
    guid_link: str = ""
    title: str = ""
    weak_title: str = ""
    summary: str = ""
    weak_summary: str = ""
    contents: list[str] = field(default_factory=list)
    second_summary: str = ""
    podcast_summary: str = ""
    language: str = ""
    authors: list[str] = field(default_factory=list)
    weak_authors: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    enclosures: list[Enclosure] = field(default_factory=list)
    image: str = ""
    weak_image: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    created_at: datetime | None = None
    dated_at: datetime | None = None

    def entry(self) -> Entry:
        """Return what was found, the better before the weaker."""
        content = max(self.contents, key=len, default="") or self.second_summary
        if self.summary and not content:
            content = self.podcast_summary
        return Entry(
            id=self.id,
            link=self.original_link or self.link or self.weak_link or self.guid_link,
            title=self.title or self.weak_title,
            summary=self.summary or self.podcast_summary or content or self.weak_summary,
            content=content,
            language=self.language,
            authors=listed(self.authors) or listed(self.weak_authors),
            categories=listed(self.categories),
            enclosures=tuple(self.enclosures[:MAX_LISTED]),
            image=self.image or self.weak_image,
            published_at=self.published_at or self.dated_at or self.created_at,
            updated_at=self.updated_at or self.dated_at,
        )


def listed(names: list[str]) -> tuple[str, ...]:
    """Return `names` once each, without empty ones, and not too many."""
    if not names:
        return ()
    return tuple(dict.fromkeys(filter(None, names)))[:MAX_LISTED]
