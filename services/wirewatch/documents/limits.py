"""How much one document may ask of its readers, so that a hostile one costs little.

What is over a limit of structure is refused as too costly; what is over a limit of
length or number is left out.
"""

MAX_DOCTYPE_BYTES = 65_536
"""The document type declaration. Those of RSS 0.91 have under a hundred bytes."""
MAX_ENTITIES = 512
"""Entities that a document type declares; HTML has 253 named ones."""
MAX_ENTITY_BYTES = 1_024
"""The value of one declared entity; a longer one counts as not declared."""
MAX_EXPANDED_BYTES = 4_194_304
"""What all references to declared entities may add to the document."""
MAX_ATTRIBUTES = 256
"""Attributes of one element. Dictionaries of them are what hostile feeds aim at."""
MAX_ATTRIBUTES_IN_ALL = 500_000
"""Equals signs of a document: an upper bound of its attributes that costs nothing to count."""
MAX_FORGIVING_ATTRIBUTES = 200_000
"""Equals signs of an ill-formed document: each may be an attribute, of about four microseconds."""
MAX_FORGIVING_TAGS = 400_000
"""Of an ill-formed document: each costs about two microseconds."""
HEAD_BYTES = 16_384
"""How far in the root element of a feed may begin behind something that does not belong there."""
MAX_DATE_CHARS = 100
"""A longer text is not a time."""
