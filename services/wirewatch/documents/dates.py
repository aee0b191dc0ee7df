"""The times of feeds: RFC 822, RFC 3339, and what publishers write instead. Pure."""

import re
from datetime import UTC, datetime, timedelta

from wirewatch.documents.date_words import AFTERNOON, MONTHS, MORNING, ZONES
from wirewatch.documents.limits import MAX_DATE_CHARS

_RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9}\.?,? +)?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) ?"
    r"(?:([+-])(\d\d):?(\d\d)|GMT|UTC|Z|UT)?",
    re.ASCII,
)
"""What nearly all RSS has, in one go."""
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-?(?P<ordinal>\d{3})(?![\d-])"
    r"|-?(?P<month>0\d\d(?=-)|\d{1,2})(?:-?(?P<day>\d{1,2}))?)?"
    r"(?:(?:\s*T\s*|\s+|\s*-\s+)(?P<time>\d{4}(?:\d\d)?(?!\d)|\d{1,2}(?::\d{1,2}){0,2})"
    r"(?:[.,]\d+)?\s*(?P<zone>.*))?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_OFFSET = re.compile(
    r"(?:gmt|utc|ut)?\s*([+-])\s*(\d{1,2})(?::?(\d\d))?(?::?\d\d)?(?:\s*\(.*\)|\s+[a-z]{1,5})?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{1,2})(?:[:.](\d{1,2}))?(?:[.,]\d+)?(am|pm)?", re.ASCII)
_SHORT_YEAR = re.compile(
    r"-?(?P<year>\d\d)(?:-?(?P<ordinal>\d{3})|-?(?P<month>\d\d)(?:-?(?P<day>\d\d))?)"
)
_SLASHED = re.compile(r"(?<!\d)(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})\.?", re.ASCII)
_DASHED = re.compile(r"(?<!\d)(\d{1,4})-([^\W\d_]+)-(\d{1,4})(?:t(?=\d))?")
_KOREAN = re.compile(r"(\d{4})\s*[년年]\s*(\d{1,2})\s*[월月]\s*(\d{1,2})\s*[일日]")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)", re.ASCII)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?", re.ASCII)
_KOREA = timedelta(hours=9)


def parse_date(text: str) -> datetime | None:
    """Return the time that `text` means, aware UTC; None if it means none.

    Without a zone it is UTC; parts of a second are cut off. The name of the day may be
    wrong; day, month and hour may not.
    """
    match = _RFC822.fullmatch(text)
    try:
        if match:
            return _rfc822(match)
        if text[4:5] == "-" and text[10:11] == "T":
            return _utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError, KeyError):
        pass
    text = " ".join(text.split())
    if not text or len(text) > MAX_DATE_CHARS:
        return None
    for read in (_iso, _worded, _epoch):
        try:
            if found := read(text):
                return _utc(found)
        except (ValueError, OverflowError):
            continue
    return None


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC, microsecond=0)
    return time.astimezone(UTC).replace(microsecond=0)


_SHORT_MONTHS = {name.title(): number for name, number in MONTHS.items() if len(name) == 3}


def _rfc822(match: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    time = datetime(
        int(year), _SHORT_MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    return time - _offset(sign, hours, minutes) if sign else time


def _offset(sign: str, hours: str | None, minutes: str | None) -> timedelta:
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset >= timedelta(days=1):
        raise ValueError("an offset of a day or more")
    return -offset if sign == "-" else offset


def _zone(text: str) -> timedelta:
    """Return the offset that `text` names; none where it is unknown, as feedparser does."""
    text = text.strip().lower().removeprefix("etc/")
    if match := _OFFSET.fullmatch(text):
        return _offset(*match.groups())
    return ZONES.get(text.strip("()"), timedelta())


def _iso(text: str) -> datetime | None:
    """Read ISO 8601 with what is missing or too much: 2024-1-5, 2024-01-05 10:00 EST."""
    match = _ISO.fullmatch(text)
    if match is None:
        return _short_iso(text)
    zone, part = match["zone"] or "", match["time"] or ""
    time = _clock(part if ":" in part or len(part) < 3 else re.sub(r"(..)(?=.)", r"\1:", part))
    if zone and zone.split()[0].lower() in AFTERNOON | MORNING:
        return None
    return _iso_day(int(match["year"]), match) + time - _zone(zone)


def _short_iso(text: str) -> datetime | None:
    """Read the dates of ISO 8601:1988 that leave out the century."""
    match = _SHORT_YEAR.fullmatch(text)
    return _iso_day(_year(match["year"]), match) if match else None


def _iso_day(year: int, match: re.Match[str]) -> datetime:
    if match["ordinal"]:
        return datetime(year, 1, 1, tzinfo=UTC) + timedelta(int(match["ordinal"]) - 1)
    return datetime(year, int(match["month"] or 1), int(match["day"] or 1), tzinfo=UTC)


def _clock(text: str) -> timedelta:
    """Return the time since midnight; 24:00 and leap seconds are times too."""
    hour, minute, second = ([int(part) for part in text.split(":") if part] + [0, 0, 0])[:3]
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError(f"not a time: {text}")
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59))


def _epoch(text: str) -> datetime | None:
    """Read seconds or milliseconds since 1970."""
    if not _EPOCH.fullmatch(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _worded(text: str) -> datetime | None:
    """Read day, month, year and time in any order, the month as a word or a number."""
    time, rest = _take_clock(text.lower())
    zone = timedelta()
    if match := _KOREAN.search(rest):
        year, month, day = (int(part) for part in match.groups())
        zone = _KOREA if "년" in rest else zone
    else:
        year, month, day, left = _take_day(rest)
        zone = _KOREA if "오전" in text or "오후" in text else _zone(left)
    return datetime(year, month, day, tzinfo=UTC) + time - zone


def _take_clock(text: str) -> tuple[timedelta, str]:
    """Return the time of day in `text`, and the text without it."""
    match = next((found for found in _CLOCK.finditer(text) if _is_clock(found, text)), None)
    if match is None:
        return timedelta(), text
    hour, minute, second, half = match.groups()
    words = text[: match.start()].split() + text[match.end() :].split()
    marks = {half or ""} | set(words)
    hours = int(hour)
    if marks & AFTERNOON and hours < 12:
        hours += 12
    elif marks & MORNING and hours == 12:
        hours = 0
    rest = " ".join(word for word in words if word not in AFTERNOON and word not in MORNING)
    return _clock(f"{hours}:{minute}:{second or 0}"), rest


def _is_clock(match: re.Match[str], text: str) -> bool:
    before = text[max(0, match.start() - 1) : match.start()]
    dotted = "." in match.group() and ":" not in text
    return (
        not before.isdigit()
        and before not in {"+", "-", ".", "/"}
        and (":" in match.group() or "h" in match.group() or (dotted and not match.group(3)))
    )


def _take_day(text: str) -> tuple[int, int, int, str]:
    """Return year, month and day in `text`, and what may be the zone."""
    for pattern in (_SLASHED, _DASHED):
        if match := pattern.search(text):
            first, second, third = match.groups()
            left = (text[: match.start()].rpartition(",")[2] + " " + text[match.end() :]).strip()
            return *_order(first, second, third), _last_zone(left)
    words = text.replace(",", " ").replace("/", " ").split()
    numbers: list[str] = []
    month = 0
    left = ""
    for word in words:
        bare = word.strip(".()") if word[0] not in "+-" else word
        if ordinal := _ORDINAL.fullmatch(bare):
            bare = ordinal[1]
        if bare.isascii() and bare.isdigit() and len(numbers) < 2 and len(bare) in {1, 2, 4}:
            numbers.append(bare)
        elif not month and not numbers[2:] and (found := _month(bare)):
            month = found
        else:
            left = word if word[0] in "+-" or bare in ZONES or word.startswith("gmt") else left
    if not month or len(numbers) < 2:
        raise ValueError(f"no date: {text}")
    first, second = numbers
    if len(first) == 4:
        first, second = second, first
    return _year(second), month, int(first), left


def _last_zone(text: str) -> str:
    words = [word for word in text.split() if word[0] in "+-" or word.strip("()") in ZONES]
    return words[-1] if words else ""


def _order(first: str, second: str, third: str) -> tuple[int, int, int]:
    """Return year, month, day of three parts with marks between them."""
    month = _month(second) or int(second)
    if len(first) == 4:
        return int(first), month, int(third)
    if not second.isdigit():
        return _year(third), month, int(first)
    if month > 12:  # 12/31/2024, as Americans write it
        return _year(third), int(first), month
    return _year(third), month, int(first)


def _month(word: str) -> int:
    word = word.rstrip(".")
    return MONTHS.get(word) or (MONTHS.get(word[:3], 0) if word.isascii() else 0)


def _year(text: str) -> int:
    if len(text) > 2:
        return int(text)
    return int(text) + (2000 if int(text) < 90 else 1900)
