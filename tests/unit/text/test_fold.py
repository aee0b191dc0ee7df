import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.text.fold import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("North KOREA", "north korea"),
        ("Straße", "strasse"),
        ("Pjöngjang", "pjongjang"),
        ("учёный", "ученыи"),
        ("ＮＡＴＯ", "nato"),
        ("ﾐｻｲﾙ", "ミサイル"),
        ("مُحَمَّد", "محمد"),
        ("كـــوريا", "كوريا"),
        ("मिसाइलें", "मिसाइलें"),
        ("sol\u00addier", "soldier"),
        ("ភ្នំ\u200bពេញ", "ភ្នំពេញ"),  # a space of no width between Khmer words
        ("葛\U000e0100城", "葛城"),  # a variation selector
    ],
)
def test_width_case_accents_and_invisible_characters_do_not_count(text: str, folded: str) -> None:
    assert fold(text).folded == folded


def test_a_place_is_traced_back_over_characters_that_grew_and_that_vanished() -> None:
    text = "die sol\u00addatische Straße"
    folded = fold(text)
    at = folded.folded.index("strasse")

    start, end = folded.span(at, at + len("strasse"))

    assert text[start:end] == "Straße"


@given(st.text())
def test_there_is_an_origin_for_every_folded_character_and_one_more(text: str) -> None:
    folded = fold(text)

    assert len(folded.starts) == len(folded.folded) + 1
    assert folded.starts[-1] == len(text)
    assert list(folded.starts) == sorted(folded.starts)
