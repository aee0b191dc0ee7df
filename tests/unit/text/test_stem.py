from concurrent.futures import ThreadPoolExecutor

import pytest

from wirewatch.text.stem import algorithm_of, begins_compound, forms, forms_in_text, stem


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
        ("uk", "ракети", "ракета"),
        ("bg", "ракетите", "ракета"),
        ("sk", "rakety", "raketa"),
        ("sl", "rakete", "raketa"),
        ("hr", "rakete", "raketa"),
        ("bs", "rakete", "raketa"),
        ("mk", "ракетите", "ракета"),
        ("lv", "raķetes", "raķete"),
        ("sq", "ushtarët", "ushtar"),
        ("ka", "ქალაქები", "ქალაქი"),
        ("is", "eldflaugar", "eldflaug"),
        ("gl", "mísiles", "mísil"),
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


@pytest.mark.parametrize(
    ("language", "asked", "written", "found"),
    [
        ("ar", "جيش", "والجيش", True),
        ("ar", "الجيش", "للجيش", True),
        ("ar", "جيش", "للجيش", True),
        ("ar", "صاروخ", "وبالصاروخ", True),
        ("ar", "لد", "ولد", False),  # too short to be a word behind a particle
        ("he", "צבא", "והצבא", True),
        ("he", "צבא", "שבצבא", True),
        ("he", "צבא", "מצבאות", False),
        ("fa", "جيش", "والجيش", False),
    ],
)
def test_a_word_is_found_behind_the_particles_written_in_front_of_it(
    language: str, asked: str, written: str, found: bool
) -> None:
    algorithm = algorithm_of(language)

    assert (not forms(asked, algorithm).isdisjoint(forms_in_text(written, algorithm))) is found


@pytest.mark.parametrize(
    ("language", "part", "word", "says"),
    [
        ("de", "raketen", "raketenangriff", True),
        ("nl", "regering", "regeringsbesluit", True),
        ("en", "rocket", "rocketlauncher", False),
        ("de", "stein", "steinmeier", False),  # five letters: by accident
        ("de", "minister", "ministerium", False),  # an ending is no second word
        ("de", "angriff", "raketenangriff", False),  # only the first part
    ],
)
def test_which_words_begin_a_compound(language: str, part: str, word: str, says: bool) -> None:
    assert begins_compound(part, word, algorithm_of(language)) is says


def test_without_an_algorithm_a_word_is_its_own_stem() -> None:
    assert stem("Missiles", "und") == "missiles"
    assert stem("kombora", "sw") == "kombora"


def test_threads_do_not_disturb_one_another() -> None:
    words = [f"running{n}s" for n in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda word: stem(word, "en"), words * 4))

    assert found == [f"running{n}" for n in range(2000)] * 4
