"""Find the subscriptions that an article may satisfy, without asking each. Pure.

A query is anchored on one clause of leaves of which at least one must be in the
article: the clause that looks rarest. An article brings its features, and the
postings of those lead to the candidates. Every subscription that matches is
among them; not every one of them matches.
"""

from collections import defaultdict
from operator import add

from wirewatch.query.explain import sought, word_forms
from wirewatch.query.reading import Reading
from wirewatch.query.tree import And, EntityLeaf, Leaf, Not, Or, Query, TopicLeaf, Word
from wirewatch.text.stem import algorithm_of
from wirewatch.text.words import is_unspaced

Clause = tuple[Leaf, ...]
_ENTITY = "@"
_PAIR = "~"
"""No word has these characters, so a feature is of one kind only."""


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
    """Postings from features to anchors, and from those to subscriptions.

    What the features of a word are depends on the stemming algorithm of the article's
    language: the postings of an algorithm are made when it is first met.
    """

    def __init__(self) -> None:
        self._anchors: dict[str, Clause] = {}
        self._always: set[str] = set()
        self._subscriptions: dict[Leaf, set[str]] = {}
        self._postings: dict[str, defaultdict[str, set[Leaf]]] = {}

    def __len__(self) -> int:
        return len(self._anchors)

    def put(self, subscription_id: str, query: Query) -> None:
        """Add or replace a subscription."""
        self.remove(subscription_id)
        anchor = min(clauses(query), key=cost, default=())
        self._anchors[subscription_id] = anchor
        if not anchor:
            self._always.add(subscription_id)
        for leaf in anchor:
            if leaf not in self._subscriptions:
                self._post(leaf)
            self._subscriptions.setdefault(leaf, set()).add(subscription_id)

    def remove(self, subscription_id: str) -> None:
        """Remove a subscription, if it is there."""
        self._always.discard(subscription_id)
        for leaf in set(self._anchors.pop(subscription_id, ())):
            self._subscriptions[leaf].discard(subscription_id)
            if not self._subscriptions[leaf]:
                del self._subscriptions[leaf]
                self._unpost(leaf)

    def candidates(self, reading: Reading) -> set[str]:
        """Return the ids of the subscriptions that `reading` may satisfy."""
        found = set(self._always)
        postings = self._postings_by(algorithm_of(reading.language))
        features = _features_in(reading)
        for leaf in {leaf for feature in features & postings.keys() for leaf in postings[feature]}:
            found |= self._subscriptions[leaf]
        return found

    def _post(self, leaf: Leaf) -> None:
        for algorithm, postings in self._postings.items():
            for feature in _features_of(leaf, algorithm):
                postings[feature].add(leaf)

    def _unpost(self, leaf: Leaf) -> None:
        for algorithm, postings in self._postings.items():
            for feature in _features_of(leaf, algorithm):
                postings[feature].discard(leaf)
                if not postings[feature]:
                    del postings[feature]

    def _postings_by(self, algorithm: str) -> defaultdict[str, set[Leaf]]:
        if algorithm not in self._postings:
            postings: defaultdict[str, set[Leaf]] = defaultdict(set)
            for leaf in self._subscriptions:
                for feature in _features_of(leaf, algorithm):
                    postings[feature].add(leaf)
            self._postings[algorithm] = postings
        return self._postings[algorithm]


def _features_of(leaf: Leaf, algorithm: str) -> frozenset[str]:
    """Return features of which an article with `leaf` has at least one.

    Of several words the longest speaks for all, of a text without spaces two characters.
    """
    if isinstance(leaf, EntityLeaf | TopicLeaf):
        return frozenset({_ENTITY + leaf.entity_id})
    wanted = sought(leaf.text)
    if is_unspaced(wanted.folded):
        return frozenset({_PAIR + wanted.folded[:2]})
    longest = max(range(len(wanted.words)), key=lambda at: len(wanted.words[at]))
    if isinstance(leaf, Word):
        return word_forms(leaf.text, algorithm)[longest]
    return frozenset({wanted.words[longest]})


def _features_in(reading: Reading) -> set[str]:
    features = {_ENTITY + entity_id for entity_id in reading.mentions}
    for field in reading.fields:
        features.update(field.by_form)
        text = field.folded.folded
        if is_unspaced(text):
            features.update(_PAIR + character for character in set(text))
            features.update(_PAIR + pair for pair in set(map(add, text, text[1:])))
    return features
