"""The limits of a query."""

MAX_QUERY_CHARS = 4_096
MAX_LEAVES = 256
MAX_DEPTH = 32
