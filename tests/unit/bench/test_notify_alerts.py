from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from bench.notify_alerts import Crowd, alert, pending, webhook_id
from bench.notify_latency import DEAD, dead_crowds
from wirewatch.topics.alerts import Alert
from wirewatch.topics.codec import decode, encode
from wirewatch.topics.deliveries import DeliveryState

CROWD = Crowd("live", "ok", 5, 1_000, 2, 8080)


def test_alerts_go_round_the_endpoints_and_are_of_different_articles() -> None:
    alerts = list(CROWD.alerts(10, first=3))
    assert [one.endpoint_id for one in alerts[:3]] == [CROWD.id(3), CROWD.id(4), CROWD.id(0)]
    assert len({webhook_id(one) for one in alerts}) == 10
    assert len({one.article.id for one in alerts}) == 10


def test_all_may_be_told_of_one_article() -> None:
    alerts = list(CROWD.alerts(5, article="the-one"))
    assert len({one.article.id for one in alerts}) == 1
    assert len({one.id for one in alerts}) == 5


def test_an_alert_has_the_size_of_a_real_one() -> None:
    sizes = [len(encode(alert(number, "end_1", "a"))) for number in range(64)]
    assert 2_500 < min(sizes) < max(sizes) < 4_000


def test_an_alert_says_where_its_words_stand_and_can_be_read() -> None:
    told = decode(encode(alert(7, "end_1", "a")), Alert)
    for proof in told.proofs:
        assert proof.snippet[proof.mark_start : proof.mark_end] == proof.text
        assert proof.end - proof.start == len(proof.text)


def test_endpoints_stand_on_the_hosts_of_their_crowd() -> None:
    urls = [urlsplit(CROWD.url(number)) for number in range(5)]
    assert len({url.hostname for url in urls}) == 2
    assert [url.path for url in urls][:2] == ["/ok/0", "/ok/1"]
    assert {url.port for url in urls} == {8080}


def test_a_crowd_travels_as_one_word() -> None:
    assert Crowd.read(CROWD.word()) == CROWD
    assert " " not in CROWD.word()


def test_dead_endpoints_share_no_host_and_no_id() -> None:
    crowds = dead_crowds()
    assert [crowd.manner for crowd in crowds] == ["ok", "hang", "drip"]
    hosts = [urlsplit(one.url).hostname for crowd in crowds for one in crowd.endpoints()]
    ids = [one.id for crowd in crowds for one in crowd.endpoints()]
    assert len(hosts) == len(set(hosts)) == len(set(ids)) == DEAD
    everyone = Crowd("dead", "ok", DEAD, 0, 1, 1)
    assert {one.endpoint_id for one in everyone.alerts(DEAD)} == set(ids)


def test_a_pending_delivery_waits_for_its_turn() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    told = alert(1, "end_1", "a")
    found = pending(told, due_at=now + timedelta(hours=6), now=now)
    assert (found.id, found.state, found.telling) == (webhook_id(told), DeliveryState.PENDING, told)
    assert found.due_at > now > found.created_at
