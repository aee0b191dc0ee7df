"""The boolean dialects of media-monitoring tools. Pure.

Operators in capitals or not; NEAR binds before NOT, NOT before AND, AND before OR.
"""

import re

from wirewatch.query.dialects import names
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
from wirewatch.query.dialects.phrases import (
    exactly,
    gapped,
    is_wild,
    prefix,
    stump,
    with_prefixes,
    within_distance,
)
from wirewatch.query.dialects.proximity import proximity
from wirewatch.query.dialects.scan import Kind, Reader, Token, scan, wrong
from wirewatch.query.limits import MAX_COUNT
from wirewatch.query.tokens import DASHES

_OPERATORS = {
    **dict.fromkeys(("and", "&", "&&"), "and"),
    **dict.fromkeys(("or", "||"), "or"),
    **dict.fromkeys(("not", "andnot", "butnot"), "not"),
}
_FIELD = re.compile(r"([a-z_-]+)[=:<>]+", re.IGNORECASE)
_AT_LEAST = re.compile(r"at_?least/?(\d+)", re.IGNORECASE)
_SLOP = re.compile(r"~(\d+)\Z")
_STARTS = (Kind.WORD, Kind.PHRASE, Kind.CASED, Kind.OPEN)


class Boolean:
    """Translates one query; `notes` are complete afterwards."""

    def __init__(self, text: str) -> None:
        self._reader = Reader(scan(text))
        self.notes: list[Note] = []
        self._has_neighbours = False

    def whole(self) -> Part | None:
        """Return the translation; None if nothing is left."""
        if self._reader.next.kind is Kind.END:
            return None
        part = self._or()
        rest = self._reader.next
        if rest.kind is Kind.CLOSE:
            raise wrong(rest, "this parenthesis was never opened", "remove it")
        if rest.kind is not Kind.END:
            raise wrong(rest, f"{rest.text} does not belong here")
        return part

    def _or(self) -> Part | None:
        parts = [self._and()]
        first = self._reader.next
        while _operator(self._reader.next) == "or":
            self._reader.take()
            parts.append(self._and())
        kept = [part for part in parts if part is not None]
        if len(kept) > 1 and any(part.binds is Binds.AND for part in kept):
            self._note(first, "AND binds before OR here; LexisNexis reads OR first: use ( )")
        return joined(kept, " OR ", Binds.OR) if kept else None

    def _and(self) -> Part | None:
        parts = [self._not()]
        while (token := self._reader.next).kind in _STARTS and _operator(token) != "or":
            operator = _operator(token)
            if operator == "not" and proximity(self._reader.following.text):
                parts.append(self._not_near(parts[-1]))
                continue
            if operator == "and":
                self._reader.take()
            elif operator is None:
                self._note_neighbours(token)
            parts.append(self._not())
        kept = [part for part in parts if part is not None]
        return joined(kept, " AND ", Binds.AND) if kept else None

    def _note_neighbours(self, token: Token) -> None:
        if _is_bare(token) and _is_bare(self._reader.last) and not self._has_neighbours:
            self._has_neighbours = True
            self._note(token, "words side by side: all have to be there, in any place; use quotes")

    def _not(self) -> Part | None:
        token = self._reader.next
        if _operator(token) == "not":
            self._reader.take()
            return self._negated(Span(token.span.offset, token.span.length), token)
        is_word = token.kind is Kind.WORD
        if is_word and token.text[0] in DASHES and (
            len(token.text) > 1 or self._reader.following.touches
        ):  # fmt: skip
            self._reader.take()
            if len(token.text) > 1:
                self._reader.put_back(token.rest(1))
            return self._negated(Span(token.span.offset, 1), token)
        return self._near()

    def _negated(self, span: Span, token: Token) -> Part | None:
        with self._reader.deeper(token):
            part = self._not()
        return part and prefixed("NOT ", part, span, Binds.NOT)

    def _not_near(self, left: Part | None) -> Part | None:
        """Translate `a NOT w/5 b`: an a that has no b near it."""
        token = self._reader.take()
        operator = self._reader.take()
        near = proximity(operator.text)
        right = self._near()
        if near is None or right is None or left is None:
            raise wrong(token, "NOT near needs something to look for on both sides")
        self._note(token, f"stricter here: nowhere may both sides stand within {near.operator}")
        both = joined([left, right], f" {near.operator} ", Binds.NEAR)
        return prefixed("NOT ", both.within(Binds.ATOM), token.span, Binds.NOT)

    def _near(self) -> Part | None:
        left = self._unit()
        while self._reader.next.kind is Kind.WORD and (
            near := proximity(self._reader.next.text)
        ):  # fmt: skip
            operator = self._reader.take()
            right = self._unit()
            if left is None or right is None:
                left = left or right
                continue
            if near.note:
                self._note(operator, near.note)
            left = joined([left, right], f" {near.operator} ", Binds.NEAR)
        return left

    def _unit(self) -> Part | None:
        token = self._reader.take()
        if token.kind is Kind.OPEN:
            return self._group(token)
        if token.kind is Kind.PHRASE:
            return self._phrase(token)
        if token.kind is Kind.CASED:
            return self._found(token, exactly(token.text, token.span))
        if token.kind is not Kind.WORD or _operator(token) or proximity(token.text):
            raise self._reader.missing()
        return self._word(token)

    def _group(self, opening: Token) -> Part | None:
        with self._reader.deeper(opening):
            part = self._or()
        self._reader.close(opening)
        behind = self._reader.next
        if behind.touches and _SLOP.fullmatch(behind.text):
            self._note(self._reader.take(), "~ behind a group is left out: use NEAR between words")
        return part and part.within(Binds.ATOM)

    def _phrase(self, token: Token) -> Part | None:
        if slop := _SLOP.search(token.text):
            words = token.text[: slop.start()].split()
            self._note(token, "the words in any order, each near to the one before")
            return within_distance(words, int(slop[1][:4]) + 1, token.span)
        words = token.text.split()
        if "*" in words:
            self._note(token, "* between words stands for 0 to 4 words here")
            return gapped(token.text, token.span)
        if any(map(is_wild, words)) and can_be_found(token.text):
            if not all(is_wild(each) is False or each.endswith("*") for each in words):
                self._note(token, "a ? or * inside a word stands for the rest of the word here")
            return with_prefixes(words, token.span)
        return self._found(token, phrase(token.text, token.span))

    def _word(self, token: Token) -> Part | None:
        text = token.text
        if count := _AT_LEAST.fullmatch(text):
            return self._at_least(token, int(count[1][:6]))
        if self._reader.next.kind is Kind.OPEN and self._reader.next.touches and _is_known(text):
            return self._field(token, text.lower(), self._reader.take())
        if (field := _FIELD.match(text)) and not text[field.end() :].startswith("//"):
            return self._field(token, field[1].lower(), self._value(token, field.end()))
        if text[0] == "!" and len(text) > 1:
            return self._found(token, exactly(text[1:], token.span))
        return self._plain(token, text)

    def _plain(self, token: Token, text: str) -> Part | None:
        begin = stump(text)
        if begin is None or not can_be_found(text):
            return self._found(token, word(text, token.span))
        part = prefix(text, token.span)
        if text[len(begin) :] not in ("*", "!"):
            self._note(
                token, f"read as {part.text()}: a sign inside or for one letter has no equal"
            )
        return part

    def _found(self, token: Token, part: Part) -> Part | None:
        if can_be_found(token.text):
            return part
        self._note(token, "there is no word in it: left out")
        return None

    def _at_least(self, token: Token, count: int) -> Part | None:
        if count > MAX_COUNT:
            self._note(token, f"{MAX_COUNT} is the greatest number")
        with self._reader.deeper(token):
            part = self._unit()
        text = f"ATLEAST/{max(1, min(count, MAX_COUNT))} "
        return part and prefixed(text, part, token.span, Binds.NEAR)

    def _value(self, token: Token, begin: int) -> Token:
        if len(token.text) > begin:
            return token.rest(begin)
        if self._reader.next.kind not in _STARTS:
            raise wrong(token, f"{token.text} needs something behind it")
        return self._reader.take()

    def _field(self, token: Token, name: str, value: Token) -> Part | None:
        if fields := names.TEXTS.get(name):
            part = self._of(value)
            each = [prefixed(f"{field}:", part, token.span) for field in fields if part]
            return joined(each, " OR ", Binds.OR).within(Binds.ATOM) if each else None
        if name in names.FILTERS:
            return self._filter(token, names.FILTERS[name], value)
        if name in names.CASES:
            return self._cased(token, name, " ".join(each.text for each in self._values(value)))
        if name in names.FORMS:
            self._note(token, "a word is found in singular and plural")
            return self._of(value)
        if name in names.DROPPED:
            self._note(token, f"{names.DROPPED[name]}: left out")
            self._values(value)
            return None
        self._note(token, f"there is no field {name}: read as it stands")
        return self._as_it_stands(token, name, value)

    def _as_it_stands(self, token: Token, name: str, value: Token) -> Part | None:
        if value.kind is Kind.OPEN:
            return self._group(value)
        if value.kind is not Kind.WORD:
            return self._of(value)
        return phrase(f"{name}:{value.text}", token.span)

    def _of(self, value: Token) -> Part | None:
        self._reader.put_back(value)
        with self._reader.deeper(value):
            return self._unit()

    def _values(self, value: Token) -> list[Token]:
        """Return the words and phrases of a value; of a group those that OR joins."""
        if value.kind is not Kind.OPEN:
            return [value]
        values: list[Token] = []
        while self._reader.next.kind in (Kind.WORD, Kind.PHRASE, Kind.CASED, Kind.BAR):
            token = self._reader.take()
            if _operator(token) in ("and", "not"):
                raise wrong(token, "here only words or phrases can stand, joined by OR")
            if _operator(token) is None:
                values.append(token)
        self._reader.close(value)
        return values

    def _filter(self, token: Token, field: str, value: Token) -> Part | None:
        parts: list[Part] = []
        for each in self._values(value):
            known = names.filter_value(field, each.text)
            if known is None:
                self._note(each, names.MISSING_VALUE[field])
            else:
                inner = word(known, each.span)
                parts.append(prefixed(f"{field}:", inner, token.span))
        return joined(parts, " OR ", Binds.OR).within(Binds.ATOM) if parts else None

    def _cased(self, token: Token, name: str, text: str) -> Part | None:
        if not can_be_found(text):
            return self._found(token._replace(text=text), phrase(text, token.span))
        if name == "allcaps":
            text = text.upper()
        elif name == "nocaps":
            text = text.lower()
            self._note(token, f"read as {text} in small letters; not found where a sentence begins")
        elif name == "caps":
            text = " ".join(each[:1].upper() + each[1:] for each in text.split())
            self._note(token, f"read as {text}; other capitals are not found")
        return exactly(text, token.span)

    def _note(self, token: Token, message: str) -> None:
        self.notes.append(Note(token.span.offset, token.span.length, message))


def _operator(token: Token) -> str | None:
    if token.kind is Kind.BAR:
        return "or"
    return _OPERATORS.get(token.text.lower()) if token.kind is Kind.WORD else None


def _is_bare(token: Token) -> bool:
    is_word = token.kind is Kind.WORD and can_be_found(token.text)
    return is_word and token.text[0] not in DASHES and _FIELD.match(token.text) is None


def _is_known(name: str) -> bool:
    name = name.lower()
    return any(
        name in known
        for known in (names.TEXTS, names.FILTERS, names.CASES, names.FORMS, names.DROPPED)
    )
