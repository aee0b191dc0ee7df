"""Ids that stand where an entity's id stands. Pure."""

from wirewatch.topics.entities import Kind

THEME_PREFIX = "topic:"
CLASS_PREFIX = "kind:"
"""Begins what stands for every entity of a kind: `kind:country`."""


def class_id(kind: Kind) -> str:
    """Return what stands for every entity of `kind`."""
    return CLASS_PREFIX + kind
