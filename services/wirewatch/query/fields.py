"""What may stand before a colon. Pure."""

from difflib import get_close_matches

import regex

from wirewatch.query.errors import QueryError, shown
from wirewatch.query.tokens import Token
from wirewatch.topics.alerts import Field

TEXTS = (Field.TITLE, Field.LEAD, Field.BODY, Field.URL, Field.AUTHOR, Field.CATEGORY)
FILTERS = {
    "lang": Field.LANG,
    "source": Field.SOURCE,
    "feed": Field.FEED,
    "country": Field.COUNTRY,
}
NAMES = ("entity", "topic", "person", "place", "organisation")
FIELDS = (*(str(field) for field in TEXTS), *FILTERS, *NAMES)
MAX_VALUE_CHARS = 200

_SHAPES = {
    "lang": (
        regex.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*"),
        "is no language tag",
        "as in lang:en or lang:pt-BR",
    ),
    "source": (
        regex.compile(r"[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)*"),
        "is no host",
        "as in source:bbc.co.uk",
    ),
    "country": (regex.compile(r"[A-Z]{2}"), "is no country code", "two letters, as in country:JP"),
}


def may_name(query: str) -> bool:
    """Say whether `query` may ask for things by name: fast, and true more often than need be."""
    small = query.lower()
    return any(f"{name}:" in small for name in NAMES)


def unknown_field(name: str, offset: int, length: int) -> QueryError:
    """Return the error for a field that does not exist."""
    near = get_close_matches(name.lower(), FIELDS, n=1)
    known = ", ".join(f"{field}:" for field in FIELDS)
    hint = f"did you mean {near[0]}:?" if near else f"there are {known}"
    message = f"there is no field {shown(name)}:"
    return QueryError(message, offset=offset, length=length, suggestion=hint)


def filter_value(name: str, token: Token) -> str:
    """Return the value of a filter in its one spelling. Raises QueryError for what is none.

    `lang` is a BCP 47 tag in small letters, `source` a host in small letters without `www.`,
    `country` two capital letters (ISO 3166 alpha-2), `feed` an id or a title.
    """
    value = _spelled(name, token.text.strip())
    shape, complaint, hint = _SHAPES.get(name, (None, "", ""))
    if not value:
        complaint = f"{name}: needs a value"
    elif len(value) > MAX_VALUE_CHARS:
        complaint, hint = f"the value of {name}: is longer than {MAX_VALUE_CHARS} characters", ""
    elif shape is None or shape.fullmatch(value):
        return value
    else:
        complaint = f"{shown(token.text)} {complaint}"
    raise QueryError(
        complaint, offset=token.offset, length=max(1, token.length), suggestion=hint or None
    )


def _spelled(name: str, value: str) -> str:
    match name:
        case "lang":
            return value.lower().replace("_", "-")
        case "source":
            host = value.lower().rpartition("://")[2].partition("/")[0]
            return host.removeprefix("www.").strip(".")
        case "country":
            return value.upper()
        case _:
            return value
