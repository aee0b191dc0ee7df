import pytest

from wirewatch.text.words import has_word, is_unspaced, word_spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the russian army's 2nd shell", ["the", "russian", "army", "s", "2nd", "shell"]),
        ("nord-coréen, l’armée", ["nord", "coréen", "l", "armée"]),
        ("मिसाइलों का", ["मिसाइलों", "का"]),
        ("新的iphone手机 usb-c", ["iphone", "usb", "c"]),
        ("\u0301 - …", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_spans(text)] == words


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
