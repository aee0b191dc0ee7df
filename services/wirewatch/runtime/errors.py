"""The errors a person sees.

Problem                 one sentence: what, where, what to do; exit code 1
├── SettingsProblem     a setting has a value that is not allowed
├── PortTaken           something else listens where we want to
├── BrokerProblem       Kafka does not answer, or lacks a topic
└── LocalKafkaProblem   the local Kafka cannot be fetched or started
"""


class Problem(Exception):
    """Something its reader can mend. `str()` is the whole message; no traceback is shown."""


class SettingsProblem(Problem):
    """A setting has a value that is not allowed."""


class PortTaken(Problem):
    """A port that a service wants to listen on is in use."""

    def __init__(self, what: str, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"{what} cannot listen on {host}:{port}, the port is taken: "
            f"stop what uses it, or set {setting} to a free port."
        )


class BrokerProblem(Problem):
    """Kafka does not answer, or is not as this program needs it."""


class LocalKafkaProblem(Problem):
    """The local Kafka cannot be fetched or started."""
