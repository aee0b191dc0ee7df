"""What a translation is made of: pieces of our language that know what they came from. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate

from wirewatch.query.errors import QueryError
from wirewatch.query.limits import MAX_QUERY_CHARS
from wirewatch.query.printing import quoted
from wirewatch.query.tokens import Kind, tokenize
from wirewatch.text.fold import folded
from wirewatch.text.words import has_word


@dataclass(frozen=True, slots=True)
class Note:
    """What has no equivalent here, and what was done instead.

    `offset` and `length` count code points of the text that was translated.
    """

    offset: int
    length: int
    message: str


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the text that is translated."""

    offset: int
    length: int


class Binds(IntEnum):
    """How firmly a part holds together; a looser one needs parentheses inside a firmer one."""

    OR = 0
    AND = 1
    NOT = 2
    NEAR = 3
    ATOM = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the translation: texts, each with the place that it came from."""

    pieces: tuple[tuple[str, Span], ...]
    binds: Binds = Binds.ATOM

    def text(self) -> str:
        """Return the part in our language."""
        return "".join(text for text, _ in self.pieces)

    def within(self, binds: Binds) -> "Part":
        """Return the part so that it can stand where `binds` is the loosest allowed."""
        if self.binds >= binds:
            return self
        return Part((("(", self.first()), *self.pieces, (")", self.last())))

    def first(self) -> Span:
        """Return the place of its first piece."""
        return self.pieces[0][1]

    def last(self) -> Span:
        """Return the place of its last piece."""
        return self.pieces[-1][1]


def joined(parts: Sequence[Part], operator: str, binds: Binds) -> Part:
    """Return `parts` with `operator` between them.

    Raises QueryError for more than could be a query: a part that is written twice, inside of
    another such part, would grow without end.
    """
    if len(parts) == 1:
        return parts[0]
    if sum(len(part.pieces) for part in parts) > MAX_QUERY_CHARS:
        first = parts[0].first()
        message = f"the translation has more than {MAX_QUERY_CHARS} characters"
        raise QueryError(message, offset=first.offset, length=first.length)
    inside = Binds.ATOM if binds is Binds.NEAR else Binds(binds + 1)
    pieces = list(parts[0].within(binds if binds is Binds.NEAR else inside).pieces)
    for part in parts[1:]:
        pieces += [(operator, part.first()), *part.within(inside).pieces]
    return Part(tuple(pieces), binds)


def prefixed(text: str, part: Part, span: Span, binds: Binds = Binds.ATOM) -> Part:
    """Return `part` with `text` right in front of it: a field, a NOT, an ATLEAST."""
    inside = Binds.NOT if binds is Binds.NOT else Binds.ATOM
    return Part(((text, span), *part.within(inside).pieces), binds)


def is_plain(word: str) -> bool:
    """Say whether our language reads `word` as one word and nothing else."""
    kinds = [token.kind for token in tokenize(word)]
    return kinds[:1] == [Kind.WORD] and kinds[1] is Kind.END and not {"*", "?"} & set(word)


def can_be_found(text: str) -> bool:
    """Say whether there is a word in `text`."""
    return has_word(folded(text))


def word(text: str, span: Span) -> Part:
    """Return a word; in quotes where our language would read something else in it."""
    return Part(((text if is_plain(text) else quoted(text), span),))


def phrase(text: str, span: Span) -> Part:
    """Return words one after the other."""
    return Part(((quoted(text), span),))


def in_original(part: Part, error: QueryError) -> QueryError:
    """Return `error`, found in the text of `part`, with its place in the original."""
    ends = accumulate(len(text) for text, _ in part.pieces)
    last = error.offset + max(1, error.length)
    touched = list(_touched(part, ends, error.offset, last)) or [part.last()]
    offset = min(span.offset for span in touched)
    end = max(span.offset + span.length for span in touched)
    return QueryError(
        error.message, offset=offset, length=end - offset, suggestion=error.suggestion
    )


def _touched(part: Part, ends: Iterator[int], begin: int, end: int) -> Iterator[Span]:
    for (text, span), piece_end in zip(part.pieces, ends, strict=True):
        if piece_end - len(text) < end and piece_end > begin:
            yield span
