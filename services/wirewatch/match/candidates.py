"""Find the subscriptions that an article may satisfy, without asking each. Pure.

A query is anchored on one clause of leaves of which at least one must be in the
article: the clause that looks rarest. An article brings its features, and the
postings of those lead to the candidates. Every subscription that matches is
among them; not every one of them matches.
"""

from collections import defaultdict
from collections.abc import Iterator

from wirewatch.query.explain import sought
from wirewatch.query.reading import Reading
from wirewatch.query.tree import And, EntityLeaf, Leaf, Not, Or, Query, TopicLeaf, Word
from wirewatch.text.stem import stem
from wirewatch.text.words import is_unspaced

Clause = tuple[Leaf, ...]


def clauses(query: Query) -> list[Clause]:
    """Return clauses of positive leaves; an article that matches has a leaf of each."""
    match query:
        case And(parts):
            return [clause for part in parts for clause in clauses(part)]
        case Or(parts):
            alternatives = [clauses(part) for part in parts]
            if not all(alternatives):
                return []
            cheapest = [min(found, key=cost) for found in alternatives]
            return [tuple(leaf for clause in cheapest for leaf in clause)]
        case Not(part):
            return _denied(part)
        case _:
            return [(query,)]


def _denied(query: Query) -> list[Clause]:
    """Return the clauses of NOT `query`."""
    match query:
        case And(parts):
            return clauses(Or(tuple(Not(part) for part in parts)))
        case Or(parts):
            return clauses(And(tuple(Not(part) for part in parts)))
        case Not(part):
            return clauses(part)
        case _:
            return []


def cost(clause: Clause) -> float:
    """Return a guess of how many articles have a leaf of `clause`: short words are frequent."""
    return sum(_leaf_cost(leaf) for leaf in clause)


def _leaf_cost(leaf: Leaf) -> float:
    match leaf:
        case TopicLeaf():
            return 0.3
        case EntityLeaf():
            return 0.1
        case _:
            return 1.0 / max(1, len(leaf.text)) ** 2


class CandidateIndex:
    """Postings from features to subscriptions.

    Entities and themes are features as they are, texts of scripts without
    spaces as substrings. A word's feature is its stem, which depends on the
    article's language: postings of a language are made when it is first met.
    A phrase's feature is its first word as written.
    """

    def __init__(self) -> None:
        self._anchors: dict[str, Clause] = {}
        self._always: set[str] = set()
        self._entities: defaultdict[str, set[str]] = defaultdict(set)
        self._substrings: defaultdict[str, set[str]] = defaultdict(set)
        self._words: defaultdict[str, set[str]] = defaultdict(set)
        self._stemmed: defaultdict[str, set[str]] = defaultdict(set)
        self._stems: dict[str, defaultdict[str, set[str]]] = {}

    def __len__(self) -> int:
        return len(self._anchors)

    def put(self, subscription_id: str, query: Query) -> None:
        """Add or replace a subscription."""
        self.remove(subscription_id)
        found = clauses(query)
        anchor = min(found, key=cost) if found else ()
        self._anchors[subscription_id] = anchor
        if not anchor:
            self._always.add(subscription_id)
        for postings, feature in self._features(anchor):
            postings[feature].add(subscription_id)

    def remove(self, subscription_id: str) -> None:
        """Remove a subscription, if it is there."""
        anchor = self._anchors.pop(subscription_id, None)
        if anchor is None:
            return
        self._always.discard(subscription_id)
        for postings, feature in self._features(anchor):
            postings[feature].discard(subscription_id)
            if not postings[feature]:
                del postings[feature]

    def _features(self, anchor: Clause) -> Iterator[tuple[defaultdict[str, set[str]], str]]:
        for leaf in anchor:
            if isinstance(leaf, EntityLeaf | TopicLeaf):
                yield self._entities, leaf.entity_id
                continue
            folded, words = sought(leaf.text)
            if is_unspaced(folded):
                yield self._substrings, "".join(folded.split())
            elif isinstance(leaf, Word) and len(words) == 1:
                yield self._stemmed, words[0]
                for language, postings in self._stems.items():
                    yield postings, stem(words[0], language)
            else:
                yield self._words, words[0]

    def candidates(self, reading: Reading) -> set[str]:
        """Return the ids of the subscriptions that `reading` may satisfy."""
        found = set(self._always)
        for entity_id in reading.mentions:
            found |= self._entities.get(entity_id, set())
        stems = self._stems_of(reading.language)
        for field in reading.fields:
            for word in field.by_word.keys() & self._words.keys():
                found |= self._words[word]
            for word in field.by_stem.keys() & stems.keys():
                found |= stems[word]
            for text, subscriptions in self._substrings.items():
                if text in field.folded.folded:
                    found |= subscriptions
        return found

    def _stems_of(self, language: str) -> defaultdict[str, set[str]]:
        if language not in self._stems:
            postings: defaultdict[str, set[str]] = defaultdict(set)
            for word, subscriptions in self._stemmed.items():
                postings[stem(word, language)] |= subscriptions
            self._stems[language] = postings
        return self._stems[language]
