"""Times as feeds write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.dates import parse_date
from wirewatch.documents.limits import MAX_DATE_CHARS


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # RFC 822 and 2822, and what is taken for them
        ("Mon, 23 Nov 2026 08:30:44 GMT", at(2026, 11, 23, 8, 30, 44)),
        ("23 Nov 2026 08:30:44 +0530", at(2026, 11, 23, 3, 0, 44)),
        ("Mon, 23 Nov 26 08:30 EST", at(2026, 11, 23, 13, 30)),
        ("Tue, 23 Nov 2026 08:30:44 GMT", at(2026, 11, 23, 8, 30, 44)),  # it was a Monday
        ("Mon, 23 November 2026 8:30:44 PM", at(2026, 11, 23, 20, 30, 44)),
        ("Mon, 23 Nov 2026 24:00:00 GMT", at(2026, 11, 24)),
        ("Mon, 23 Nov 2026 23:59:60 GMT", at(2026, 11, 23, 23, 59, 59)),
        ("Mon,23 Nov 2026 08:30:44 +01:00", at(2026, 11, 23, 7, 30, 44)),
        # RFC 3339 and ISO 8601
        ("2026-11-23T08:30:44Z", at(2026, 11, 23, 8, 30, 44)),
        ("2026-11-23T08:30:44.123456789+02:00", at(2026, 11, 23, 6, 30, 44)),
        ("2026-11-23 08:30", at(2026, 11, 23, 8, 30)),
        ("2026-11-23", at(2026, 11, 23)),
        ("2026-11", at(2026, 11, 1)),
        ("20261123T083000Z", at(2026, 11, 23, 8, 30)),
        ("2026-327", at(2026, 11, 23)),
        # What programs print
        ("2026-11-23 08:30:44 +0200 CEST", at(2026, 11, 23, 6, 30, 44)),
        ("Mon Nov 23 08:30:44 2026", at(2026, 11, 23, 8, 30, 44)),
        ("1795508444", at(2026, 11, 24, 8, 20, 44)),
        ("1795508444000", at(2026, 11, 24, 8, 20, 44)),
        # Other orders and languages
        ("23/11/2026 08:30", at(2026, 11, 23, 8, 30)),
        ("11/23/2026", at(2026, 11, 23)),
        ("23 ноября 2026, 08:30", at(2026, 11, 23, 8, 30)),
        ("lun, 23 nov. 2026 08:30:00 +0100", at(2026, 11, 23, 7, 30)),
        ("23. Dezember 2026", at(2026, 12, 23)),
        ("2026년 11월 23일", at(2026, 11, 22, 15)),
        # None of these is a time
        ("", None),
        ("yesterday", None),
        ("Mon, 32 Nov 2026 08:30:44 GMT", None),
        ("2026-13-01T00:00:00Z", None),
        ("0000-00-00 00:00:00", None),
        ("99999-01-01", None),
        ("Nov" * 1000, None),
    ],
)
def test_what_a_text_means(text: str, expected: datetime | None) -> None:
    assert parse_date(text) == expected


@given(st.text(max_size=2 * MAX_DATE_CHARS))
def test_no_text_is_too_odd(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC


_PIECES = st.sampled_from([
    "Mon", ",", " ", "-", "/", ":", ".", "T", "Z", "+", "nov", "23", "11", "2026", "08", "99999",
    "24:00", "pm", "GMT", "년", "(", ")", "0", "\u0663", "h", "1e9", "st", "٢٣",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=20).map("".join))
def test_no_order_of_pieces_is_too_odd(text: str) -> None:
    found = parse_date(text)
    assert found is None or 1 <= found.year <= 9999


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001
def test_what_is_written_by_the_standards_comes_back(time: datetime) -> None:
    time = time.replace(microsecond=0, tzinfo=UTC)
    assert parse_date(time.strftime("%a, %d %b %Y %H:%M:%S +0000")) == time
    assert parse_date(time.isoformat()) == time
