"""A query cut into tokens, each with its place. Pure."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import regex

from wirewatch.query.errors import QueryError

OPERATORS = {"AND", "OR", "NOT"}
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"
"""Each of them in front of a word is NOT: `–football` must not come to ask for football."""
_SPACE = regex.compile(r"\s+")
_NAME = regex.compile(r"\p{L}[\p{L}\p{M}_]*(?=:)")
# In a Hebrew abbreviation (צה"ל) the quote is a letter of the word.
_LETTER_QUOTE = r'(?<=\p{Hebrew})"(?=\p{Hebrew})'
_BARE = regex.compile(rf'(?:[^\s()"]|{_LETTER_QUOTE})+')
_QUOTED = regex.compile(rf'"((?:[^"\\]|\\.|{_LETTER_QUOTE})*+)"', regex.DOTALL)
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
    """Return the tokens of `query` and one END.

    Raises QueryError for an unclosed quote and for characters that are no text.
    """
    _refuse_control_characters(query)
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
    if character in DASHES and at + 1 < len(text) and not text[at + 1].isspace():
        return Token(Kind.MINUS, character, at, 1)
    if field := _NAME.match(text, at):
        return Token(Kind.FIELD, field.group(), at, field.end() + 1 - at)
    bare = _BARE.match(text, at)
    word = bare.group() if bare else character
    return Token(Kind.OPERATOR if word in OPERATORS else Kind.WORD, word, at, len(word))


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


def _refuse_control_characters(query: str) -> None:
    for offset, character in enumerate(query):
        # A lone surrogate cannot be encoded: the alert that repeats the query could not be sent.
        if unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace():
            raise QueryError(
                f"the character U+{ord(character):04X} is no text", offset=offset, length=1
            )
