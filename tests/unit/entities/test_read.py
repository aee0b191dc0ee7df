import pytest

from wirewatch.entities.read import DataError, read_entities
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode, Role


def read(lines: str, kind: str = "country") -> Entity:
    [entity] = read_entities(f'kind = "{kind}"\n[Q1]\n{lines}', file="some.toml")
    return entity


def test_reads_names_adjectives_and_demonyms() -> None:
    entity = read(
        'en = "Fooland; FL / foo~ish / Foo*"\nja = "フー国"\nblockers.en = "Foo Fighters"'
    )
    assert entity.kind is Kind.COUNTRY
    assert entity.labels == {"en": "Fooland", "ja": "フー国"}
    assert entity.aliases == (
        Alias(text="Fooland", language="en"),
        Alias(text="FL", language="en", role=Role.ABBREVIATION, case=Case.ALL),
        Alias(text="foo", language="en", role=Role.ADJECTIVE, mode=Mode.INFLECT),
        Alias(text="Foo", language="en", role=Role.DEMONYM, mode=Mode.PREFIX, case=Case.INITIAL),
        Alias(text="フー国", language="ja", mode=Mode.SUBSTRING),
    )
    assert entity.blockers == (Alias(text="Foo Fighters", language="en"),)


def test_terms_of_a_theme() -> None:
    [theme] = read_entities(
        'kind = "theme"\n["topic:x"]\nen = "=label; term~s"', file="themes.toml"
    )
    assert theme.labels == {"en": "label"}
    assert theme.aliases == (Alias(text="term", language="en", role=Role.TERM, mode=Mode.INFLECT),)


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("Foo{a,b}bar", ["Fooabar", "Foobbar"]),
        ("Bar{a,}", ["Bara", "Bar"]),
        ("{Ab,Cd}{e,f}", ["Abe", "Abf", "Cde", "Cdf"]),
        ("Foo{a,á}", ["Fooa"]),
    ],
)
def test_braces_stand_for_spellings(written: str, texts: list[str]) -> None:
    assert [alias.text for alias in read(f'en = "{written}"').aliases] == texts


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
    assert read(f'en = "{written}"').aliases[0].case is case


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('de = "Foo"', r"some\.toml, Q1, en: missing"),
        ("en = 3", r"some\.toml, Q1, en: expected a text"),
        ('en = "Foo; "', r"some\.toml, Q1, en: '' is not an alias"),
        ('en = ""', r"some\.toml, Q1, en: the first name.* is empty"),
        ('en = "F"', r"some\.toml, Q1, en: 'F' is shorter than 2"),
        ('en = "Foo~~"', r"some\.toml, Q1, en: 'Foo~~' is not an alias"),
        ('en = "Foo~s bar"', r"some\.toml, Q1, en: 'Foo~s bar' is not an alias"),
        ('en = "Foo{a,b"', r"some\.toml, Q1, en: 'Foo{a,b' is not an alias"),
        ('en = "Fooland; fooland"', r"Q1, en: 'fooland' says nothing new after 'Fooland'"),
        ('en = "Foo"\nja = "国国~"', r"some\.toml, Q1, ja: '国国~' needs no mark"),
        ('en = "Foo"\n"not a language" = "Foo"', r"some\.toml, Q1, not a language: not a language"),
        ('en = "Foo / b / c / d"', r"some\.toml, Q1, en: 4 parts between slashes, at most 3"),
        ('en = "Foo"\nblockers = "x"', r"some\.toml, Q1, blockers: expected one line"),
        ('en = "Foo"\nblockers.de = "F"', r"some\.toml, Q1, blockers, de: 'F' is shorter"),
        (
            'en = "{ab,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"',
            r"some\.toml, Q1, en: .* has more than 64 spellings",
        ),
    ],
)
def test_a_mistake_names_file_entity_and_field(lines: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind = ", r"bad\.toml: not TOML"),
        ('kind = "planet"', r"bad\.toml, kind: .*known are country"),
        ("", r"bad\.toml, kind"),
        ('kind = "country"\n[R1]\nen = "Foo"', r"bad\.toml, R1: expected a table named by a Q-id"),
        ('kind = "country"\nQ1 = "Foo"', r"bad\.toml, Q1: expected a table"),
    ],
)
def test_a_file_that_is_no_catalogue(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_entities(text, file="bad.toml")
