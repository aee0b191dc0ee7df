"""A query of another tool, cut into tokens. Pure."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import NamedTuple

from wirewatch.query.dialects.parts import Span
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_DEPTH
from wirewatch.query.tokens import LETTER_QUOTE, require_text, straight


class Kind(StrEnum):
    """What a token is. CASED is a text in braces, BAR a `|`."""

    WORD = "word"
    PHRASE = "phrase"
    CASED = "cased"
    OPEN = "open"
    CLOSE = "close"
    BAR = "bar"
    AROUND = "around"
    END = "end"


class Token(NamedTuple):
    """A token. `touches` says that nothing stands between it and the one before."""

    kind: Kind
    text: str
    span: Span
    touches: bool

    def rest(self, chars: int) -> "Token":
        """Return the token without its first `chars` characters."""
        span = Span(self.span.offset + chars, self.span.length - chars)
        return self._replace(text=self.text[chars:], span=span, touches=True)


_TOKEN = re.compile(
    rf"""\s*+(?:
      (?P<around>AROUND\s*+\(\s*+\d++\s*+\))
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<bar>\|++)
    | "(?P<phrase>(?:[^"]|{LETTER_QUOTE})*+)"(?P<slop>~\d++)?
    | \{{(?P<cased>[^{{}}]*+)\}}
    | (?P<word>(?:[^\s()\[\]{{}}"|]|{LETTER_QUOTE})++)
    | (?P<end>\Z)
    | (?P<unclosed>.)
    )""",
    re.VERBOSE | re.DOTALL,
)


def scan(text: str) -> list[Token]:
    """Return the tokens of `text`; END comes last. Of `"a b"~5` the text is `a b~5`.

    Raises QueryError for an unclosed quote or brace, and for what is no text.
    """
    require_text(text)
    tokens: list[Token] = []
    last_end = -1
    for found in _TOKEN.finditer(straight(text)):
        name = "phrase" if found["slop"] else str(found.lastgroup)
        begin, end = found.start(name), found.end()
        if name == "unclosed":
            raise _unclosed(text, begin)
        if name in {"phrase", "cased"}:
            begin -= 1
        value = found[name] + (found["slop"] or "")
        span = Span(begin, max(1, end - begin))
        tokens.append(Token(Kind(name), value, span, begin == last_end))
        last_end = end
    return tokens


def _unclosed(text: str, at: int) -> QueryError:
    what, sign = ("brace", "}") if text[at] in "{}" else ("quote", '"')
    return QueryError(
        f"this {what} is not closed",
        offset=at,
        length=len(text) - at,
        suggestion=f"add a {sign} at its end",
    )


class Reader:
    """Tokens taken one by one."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._last = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        """The token that comes next; at the end it is END."""
        return self._tokens[self._at]

    @property
    def last(self) -> Token:
        """The token that was taken last."""
        return self._tokens[self._last]

    @property
    def following(self) -> Token:
        """The token behind the next one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go on."""
        token, self._last = self.next, self._at
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def put_back(self, token: Token) -> None:
        """Let `token` come next instead of the one that was taken."""
        self._at -= 1
        self._tokens[self._at] = token

    def missing(self) -> QueryError:
        """Return the error for what was taken last, where something to look for should be."""
        token, before = self.last, self._tokens[max(0, self._last - 1)]
        if token.kind in (Kind.END, Kind.CLOSE) and before is not token:
            return wrong(before, f"after {before.text} something to look for is missing")
        return wrong(token, f"before {token.text} something to look for is missing")

    @contextmanager
    def deeper(self, token: Token) -> Iterator[None]:
        """Read what is nested behind `token`. Raises QueryError where it is nested too deep."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise wrong(token, f"the query is nested more than {MAX_DEPTH} deep")
        yield
        self._depth -= 1

    def close(self, opening: Token) -> None:
        """Take the parenthesis that closes `opening`. Raises QueryError where it is missing."""
        if self.next.kind is not Kind.CLOSE:
            raise wrong(opening, "this parenthesis is not closed", "add a ) at its end")
        self.take()


def wrong(token: Token, message: str, suggestion: str | None = None) -> QueryError:
    """Return an error at the place of `token`."""
    return QueryError(
        message, offset=token.span.offset, length=token.span.length, suggestion=suggestion
    )
