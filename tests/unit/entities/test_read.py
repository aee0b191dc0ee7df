import pytest

from wirewatch.entities.read import DataError, Names, read_names
from wirewatch.topics.entities import Alias, Case, Kind, Mode, Role

FILE = """
[country]
Q1 = "Fooland~ / foo~ish"
Q2 = "/ barish"
[topic]
war = "=Krieg; Kriege"
[blockers]
Q1 = "Foo Fighters"
Q3 = "Baz Ocean"
"""


def test_reads_a_file_of_names() -> None:
    found = {each.entity_id: each for each in read_names(FILE, language="de", file="de.toml")}
    assert found["Q1"] == Names(
        "Q1",
        Kind.COUNTRY,
        "Fooland",
        (
            Alias(text="Fooland", language="de", mode=Mode.INFLECT),
            Alias(text="foo", language="de", role=Role.ADJECTIVE, mode=Mode.INFLECT),
        ),
        (Alias(text="Foo Fighters", language="de"),),
    )
    assert found["Q2"].label is None
    assert found["topic:war"].label == "Krieg"
    assert found["topic:war"].aliases == (Alias(text="Kriege", language="de", role=Role.TERM),)
    assert found["Q3"].kind is None
    assert found["Q3"].blockers == (Alias(text="Baz Ocean", language="de"),)


def test_capitals_of_short_names() -> None:
    [names] = read_names('[country]\nQ1 = "Foo"', language="de", file="de.toml")
    assert names.aliases == (Alias(text="Foo", language="de", case=Case.INITIAL),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[country", r"bad\.toml: not TOML"),
        ("[planet]", r"bad\.toml, \[planet\]: not a table; known are country"),
        ("country = 1", r"bad\.toml, \[country\]: expected a table"),
        ("[country]\nQ1 = 2", r"bad\.toml, \[country\], Q1: expected a text"),
        ('[country]\nR1 = "Foo"', r"\[country\], R1: not a Wikidata id"),
        ('[topic]\nQ1 = "Foo"', r"\[topic\], Q1: not the id of a topic"),
        ('[country]\nQ1 = "F"', r"\[country\], Q1: 'F' is not of 2"),
        ('[blockers]\nQ1 = "F"', r"\[blockers\], Q1: 'F' is not of 2"),
        ('[blockers]\n"x y" = "Foo"', r"\[blockers\], x y: not a Wikidata id"),
    ],
)
def test_a_mistake_names_file_table_and_entity(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_names(text, language="de", file="bad.toml")


def test_all_mistakes_of_a_file_are_told() -> None:
    with pytest.raises(DataError) as caught:
        read_names('[country]\nQ1 = "F"\nQ2 = "G"', language="de", file="bad.toml")
    assert len(str(caught.value).splitlines()) == 2
