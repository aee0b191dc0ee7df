"""A query cut into tokens, each with its place. Pure."""

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec
import regex

from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_QUERY_CHARS

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"
"""Each of them in front of a word is NOT: `–football` must not come to ask for football."""
_HEBREW = "[\u0590-\u05ff\ufb1d-\ufb4f]"
LETTER_QUOTE = rf'(?<={_HEBREW})"(?={_HEBREW})'
"""In a Hebrew abbreviation (צה"ל) the quote is a letter of the word."""
_WORD = rf"""[^\s()"]++(?:{LETTER_QUOTE}[^\s()"]*+)*+"""
_MARK = "[\u0300-\u036f\u0590-\u1fff\u3099\u309a]"
"""What a letter before it may be composed with: `to\u0301pic:` is the same as `tópic:`."""
# What stands right behind a field or `=` is no operator and no field: one match takes both.
# By `re`, which is quicker here than `regex`; the classes it lacks are not needed.
_TOKEN = re.compile(
    rf"""\s*+(?:
      (?:(?P<and>AND)|(?P<or>OR)|(?P<not>NOT)
        |(?P<near>O?NEAR(?:/\d*+)?)|(?P<at_least>ATLEAST(?:/\d*+)?))(?=[\s()"]|\Z)
    | (?P<field>[^\W\d_](?:[^\W\d]|{_MARK})*+):(?P<value>(?![{DASHES}=]){_WORD})?+
    | (?P<minus>[{DASHES}])(?=\S)
    | (?P<exact>=)(?=[^\s()])(?P<exactly>{_WORD})?+
    | (?P<word>{_WORD})
    | "(?P<phrase>[^"\\]*+(?:(?:\\.|{LETTER_QUOTE})[^"\\]*+)*+)"
    | (?P<open>\()
    | (?P<close>\))
    | (?P<end>\Z)
    | (?P<unclosed>")
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NO_TEXT = regex.compile(r"[[\p{Cc}\p{Cs}]--\s]", regex.VERSION1)
"""A lone surrogate cannot be encoded: the alert that repeats the query could not be sent."""
_CURLY = str.maketrans("“”„«»", '"""""')
"""Quotes as text editors set them: the same length, so places stay the same."""


class Kind(StrEnum):
    """What a token is. NOT is the dash in front of a word too."""

    WORD = "word"
    PHRASE = "phrase"
    FIELD = "field"
    EXACT = "="
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    NEAR = "NEAR"
    AT_LEAST = "ATLEAST"
    OPEN = "("
    CLOSE = ")"
    END = "end"


_KINDS = {
    "and": Kind.AND,
    "or": Kind.OR,
    "not": Kind.NOT,
    "near": Kind.NEAR,
    "at_least": Kind.AT_LEAST,
    "minus": Kind.NOT,
    "word": Kind.WORD,
    "open": Kind.OPEN,
    "close": Kind.CLOSE,
    "end": Kind.END,
}
"""The groups of `_TOKEN` that are one token as they stand."""
_BEHIND = ("value", "exactly")
"""A word right behind a field or `=`."""


class Token(msgspec.Struct, frozen=True, gc=False):
    """A token and where it stands, in code points of the query."""

    kind: Kind
    text: str
    offset: int
    length: int


def tokenize(query: str) -> list[Token]:
    """Return the tokens of `query`; END comes last, once or twice.

    Raises QueryError for an unclosed quote and for characters that are no text.
    """
    require_text(query)
    text = straight(query)
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text):
        name = str(found.lastgroup)
        kind = _KINDS.get(name)
        if kind is not None:
            begin, end = found.span(name)
            tokens.append(Token(kind, found[name], begin, end - begin or 1))
        else:
            tokens += _unusual(name, found, text)
    return tokens


def _unusual(name: str, found: re.Match[str], text: str) -> Iterator[Token]:
    """Yield what is made of a match that is more than one token of its own extent."""
    begin, end = found.span(name)
    match name:
        case "phrase":
            phrase = _ESCAPE.sub(r"\1", found[name])
            yield Token(Kind.PHRASE, phrase, begin - 1, end - begin + 2)
        case "field" | "value":
            at, colon = found.span("field")
            yield Token(Kind.FIELD, found["field"], at, colon + 1 - at)
        case "exact" | "exactly":
            yield Token(Kind.EXACT, "=", found.start("exact"), 1)
        case _:
            raise _unclosed(text, begin)
    if name in _BEHIND:
        yield Token(Kind.WORD, found[name], begin, end - begin)


def require_short(query: str) -> None:
    """Raise QueryError for a query that is longer than one may be."""
    if len(query) > MAX_QUERY_CHARS:
        raise QueryError(
            f"the query has {len(query)} characters, {MAX_QUERY_CHARS} are allowed",
            offset=MAX_QUERY_CHARS,
            length=len(query) - MAX_QUERY_CHARS,
        )


def require_text(query: str) -> None:
    """Raise QueryError for characters that are no text."""
    # What is printable has no such character: the usual query is not looked through.
    if not query.isprintable() and (wrong := _NO_TEXT.search(query)):
        code = ord(wrong.group())
        raise QueryError(f"the character U+{code:04X} is no text", offset=wrong.start(), length=1)


def straight(query: str) -> str:
    """Return `query` with straight quotes, as long as before."""
    return query if query.isascii() else query.translate(_CURLY)


def _unclosed(text: str, at: int) -> QueryError:
    return QueryError(
        "this quote is not closed",
        offset=at,
        length=len(text) - at,
        suggestion='add a " at the end of the phrase',
    )
