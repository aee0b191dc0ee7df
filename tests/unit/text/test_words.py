import pytest

from wirewatch.text.words import Token, has_word, is_unspaced, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the russian army's 2nd shell", ["the", "russian", "army", "s", "2nd", "shell"]),
        ("nord-coréen, l’armée", ["nord", "coréen", "l", "armée"]),
        ("मिसाइलों का", ["मिसाइलों", "का"]),
        ("新的iphone手机 usb-c", ["新", "的", "iphone", "手", "机", "usb", "c"]),
        ("ประเทศ", ["ป", "ร", "ะ", "เ", "ท", "ศ"]),
        ("sol\u00addier a\u200db", ["sol\u00addier", "a\u200db"]),
        ("№5, ½ ﬁre", ["no5", "1", "2", "ﬁre"]),
        ("ＮＡＴＯ ﾐｻｲﾙ", ["ＮＡＴＯ", "ﾐ", "ｻ", "ｲ", "ﾙ"]),
        ("\u0301 - … 🚀", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [token.text for token in tokens(text)] == words


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("a b, c", [0, 1, 2]),
        ("日本", [0, 1]),
        ("日\n本", [0, 1]),  # a line end is no end of a word
        ("日、本", [0, 2]),  # punctuation is
        ("日、a本、b", [0, 1, 2, 3]),
        ("a、b", [0, 1]),
    ],
)
def test_positions_keep_apart_what_is_no_row(text: str, positions: list[int]) -> None:
    assert [token.position for token in tokens(text)] == positions


def test_a_place_is_that_of_the_original_where_a_character_is_written_out() -> None:
    assert tokens("a №5 b") == [
        Token("a", 0, 1, 0, False),
        Token("no5", 2, 4, 1, False),
        Token("b", 5, 6, 2, False),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [("日本", True), ("กองทัพ", True), ("iphone手机", True), ("북한", False), ("army", False)],
)
def test_which_scripts_have_no_spaces(text: str, says: bool) -> None:
    assert is_unspaced(text) is says


@pytest.mark.parametrize(
    ("text", "says"), [("a", True), ("7", True), ("軍", True), ("-", False), ("\u0301", False)]
)
def test_something_to_look_for_has_a_letter_or_digit(text: str, says: bool) -> None:
    assert has_word(text) is says
