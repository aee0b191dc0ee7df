"""A whole index as plain arrays and strings, and back. Pure.

Only what lives is kept, numbered anew. Trees are not kept: what is dear in a query is compiled
from its text again when an article first needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from wirewatch.entities.find import Finder
from wirewatch.index.index import QueryIndex
from wirewatch.index.segment import Rows
from wirewatch.query.tree import Query

LAYOUT = 2
"""Grows with any change to what the arrays or the strings mean."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Frozen:
    """An index as it was at one moment. `slots` are the numbers that its queries had then."""

    slots: NDArray[np.int32]
    arrays: Arrays
    strings: bytes


def freeze(index: QueryIndex) -> Callable[[], Frozen]:
    """Note the state of `index`; return what makes arrays of it, in another thread if need be.

    The first part is quick, the second takes a second for a million queries.
    """
    index.settle()
    rows, alive, dear = index.rows(), index.alive().copy(), index.dear_slots().copy()
    vocabulary = index.vocabulary.state()
    row_arrays = index.vocabulary.rows.state()
    seen, articles = index.frequencies.state()
    ids = index.ids.frozen()

    def make() -> Frozen:
        whole = rows()
        whole = whole.chosen(alive[whole.slots])
        order = np.argsort(whole.slots, kind="stable")
        id_bytes, id_ends = ids(whole.slots[order])
        new_slots = np.empty(len(whole), np.int32)
        new_slots[order] = np.arange(len(whole), dtype=np.int32)
        arrays: Arrays = {
            "slots": new_slots,
            "clause_ends": whole.clause_ends,
            "literal_ends": whole.literal_ends,
            "literals": whole.literals,
            "dear": dear[whole.slots[order]],
            "ids": np.frombuffer(id_bytes, np.uint8),
            "id_ends": id_ends,
            "seen": seen,
            "articles": np.asarray([articles], np.int64),
            **{f"rows_{name}": array for name, array in row_arrays.items()},
        }
        return Frozen(whole.slots[order], arrays, msgspec.msgpack.encode(vocabulary))

    return make


def thaw(
    arrays: Arrays, strings: bytes, finder: Finder, recall: Callable[[int], Query]
) -> QueryIndex:
    """Return the index that was frozen. `recall` gives the query of a slot when it is needed.

    Raises ValueError, KeyError or msgspec.DecodeError for what is no frozen index.
    """
    index = QueryIndex(finder, recall)
    index.vocabulary.restore(strings)
    index.vocabulary.rows.restore(
        {name.removeprefix("rows_"): a for name, a in arrays.items() if name.startswith("rows_")}
    )
    index.frequencies.restore(arrays["seen"], int(arrays["articles"][0]))
    rows = Rows(arrays["slots"], arrays["clause_ends"], arrays["literal_ends"], arrays["literals"])
    index.adopt(rows, arrays["ids"].tobytes(), arrays["id_ends"], arrays["dear"])
    return index
