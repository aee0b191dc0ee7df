import pytest

from wirewatch.entities.notation import (
    NAME_ROLES,
    TERM_ROLES,
    NotationError,
    read_line,
    shown_name,
    written_alias,
)
from wirewatch.topics.entities import Alias, Case, Mode, Role


def names(line: str, language: str = "en") -> list[Alias]:
    return read_line(line, NAME_ROLES, language)


def test_reads_names_adjectives_and_demonyms() -> None:
    assert names("Fooland; FL / foo~ish / Foo*") == [
        Alias(text="Fooland", language="en"),
        Alias(text="FL", language="en", role=Role.ABBREVIATION, case=Case.ALL),
        Alias(text="foo", language="en", role=Role.ADJECTIVE, mode=Mode.INFLECT),
        Alias(text="Foo", language="en", role=Role.DEMONYM, mode=Mode.PREFIX, case=Case.INITIAL),
    ]
    assert names("フー国", "ja") == [Alias(text="フー国", language="ja", mode=Mode.SUBSTRING)]
    assert names("/ fooish") == [Alias(text="fooish", language="en", role=Role.ADJECTIVE)]
    assert names("=Fooland") == []


def test_terms_of_a_theme() -> None:
    assert read_line("=label; term~s; +weak", TERM_ROLES, "en") == [
        Alias(text="term", language="en", role=Role.TERM, mode=Mode.INFLECT),
        Alias(text="weak", language="en", role=Role.TERM, weak=True),
    ]


@pytest.mark.parametrize(
    ("written", "weak", "given", "case"),
    [
        ("?Johnson", True, False, Case.ANY),
        ("!Jordan", False, True, Case.ANY),
        ("?^Foobar", True, False, Case.INITIAL),
        ("^?!Foobar", True, True, Case.INITIAL),
    ],
)
def test_marks(written: str, weak: bool, given: bool, case: Case) -> None:
    [alias] = names(written)
    assert (alias.weak, alias.given, alias.case) == (weak, given, case)


@pytest.mark.parametrize(
    "written", ["?Johnson", "!Jordan", "^Mali~", "?^!Foobar*", "foo~", "フー国", "NATO"]
)
def test_an_alias_is_written_as_it_is_read(written: str) -> None:
    assert names(written_alias(*names(written))) == names(written)


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("Foo{a,b}bar", ["Fooabar", "Foobbar"]),
        ("Bar{a,}", ["Bara", "Bar"]),
        ("{Ab,Cd}{e,f}", ["Abe", "Abf", "Cde", "Cdf"]),
        ("Foo{a,á}", ["Fooa"]),
        ("Fooland; Fóoland", ["Fooland"]),
        ("Polski; polski", ["Polski", "polski"]),
        (r"{\1,a}b", [r"\1b", "ab"]),
    ],
)
def test_braces_stand_for_spellings(written: str, texts: list[str]) -> None:
    assert [alias.text for alias in names(written)] == texts


@pytest.mark.parametrize(
    ("written", "case"),
    [
        ("Foobar", Case.ANY),
        ("^Foobar", Case.INITIAL),
        ("Iran", Case.INITIAL),
        ("iran", Case.ANY),
        ("NATO", Case.ALL),
        ("U.S.", Case.ALL),
        ("中国", Case.ANY),
    ],
)
def test_capitals_that_are_asked_for(written: str, case: Case) -> None:
    assert names(written)[0].case is case


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("F", r"'F' is not of 2 to 200 characters"),
        ("x" * 201, r"is not of 2 to 200"),
        ("Foo~~", r"'Foo~~' is not an alias"),
        ("Foo~s bar", r"'Foo~s bar' is not an alias"),
        ("Foo{a,b", r"'Foo{a,b' is not an alias"),
        ("a / b / c / d", r"4 parts between slashes, at most 3"),
        ("{ab,b}" + "{a,b}" * 8, r"has more than 256 spellings"),
        ("\u200d\u200d", r"is not of 2"),
    ],
)
def test_a_mistake_says_what_it_is(line: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        names(line)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Россия; РФ", "Россия"),
        ("Коре~я", "Корея"),
        ("^Foo*; x", "Foo"),
        ("/ adjective", None),
        ("", None),
        ("{Ab,Cd}e", "Abe"),
    ],
)
def test_the_first_name_is_shown(line: str, shown: str | None) -> None:
    assert shown_name(line) == shown
