"""Random queries and articles over a small vocabulary, so that they often meet."""

from hypothesis import strategies as st

from wirewatch.query.tree import And, EntityLeaf, Not, Or, Phrase, Query, TopicLeaf, Word

WORDS = ["earthquake", "earthquakes", "Tōkyō", "tokyo", "running", "runs", "Ärzte", "日本", "地震"]
NAMES = ["North Korea", "Russia", "army", "Nordkoreas"]


def _leaves() -> st.SearchStrategy[Query]:
    return st.one_of(
        st.sampled_from(WORDS).map(Word),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda w: Phrase(" ".join(w))),
        st.sampled_from([EntityLeaf("Q423", "North Korea"), EntityLeaf("Q159", "Russia")]),
        st.just(TopicLeaf("topic:military", "military")),
    )


def _joined(parts: list[Query], kind: type[And] | type[Or]) -> Query:
    """Join as the parser does: no And directly in an And, no Or directly in an Or."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def queries() -> st.SearchStrategy[Query]:
    """Any tree, also such as the parser refuses because they ask for nothing."""
    return st.recursive(
        _leaves(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: _joined(parts, And)),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: _joined(parts, Or)),
            inner.map(Not),
        ),
        max_leaves=6,
    )


def texts() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*WORDS, *NAMES, "the", ","]), max_size=8).map(" ".join)
