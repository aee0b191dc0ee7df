"""An operator's own entities through the API: what is written, found, changed and refused."""

from wirewatch.topics.entities import Entity

ACME = {
    "name": "Acme",
    "kind": "organisation",
    "names": {"en": "Acme; ACME Corp", "de": "Acme~ / acmesch~"},
    "exceptions": {"en": "Acme Road"},
}


async def made(world, **changes) -> dict:
    answer = await world.client.post("/v1/entities", json=ACME | changes)
    assert answer.status == 201, await answer.text()
    return await answer.json()


async def asked(world, query: str) -> None:
    """Let an alert ask for something."""
    endpoint = await (
        await world.client.post("/v1/endpoints", json={"url": "https://hook.example/"})
    ).json()
    subscription = {"name": "A", "query": query, "endpoint_ids": [endpoint["id"]]}
    assert (await world.client.post("/v1/subscriptions", json=subscription)).status == 201


async def found(world, text: str, language: str = "en") -> list[str]:
    answer = await world.client.post("/v1/entities/find", json={"text": text, "language": language})
    return [each["id"] for each in (await answer.json())["entities"]]


async def errors(answer) -> dict[str, str]:
    assert answer.status == 422, await answer.text()
    return {each["field"]: each["message"] for each in (await answer.json())["errors"]}


async def test_an_entity_is_written_to_the_log_and_in_force(world):
    view = await made(world)
    topic, record = world.log.sent[-1]
    assert topic == "entities"
    assert isinstance(record, Entity)
    assert record.id == view["id"]
    assert record.labels == {"en": "Acme", "de": "Acme"}
    assert view["found_by"] == {"en": ["^Acme", "ACME Corp"], "de": ["^Acme~", "acmesch~"]}
    assert view["is_own"] is True
    assert await found(world, "Acme grows; on Acme Road") == [view["id"]]
    assert await found(world, "on Acme Road") == []
    assert await found(world, "die acmeschen Werke", "de") == [view["id"]]


async def test_the_same_again_is_no_new_one_and_another_is_a_conflict(world):
    view = await made(world)
    again = await world.client.post("/v1/entities", json=ACME)
    assert (again.status, (await again.json())["id"]) == (200, view["id"])
    other = await world.client.post("/v1/entities", json=ACME | {"names": {"en": "Other"}})
    assert other.status == 409
    assert f"PATCH /v1/entities/{view['id']}" in (await other.json())["detail"]


async def test_a_query_can_ask_for_it_by_name_and_by_id(world):
    view = await made(world)
    for query in ("entity:Acme", f"entity:{view['id']}", "organisation:Acme", "organisation:any"):
        answer = await world.client.post("/v1/queries/check", json={"query": query})
        assert (await answer.json())["ok"] is True, query


async def test_changed_names_are_in_force_at_once(world):
    view = await made(world)
    path = f"/v1/entities/{view['id']}"
    answer = await world.client.patch(path, json={"names": {"en": "Apex"}, "dropped": ["x"]})
    assert answer.status == 200
    assert await found(world, "Acme and Apex") == [view["id"]]
    assert await found(world, "Acme") == []


async def test_an_entity_of_the_catalogue_gets_more_names_and_loses_some(world):
    view = await made(world, id="Q1", kind="country", names={"en": "Fooistan"}, exceptions={})
    await world.client.patch("/v1/entities/Q1", json={"dropped": ["Foo"]})
    assert await found(world, "Fooistan") == ["Q1"]
    assert await found(world, "Fooland") == ["Q1"]
    assert await found(world, "Foo") == []
    assert view["labels"]["en"] == "Fooistan"
    gone = await world.client.delete("/v1/entities/Q1")
    assert gone.status == 204
    assert await found(world, "Foo") == ["Q1"]
    assert await found(world, "Fooistan") == []


async def test_what_is_wrong_is_said_by_field(world):
    post = world.client.post
    assert "required" in (await errors(await post("/v1/entities", json={"name": "x"})))["kind"]
    wrong = ACME | {"names": {"en": "Foo~~"}}
    assert (
        "'Foo~~' is not an alias"
        in (await errors(await post("/v1/entities", json=wrong)))["names.en"]
    )
    wrong = ACME | {"names": {"not a language": "Foo"}}
    assert "BCP 47" in next(iter((await errors(await post("/v1/entities", json=wrong))).values()))
    wrong = ACME | {"id": "X1"}
    assert "Wikidata id" in (await errors(await post("/v1/entities", json=wrong)))["id"]
    wrong = ACME | {"id": "topic:x"}
    assert "theme" in (await errors(await post("/v1/entities", json=wrong)))["kind"]
    wrong = ACME | {"dropped": ["x"] * 1_001}
    assert "1000 are allowed" in (await errors(await post("/v1/entities", json=wrong)))["dropped"]
    wrong = ACME | {"names": {"en": ";".join(f"name{i}" for i in range(1_300))}}
    assert "10000 are allowed" in (await errors(await post("/v1/entities", json=wrong)))["names.en"]
    assert world.log.sent == []


async def test_one_that_an_alert_asks_for_is_not_removed(world):
    view = await made(world)
    await asked(world, "x AND entity:Acme")
    refused = await world.client.delete(f"/v1/entities/{view['id']}")
    assert refused.status == 409
    assert "is asked for by A" in (await refused.json())["detail"]


async def test_a_change_does_not_take_the_name_that_an_alert_calls_it_by(world):
    view = await made(world)
    await asked(world, 'entity:"ACME Corp"')
    path = f"/v1/entities/{view['id']}"
    refused = await world.client.patch(path, json={"names": {"en": "Apex"}})
    assert refused.status == 409
    assert f"ask for entity:{view['id']} first" in (await refused.json())["detail"]
    kept = await world.client.patch(path, json={"names": {"en": "ACME Corp; Apex"}})
    assert kept.status == 200


async def test_an_entity_is_called_by_its_name_whatever_its_names_become(world):
    view = await made(world)
    await world.client.patch(f"/v1/entities/{view['id']}", json={"names": {"en": "Apex"}})
    assert world.gazetteer.catalogue.resolve("Acme").id == view["id"]


async def test_an_import_keeps_what_the_operator_wrote_and_dropped(world):
    imported = {
        "kind": "organisation",
        "name": "Acme",
        "labels": {"en": "Acme", "fr": "Acmé"},
        "aliases": {"en": ["Acme Ltd", "The Anvil"]},
        "demonyms": {"en": ["Acmean"]},
    }
    put = world.client.put
    first = await put("/v1/entities/Q99/imported", json=imported)
    assert first.status == 201
    await world.client.patch(
        "/v1/entities/Q99", json={"names": {"en": "Roadrunner Inc"}, "dropped": ["The Anvil"]}
    )
    again = await put(
        "/v1/entities/Q99/imported", json=imported | {"aliases": {"en": ["Acme plc"]}}
    )
    assert again.status == 200
    assert await found(world, "Acme plc") == ["Q99"]
    assert await found(world, "Roadrunner Inc") == ["Q99"]
    assert await found(world, "Acmean") == ["Q99"]
    assert await found(world, "The Anvil") == []
    view = await (await world.client.get("/v1/entities/Q99")).json()
    assert view["labels"] == {"en": "Roadrunner Inc", "fr": "Acmé"}
    assert view["imported_at"] is not None


async def test_lists_and_searches(world):
    view = await made(world)
    listing = await (await world.client.get("/v1/entities")).json()
    assert [each["id"] for each in listing["items"]] == [view["id"]]
    for text in ("acm", "ACME corp"):
        hits = await (await world.client.get("/v1/entities", params={"search": text})).json()
        assert [each["id"] for each in hits["items"]] == [view["id"]]
    assert (await world.client.get("/v1/entities", params={"search": ""})).status == 422
    missing = await world.client.get("/v1/entities/Q5")
    assert missing.status == 404


async def test_a_theme_of_ones_own(world):
    view = await made(
        world, name="Supply chain", kind="theme", names={"en": "supply chain{,s}; +shortage~s"},
        exceptions={},
    )  # fmt: skip
    assert view["id"] == "topic:supply-chain"
    assert await found(world, "supply chains break") == ["topic:supply-chain"]
    assert await found(world, "a shortage of one thing, said at length so that it counts") == []
    answer = await world.client.post("/v1/queries/check", json={"query": "topic:supply-chain"})
    assert (await answer.json())["ok"] is True


async def test_the_page_finds_lists_and_escapes(world):
    view = await made(world, name="<b>Acme</b>", names={"en": "Acme"}, exceptions={})
    answer = await world.client.get("/entities", params={"search": "Foo"})
    page = await answer.text()
    assert answer.status == 200
    assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]
    assert "entity:Q1" in page
    assert view["id"] in page
    assert "&lt;b&gt;Acme" in page
    assert "<b>Acme" not in page
    empty = await (await world.client.get("/entities", params={"search": "xyzzyx"})).text()
    assert "Nothing has a name that begins so" in empty
