"""What the media-monitoring tools call the fields of an article. Pure."""

import re

TEXTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("title", "headline", "head", "hd", "intitle", "hed"), ("title",)),
    **dict.fromkeys(("hlead", "hlp", "headlinelead"), ("title", "lead")),
    **dict.fromkeys(("lead", "lp", "ingress", "intro", "summary", "leadpara"), ("lead",)),
    **dict.fromkeys(("body", "text", "td", "te", "content", "fulltext"), ("body",)),
    **dict.fromkeys(("url", "inurl"), ("url",)),
    **dict.fromkeys(("author", "by", "byline", "au", "journalist"), ("author",)),
    **dict.fromkeys(("category", "section", "se", "tag", "tags"), ("category",)),
}
"""The fields of ours that are searched for each."""
FILTERS = {
    **dict.fromkeys(("la", "lang", "language", "lng"), "lang"),
    **dict.fromkeys(("country", "cc", "countrycode"), "country"),
    **dict.fromkeys(("site", "domain", "host"), "source"),
    **dict.fromkeys(
        ("source", "sourcename", "publication", "pub", "sn", "outlet", "rst"), "source"
    ),
}
CASES = frozenset({"raw", "cs", "case", "caps", "allcaps", "nocaps"})
"""What asks for capitals, or for none."""
FORMS = frozenset({"singular", "plural"})
DROPPED = {
    **dict.fromkeys(
        ("date", "dt", "pd", "after", "before", "from", "to", "days", "load-date"),
        "alerts are about what is published from now on",
    ),
    **dict.fromkeys(
        ("fds", "co", "company", "in", "ns", "subject", "term", "industry", "ticker", "ipd"),
        "codes are not known here, use entity: and topic: instead",
    ),
    **dict.fromkeys(
        ("re", "region", "city", "state", "location", "loc", "geo", "geographic"),
        "where something happens is not known: name the place as a word",
    ),
    **dict.fromkeys(
        ("sentiment", "tone", "rating", "reach", "engagement", "engagementtype", "authority"),
        "it is not measured",
    ),
    **dict.fromkeys(
        ("wc", "length", "sc", "type", "sourcetype", "pagetype", "media", "mediatype", "rank"),
        "it is not known of articles",
    ),
    **dict.fromkeys(
        ("hashtags", "at_mentions", "links", "channelid", "authorgender", "authorverified"),
        "it is about social networks",
    ),
}
_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr",
    "german": "de", "hindi": "hi", "italian": "it", "japanese": "ja", "korean": "ko",
    "polish": "pl", "portuguese": "pt", "russian": "ru", "spanish": "es", "swedish": "sv",
    "turkish": "tr", "ukrainian": "uk",
}  # fmt: skip
_COUNTRIES = {"UK": "GB", "USA": "US", "GBR": "GB", "DEU": "DE", "FRA": "FR", "JPN": "JP"}


def filter_value(field: str, value: str) -> str | None:
    """Return what `value` of another tool is in our filter `field`; None if it has no equal."""
    value = value.strip()
    if field == "lang":
        return _LANGUAGES.get(value.lower(), value)
    if field == "country":
        code = _COUNTRIES.get(value.upper(), value.upper())
        return code if re.fullmatch("[A-Z]{2}", code) else None
    host = value.rpartition("://")[2].partition("/")[0].removeprefix("*.")
    return host if "." in host and " " not in host else None


MISSING_VALUE = {
    "country": "a country is written in two letters here, as in country:JP: left out",
    "source": "a source is named by its host here, as in source:bbc.co.uk: left out",
}
