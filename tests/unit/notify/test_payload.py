import json

import pytest
from msgspec.structs import replace

from wirewatch.notify.payload import MAX_PAYLOAD_BYTES, make_payload
from wirewatch.topics.alerts import Alert
from wirewatch.topics.deliveries import Delivery


def test_the_payload_by_value(alert: Alert, delivery: Delivery) -> None:
    assert json.loads(make_payload(alert, delivery)) == {
        "type": "alert.created",
        "timestamp": "2024-11-23T09:00:00Z",
        "data": {
            "alert_id": "alert_1",
            "delivery_id": "msg_1",
            "subscription": {
                "id": "sub_1",
                "name": "Panzer",
                "query": "entity:Russia",
                "tags": ["de"],
            },
            "article": {
                "id": "art_1",
                "story_id": "story_1",
                "revision": 1,
                "url": "https://news.example/1",
                "title": "Ein russisches Werk",
                "summary": "Nur kurz.",
                "language": "de",
                "source": "news.example",
                "feed_id": "feed_1",
                "feed_title": "Nachrichten",
                "authors": ["A. B."],
                "published_at": "2024-11-23T09:00:00Z",
                "fetched_at": "2024-11-23T09:00:00Z",
            },
            "proofs": [
                {
                    "leaf": "entity:Russia",
                    "entity_id": "Q159",
                    "field": "title",
                    "start": 4,
                    "end": 14,
                    "text": "russisches",
                    "snippet": "Ein russisches Werk",
                    "mark_start": 4,
                    "mark_end": 14,
                    "beside": None,
                }
            ],
        },
    }


def test_a_repeat_has_the_same_bytes(alert: Alert, delivery: Delivery) -> None:
    later = replace(delivery, attempts=3)

    assert make_payload(alert, delivery) == make_payload(alert, later)


def test_the_last_proofs_go_first_and_as_few_as_need_be(alert: Alert, delivery: Delivery) -> None:
    [proof] = alert.proofs
    many = tuple(replace(proof, start=n, snippet="雪" * 160) for n in range(200))

    body = make_payload(replace(alert, proofs=many), delivery)

    data = json.loads(body)["data"]
    kept = data["proofs"]
    assert data["truncated"] is True
    assert data["article"]["summary"] == "Nur kurz."
    assert [p["start"] for p in kept] == list(range(len(kept)))
    one_more = len(json.dumps(kept[0], ensure_ascii=False, separators=(",", ":")).encode()) + 2
    assert MAX_PAYLOAD_BYTES - one_more <= len(body) <= MAX_PAYLOAD_BYTES


def test_then_the_summary_goes(alert: Alert, delivery: Delivery) -> None:
    article = replace(alert.article, summary="雪" * 30_000)

    data = json.loads(make_payload(replace(alert, article=article), delivery))["data"]

    assert (data["proofs"], data["article"]["summary"]) == ([], "")
    assert data["truncated"] is True
    assert data["article"]["authors"] == ["A. B."]


@pytest.mark.parametrize("letter", ["x", "雪", "\x01", "😀"])
def test_whatever_comes_stays_below_the_limit(
    alert: Alert, delivery: Delivery, letter: str
) -> None:
    long = letter * 70_000
    huge = replace(
        alert,
        subscription_name=long,
        query=long,
        tags=(long,) * 20,
        article=replace(
            alert.article,
            url=long,
            title=long,
            summary=long,
            source=long,
            feed_title=long,
            authors=(long, long),
        ),
        proofs=alert.proofs * 2000,
    )

    body = make_payload(huge, delivery)

    assert len(body) <= MAX_PAYLOAD_BYTES
    data = json.loads(body)["data"]
    assert data["truncated"] is True
    assert data["article"]["title"] == letter * 1000
    assert data["alert_id"] == "alert_1"
