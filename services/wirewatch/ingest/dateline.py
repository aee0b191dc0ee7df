"""What outlets put around a story: their name after its title, a dateline before it. Pure."""

import re
from collections import deque

_SEPARATOR = re.compile(r"\s+[|\-–—·•»]+\s+|\s*[|｜_]\s*|：(?=[^：]{2,8}$)")
MIN_HEAD_CHARS = 12
MAX_OUTLET_WORDS = 5
MAX_OUTLET_CHARS = 40
MAX_PARTS = 2
"""Titles end with at most so many names: section and outlet."""

_DATELINE_CHARS = 110
_DATELINE = re.compile(
    r"""
    \s*(?:
      # LIMA (Reuters) -
      [^.!?。！？]{0,60}?[(（][^()（）]{2,40}[)）][^.。,]{0,25}?\s*(?:\.?[-–—=:]+|--)\s
      # 【札幌共同】
    | [\[［【(（][^\]］】)）]{2,30}[\]］】)）][^。.]{0,12}?(?:\s*[-–—=]+\s|(?<=[】）]))
      # KYIV, Nov 3 —
    | [A-ZÀ-ÞА-ЯІЇЄҐ][^a-zа-я.!?]{2,40}(?:,[^.!?]{3,30}?)?\s*[-–—:]+\s
      # /ТАСС/.
    | [^\W\d_][^.!?]{2,40}\.\s*/[^/]{2,12}/\.?\s
    | [^.!?]{3,40}\s[-–—]+\s(?:РИА\sНовости|Рейтер|Укрінформ|Интерфакс)\.\s
    | (?:新华社|中新网|中新社|路透|新華社)[^。，]{2,24}?[电電](?:\s*[（(][^）)]{2,20}[）)])?\s*-?\s*
    | [^.।]{3,40}\((?:भाषा|वार्ता|एजेंसी)\)\s
    | [^.!?]{3,30},\s[^.!?]{3,20}\s--\s
    | [A-ZÀ-Þ][A-ZÀ-Þ\s]{2,30}:\s
    )""",
    re.VERBOSE,
)
_LABEL = re.compile(
    r"(?:UPDATE|WRAPUP|REFILE|CORRECTED|EXCLUSIVE)[ -]?\d*\s?[-–:]\s?", re.IGNORECASE
)
"""What agencies put before the title of a story they send again."""


def without_outlet(title: str) -> str:
    """Return `title` without the outlet's name at its end: `… - BBC News`, `… | Reuters`.

    What follows the separator is taken for a name if it is short and begins with a
    capital, or its script has none.
    """
    label = _LABEL.match(title)
    if label is not None:
        title = title[label.end() :]
    for _ in range(MAX_PARTS):
        ends = deque(_SEPARATOR.finditer(title, MIN_HEAD_CHARS), maxlen=1)
        if not ends or not _is_name(title[ends[0].end() :]):
            break
        title = title[: ends[0].start()]
    return title


def _is_name(tail: str) -> bool:
    if not 1 < len(tail) <= MAX_OUTLET_CHARS or len(tail.split()) > MAX_OUTLET_WORDS:
        return False
    return not any(c.isdigit() for c in tail) and (not tail[0].islower() or "." in tail)


def without_dateline(lead: str) -> str:
    """Return `lead` without the place, day and agency it begins with."""
    found = _DATELINE.match(lead[:_DATELINE_CHARS])
    return lead if found is None else lead[found.end() :]
