"""Read a query: a recursive-descent parser with exact positions. Pure.

or      = and { "OR" and }
and     = unary { [ "AND" ] unary }
unary   = ( "NOT" | "-" ) unary | primary
primary = "(" or ")" | phrase | field ( word | phrase ) | word
"""

import unicodedata

import regex

from wirewatch.entities.catalogue import Catalogue, UnknownName
from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_DEPTH, MAX_LEAVES, MAX_QUERY_CHARS
from wirewatch.query.tokens import Kind, Token, tokenize
from wirewatch.query.tree import And, EntityLeaf, Not, Or, Phrase, Query, TopicLeaf, Word
from wirewatch.text.fold import fold
from wirewatch.text.words import has_word

FIELDS = ("entity", "topic")
# What is written for operators to come must not mean something else today.
_RESERVED = regex.compile(r"=.+|.+\*|(?:NEAR|ATLEAST)/\d+", regex.DOTALL)
_STARTS = {Kind.WORD, Kind.PHRASE, Kind.FIELD, Kind.MINUS, Kind.OPEN}


def parse(text: str, catalogue: Catalogue) -> Query:
    """Return the query that `text` says.

    Raises QueryError, with the place and where possible a suggestion, for
    anything that is not a query, is over a limit of `query.limits`, names an
    unknown entity or topic, or asks only for what must not be there.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(
            f"the query has {len(text)} characters, {MAX_QUERY_CHARS} are allowed",
            offset=MAX_QUERY_CHARS,
            length=len(text) - MAX_QUERY_CHARS,
        )
    query = _Parser(tokenize(text), catalogue).whole()
    if not _asks_for_something(query):
        raise QueryError(
            "the query only says what must not be there and would match nearly every article",
            offset=0,
            length=max(1, len(text)),
            suggestion="add a word, an entity or a topic that must be there",
        )
    return query


def _asks_for_something(query: Query) -> bool:
    """Say whether no article can match without some positive leaf."""
    match query:
        case And(parts):
            return any(map(_asks_for_something, parts))
        case Or(parts):
            return all(map(_asks_for_something, parts))
        case Not(part):
            return _denies_something(part)
        case _:
            return True


def _denies_something(query: Query) -> bool:
    """Say whether the negation of `query` needs some positive leaf."""
    match query:
        case And(parts):
            return all(map(_denies_something, parts))
        case Or(parts):
            return any(map(_denies_something, parts))
        case Not(part):
            return _asks_for_something(part)
        case _:
            return False


class _Parser:
    def __init__(self, tokens: list[Token], catalogue: Catalogue) -> None:
        self._tokens = tokens
        self._catalogue = catalogue
        self._at = 0
        self._leaves = 0
        self._depth = 0

    def _look(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._look()
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        if self._look().kind is Kind.OPERATOR and self._look().text == text:
            self._at += 1
            return True
        return False

    def whole(self) -> Query:
        if self._look().kind is Kind.END:
            raise QueryError("the query is empty", offset=0, suggestion="write a word to look for")
        query = self._or()
        rest = self._look()
        if rest.kind is Kind.CLOSE:
            raise _at(rest, "this parenthesis was never opened", "remove it")
        if rest.kind is not Kind.END:
            raise self._unexpected()
        return query

    def _or(self) -> Query:
        parts = [self._and()]
        while self._takes("OR"):
            parts.append(self._and())
        return _joined(Or, parts)

    def _and(self) -> Query:
        parts = [self._unary()]
        while self._takes("AND") or self._goes_on():
            parts.append(self._unary())
        return _joined(And, parts)

    def _goes_on(self) -> bool:
        is_not = self._look().kind is Kind.OPERATOR and self._look().text == "NOT"
        return is_not or self._look().kind in _STARTS

    def _unary(self) -> Query:
        if self._takes("NOT"):
            return self._negated()
        if self._look().kind is Kind.MINUS:
            self._take()
            return self._negated()
        return self._primary()

    def _negated(self) -> Query:
        self._enter(self._look())
        part = self._unary()
        self._depth -= 1
        return Not(part)

    def _primary(self) -> Query:
        token = self._look()
        if token.kind is Kind.OPEN:
            return self._group()
        if token.kind not in _STARTS:
            raise self._unexpected()
        self._take()
        self._leaves += 1
        if self._leaves > MAX_LEAVES:
            raise _at(token, f"the query has more than {MAX_LEAVES} terms", None)
        if token.kind is Kind.FIELD:
            return self._field(token)
        return _plain(token)

    def _group(self) -> Query:
        opening = self._take()
        self._enter(opening)
        query = self._or()
        self._depth -= 1
        if self._look().kind is not Kind.CLOSE:
            raise _at(opening, "this parenthesis is not closed", "add a ) at its end")
        self._take()
        return query

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _at(token, f"the query is nested more than {MAX_DEPTH} deep", None)

    def _field(self, field: Token) -> Query:
        name = field.text.lower()
        if name not in FIELDS:
            known = " and ".join(f"{known}:" for known in FIELDS)
            raise _at(field, f"there is no field {field.text}:", f"there are {known}")
        value = self._look()
        is_behind = value.offset == field.offset + field.length
        if value.kind not in {Kind.WORD, Kind.PHRASE} or not is_behind:
            raise _at(field, f"{name}: needs a name right behind it", f'{name}:"…"')
        self._take()
        try:
            if name == "topic":
                return TopicLeaf(self._catalogue.resolve_topic(value.text).id, value.text)
            return EntityLeaf(self._catalogue.resolve(value.text).id, value.text)
        except UnknownName as error:
            meant = ", ".join(error.suggestions)
            raise _at(
                value,
                f"there is no {name} “{value.text}”",
                f"did you mean {meant}?" if meant else None,
            ) from error

    def _unexpected(self) -> QueryError:
        token = self._look()
        before = self._tokens[self._at - 1] if self._at else None
        if before is not None and before.kind in {Kind.OPERATOR, Kind.MINUS, Kind.OPEN}:
            return _at(before, f"after {before.text} something to look for is missing", None)
        if token.kind is Kind.OPERATOR:
            return _at(token, f"before {token.text} something to look for is missing", None)
        return _at(token, f"{token.text or 'the end'} does not belong here", None)


def _plain(token: Token) -> Query:
    if token.kind is Kind.WORD and _RESERVED.fullmatch(token.text):
        what = f"{token.text} is an operator that does not exist yet"
        raise _at(token, what, f'in quotes it is searched for as it stands: "{token.text}"')
    # Asked of the folded text: what folds to nothing (a tatweel, an accent) cannot be found.
    if not has_word(fold(token.text).folded):
        what = token.text or "this phrase"
        raise _at(token, f"there is no word in {what}", "write one or drop it")
    text = unicodedata.normalize("NFC", token.text)
    return Word(text) if token.kind is Kind.WORD else Phrase(text)


def _joined(kind: type[And] | type[Or], parts: list[Query]) -> Query:
    if len(parts) == 1:
        return parts[0]
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def _at(token: Token, message: str, suggestion: str | None) -> QueryError:
    return QueryError(
        message, offset=token.offset, length=max(1, token.length), suggestion=suggestion
    )
