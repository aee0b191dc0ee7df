"""Trying queries: nothing is stored."""

from io import BytesIO

CHECK = "/v1/queries/check"
EXPLAIN = "/v1/queries/explain"


async def test_a_query_can_be_checked_without_storing_it(world):
    good = await world.client.post(CHECK, json={"query": "storm  flood"})
    assert await good.json() == {
        "ok": True,
        "query": "storm  flood",
        "canonical": "storm AND flood",
        "notes": [],
        "warnings": [],
        "error": None,
    }
    bad = await world.client.post(CHECK, json={"query": "storm)"})
    assert bad.status == 200
    assert await bad.json() == {
        "ok": False,
        "query": None,
        "canonical": None,
        "notes": [],
        "warnings": [],
        "error": {
            "message": "this parenthesis was never opened",
            "offset": 5,
            "length": 1,
            "suggestion": "remove it",
        },
    }
    assert world.log.sent == []


async def test_a_query_of_another_tool_is_translated_with_notes(world):
    body = {"query": "storm filetype:pdf | flood", "dialect": "google"}

    answer = await (await world.client.post(CHECK, json=body)).json()

    assert (answer["query"], answer["canonical"]) == ("storm flood", "storm AND flood")
    assert answer["notes"] == [
        {
            "offset": 6,
            "length": 12,
            "message": "articles of feeds have no file type: left out",
        }
    ]


async def test_what_is_broad_is_warned_of_and_fine(world):
    answer = await (await world.client.post(CHECK, json={"query": "lang:en"})).json()

    assert answer["ok"]
    assert answer["warnings"] == [
        {
            "part": "lang:en",
            "message": "every article that passes these filters matches: add a word",
        }
    ]


async def test_an_unknown_dialect_is_refused(world):
    answer = await world.client.post(CHECK, json={"query": "storm", "dialect": "klingon"})

    assert answer.status == 422
    assert [error["field"] for error in (await answer.json())["errors"]] == ["dialect"]


async def test_a_match_is_explained_by_the_words_and_their_places(world):
    body = {
        "query": "storms source:n.example",
        "article": {"title": "A storm", "language": "en", "url": "https://www.n.example/a"},
    }

    answer = await world.client.post(EXPLAIN, json=body)

    assert answer.status == 200
    found = await answer.json()
    assert (found["matches"], found["missing"], found["language"]) == (True, [], "en")
    assert found["proofs"] == [
        {
            "leaf": "storms",
            "entity_id": None,
            "field": "title",
            "start": 2,
            "end": 7,
            "text": "storm",
            "snippet": "A storm",
            "mark_start": 2,
            "mark_end": 7,
            "beside": None,
        },
        {
            "leaf": "source:n.example",
            "entity_id": None,
            "field": "source",
            "start": 0,
            "end": 9,
            "text": "n.example",
            "snippet": "n.example",
            "mark_start": 0,
            "mark_end": 9,
            "beside": None,
        },
    ]
    assert world.log.sent == []


async def test_where_it_does_not_match_the_least_that_is_missing_is_told(world):
    body = {
        "query": "storm (flood | hail) -football",
        "dialect": "google",
        "article": {"title": "A storm of football", "language": "en"},
    }

    found = await (await world.client.post(EXPLAIN, json=body)).json()

    assert not found["matches"]
    assert found["missing"] == [
        {"leaf": "flood", "unwanted": False},
        {"leaf": "football", "unwanted": True},
    ]
    assert [(proof["leaf"], proof["text"]) for proof in found["proofs"]] == [
        ("storm", "storm"),
        ("football", "football"),
    ]


async def test_the_language_is_guessed_where_it_is_not_told(world):
    text = "Die Regierung hat gestern neue Gesetze beschlossen und viele Bürger sind dagegen."
    body = {"query": "gesetz", "article": {"title": text}}

    found = await (await world.client.post(EXPLAIN, json=body)).json()

    assert (found["language"], found["matches"]) == ("de", True)


async def test_an_article_may_be_as_long_as_articles_are(world):
    article = {"body": "\u0436" * 99_990 + " storm", "language": "en"}

    found = await world.client.post(EXPLAIN, json={"query": "storm", "article": article})

    assert (await found.json())["matches"]
    article = {"body": "a" * 100_001, "title": "b" * 1_001, "authors": ["c" * 201]}
    refused = await world.client.post(EXPLAIN, json={"query": "storm (", "article": article})
    assert refused.status == 422
    assert [error["field"] for error in (await refused.json())["errors"]] == [
        "query",
        "article.title",
        "article.body",
        "article.authors",
    ]
    too_large = await world.client.post(
        EXPLAIN,
        data=BytesIO(b'{"query": "storm", "article": {"body": "%s"}}' % (b"a" * 2_000_000)),
        headers={"Content-Type": "application/json"},
    )
    assert too_large.status == 413


async def test_a_field_that_articles_do_not_have_is_named(world):
    refused = await world.client.post(EXPLAIN, json={"query": "a", "article": {"text": "b"}})

    assert refused.status == 422
    [error] = (await refused.json())["errors"]
    assert error["field"] == "article.text"
    assert error["message"].startswith("there is no such field here; there are title, lead, body,")
