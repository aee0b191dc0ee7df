from concurrent.futures import ThreadPoolExecutor

import pytest

from wirewatch.text.stem import algorithm_of, forms, stem


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "missiles", "Missile"),
        ("de", "Häuser", "Haus"),
        ("de-AT", "Flüchtlingen", "Flüchtling"),
        ("es", "elecciones", "elección"),
        ("ru", "ракетой", "ракеты"),
        ("ru", "ракетный", "ракетные"),
        ("fr", "négocié", "négocier"),
        ("hu", "választások", "választás"),
        ("ko", "북한이", "북한"),
        ("ko", "회의에서는", "회의"),
    ],
)
def test_forms_of_a_word_have_one_stem(language: str, one: str, other: str) -> None:
    assert stem(one, language) == stem(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("en", "universe", "missile"), ("ko", "회의", "회사"), ("de", "Rat", "Rad")],
)
def test_different_words_keep_different_stems(language: str, one: str, other: str) -> None:
    assert stem(one, language) != stem(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("es", "militar", "militares"),  # Snowball: milit, militar
        ("tr", "seçim", "seçimler"),  # Snowball: seç, seçim
        ("ru", "ученый", "учёный"),
        ("fr", "negociation", "négociation"),
        ("und", "Élection", "election"),
    ],
)
def test_words_share_a_form_where_snowball_or_accents_part_them(
    language: str, one: str, other: str
) -> None:
    algorithm = algorithm_of(language)

    assert forms(one, algorithm) & forms(other, algorithm)


def test_without_an_algorithm_a_word_is_its_own_stem() -> None:
    assert stem("Missiles", "und") == "missiles"
    assert stem("kombora", "sw") == "kombora"


def test_threads_do_not_disturb_one_another() -> None:
    words = [f"running{n}s" for n in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda word: stem(word, "en"), words * 4))

    assert found == [f"running{n}" for n in range(2000)] * 4
