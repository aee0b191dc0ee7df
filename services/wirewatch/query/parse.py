"""Read a query: a recursive-descent parser with exact positions. Pure.

or      = and { "OR" and }
and     = unary { [ "AND" ] unary }
unary   = ( "NOT" | "-" ) unary | near
near    = primary { ( "NEAR/n" | "ONEAR/n" ) primary }
primary = "(" or ")" | "ATLEAST/n" primary | field ( "(" or ")" | value ) | value
value   = word | prefix "*" | phrase | "=" ( word | phrase )
"""

import re
import unicodedata
from functools import lru_cache

from wirewatch.entities.catalogue import Catalogue
from wirewatch.query.errors import QueryError, shown
from wirewatch.query.fields import FIELDS, FILTERS, NAMES, TEXTS, filter_value, unknown_field
from wirewatch.query.limits import (
    MAX_COUNT,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_LEAVES,
    MAX_NEARS,
    MAX_PREFIXES,
    MIN_PREFIX_CHARS,
)
from wirewatch.query.names import ANY, named_leaf, salient
from wirewatch.query.tokens import Kind, Token, require_short, tokenize
from wirewatch.query.tree import (
    SEARCHED,
    And,
    AtLeast,
    Exact,
    Filter,
    Near,
    Not,
    Or,
    Phrase,
    Placed,
    Prefix,
    Query,
    Word,
    fields_of,
    is_placed,
    nears_in,
)
from wirewatch.text.fold import folded
from wirewatch.text.words import has_word, is_one_word, tokens
from wirewatch.topics.alerts import Field

# Tuples: looking into a set would hash a Kind, which costs more than comparing a few.
_UNITS = (Kind.WORD, Kind.PHRASE, Kind.FIELD, Kind.EXACT)
_STARTS = (*_UNITS, Kind.OPEN, Kind.NOT, Kind.AT_LEAST)
_OPERATORS = (Kind.AND, Kind.OR, Kind.NOT, Kind.NEAR, Kind.AT_LEAST)
_VALUES = (Kind.WORD, Kind.PHRASE, Kind.EXACT, Kind.OPEN)
_JOINED = (And, Or)
_TEXTS = {str(field): field for field in TEXTS}
_WILD = re.compile(r"(?<=\w)\?(?=\w)|\*(?!\Z)")


def parse(text: str, catalogue: Catalogue) -> Query:
    """Return the query that `text` says.

    Raises QueryError, with the place and where possible a suggestion, for
    anything that is not a query, is over a limit of `query.limits`, names an
    unknown entity or topic, or asks only for what must not be there.
    """
    require_short(text)
    query = _Parser(tokenize(text), catalogue).whole()
    if not asks_for_something(query):
        raise QueryError(
            "the query only says what must not be there and would match nearly every article",
            offset=0,
            length=max(1, len(text)),
            suggestion="add a word, an entity or a topic that must be there",
        )
    return query


def asks_for_something(query: Query, *, wanted: bool = True) -> bool:
    """Say whether no article can match `query` without some positive leaf.

    With `wanted` false the question is asked of `NOT query`.
    """
    if isinstance(query, Not):
        return asks_for_something(query.part, wanted=not wanted)
    if not isinstance(query, _JOINED):
        return wanted
    any_will_do = isinstance(query, And) is wanted
    asked = (asks_for_something(part, wanted=wanted) for part in query.parts)
    return any(asked) if any_will_do else all(asked)


class _Parser:
    __slots__ = ("_at", "_catalogue", "_depth", "_field", "_leaves", "_next", "_place",
                 "_prefixes", "_tokens")  # fmt: skip

    def __init__(self, tokens: list[Token], catalogue: Catalogue) -> None:
        self._tokens = tokens
        self._catalogue = catalogue
        self._at = 0
        self._next = tokens[0]
        self._leaves = 0
        self._prefixes = 0
        self._depth = 0
        self._field: Token | None = None
        self._place: Field | None = None

    def _take(self) -> Token:
        """Return the next token, which must not be END, and go on."""
        token = self._next
        self._at += 1
        self._next = self._tokens[self._at]
        return token

    def whole(self) -> Query:
        if self._next.kind is Kind.END:
            raise QueryError("the query is empty", offset=0, suggestion="write a word to look for")
        query = self._or()
        rest = self._next
        if rest.kind is not Kind.END:
            raise self._unexpected()
        return query

    def _or(self) -> Query:
        parts = [self._and()]
        while self._next.kind is Kind.OR:
            self._take()
            parts.append(self._and())
        return _joined(Or, parts) if len(parts) > 1 else parts[0]

    def _and(self) -> Query:
        parts = [self._unary()]
        while True:
            kind = self._next.kind
            if kind is Kind.AND:
                self._take()
            elif kind not in _STARTS:
                return _joined(And, parts) if len(parts) > 1 else parts[0]
            parts.append(self._unary())

    def _unary(self) -> Query:
        if self._next.kind is Kind.NOT:
            self._take()
            return self._negated()
        return self._near()

    def _negated(self) -> Query:
        self._enter(self._next)
        part = self._unary()
        self._depth -= 1
        return Not(part)

    def _near(self) -> Query:
        start = self._next
        query = self._primary()
        while self._next.kind is Kind.NEAR:
            operator = self._take()
            distance = _number(operator, MAX_DISTANCE, "a distance in words")
            behind = self._next
            left = _placed(query, start, operator)
            right = _placed(self._primary(), behind, operator)
            near = Near(left, right, distance, operator.text[0] == "O")
            if len(fields_of(near) - {None}) > 1:
                raise _at(operator, "both sides of NEAR have to be in the same field", None)
            if nears_in(near) > MAX_NEARS:
                raise _at(operator, f"at most {MAX_NEARS} NEAR can be joined", None)
            query = near
        return query

    def _primary(self) -> Query:
        kind = self._next.kind
        if kind is Kind.OPEN:
            return self._group()
        if kind is Kind.AT_LEAST:
            return self._at_least()
        if kind is Kind.FIELD:
            return self._scoped(self._take())
        if kind not in _UNITS:
            raise self._unexpected()
        return self._value(self._field)

    def _at_least(self) -> Query:
        operator = self._take()
        count = _number(operator, MAX_COUNT, "a number")
        start = self._next
        self._enter(operator)
        part = self._primary()
        self._depth -= 1
        return AtLeast(count, _placed(part, start, operator))

    def _group(self) -> Query:
        opening = self._take()
        self._enter(opening)
        query = self._or()
        self._depth -= 1
        if self._next.kind is not Kind.CLOSE:
            raise _at(opening, "this parenthesis is not closed", "add a ) at its end")
        self._take()
        return query

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _at(token, f"the query is nested more than {MAX_DEPTH} deep", None)

    def _scoped(self, field: Token) -> Query:
        name = field.text.lower()
        if name not in FIELDS:
            raise unknown_field(field.text, field.offset, field.length)
        outer, place = self._field, self._place
        value = self._next
        names = _takes_names(name, value)
        if outer is not None and not (names and outer.text.lower() in SEARCHED):
            raise _at(field, f"{name}: cannot stand inside {outer.text.lower()}:( )", None)
        if value.kind not in _VALUES or value.offset != field.offset + field.length:
            raise _at(field, f"{name}: needs a name right behind it", f'{name}:"…"')
        if value.kind is not Kind.OPEN:
            return self._value(field)
        self._field, self._place = field, _TEXTS.get(name, place)
        query = self._group()
        self._field, self._place = outer, place
        return query

    def _value(self, field: Token | None) -> Query:
        exact = self._take() if self._next.kind is Kind.EXACT else None
        token = self._take()
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise _at(token, f"the query has more than {MAX_LEAVES} terms", None)
        if field is None:
            return self._text(token, exact, None)
        name = field.text.lower()
        if name in _TEXTS:
            return self._text(token, exact, _TEXTS[name])
        if exact is not None:
            raise _at(exact, f"{name}: takes no =", f"drop the =, {name}: is looked up as a whole")
        if _takes_names(name, token):
            return self._named(name, token)
        return Filter(FILTERS[name], filter_value(name, token))

    def _named(self, name: str, token: Token) -> Query:
        text, mark, part = token.text.rpartition("~")
        if token.kind is Kind.WORD and mark and text:
            token = Token(token.kind, text, token.offset, len(text))
            behind = Token(token.kind, part, token.offset + len(text), len(part) + 1)
        elif self._next.kind is Kind.WORD and self._next.text[0] == "~" and self._is_behind(token):
            behind = self._take()
            part = behind.text[1:]
        else:
            return named_leaf(name, token, self._place, self._catalogue)
        return salient(named_leaf(name, token, self._place, self._catalogue), behind, part)

    def _is_behind(self, token: Token) -> bool:
        return self._next.offset == token.offset + token.length

    def _text(self, token: Token, exact: Token | None, field: Field | None) -> Query:
        text = unicodedata.normalize("NFC", token.text)
        if token.kind is Kind.PHRASE:
            _require_word(token, text)
            return Phrase(text, field) if exact is None else Exact(text, field)
        is_prefix = text.endswith("*")
        if exact is not None and is_prefix:
            raise _at(token, "= takes a whole word, and no *", "drop the = or the *")
        if ("*" in text or "?" in text) and (wild := _WILD.search(text)):
            raise _at(
                token,
                f"{wild.group()} can only stand for the rest of a word, as in nuke*",
                f'write the forms with OR, or in quotes as it stands: "{shown(text)}"',
            )
        if is_prefix:
            return self._prefix(token, text[:-1], field)
        _require_word(token, text)
        return Word(text, field) if exact is None else Exact(text, field)

    def _prefix(self, token: Token, text: str, field: Field | None) -> Query:
        _require_word(token, text)
        self._prefixes += 1
        if self._prefixes > MAX_PREFIXES:
            raise _at(token, f"the query has more than {MAX_PREFIXES} prefixes", None)
        # `C++*` begins no word: between the last word and the * stands a sign.
        ends_in_word = text[-1].isalnum() or tokens(text)[-1].end == len(text)
        if len(folded(text)) < MIN_PREFIX_CHARS or not ends_in_word:
            raise _at(
                token,
                f"{shown(text)}* would stand for too many words",
                f"write at least {MIN_PREFIX_CHARS} letters before the *",
            )
        return Prefix(text, field)

    def _unexpected(self) -> QueryError:
        token = self._next
        before = self._tokens[self._at - 1] if self._at else None
        if before is not None and before.kind in (*_OPERATORS, Kind.OPEN):
            return _at(before, f"after {before.text} something to look for is missing", None)
        if token.kind in _OPERATORS:
            return _at(token, f"before {token.text} something to look for is missing", None)
        # Of all kinds only a ) can neither begin a part nor follow one.
        return _at(token, "this parenthesis was never opened", "remove it")


def _takes_names(field: str, value: Token) -> bool:
    """Say whether `value` is a name; behind `country:` only `any` is, else a code stands there."""
    return field in NAMES or (field == "country" and value.text.lower() == ANY)


def _number(operator: Token, most: int, meaning: str) -> int:
    name, _, digits = operator.text.partition("/")
    if not digits:
        hint = f'{name}/5, or in quotes to look for the word: "{name}"'
        raise _at(operator, f"{name} needs {meaning} behind it", hint)
    number = int(digits) if len(digits) < 6 else most + 1
    if not 1 <= number <= most:
        raise _at(operator, f"{name} takes 1 to {most}", None)
    return number


def _placed(query: Query, start: Token, operator: Token) -> Placed:
    if not is_placed(query):
        name = operator.text.partition("/")[0]
        raise _at(
            start,
            f"{name} takes words, phrases, entities and topics, or some of them joined by OR",
            "join the rest with AND outside",
        )
    return query  # type: ignore[return-value]  # is_placed has told


@lru_cache(maxsize=65_536)
def _is_word(text: str) -> bool:
    # Asked of the folded text: what folds to nothing (a tatweel, an accent) cannot be found.
    return has_word(folded(text))


def _require_word(token: Token, text: str) -> None:
    if not is_one_word(text) and not _is_word(text):
        what = f"this {token.kind}" if token.kind is Kind.PHRASE else shown(token.text)
        raise _at(token, f"there is no word in {what}", "write one or drop it")


def _joined(kind: type[And] | type[Or], parts: list[Query]) -> Query:
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def _at(token: Token, message: str, suggestion: str | None) -> QueryError:
    return QueryError(
        message, offset=token.offset, length=max(1, token.length), suggestion=suggestion
    )
