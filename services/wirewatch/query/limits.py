"""The limits of a query."""

MAX_QUERY_CHARS = 4_096
MAX_LEAVES = 256
MAX_DEPTH = 32
MAX_DISTANCE = 50
"""Words of NEAR/n: further apart two words have little to do with one another."""
MAX_NEARS = 3
"""NEAR inside of NEAR: the places of a chain grow with each."""
MAX_COUNT = 100
"""Of ATLEAST/n."""
MIN_PREFIX_CHARS = 2
MAX_PREFIXES = 32
"""Prefixes in one query: each stands for all words that begin so."""
