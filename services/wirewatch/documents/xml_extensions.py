"""Podcasts and media in entries: what iTunes and Media RSS add to the draft. Pure."""

from typing import Any

from wirewatch.documents.draft import Draft
from wirewatch.documents.markup import HTML, TEXT
from wirewatch.documents.names import canonical
from wirewatch.documents.xml_entry import HANDLERS as CORE
from wirewatch.documents.xml_entry import Handler, markup


def _weak_title(draft: Draft, element: Any) -> None:
    draft.weak_title = draft.weak_title or markup(draft, element, TEXT)


def _podcast_summary(draft: Draft, element: Any) -> None:
    draft.podcast_summary = draft.podcast_summary or markup(draft, element, TEXT)


def _media_description(draft: Draft, element: Any) -> None:
    draft.weak_summary = draft.weak_summary or markup(draft, element, HTML)


def _keywords(draft: Draft, element: Any) -> None:
    draft.categories += (word.strip() for word in draft.scope.text(element).split(","))


def _itunes_category(draft: Draft, element: Any) -> None:
    draft.categories.append((element.get("text") or draft.scope.text(element)).strip())
    for child in element:
        if canonical(child.tag, child.prefix) == "itunes:category":
            draft.categories.append((child.get("text") or "").strip())


def _itunes_image(draft: Draft, element: Any) -> None:
    _weak_image(draft, element, element.get("href") or element.get("url") or "")


def _thumbnail(draft: Draft, element: Any) -> None:
    _weak_image(draft, element, element.get("url") or draft.scope.text(element))


def _weak_image(draft: Draft, element: Any, url: str) -> None:
    draft.weak_image = draft.weak_image or draft.scope.absolute(url, element)


def _media_content(draft: Draft, element: Any) -> None:
    kind = element.get("type") or ""
    if not draft.image and (element.get("medium") == "image" or kind.startswith("image/")):
        draft.image = draft.scope.absolute(element.get("url") or "", element)
    _inside(draft, element)


def _inside(draft: Draft, element: Any) -> None:
    """Read what stands in a group as if it stood in the entry."""
    for child in element:
        name = canonical(child.tag, child.prefix)
        if handler := HANDLERS.get(name) if name.startswith("media:") else None:
            handler(draft, child)


HANDLERS: dict[str, Handler] = CORE | {
    "itunes:author": CORE["author"],
    "itunes:summary": _podcast_summary,
    "itunes:keywords": _keywords,
    "itunes:category": _itunes_category,
    "itunes:image": _itunes_image,
    "media:title": _weak_title,
    "media:description": _media_description,
    "media:text": _media_description,
    "media:category": CORE["category"],
    "media:keywords": _keywords,
    "media:thumbnail": _thumbnail,
    "media:content": _media_content,
    "media:group": _inside,
    "tags": _keywords,
    "keywords": _keywords,
}
"""All elements of entries by their canonical names."""
