"""The elements of an entry, RSS and Atom alike: what each adds to the draft. Pure."""

from collections.abc import Callable
from typing import Any

from wirewatch.documents.dates import parse_date
from wirewatch.documents.draft import Draft
from wirewatch.documents.feed import Enclosure
from wirewatch.documents.markup import HTML, TEXT, XHTML, html_of
from wirewatch.documents.names import canonical
from wirewatch.documents.people import author_of

Handler = Callable[[Draft, Any], None]

_HTML_TYPES = frozenset({"", "html", "xhtml", HTML, XHTML})


def markup(draft: Draft, element: Any, default: str) -> str:
    """Return the text construct `element` as HTML."""
    found = html_of(element, default, guess=not draft.scope.is_atom)
    return draft.scope.mended(found) if found else found


def _title(draft: Draft, element: Any) -> None:
    if not draft.title:
        draft.title = markup(draft, element, TEXT)
        draft.language = draft.language or draft.scope.language(element)


def _description(draft: Draft, element: Any) -> None:
    _summarise(draft, markup(draft, element, HTML))


def _summary(draft: Draft, element: Any) -> None:
    _summarise(draft, markup(draft, element, TEXT))


def _summarise(draft: Draft, found: str) -> None:
    """Take a summary; a second one may be the content where nothing else is."""
    if not draft.summary:
        draft.summary = found
    elif not draft.second_summary:
        draft.second_summary = found


def _content(draft: Draft, element: Any) -> None:
    _contain(draft, markup(draft, element, TEXT))


def _encoded(draft: Draft, element: Any) -> None:
    _contain(draft, markup(draft, element, HTML))


def _body(draft: Draft, element: Any) -> None:
    _contain(draft, markup(draft, element, XHTML))


def _contain(draft: Draft, found: str) -> None:
    if found:
        draft.contents.append(found)


def _id(draft: Draft, element: Any) -> None:
    draft.id = draft.scope.text(element)
    if draft.id.startswith(("http://", "https://")):
        draft.guid_link = draft.id


def _guid(draft: Draft, element: Any) -> None:
    """Take the id, which is the link too unless it says no."""
    draft.id = draft.scope.text(element)
    says = element.get("isPermaLink") or element.get("ispermalink") or "true"
    if says.strip().lower() == "true" and "/" in draft.id and " " not in draft.id:
        draft.guid_link = draft.scope.absolute(draft.id, element)


def _link(draft: Draft, element: Any) -> None:
    href = element.get("href") or element.get("url")
    rel = (element.get("rel") or "alternate").strip().lower().rpartition("/")[2]
    if not href:
        text = draft.scope.text(element)
        if text and rel == "alternate":
            draft.link = draft.scope.absolute(text, element)
    elif rel == "alternate":
        _alternate(draft, element, draft.scope.absolute(href, element))
    elif rel == "enclosure":
        _enclose(draft, element, href)


def _alternate(draft: Draft, element: Any, link: str) -> None:
    kind = (element.get("type") or "").strip().lower()
    if kind in _HTML_TYPES and draft.scope.is_atom:
        draft.link = draft.link or link
    else:
        draft.weak_link = draft.weak_link or link


def _enclosure(draft: Draft, element: Any) -> None:
    _enclose(draft, element, element.get("url") or element.get("href") or element.get("uri") or "")


def _enclose(draft: Draft, element: Any, href: str) -> None:
    url = draft.scope.absolute(href, element)
    if not url:
        return
    kind = (element.get("type") or "").strip()
    draft.enclosures.append(Enclosure(url, kind, _length(element.get("length"))))
    if kind.startswith("image/"):
        draft.weak_image = draft.weak_image or url


def _length(text: str | None) -> int | None:
    if text and (text := text.strip()).isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    return None


def _category(draft: Draft, element: Any) -> None:
    """Take the term; a label only where there is none."""
    scope = draft.scope
    own = scope.mended((element.text or "").strip())
    terms = (element.get("term"), own or scope.text(element))
    found = [term.strip() for term in terms if term and term.strip()]
    draft.categories += found or [(element.get("label") or "").strip()]


def _author(draft: Draft, element: Any) -> None:
    draft.authors.append(author_of(draft.scope, element))


def _source(draft: Draft, element: Any) -> None:
    """Take from the feed that an entry was copied from its authors (RFC 4287 4.2.1)."""
    draft.weak_authors += (
        author_of(draft.scope, part)
        for part in element
        if canonical(part.tag, part.prefix) == "author"
    )


def _published(draft: Draft, element: Any) -> None:
    draft.published_at = parse_date(element.text or "") or draft.published_at


def _issued(draft: Draft, element: Any) -> None:
    draft.published_at = draft.published_at or parse_date(element.text or "")


def _updated(draft: Draft, element: Any) -> None:
    draft.updated_at = parse_date(element.text or "") or draft.updated_at


def _modified(draft: Draft, element: Any) -> None:
    draft.updated_at = draft.updated_at or parse_date(element.text or "")


def _created(draft: Draft, element: Any) -> None:
    draft.created_at = parse_date(element.text or "")


def _dated(draft: Draft, element: Any) -> None:
    draft.dated_at = parse_date(element.text or "") or draft.dated_at


def _language(draft: Draft, element: Any) -> None:
    draft.language = draft.scope.text(element)


def _original_link(draft: Draft, element: Any) -> None:
    draft.original_link = draft.scope.absolute(draft.scope.text(element), element)


def _nothing(draft: Draft, element: Any) -> None:
    """Leave out what says nothing of the entry itself, such as the feed it came from."""


HANDLERS: dict[str, Handler] = {
    "title": _title,
    "dc:title": _title,
    "description": _description,
    "dc:description": _description,
    "abstract": _summary,
    "summary": _summary,
    "content": _content,
    "content:encoded": _encoded,
    "content:encode": _encoded,
    "fullitem": _encoded,
    "body": _body,
    "xhtml:body": _body,
    "id": _id,
    "guid": _guid,
    "link": _link,
    "xhtml:link": _nothing,
    "feedburner:origlink": _original_link,
    "enclosure": _enclosure,
    "category": _category,
    "dc:subject": _category,
    "author": _author,
    "dc:creator": _author,
    "dc:author": _author,
    "source": _source,
    "pubdate": _published,
    "published": _published,
    "issued": _published,
    "dcterms:issued": _issued,
    "updated": _updated,
    "modified": _updated,
    "lastbuilddate": _modified,
    "dcterms:modified": _modified,
    "created": _created,
    "dcterms:created": _created,
    "dc:date": _dated,
    "language": _language,
    "dc:language": _language,
}
"""Elements by their canonical names."""
