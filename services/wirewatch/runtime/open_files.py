"""How many files and connections a process may have open."""

import sys

MOST = 1_048_576
"""What is asked for where the system sets no bound: more would only cost tables."""


def raise_open_files() -> int:
    """Let this process have as many open files as its hard limit allows; return how many.

    Shells start programs with a soft limit of 1,024 for the sake of very old
    ones. Where the system knows no such limit, or does not let us, nothing changes.
    """
    if sys.platform == "win32":
        return MOST
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):  # macOS has a bound of its own below "unlimited"
            return soft
        return wanted
    return MOST if soft == resource.RLIM_INFINITY else soft
