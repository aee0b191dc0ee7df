"""Language tags, as far as texts need them. Pure."""

_SAME_LANGUAGE = {
    "arb": "ar",
    "bs": "hr",
    "ckb": "ku",
    "cmn": "zh",
    "fil": "tl",
    "gaz": "om",
    "in": "id",
    "iw": "he",
    "kmr": "ku",
    "ltg": "lv",
    "lzh": "zh",
    "nb": "no",
    "nn": "no",
    "pes": "fa",
    "prs": "fa",
    "swh": "sw",
    "yue": "zh",
    "zlm": "ms",
}
"""Subtags that stand for a language that names and stems are kept under another one."""


def primary(language: str) -> str:
    """Return the primary subtag of a BCP 47 language tag: `de` of `de-AT`."""
    subtag = language.replace("_", "-").partition("-")[0].lower()
    return _SAME_LANGUAGE.get(subtag, subtag)
