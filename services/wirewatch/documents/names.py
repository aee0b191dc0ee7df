"""What the elements of feeds are called, whatever prefix or spelling they came with. Pure.

A name is the local name in lower case, with the usual prefix of its namespace if it
is an extension: `title`, `dc:creator`. RSS in all versions and Atom share the names
without a prefix, as feeds mix them.
"""

_CORE = (
    "",
    "backend.userland.com/rss",
    "backend.userland.com/rss2",
    "backend.userland.com/rss091",
    "blogs.law.harvard.edu/tech/rss",
    "cyber.law.harvard.edu/rss",
    "purl.org/rss/1.0",
    "purl.org/rss/2.0",
    "purl.org/rss/1.0/modules/rss091",
    "my.netscape.com/rdf/simple/0.9",
    "channel.netscape.com/rdf/simple/0.9",
    "purl.org/atom/ns",
    "purl.org/pie",
    "purl.org/echo",
    "example.com/necho",
    "example.com/newformat",
    "uri/of/echo/namespace",
    "www.w3.org/2005/atom",
)
_EXTENSIONS = {
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "search.yahoo.com/mrss": "media",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "example.com/dtds/podcast-1.0.dtd": "itunes",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "www.w3.org/1999/xhtml": "xhtml",
    "www.georss.org/georss": "georss",
    "wellformedweb.org/commentapi": "wfw",
    "www.sitemaps.org/schemas/sitemap/0.9": "",
    "www.google.com/schemas/sitemap/0.84": "",
}
_PREFIXES = dict.fromkeys(_CORE, "") | _EXTENSIONS
_SPOKEN = {"atom": "", "atom10": "", "a10": "", "rss": ""} | {
    prefix: prefix for prefix in _EXTENSIONS.values() if prefix
}
"""What a prefix means that is declared as nothing known, or not at all."""


def canonical(tag: str, prefix: str | None) -> str:
    """Return the name of an element that lxml calls `tag`, written with `prefix`."""
    if tag[:1] == "{":
        uri, _, local = tag[1:].partition("}")
    else:
        uri, local = "", tag
    if not uri and ":" in local:
        prefix, _, local = local.partition(":")
    known = _known(uri) if uri or not prefix else None
    if known is None:
        known = _SPOKEN.get((prefix or "").lower(), prefix or "")
    return f"{known}:{local.lower()}" if known else local.lower()


def _known(uri: str) -> str | None:
    uri = uri.strip().lower().rpartition("://")[2].rstrip("/#")
    if "backend.userland.com/rss" in uri:
        return ""
    return _PREFIXES.get(uri)
