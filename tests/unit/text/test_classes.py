"""The table of `classes` and the patterns of `words` cut every text alike."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wirewatch.text.classes import (
    IRREGULAR,
    JOINS,
    OTHER,
    SPACE,
    UNSPACED,
    WORD,
    character_classes,
)
from wirewatch.text.fold import fold_character, folded
from wirewatch.text.regular import regular
from wirewatch.text.words import tokens

ODD = (
    "\u0301\u200d\u00ad\u0640日本ーアกองทัพＮＡ№½ﬁ🚀👨👩'’-,.。、 \n\t"
    "ßİıǅµΩक्षि한ᄒ\u0e31\u302a\u3099\ufe0f"
)
TEXTS = st.text(max_size=40) | st.text(alphabet=ODD + "abz09éй", max_size=40)

Cut = list[tuple[str, int, int, int, bool]]


def cut_by_table(text: str) -> Cut:
    """Cut as the classes say, a character at a time."""
    plain, starts = regular(text)
    table = character_classes()
    found: Cut = []
    position, row_ended, after_word = -1, True, False
    for at, character in enumerate(plain):
        kind = table[ord(character)]
        first = at if starts is None else starts[at]
        last = at + 1 if starts is None else starts[at] + 1
        if kind == UNSPACED:
            position += 2 if found and found[-1][4] and row_ended else 1
            found.append((character, first, last, position, True))
            row_ended, after_word = False, False
        elif after_word and kind in (WORD, JOINS):
            word, begin, _, its_position, _ = found[-1]
            found[-1] = (word + character, begin, last, its_position, False)
        elif kind == WORD:
            position += 1
            found.append((character, first, last, position, False))
            row_ended, after_word = True, True
        else:
            row_ended = row_ended or kind == OTHER
            after_word = False
    return found


@given(TEXTS)
@settings(max_examples=1_000, deadline=None)
@example("日\u0301本")
@example("日\u3099本")
@example("a\u302a日")
@example("½½")
@example("№№ﬁ")
@example("ก\u0e31ข")
def test_table_and_patterns_cut_alike(text: str) -> None:
    by_pattern = [(t.text, t.start, t.end, t.position, t.is_unspaced) for t in tokens(text)]

    assert cut_by_table(text) == by_pattern


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("a", WORD),
        ("7", WORD),
        ("ß", WORD),
        ("한", WORD),
        ("日", UNSPACED),
        ("ก", UNSPACED),
        ("ー", UNSPACED),
        ("\u0301", JOINS),
        ("\u200d", JOINS),
        ("\u0640", JOINS),
        (" ", SPACE),
        ("\u3000", SPACE),
        (",", OTHER),
        ("🚀", OTHER),
        ("№", IRREGULAR),
        ("½", IRREGULAR),
    ],
)
def test_the_class_of_a_character(character: str, kind: int) -> None:
    assert character_classes()[ord(character)] == kind


@given(TEXTS)
@settings(deadline=None)
def test_a_regular_text_folds_alike_and_character_by_character(text: str) -> None:
    plain, starts = regular(text)

    assert folded(plain) == folded(text)
    if starts is not None:
        assert len(starts) == len(plain) + 1
        assert list(starts) == sorted(starts)
        assert starts[-1] == len(text)
    assert regular(plain) == (plain, None)


def test_what_is_written_out_is_not_irregular_itself() -> None:
    table = character_classes()
    irregular = [chr(code) for code in (table == IRREGULAR).nonzero()[0]]

    assert len(irregular) > 100
    for character in irregular:
        assert unicodedata.category(character) != "Cs"
        assert all(table[ord(each)] != IRREGULAR for each in fold_character(character))
