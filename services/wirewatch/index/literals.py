"""A query as clauses of literals: conjunctive normal form, with what is dear put off. Pure.

Some leaves are known for every article of a batch with one look-up (`is_cheap`): a word, a
phrase, a name, a filter. They are numbers: their feature × 2, plus 1 where they are denied.
Others (NEAR, ATLEAST, words of several parts) are asked only where all cheap clauses hold; of
each the cheap clauses that must hold are known, and take its place until then.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from wirewatch.query.sought import parts_of
from wirewatch.query.tree import (
    And,
    AtLeast,
    EntityLeaf,
    Exact,
    Filter,
    Leaf,
    Near,
    Not,
    Or,
    Phrase,
    Placed,
    Prefix,
    Query,
    TopicLeaf,
    Word,
    inner_leaves,
)
from wirewatch.text.words import is_one_word

MAX_CLAUSES = 48
"""Clauses of a query. What would grow beyond (an OR of many ANDs) is asked as a whole."""
MAX_LITERALS = 512


_DEAR = -1
_KNOWN = 65_536
"""Leaves whose feature is at hand."""


class Dear(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A leaf, or a part of a query, that is dear to ask for or (not `wanted`) to deny."""

    part: Query
    wanted: bool


Literal = int | Dear
Clause = tuple[Literal, ...]
"""At least one literal holds."""
CheapClause = tuple[int, ...]


encode_clauses = msgspec.msgpack.Encoder().encode
"""Clauses with something dear as bytes: a tenth of the memory."""
decode_clauses = msgspec.msgpack.Decoder(tuple[Clause, ...]).decode


class Clauses(msgspec.Struct, frozen=True, gc=False):
    """A query: it holds where all of `cheap` and all of `dear` hold."""

    cheap: tuple[CheapClause, ...]
    dear: tuple[Clause, ...]


def is_cheap(part: Query) -> bool:
    """Say whether `part` is known for every article of a batch."""
    match part:
        case Word(text) | Prefix(text):
            return is_one_word(text) or _is_one_look_up(text)
        case EntityLeaf() | TopicLeaf() | Filter():
            return True
        case Phrase(text):
            return is_row(text)
        case Exact(text):
            return len(parts_of(text)) == 1
        case _:
            return False


def _is_one_look_up(text: str) -> bool:
    parts = parts_of(text)
    return len(parts) == 1 or (all(part.is_unspaced for part in parts) and is_row(text))


def is_row(text: str) -> bool:
    """Say whether the words of a leaf's `text` follow one another without a gap."""
    return all(part.offset == number for number, part in enumerate(parts_of(text)))


class Compiler:
    """Turns queries into clauses. `number` gives the feature of a cheap leaf."""

    def __init__(self, number: Callable[[Leaf], int]) -> None:
        self._number_of = number
        self._known: dict[Query, int] = {}
        self._met_dear = False

    def clauses(self, query: Query) -> Clauses:
        """Return the clauses of `query`. Where it asks for anything, one of them only asks."""
        self._met_dear = False
        whole = self._normal(query, wanted=True)
        if _is_too_much(whole):
            whole, self._met_dear = [(Dear(query, wanted=True),)], True
        if self._met_dear:
            self._number_inside(query)
        else:
            return Clauses(tuple(dict.fromkeys(whole)), ())  # type: ignore[arg-type]  # ints alone
        cheap: dict[Clause, None] = {}
        dear: dict[Clause, None] = {}
        for clause in whole:
            if all(type(literal) is int for literal in clause):
                cheap[clause] = None
            else:
                dear[clause] = None
                cheap |= dict.fromkeys(self._implied(clause))
        return Clauses(tuple(cheap), tuple(dear))  # type: ignore[arg-type]  # of ints alone

    def _normal(self, query: Query, *, wanted: bool) -> list[Clause]:
        kind = type(query)
        if kind is And or kind is Or:
            if (kind is And) is wanted:
                return [c for part in query.parts for c in self._normal(part, wanted=wanted)]  # type: ignore[union-attr]
            return self._product(query, query.parts, wanted=wanted)  # type: ignore[union-attr]
        if kind is Not:
            return self._normal(query.part, wanted=not wanted)  # type: ignore[union-attr]
        number = self._number(query)
        if number != _DEAR:
            return [(number << 1 | (not wanted),)]
        self._met_dear = True
        return [(Dear(query, wanted),)]

    def _number(self, leaf: Query) -> int:
        """Return the feature of a leaf, _DEAR if it has none."""
        number = self._known.get(leaf)
        if number is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            number = self._number_of(leaf) if is_cheap(leaf) else _DEAR  # type: ignore[arg-type]
            self._known[leaf] = number
        return number

    def _product(self, query: Query, parts: Sequence[Query], *, wanted: bool) -> list[Clause]:
        """Return the clauses of alternatives: one of each, in all ways."""
        product: list[Clause] = [()]
        for part in parts:
            clauses = self._normal(part, wanted=wanted)
            if len(product) * len(clauses) > MAX_CLAUSES:
                self._met_dear = True
                return [(Dear(query, wanted),)]
            product = [one + other for one in product for other in clauses]
        if _is_too_much(product):
            self._met_dear = True
            return [(Dear(query, wanted),)]
        unique = (tuple(dict.fromkeys(clause)) for clause in product)
        return [clause for clause in unique if not _is_always_true(clause)]

    def _number_inside(self, query: Query) -> None:
        """Give all leaves their features, those in clauses that fell away too.

        Their places are asked for while a batch is in hand, when no feature may be new.
        """
        for leaf in inner_leaves(query):
            if is_cheap(leaf):
                self._number(leaf)

    def _implied(self, clause: Clause) -> Iterator[CheapClause]:
        """Yield cheap clauses that hold wherever `clause` does."""
        if any(isinstance(literal, Dear) and not literal.wanted for literal in clause):
            return
        choices: list[Sequence[CheapClause]] = [
            self._needs(literal.part) if isinstance(literal, Dear) else [(literal,)]
            for literal in clause
        ]
        if len(choices) == 1:
            yield from choices[0]
        elif all(choices):
            yield _either(choices)

    def _needs(self, part: Query) -> Sequence[CheapClause]:
        """Return cheap clauses that only ask, and hold wherever `part` does."""
        match part:
            case Near(left, right):
                return [*self._asked(left), *self._asked(right)]
            case AtLeast(_, inner):
                return self._asked(inner)
            case Word(text) | Phrase(text) | Exact(text) | Prefix(text):
                return [(self._number(leaf) << 1,) for leaf in _parts(part, text)]
            case _:
                return self._asked(part)

    def _asked(self, query: Query | Placed, *, wanted: bool = True) -> Sequence[CheapClause]:
        match query:
            case Not(part):
                return self._asked(part, wanted=not wanted)
            case And(parts) | Or(parts):
                each = [self._asked(part, wanted=wanted) for part in parts]
                if isinstance(query, And) is wanted:
                    return [clause for clauses in each for clause in clauses]
                return [_either(each)] if all(each) else []
            case _ if not wanted:
                return []
            case _ if is_cheap(query):
                return [(self._number(query) << 1,)]
            case _:
                return self._needs(query)


def _either(choices: Sequence[Sequence[CheapClause]]) -> CheapClause:
    """Return a clause that holds where one of `choices` does: of each the shortest will do.

    The newest of these: what few queries ask for is likelier to be rare.
    """
    picked = [min(clauses, key=lambda clause: (len(clause), -clause[0])) for clauses in choices]
    return tuple(dict.fromkeys(literal for clause in picked for literal in clause))


def _parts(leaf: Query, text: str) -> Sequence[Leaf]:
    """Return cheap leaves that hold wherever a leaf of several words does."""
    field = leaf.field  # type: ignore[union-attr]  # a leaf of text has one
    if isinstance(leaf, Exact) and is_row(text):
        return [Phrase(text, field)]
    kind = Word if isinstance(leaf, Word) else Phrase
    *before, last = parts_of(text)
    ending = Prefix if isinstance(leaf, Prefix) else kind
    return [*(kind(part.written, field) for part in before), ending(last.written, field)]


def _is_too_much(clauses: Sequence[Clause]) -> bool:
    return len(clauses) > MAX_CLAUSES or sum(map(len, clauses)) > MAX_LITERALS


def _is_always_true(clause: Clause) -> bool:
    return any(
        (literal ^ 1 if isinstance(literal, int) else Dear(literal.part, not literal.wanted))
        in clause
        for literal in clause
    )
