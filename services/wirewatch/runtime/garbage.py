"""Python's garbage collector beside millions of objects that stay."""

import gc

THRESHOLDS = (50_000, 20, 100)
"""By default (700, 10, 10) a fifth of the loading of a million subscriptions was collecting."""


def collect_rarely() -> None:
    """Let the collector of this process look for rings of references less often."""
    gc.set_threshold(*THRESHOLDS)


def settle_memory() -> None:
    """Take what is there now for lasting: no later collection walks through it.

    Else each full one would stop the process for as long as a million entries take.
    """
    gc.collect()
    gc.freeze()
