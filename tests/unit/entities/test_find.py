import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder, Mention
from wirewatch.entities.lexicon import QUOTES
from wirewatch.text.language import primary
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode

SHIPPED = Catalogue.load()
SHIPPED_FINDER = Finder(SHIPPED)


def words(
    text: str, *aliases: Alias, language: str = "en", blockers: tuple[Alias, ...] = ()
) -> list[str]:
    entity = Entity(
        id="Q1", kind=Kind.PLACE, labels={"en": "x"}, aliases=aliases, blockers=blockers
    )
    return [text[m.start : m.end] for m in Finder([entity]).find(text, language)]


def alias(text: str, mode: Mode = Mode.EXACT, language: str = "en", case: Case = Case.ANY) -> Alias:
    return Alias(text=text, language=language, mode=mode, case=case)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (Mode.EXACT, ["mali"]),
        (Mode.INFLECT, ["mali", "malian", "malianers"]),
        (Mode.PREFIX, ["mali", "malian", "malianers", "malianersx"]),
    ],
)
def test_modes(mode: Mode, expected: list[str]) -> None:
    assert words("mali, malian; malianers malianersx somali", alias("mali", mode)) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "stem12345", []),
        ("fi", "stemabcdefghi stemabcdefghij", ["stemabcdefghi"]),
        ("de", "stemabcde stemabcdef", ["stemabcde"]),
        ("fa", "stemabc stemabcd", ["stemabc"]),
    ],
)
def test_endings_have_the_length_of_the_language(
    language: str, text: str, expected: list[str]
) -> None:
    found = words(text, alias("stem", Mode.INFLECT, language), language=language)
    assert [word for word in found if not any(c.isdigit() for c in word)] == expected


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case.ANY, ["us", "Us", "US"]),
        (Case.INITIAL, ["Us", "US"]),
        (Case.ALL, ["US"]),
    ],
)
def test_capitals(case: Case, expected: list[str]) -> None:
    assert words("us Us US", alias("US", case=case)) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("de", 1), ("de-AT", 1), ("DE_at", 1), ("en", 0), ("und", 1), ("xx", 0), ("", 0)],
)
def test_language_gate(language: str, expected: int) -> None:
    assert len(words("Wort", alias("Wort", language="de"), language=language)) == expected


@pytest.mark.parametrize("language", ["en", "ja", "und", "xx", ""])
def test_alias_of_all_languages_counts_everywhere(language: str) -> None:
    assert words("NATO", alias("NATO", language="*"), language=language) == ["NATO"]


def test_blocker_eats_only_what_stands_inside_it() -> None:
    found = words(
        "Indian food, the Indian Ocean", alias("Indian"), blockers=(alias("Indian Ocean"),)
    )
    assert found == ["Indian"]


def test_blocker_of_one_entity_leaves_another_alone() -> None:
    one = Entity(
        id="Q1",
        kind=Kind.PLACE,
        labels={},
        aliases=(alias("Ocean"),),
        blockers=(alias("Indian Ocean"),),
    )
    two = Entity(id="Q2", kind=Kind.PLACE, labels={}, aliases=(alias("Indian"),))
    assert Finder([one, two]).find("Indian Ocean", "en") == [Mention("Q2", 0, 6)]


def test_themes_do_not_compete_with_names() -> None:
    theme = Entity(id="topic:x", kind=Kind.THEME, labels={}, aliases=(alias("guard"),))
    thing = Entity(id="Q1", kind=Kind.PLACE, labels={}, aliases=(alias("guard house"),))
    assert Finder([theme, thing]).find("guard house", "en") == [
        Mention("topic:x", 0, 5),
        Mention("Q1", 0, 11),
    ]


def test_line_ends_and_typographic_apostrophes_are_no_obstacle() -> None:
    assert words("North\nKorea", alias("North Korea")) == ["North\nKorea"]
    assert words("Côte d’Ivoire", alias("Cote d'Ivoire")) == ["Côte d’Ivoire"]


def test_spans_count_code_points_of_the_original() -> None:
    text = "𝒳 ﬁ e\u0301 Straße Ｒｕｓｓｉａ"
    assert words(text, alias("Russia")) == ["Ｒｕｓｓｉａ"]


def test_no_alias_no_text() -> None:
    assert Finder([]).find("text", "en") == []
    assert SHIPPED_FINDER.find("", "en") == []
    assert SHIPPED_FINDER.find("\u200d\u0301", "und") == []


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("de-AT", "de"), ("zh_Hant", "zh"), ("iw", "he"), ("cmn-Hans", "zh"), ("UND", "und")],
)
def test_primary_subtag(tag: str, expected: str) -> None:
    assert primary(tag) == expected


NAMES = [
    (entity.id, a)
    for language in ("en", "de", "ru", "ar", "he", "fi", "ko", "ja", "hi", "*")
    for a, entity, blocks in SHIPPED.names(language)
    if entity.kind is not Kind.THEME
    if not (blocks or a.weak or a.given or a.text[0] in QUOTES)
]


@settings(max_examples=300, deadline=None)
@given(
    chosen=st.sampled_from(NAMES),
    before=st.text(alphabet='«( \n"—0!é', max_size=4),
    after=st.text(alphabet="»). ,\n?!—", max_size=4),
)
def test_any_name_is_found_between_marks(
    chosen: tuple[str, Alias], before: str, after: str
) -> None:
    _, name = chosen
    text = f"{before} {name.text}{after}"
    language = "en" if name.language == "*" else name.language
    assume(SHIPPED_FINDER.find(name.text, language))  # some are blocked in their own language
    start = len(before) + 1
    places = {(m.start, m.end) for m in SHIPPED_FINDER.find(text, language)}
    assert any(a <= start and start + len(name.text) <= b for a, b in places)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60), language=st.sampled_from(["en", "ar", "he", "zh", "ko", "und"]))
@example(text="وروسيا\u0651", language="ar")
def test_any_text_gives_ordered_spans_within_it(text: str, language: str) -> None:
    mentions = SHIPPED_FINDER.find(text, language)
    assert mentions == sorted(mentions, key=lambda m: (m.start, m.end, m.entity_id))
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
