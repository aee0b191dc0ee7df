"""The example alerts that a newcomer begins with."""

from importlib.resources import files

import msgspec


class StarterAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscription to begin with."""

    name: str
    query: str
    tags: tuple[str, ...] = ()


def starter_alerts() -> tuple[StarterAlert, ...]:
    """Return the example alerts that ship with the program, the main one first."""
    raw = files("wirewatch.starter").joinpath("data", "alerts.json").read_bytes()
    return msgspec.json.decode(raw, type=tuple[StarterAlert, ...])
