"""Google Alerts and Google Search. Pure.

As Google reads it: a space is AND, and OR binds before it.
"""

import re

from wirewatch.query.dialects.parts import (
    Binds,
    Note,
    Part,
    Span,
    can_be_found,
    joined,
    phrase,
    prefixed,
    word,
)
from wirewatch.query.dialects.phrases import GAP_WORDS, gapped, prefix, stump
from wirewatch.query.dialects.scan import Kind, Reader, Token, scan, wrong
from wirewatch.query.limits import MAX_DISTANCE
from wirewatch.query.tokens import DASHES

_FIELD = re.compile(r"([a-z]+):")
_TEXTS = {"intitle": "title:", "inurl": "url:", "intext": "", "inanchor": ""}
_ALL = {"allintitle": "title:", "allinurl": "url:", "allintext": "", "allinanchor": ""}
_DROPPED = {
    "after": "alerts are about what is published from now on",
    "before": "alerts are about what is published from now on",
    "daterange": "alerts are about what is published from now on",
    "filetype": "articles of feeds have no file type",
    "ext": "articles of feeds have no file type",
    "location": "where something happens is not known: name the place, or use country: for "
    "where a source is at home",
    "loc": "where something happens is not known: name the place, or use country: for "
    "where a source is at home",
    **dict.fromkeys(
        ("link", "related", "cache", "info", "define", "stocks", "weather", "map", "movie"),
        "it has no meaning for articles of feeds",
    ),
}


class Google:
    """Translates one query; `notes` are complete afterwards."""

    def __init__(self, text: str) -> None:
        self._reader = Reader(scan(text))
        self.notes: list[Note] = []

    def whole(self) -> Part | None:
        """Return the translation; None if nothing is left."""
        part = self._list()
        if self._reader.next.kind is Kind.CLOSE:
            raise wrong(self._reader.next, "this parenthesis was never opened", "remove it")
        return part

    def _list(self) -> Part | None:
        parts: list[Part] = []
        while (token := self._reader.next).kind not in (Kind.CLOSE, Kind.END):
            if token.text == "AND" and token.kind is Kind.WORD:
                self._reader.take()
            elif (part := self._alternatives()) is not None:
                parts.append(part)
        return joined(parts, " ", Binds.AND) if parts else None

    def _alternatives(self) -> Part | None:
        parts = [self._near()]
        while _is_or(self._reader.next):
            self._reader.take()
            parts.append(self._near())
        kept = [part for part in parts if part is not None]
        return joined(kept, " OR ", Binds.OR) if kept else None

    def _near(self) -> Part | None:
        left = self._unit()
        while self._reader.next.kind is Kind.AROUND:
            operator = self._reader.take()
            right = self._unit()
            if left is None or right is None:
                left = left or right
                continue
            # AROUND counts the words between the two, NEAR from one to the other.
            distance = min(int(re.sub(r"\D", "", operator.text)[:4]) + 1, MAX_DISTANCE)
            self._note(operator, f"the words between are counted: read as NEAR/{distance}")
            left = joined([left, right], f" NEAR/{distance} ", Binds.NEAR)
        return left

    def _unit(self) -> Part | None:
        token = self._reader.take()
        if token.kind in (Kind.END, Kind.CLOSE, Kind.AROUND) or _is_or(token):
            raise self._reader.missing()
        if token.kind is Kind.OPEN:
            return self._group(token)
        if token.kind is Kind.PHRASE:
            return self._phrase(token)
        if token.kind is Kind.CASED:
            self._note(token, "braces mean nothing to Google: read as a phrase")
            return self._found(token, phrase(token.text, token.span))
        return self._word(token)

    def _group(self, opening: Token) -> Part | None:
        with self._reader.deeper(opening):
            part = self._list()
        self._reader.close(opening)
        return part and part.within(Binds.ATOM)

    def _phrase(self, token: Token) -> Part | None:
        text = re.sub(r"~\d+\Z", "", token.text)
        if "*" in text.split():
            self._note(token, f"* stands for 0 to {GAP_WORDS} words here")
            return gapped(text, token.span)
        return self._found(token, phrase(text, token.span))

    def _word(self, token: Token) -> Part | None:
        text = token.text
        if text[0] in DASHES and (len(text) > 1 or self._reader.next.touches):
            return self._negated(token)
        if text == "NOT":
            self._note(token, "Google has no NOT: read as -")
            with self._reader.deeper(token):
                part = self._unit()
            return part and prefixed("-", part, token.span, Binds.NOT)
        if field := _FIELD.match(text.lower()):
            return self._field(token, field[1])
        if text[0] == "+" and len(text) > 1:
            return self._found(token, phrase(text[1:], token.span))
        if text[0] == "~" and len(text) > 1:
            self._note(token, "synonyms are not looked for; topic: knows the words of some themes")
            text = text[1:]
        return self._plain(token, text)

    def _negated(self, token: Token) -> Part | None:
        if len(token.text) > 1:
            self._reader.put_back(token.rest(1))
        with self._reader.deeper(token):
            part = self._unit()
        return part and prefixed("-", part, Span(token.span.offset, 1), Binds.NOT)

    def _plain(self, token: Token, text: str) -> Part | None:
        if stump(text) is not None and "*" in text:
            if not can_be_found(text):
                self._note(token, "* for whole words is left out: it can stand inside a phrase")
                return None
            self._note(token, "Google does not know *: here it stands for the rest of the word")
            return prefix(text, token.span)
        if ".." in text and can_be_found(text):
            self._note(token, "ranges of numbers are not understood: read as a phrase")
            return phrase(text, token.span)
        return self._found(token, word(text, token.span))

    def _found(self, token: Token, part: Part) -> Part | None:
        if can_be_found(token.text):
            return part
        self._note(token, "there is no word in it: left out")
        return None

    def _field(self, token: Token, name: str) -> Part | None:
        if name in _ALL:
            return self._all_in(token, _ALL[name])
        if name in ("site", "source"):
            return self._site(self._value(token, name))
        if name in _TEXTS:
            if not _TEXTS[name]:
                self._note(token, "title, lead and body are searched")
            value = self._value(token, name)
            part = self._phrase(value) if value.kind is Kind.PHRASE else self._of(value)
            return part and prefixed(_TEXTS[name], part, token.span)
        if name in _DROPPED:
            self._note(token, f"{_DROPPED[name]}: left out")
            self._value(token, name)
            return None
        self._note(token, f"{name}: is no operator: read as it stands")
        return self._found(token, phrase(token.text, token.span))

    def _of(self, value: Token) -> Part | None:
        return self._group(value) if value.kind is Kind.OPEN else self._plain(value, value.text)

    def _value(self, token: Token, name: str) -> Token:
        """Return the token with the value of a field, which may stand behind a space."""
        if len(token.text) > len(name) + 1:
            return token.rest(len(name) + 1)
        if self._reader.next.kind not in (Kind.WORD, Kind.PHRASE, Kind.OPEN):
            raise wrong(token, f"{name}: needs a word behind it")
        return self._reader.take()

    def _all_in(self, token: Token, field: str) -> Part | None:
        if len(token.text) > token.text.index(":") + 1:
            self._reader.put_back(token.rest(token.text.index(":") + 1))
        parts: list[Part] = []
        while self._reader.next.kind not in (Kind.CLOSE, Kind.END):
            if _FIELD.match(self._reader.next.text.lower().lstrip(DASHES)):
                break
            if (part := self._alternatives()) is not None:
                parts.append(part)
        return prefixed(field, joined(parts, " ", Binds.AND), token.span) if parts else None

    def _site(self, value: Token) -> Part | None:
        if value.kind is Kind.OPEN:
            raise wrong(value, "site: takes one host", "write site:a.org OR site:b.org")
        host, _, path = value.text.rpartition("://")[2].partition("/")
        source = prefixed(
            "source:", word(host.removeprefix("*").strip("."), value.span), value.span
        )
        if not can_be_found(path):
            return source
        self._note(value, "the path is looked for anywhere in the URL")
        return joined(
            [source, prefixed("url:", phrase(path, value.span), value.span)], " ", Binds.AND
        )

    def _note(self, token: Token, message: str) -> None:
        self.notes.append(Note(token.span.offset, token.span.length, message))


def _is_or(token: Token) -> bool:
    return token.kind is Kind.BAR or (token.kind is Kind.WORD and token.text == "OR")
