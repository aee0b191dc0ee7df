"""Python's garbage collector beside millions of objects that stay."""

import gc

YOUNG = 50_000
OLDER = (20, 100)
"""By default (700, 10, 10) a fifth of the loading of a million subscriptions was collecting."""


def collect_rarely(young: int = YOUNG) -> None:
    """Let the collector of this process look for rings of references less often.

    It looks at `young` new objects at a time, for some microsecond each (measured): fewer
    where nothing may be held up for so long.
    """
    gc.set_threshold(young, *OLDER)


def settle_memory() -> None:
    """Take what is there now for lasting: no later collection walks through it.

    Else each full one would stop the process for as long as a million entries take.
    """
    gc.collect()
    gc.freeze()
