"""Ids that stand where an entity's id stands. Pure."""

import regex

from wirewatch.topics.entities import Kind

ITEM = regex.compile(r"Q[1-9][0-9]{0,11}")
"""The id of an item of Wikidata."""

THEME_PREFIX = "topic:"
CLASS_PREFIX = "kind:"
"""Begins what stands for every entity of a kind: `kind:country`."""


def class_id(kind: Kind) -> str:
    """Return what stands for every entity of `kind`."""
    return CLASS_PREFIX + kind
