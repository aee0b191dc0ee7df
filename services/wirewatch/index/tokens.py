"""The words that articles are made of, each looked at once. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wirewatch.index.arrays import Growing, HashTable, Ints, Longs, Words64
from wirewatch.index.batch import Cut
from wirewatch.index.kernels import kernels
from wirewatch.index.vocabulary import Fresh, Vocabulary
from wirewatch.text.fold import folded_each
from wirewatch.text.stem import COMPOUNDING, HAVING_MORE_FORMS, NO_ALGORITHM, stems_by

MAX_TOKENS = 600_000
"""Words kept, some 60 bytes each; beyond, all are forgotten and met anew."""
_COUNT_BITS = 20
"""Where a word's features begin and how many it has are one number: one look-up, not two."""
_CHARACTER = -1
"""The algorithm of a character of a script without spaces."""
_BEGINNING = 2
"""Letters by which words are found again that may begin with a new prefix."""


class TokenTable:
    """Remembers the features of each word of an article, by its hash."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.generation = 0
        self.forget()

    def forget(self) -> None:
        """Forget all words: their numbers mean nothing any more."""
        self.generation += 1
        self._table = HashTable()
        self._held = Growing(np.int64)
        self._masks = Growing(np.uint64)
        self._in_rows = Growing(np.int32)
        self._features = Growing(np.int32)
        self._hashes = Growing(np.uint64)
        # What may change the features of a word that was met: see `refresh`.
        self._folded = Growing(np.int64)
        self._stemmed = Growing(np.int64)
        self._begins = Growing(np.int64)
        self._algorithms = Growing(np.int16)
        self._algorithm_numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        grown = (self._held, self._masks, self._in_rows, self._features, self._hashes)
        marks = (self._folded, self._stemmed, self._begins, self._algorithms)
        return self._table.nbytes + sum(each.nbytes for each in (*grown, *marks))

    def numbers(self, cut: Cut) -> Ints:
        """Return the number of each word of `cut`; those not met before are looked at."""
        tokens = self._find(cut)
        if (missing := np.flatnonzero(tokens < 0)).size:
            self._meet(cut, missing)
            tokens = self._find(cut)
        return tokens

    def _find(self, cut: Cut) -> Ints:
        found: Ints = kernels.find(self._table.keys, self._table.values, cut.hashes)
        return found

    def in_rows(self, tokens: Ints) -> Ints:
        """Return the numbers that words have in rows, 0 for none."""
        found: Ints = self._in_rows.view[tokens]
        return found

    def mark(self, planes: Words64, tokens: Ints, articles: Longs, scope: Ints) -> None:
        """Set the planes of the features of words: see `kernels_numpy.mark`."""
        pool, held, masks = self._features.view, self._held.view, self._masks.view
        kernels.mark(planes, tokens, articles, held, _COUNT_BITS, pool, scope, masks)

    def occurrences(self, tokens: Ints, features: Sequence[int], size: int) -> Longs:
        """Return where `features`, of `size` that there are, stand: see `kernels_numpy`."""
        wanted = np.zeros(size, np.bool_)
        wanted[features] = True
        found: Longs = kernels.occurrences(
            tokens, self._held.view, _COUNT_BITS, self._features.view, wanted
        )
        return found

    def _meet(self, cut: Cut, missing: Longs) -> None:
        if len(self) + len(missing) > MAX_TOKENS:
            self.forget()
            missing = np.arange(len(cut.hashes))
        _, first = np.unique(cut.hashes[missing], return_index=True)
        at = missing[first]
        owners = np.searchsorted(cut.bounds, at, side="right") - 1
        salts = np.asarray([self._number(text.algorithm) for text in cut.texts])
        kinds = np.where(cut.unspaced[at], _CHARACTER, salts[owners])
        names = {number: name for name, number in self._algorithm_numbers.items()}
        for kind in sorted(set(kinds.tolist())):
            own = at[kinds == kind]
            self._keep(cut.written(own), cut.hashes[own], kind, names.get(kind, NO_ALGORITHM))

    def _keep(self, written: Sequence[str], hashes: Words64, kind: int, algorithm: str) -> None:
        folds, stems = folded_each(written), stems_by(written, algorithm)
        # Characters of scripts without spaces are in no word of a query: they make rows.
        forms = ((), ()) if kind == _CHARACTER else (folds, stems)
        found = self._vocabulary.of_tokens(written, folds, forms, algorithm)
        begin, count = len(self), len(found)
        sizes = np.fromiter((len(each.features) for each in found), np.int64, count)
        starts = len(self._features) + np.cumsum(sizes) - sizes
        self._held.extend((starts << _COUNT_BITS) | sizes)
        self._features.extend([feature for each in found for feature in each.features])
        self._masks.resize(len(self._held))
        self._in_rows.extend([each.in_rows for each in found])
        self._folded.extend(_hashed(folds))
        self._stemmed.extend(_hashed(stems))
        self._begins.extend(_hashed([word[:_BEGINNING] for word in folds]))
        self._algorithms.extend(np.full(count, kind))
        self._hashes.extend(hashes)
        self._table.put(hashes, np.arange(begin, len(self), dtype=np.int32))

    def _number(self, algorithm: str) -> int:
        return self._algorithm_numbers.setdefault(algorithm, len(self._algorithm_numbers))

    def refresh(self, fresh: Fresh) -> None:
        """Forget the words whose features may have changed by what is new in the vocabulary."""
        if not fresh or not len(self):
            return
        if any(len(prefix) < _BEGINNING for prefix in fresh.prefixes):  # `covid-1*` asks for 1*
            self.forget()
            return
        words = _hashed(fresh.folded)
        stale = _is_in(self._folded.view, words) | _is_in(self._stemmed.view, words)
        begins = _hashed({prefix[:_BEGINNING] for prefix in fresh.prefixes})
        stale |= _is_in(self._begins.view, begins)
        compounds = [self._number(algorithm) for algorithm in COMPOUNDING]
        beginnings = _hashed({word[:_BEGINNING] for word in fresh.folded})
        algorithms = self._algorithms.view
        stale |= np.isin(algorithms, compounds) & _is_in(self._begins.view, beginnings)
        if not all(map(str.isascii, fresh.folded)):
            stale |= np.isin(algorithms, [self._number(each) for each in HAVING_MORE_FORMS])
        for algorithm, stems in fresh.stems.items():
            hashed = _hashed(stems)
            own = algorithms == self._number(algorithm)
            stale |= own & (_is_in(self._folded.view, hashed) | _is_in(self._stemmed.view, hashed))
        gone = self._hashes.view[stale]
        known = kernels.find(self._table.keys, self._table.values, gone)
        gone = gone[known == np.flatnonzero(stale)]
        self._table.put(gone, np.full(len(gone), -1, np.int32))


def _hashed(words: Sequence[str] | set[str]) -> Longs:
    return np.fromiter(map(hash, words), np.int64, len(words))


def _is_in(values: Longs, wanted: Longs) -> NDArray[np.bool_]:
    if not len(wanted):
        return np.zeros(len(values), np.bool_)
    found: NDArray[np.bool_] = np.isin(values, wanted)
    return found
