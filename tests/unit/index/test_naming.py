"""The names that a batch reader finds are those that the finder finds."""

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder, piece
from wirewatch.index.reader import BatchReader
from wirewatch.index.vocabulary import Vocabulary
from wirewatch.query.reading import read
from wirewatch.query.sample import Sample, article_of
from wirewatch.query.tree import EntityLeaf
from wirewatch.topics.articles import Article
from wirewatch.topics.entities import Alias, Case, Entity, Kind, Mode, Role


def entity(entity_id: str, *aliases: Alias, kind: Kind = Kind.PLACE, **fields: object) -> Entity:
    return Entity(id=entity_id, kind=kind, labels={}, aliases=aliases, **fields)


def alias(text: str, language: str = "en", **fields: object) -> Alias:
    return Alias(text=text, language=language, **fields)


ENTITIES = [
    entity("Q1", alias("Korea", weak=True), alias("North Korea"), context=("Q4",)),
    entity("Q2", alias("Korea", weak=True), alias("South Korea"), alias("South Korean team")),
    entity("Q3", alias("New Guinea", "*"), blockers=(alias("Papua New Guinea party"),)),
    entity(
        "Q4", alias("Guinea"), alias("Pyongyang", "*"), alias("平壌", "ja", mode=Mode.SUBSTRING)
    ),
    entity("Q5", alias("Jordan", "*", given=True), alias("Jord", "de", mode=Mode.INFLECT)),
    entity("Q6", alias("D.P.R.K."), alias("No. 5", "*"), alias("US", case=Case.ALL)),
    entity(
        "Q7", alias("朝鮮", "ja", mode=Mode.SUBSTRING), alias("Nordkorea", "de", mode=Mode.PREFIX)
    ),
    entity("Q8", alias("한국", "ko", mode=Mode.INFLECT), alias("NATO", "*", case=Case.ALL)),
    entity("Q9", alias("الصين", "ar"), alias("Austr", "de", mode=Mode.INFLECT)),
    entity("Q10", alias("Australi", "de", mode=Mode.INFLECT), alias("New", weak=True)),
    entity("Q11", alias("South Korean army"), alias("North Korean army"), transparent=True),
    entity(
        "topic:war",
        alias("war", role=Role.TERM),
        alias("troops", role=Role.TERM, weak=True),
        alias("front", role=Role.TERM, weak=True),
        alias("frontal", role=Role.TERM, weak=True),
        kind=Kind.THEME,
    ),
]
FINDER = Finder(ENTITIES)
_WORDS = """
Korea North South Korean team army Papua New Guinea party Pyongyang Jordan Jordanien US us D.P.R.K.
№ 5 No. troops front war frontal Nordkoreas Australien 北朝鮮 平壌の 한국은 NATO가 وللصين Spieth
Michael . — ’s
"""
WORDS = [*_WORDS.split(), "\u00ad", "\n"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
    lambda words: st.sampled_from([" ", "  ", "-", ""]).map(lambda space: space.join(words))
)


def article(number: int, title: str, body: str, language: str) -> Article:
    made = article_of(Sample(title=title, body=body, language=language))
    return msgspec.structs.replace(made, id=f"art_{number}", language=language)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(TEXTS, TEXTS, st.sampled_from(["en", "de", "ja", "ko", "ar", "und", "xx"])),
        min_size=1,
        max_size=4,
    )
)
@example([("Michael Jordan", "Pyongyang and Korea, № 5", "en")])
@example([("Australien Korea", "New Guinea", "de"), ("troops", "front front", "en")])
def test_a_batch_names_what_the_finder_finds(texts: list[tuple[str, str, str]]) -> None:
    articles = [article(number, *each) for number, each in enumerate(texts)]
    vocabulary = Vocabulary()
    reader = BatchReader(vocabulary, FINDER)
    for asked in (False, True):
        if asked:  # by a query; until then articles are looked at one by one
            vocabulary.base(EntityLeaf("Q1", "x"))
            reader.refresh()
        found = reader.read(articles)
        for number, each in enumerate(articles):
            pieces = [piece(each.title, is_title=True), piece(each.lead), piece(each.body)]
            wanted = [m for part in FINDER.read(pieces, each.language) for m in part]
            got = list(found.named(number))
            assert sorted(got) == sorted(wanted if each.lead != each.body else got)
            assert {m.entity_id for m in got} == {m.entity_id for m in wanted}
        reader.clean()


def test_an_entity_that_comes_later_is_found_with_the_next_article() -> None:
    finder = Finder(ENTITIES)
    vocabulary = Vocabulary()
    vocabulary.base(EntityLeaf("ent_1", "x"))
    reader = BatchReader(vocabulary, finder)
    reader.refresh()
    one = article(1, "Acme buys Korea", "", "en")
    assert not reader.read([one]).named(0)
    reader.clean()
    finder.put([entity("ent_1", alias("Acme"))])
    assert [m.entity_id for m in reader.read([one]).named(0)] == ["ent_1"]
    reader.clean()
    finder.remove(["ent_1"])
    assert not reader.read([one]).named(0)


def test_every_entity_of_a_kind_stands_for_its_class() -> None:
    one = article(1, "Pyongyang", "Guinea", "en")
    assert len(read(one, FINDER).mentions["kind:place"]) == 2


def test_the_whole_catalogue_agrees() -> None:
    catalogue = Catalogue.load()
    finder = Finder(catalogue)
    vocabulary = Vocabulary()
    vocabulary.base(EntityLeaf("Q423", "x"))
    reader = BatchReader(vocabulary, finder)
    reader.refresh()
    articles = [
        article(
            number, f"{each.labels.get(language, 'x')} said", f"({each.labels['en']})", language
        )
        for number, each in enumerate(list(catalogue)[:60])
        for language in ("en", "ru", "zh", "fi")
    ][:200]
    for start in range(0, len(articles), 64):
        some = articles[start : start + 64]
        found = reader.read(some)
        for number, each in enumerate(some):
            pieces = [piece(each.title, is_title=True), piece(each.lead), piece(each.body)]
            wanted = {m.entity_id for part in finder.read(pieces, each.language) for m in part}
            assert {m.entity_id for m in found.named(number)} == wanted
        reader.clean()
