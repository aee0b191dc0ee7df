"""What can be wrong with a query.

QueryError     where it is wrong, what, and what may have been meant
"""

MAX_SHOWN_CHARS = 40


def shown(text: str) -> str:
    """Return `text` as an error repeats it: in one line, and not at any length."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN_CHARS else line[: MAX_SHOWN_CHARS - 1] + "…"


class QueryError(ValueError):
    """A query that cannot be read. `offset` and `length` count code points of the query."""

    def __init__(
        self, message: str, *, offset: int, length: int = 1, suggestion: str | None = None
    ) -> None:
        self.message = message
        self.offset = offset
        self.length = length
        self.suggestion = suggestion
        super().__init__(f"{message}{f' ({suggestion})' if suggestion else ''}")

    def pointed(self, query: str) -> str:
        """Return the query with a line of carets under what is wrong."""
        shown = query.replace("\n", " ").replace("\t", " ")
        return f"{shown}\n{' ' * self.offset}{'^' * max(1, self.length)}"

    def in_words(self) -> str:
        """Return what is wrong and where, in one line."""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.message.rstrip('.')}, at character {self.offset + 1}{hint}"
