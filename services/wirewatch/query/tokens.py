"""A query cut into tokens, each with its place. Pure."""

from dataclasses import dataclass
from enum import StrEnum

import regex

from wirewatch.query.errors import QueryError

OPERATORS = {"AND", "OR", "NOT"}
_SPACE = regex.compile(r"\s+")
_NAME = regex.compile(r"[A-Za-z]+(?=:)")
_BARE = regex.compile(r"[^\s()\":]+")
_QUOTED = regex.compile(r'"((?:[^"\\]|\\.)*)"', regex.DOTALL)
_ESCAPE = regex.compile(r"\\(.)", regex.DOTALL)
_CURLY = str.maketrans("“”„«»", '"""""')
"""Quotes as text editors set them: the same length, so places stay the same."""


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    PHRASE = "phrase"
    FIELD = "field"
    OPERATOR = "operator"
    MINUS = "-"
    OPEN = "("
    CLOSE = ")"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands, in code points of the query."""

    kind: Kind
    text: str
    offset: int
    length: int


def tokenize(query: str) -> list[Token]:
    """Return the tokens of `query` and one END. Raises QueryError for an unclosed quote."""
    text = query.translate(_CURLY)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        token = _next(text, at)
        tokens.append(token)
        at += token.length
    return [*tokens, Token(Kind.END, "", len(text), 1)]


def _next(text: str, at: int) -> Token:
    character = text[at]
    if character in "()":
        return Token(Kind(character), character, at, 1)
    if character == '"':
        return _phrase(text, at)
    if character == "-" and at + 1 < len(text) and not text[at + 1].isspace():
        return Token(Kind.MINUS, "-", at, 1)
    if field := _NAME.match(text, at):
        return Token(Kind.FIELD, field.group(), at, field.end() + 1 - at)
    bare = _BARE.match(text, at)
    if bare is None:  # a colon with nothing before it
        return Token(Kind.WORD, character, at, 1)
    kind = Kind.OPERATOR if bare.group() in OPERATORS else Kind.WORD
    return Token(kind, bare.group(), at, bare.end() - at)


def _phrase(text: str, at: int) -> Token:
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise QueryError(
            "this quote is not closed",
            offset=at,
            length=len(text) - at,
            suggestion='add a " at the end of the phrase',
        )
    return Token(Kind.PHRASE, _ESCAPE.sub(r"\1", quoted.group(1)), at, quoted.end() - at)
