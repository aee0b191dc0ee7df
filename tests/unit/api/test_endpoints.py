"""How endpoints are made, changed, shown and asked; that their secrets stay secrets."""

import base64
import json
import logging
from datetime import timedelta

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from wirewatch.api.endpoints import seal_old
from wirewatch.runtime.vault import Vault, secrets_of
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    EndpointState,
    verification_of,
)
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets, SigningKey
from wirewatch.topics.ids import endpoint_id

HOOK = "https://receiver.example/hook"
SLACK = "https://hooks.slack.example/services/T000/B000/hushhush"
BOT = {"kind": "telegram", "url": "https://api.telegram.org", "chat_id": "-100123",
       "token": "123456:" + "h" * 35}  # fmt: skip
WHSEC = "whsec_" + base64.b64encode(b"x" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"y" * 64).decode()
WHSK = "whsk_" + base64.b64encode(b"k" * 32).decode()


async def _post(world, path="", status=201, **body):
    answer = await world.client.post(f"/v1/endpoints{path}", json=body)
    said = await answer.json()
    assert answer.status == status, said
    return said


async def _patch(world, known, status=200, **body):
    answer = await world.client.patch(f"/v1/endpoints/{known}", json=body)
    said = await answer.json()
    assert answer.status == status, said
    return said


async def _show(world, known):
    return await (await world.client.get(f"/v1/endpoints/{known}")).json()


def _state(known, **fields):
    return EndpointState(**({"endpoint_id": known, "changed_at": fields.pop("at")} | fields))


async def test_the_secret_is_told_once_and_never_again(world):
    endpoint = await _post(world, url=HOOK)
    secret = endpoint["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    Webhook(secret)  # the official library takes it
    path = f"/v1/endpoints/{endpoint['id']}"
    for answer in (
        await world.client.post("/v1/endpoints", json={"url": HOOK}),
        await world.client.get(path),
        await world.client.get("/v1/endpoints"),
        await world.client.patch(path, json={"name": "mine"}),
        await world.client.post(f"{path}/pause", json={}),
        await world.client.get("/v1/status"),
        await world.client.get("/"),
    ):
        assert answer.status == 200
        assert secret not in await answer.text()
        assert "whsec_" not in await answer.text()


async def test_what_goes_to_the_topic_is_sealed(world):
    await _post(world, url=HOOK, secret=WHSEC, headers={"Authorization": "Bearer hush"})
    record = world.log.sent[-1][1]
    assert (record.version, record.secret) == (2, "")
    assert world.secrets() == EndpointSecrets(
        keys=(SigningKey(secret=WHSEC),), headers=(("Authorization", "Bearer hush"),)
    )


async def test_two_endpoints_have_different_secrets(world):
    first, second = await _post(world, url=HOOK), await _post(world, url=HOOK + "2")
    assert first["secret"] != second["secret"]


async def test_an_own_secret_is_taken_and_a_changed_one_signs_alone(world):
    endpoint = await _post(world, url=HOOK, secret=WHSEC)
    assert endpoint["secret"] == WHSEC
    await _patch(world, endpoint["id"], secret=OTHER)
    assert world.secrets().keys == (SigningKey(secret=OTHER),)


@pytest.mark.parametrize(
    "secret",
    ["", "x", "whsec_", "whsec_!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(),
     "whsec_" + base64.b64encode(b"x" * 65).decode(), base64.b64encode(b"x" * 32).decode(),
     "whsk_" + base64.b64encode(b"x" * 31).decode(), "whsk_" + base64.b64encode(b"x" * 64).decode(),
     "whpk_" + base64.b64encode(b"x" * 32).decode()],
)  # fmt: skip
async def test_a_weak_secret_is_refused_and_not_repeated(world, secret):
    problem = await _post(world, url=HOOK, secret=secret, status=422)
    assert problem["errors"][0]["message"] == (
        "must be whsec_ and the base64 of 24 to 64 random bytes, "
        "or whsk_ and the base64 of an ed25519 private key"
    )


async def test_of_an_ed25519_key_only_the_public_half_is_shown(world):
    endpoint = await _post(world, url=HOOK, secret_type="ed25519")
    assert (endpoint["secret"], endpoint["secret_type"]) == (None, "ed25519")
    assert world.secrets().keys[0].secret.startswith("whsk_")
    public = endpoint["public_key"]
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    assert (await _show(world, endpoint["id"]))["public_key"] == public
    given = await _post(world, url=HOOK + "2", secret=WHSK)
    assert given["secret_type"] == "ed25519"


async def test_the_type_of_a_secret_has_to_be_its_own(world):
    problem = await _post(world, url=HOOK, secret=WHSEC, secret_type="ed25519", status=422)
    assert problem["errors"][0]["field"] == "secret_type"


async def test_the_same_again_is_no_second_one_and_another_is_a_conflict(world):
    body = {"url": HOOK, "secret": WHSEC, "headers": {"b": "1", "A": "2"}, "concurrency": 2}
    made = await _post(world, **body)
    again = await _post(world, **body, status=200)
    assert again == {name: value for name, value in made.items() if name != "secret"}
    assert (await _post(world, url=HOOK, headers={"b": "1"}, status=200))["id"] == made["id"]
    for other in (
        {"secret": OTHER}, {"headers": {"b": "2"}}, {"concurrency": 3}, {"kind": "cloudevents"},
        {"secret_type": "ed25519"},
    ):  # fmt: skip
        problem = await _post(world, url=HOOK, **other, status=409)
        assert problem["detail"].endswith(f"PATCH /v1/endpoints/{made['id']}.")
    assert len(world.log.sent) == 1


async def test_after_a_rotation_the_newest_secret_is_the_one_compared(world):
    made = await _post(world, url=HOOK, secret=WHSEC)
    await _post(world, f"/{made['id']}/secret/rotate", secret=OTHER, status=200)
    await _post(world, url=HOOK, secret=OTHER, status=200)
    await _post(world, url=HOOK, secret=WHSEC, status=409)


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        (HOOK, "webhook", HOOK),
        (HOOK + "?key=hush&x=1", "webhook", HOOK + "?…"),
        (HOOK + "?key=hush", "cloudevents", HOOK + "?…"),
        (SLACK, "slack", "https://hooks.slack.example/…"),
        (SLACK, "teams", "https://hooks.slack.example/…"),
        (SLACK, "discord", "https://hooks.slack.example/…"),
        (SLACK, "mattermost", "https://hooks.slack.example/…"),
        ("https://ntfy.sh:8443/hush", "ntfy", "https://ntfy.sh:8443/…"),
        ("mailto:desk@example.org", "email", "mailto:desk@example.org"),
        ("https://bücher.example/hook", "webhook", "https://bücher.example/hook"),
        ("https://[2001:db8::1]:8443/hook", "webhook", "https://[2001:db8::1]:8443/hook"),
    ],
)
async def test_an_address_that_is_a_secret_is_cut_and_sealed_whole(world, url, kind, shown):
    endpoint = await _post(world, url=url, kind=kind)
    assert (endpoint["url"], endpoint["id"]) == (shown, endpoint_id(url))
    record = world.log.sent[-1][1]
    assert world.secrets().url == ("" if shown == url else url)
    assert (record.url_id != "") == (shown != url)
    assert "hush" not in repr(record) + json.dumps(await _show(world, endpoint["id"]))
    assert (await _post(world, url=url, kind=kind, status=200))["id"] == endpoint["id"]


@pytest.mark.parametrize("kind", ["slack", "teams", "discord", "mattermost", "ntfy"])
async def test_a_chat_has_no_signing_secret(world, kind):
    endpoint = await _post(world, url="https://chat.example/topic", kind=kind)
    assert (endpoint["secret"], endpoint["secret_type"]) == (None, None)
    problem = await _post(world, f"/{endpoint['id']}/secret/rotate", status=409)
    assert "signs nothing" in problem["detail"]


async def test_another_kind_cuts_the_address_anew_and_signs(world):
    endpoint = await _post(world, url=SLACK, kind="slack")
    changed = await _patch(world, endpoint["id"], kind="webhook")
    assert (changed["url"], world.secrets().url) == (SLACK, "")
    assert changed["secret"] == world.secrets().keys[0].secret
    back = await _patch(world, endpoint["id"], kind="slack")
    assert (back["url"], back["secret_type"]) == ("https://hooks.slack.example/…", None)
    assert world.secrets() == EndpointSecrets(url=SLACK)


async def test_telegram_has_a_chat_and_a_token(world):
    endpoint = await _post(world, **BOT)
    assert endpoint["id"] == endpoint_id(BOT["url"], BOT["chat_id"])
    assert (endpoint["has_token"], world.secrets().token) == (True, BOT["token"])
    other = await _post(world, **(BOT | {"chat_id": "@channel"}))
    assert other["id"] != endpoint["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://x.example/"}, "url"),
        ({"url": "https:///x"}, "url"),
        ({"url": "https://user:hush@x.example/"}, "url"),
        ({"url": "https://x.example:0/"}, "url"),
        ({"url": "https://x.example:70000/"}, "url"),
        ({"url": "https://[::1/"}, "url"),
        ({"url": "https://[hush]/"}, "url"),
        ({"url": "https://x.example/\r\nhost: evil"}, "url"),
        ({"url": "https://x.example/" + "x" * 2_048}, "url"),
        ({"url": "https://" + "x" * 64 + ".example/"}, "url"),
        ({"url": "https://" + "x." * 130 + "example/"}, "url"),
        ({"url": "https://ex%61mple.org/"}, "url"),
        ({"url": "https://x..example/"}, "url"),
        ({"url": "https://\u2024.example/"}, "url"),
        ({"url": HOOK, "kind": "email"}, "url"),
        ({"url": "mailto:a@b.example,c@d.example", "kind": "email"}, "url"),
        ({"url": "mailto:a@b.example?subject=x", "kind": "email"}, "url"),
        ({"url": "mailto:@b.example", "kind": "email"}, "url"),
        ({"url": "mailto:a@", "kind": "email"}, "url"),
        ({"url": "mailto:a%0d%0ab@b.example", "kind": "email"}, "url"),
        ({"url": "https://ntfy.sh/", "kind": "ntfy"}, "url"),
        ({"url": "https://ntfy.sh/a b", "kind": "ntfy"}, "url"),
        (BOT | {"url": "https://api.telegram.org/bot1:hush"}, "url"),
        (BOT | {"chat_id": ""}, "chat_id"),
        (BOT | {"chat_id": "me"}, "chat_id"),
        (BOT | {"token": "hush"}, "token"),
        (BOT | {"token": ""}, "token"),
        ({"url": HOOK, "token": "hush"}, "token"),
        ({"url": HOOK, "chat_id": "1"}, "chat_id"),
        ({"url": HOOK, "template": "x"}, "template"),
        ({"url": HOOK, "event_mode": "binary"}, "event_mode"),
        ({"url": SLACK, "kind": "slack", "variant": "thin"}, "variant"),
        ({"url": SLACK, "kind": "slack", "verification": "ping"}, "verification"),
        ({"url": SLACK, "kind": "slack", "secret": WHSEC}, "secret"),
        ({"url": HOOK, "kind": "template"}, "template"),
        ({"url": HOOK, "kind": "template", "template": "{% for %}"}, "template"),
        ({"url": HOOK, "kind": "template", "template": "x", "content_type": "a\r\nb"},
         "content_type"),
        ({"url": "mailto:a@b.example", "kind": "email", "headers": {"x": "y"}}, "headers"),
        ({"url": HOOK, "retry_schedule_s": [0]}, "retry_schedule_s"),
        ({"url": HOOK, "retry_schedule_s": [-1]}, "retry_schedule_s"),
        ({"url": HOOK, "retry_schedule_s": [604801]}, "retry_schedule_s"),
        ({"url": HOOK, "retry_schedule_s": [1] * 31}, "retry_schedule_s"),
        ({"url": HOOK, "concurrency": 0}, "concurrency"),
        ({"url": HOOK, "concurrency": 101}, "concurrency"),
        ({"url": HOOK, "order": "strict", "concurrency": 2}, "concurrency"),
        ({"url": HOOK, "rate_per_s": 0}, "rate_per_s"),
        ({"url": HOOK, "timeout_s": 61}, "timeout_s"),
        ({"url": HOOK, "redirects": 6}, "redirects"),
        ({"url": HOOK, "events": ["endpoint.disabled"] * 2}, "events"),
        ({"url": HOOK, "name": "a\nb"}, "name"),
        ({"url": HOOK, "headers": {"Webhook-Id": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"HOST": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"Content-Length": "1"}}, "headers"),
        ({"url": HOOK, "headers": {"Transfer-Encoding": "chunked"}}, "headers"),
        ({"url": HOOK, "headers": {"Connection": "close"}}, "headers"),
        ({"url": HOOK, "headers": {"ce-id": "1"}}, "headers"),
        ({"url": HOOK, "headers": {"X": "hush\r\nY: z"}}, "headers"),
        ({"url": HOOK, "headers": {"X": "hush\x00"}}, "headers"),
        ({"url": HOOK, "headers": {"X": "hush "}}, "headers"),
        ({"url": HOOK, "headers": {"X": "hüsh"}}, "headers"),
        ({"url": HOOK, "headers": {"X": ""}}, "headers"),
        ({"url": HOOK, "headers": {"X Y": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"X:": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"x": "hush", "X": "hush"}}, "headers"),
        ({"url": HOOK, "headers": {"x": "h" * 4_097}}, "headers"),
        ({"url": HOOK, "headers": {f"x{i}": "hush" for i in range(21)}}, "headers"),
        ({"url": HOOK, "ca": "hush"}, "ca"),
        ({"url": HOOK, "certificate": "hush"}, "private_key"),
        ({"url": HOOK, "private_key": "hush"}, "certificate"),
        ({"url": HOOK, "certificate": "hush", "private_key": "hush"}, "certificate"),
    ],
)  # fmt: skip
async def test_what_is_not_allowed_is_named_without_being_quoted(world, body, field):
    problem = await _post(world, **body, status=422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "hush" not in json.dumps(problem)
    assert world.log.sent == []


async def test_all_that_can_be_said_is_kept_and_shown(world):
    said = {
        "kind": "cloudevents", "name": "desk", "variant": "thin", "event_mode": "binary",
        "retry_schedule_s": [5, 60], "concurrency": 1, "rate_per_s": 0.5, "timeout_s": 5,
        "order": "strict", "redirects": 2, "verification": "ping", "paused": True,
        "disabled": True, "events": ["endpoint.disabled", "delivery.exhausted"],
    }  # fmt: skip
    endpoint = await _post(world, url=HOOK, **said)
    shown = await _show(world, endpoint["id"])
    assert {name: shown[name] for name in said} == said
    template = {
        "kind": "template",
        "template": '{"t": {{ type | tojson }}}',
        "content_type": "text/plain",
    }
    made = await _post(world, url=HOOK + "2", **template)
    assert {name: made[name] for name in template} == template


async def test_headers_are_laid_over_those_there_are_and_only_their_names_are_shown(world):
    endpoint = await _post(world, url=HOOK, headers={"X-One": "1", "X-Two": "2"})
    assert endpoint["headers"] == ["X-One", "X-Two"]
    changed = await _patch(
        world, endpoint["id"], headers={"x-one": None, "X-Three": "3", "x-two": "22"}
    )
    assert changed["headers"] == ["X-Three", "x-two"]
    assert world.secrets().headers == (("X-Three", "3"), ("x-two", "22"))
    assert len(world.secrets().keys) == 1


async def test_a_change_of_nothing_writes_nothing(world):
    endpoint = await _post(world, url=HOOK, secret=WHSEC, headers={"X": "1"})
    await _patch(
        world, endpoint["id"], url=HOOK, secret=WHSEC, headers={"X": "1"}, name="", disabled=False
    )
    assert len(world.log.sent) == 1


async def test_a_certificate_is_checked_and_shown_by_subject_and_expiry(world):
    authority = trustme.CA()
    issued = authority.issue_cert("client.example", not_after=world.clock.now + timedelta(days=9))
    pems = {
        "ca": authority.cert_pem.bytes().decode(),
        "certificate": issued.cert_chain_pems[0].bytes().decode(),
        "private_key": issued.private_key_pem.bytes().decode(),
    }
    endpoint = await _post(world, url=HOOK, **pems)
    assert endpoint["certificate"]["expires_at"] == "2026-03-10T12:00:00Z"
    assert "O=trustme" in endpoint["certificate"]["subject"]
    assert endpoint["ca"] is not None
    assert any("expires: 2026-03-10" in warning for warning in endpoint["warnings"])
    assert "BEGIN" not in json.dumps(endpoint)
    foreign = authority.issue_cert("other.example").private_key_pem.bytes().decode()
    problem = await _patch(world, endpoint["id"], private_key=foreign, status=422)
    assert problem["errors"][0]["message"] == "the private key does not belong to the certificate"
    world.clock.now += timedelta(days=10)
    problem = await _post(world, url=HOOK + "2", **pems, status=422)
    assert "expired on 2026-03-10" in problem["detail"]
    # One that has expired meanwhile does not stand against something else.
    assert (await _patch(world, endpoint["id"], headers={"X": "1"}))["headers"] == ["X"]
    bare = await _patch(world, endpoint["id"], certificate="", private_key="", ca="")
    assert (bare["certificate"], bare["ca"]) == (None, None)


async def test_a_plain_address_is_warned_of(world):
    assert (await _post(world, url="https://x.example/"))["warnings"] == []
    assert (await _post(world, url="http://127.0.0.1:9000/"))["warnings"] == []
    assert (await _post(world, url="http://x.example/"))["warnings"] == [
        "Its URL is not https: whoever is on the way reads what is sent."
    ]


async def test_a_replaced_secret_goes_on_signing_for_the_chosen_time(world):
    endpoint = await _post(world, url=HOOK, secret=WHSEC)
    path = f"/{endpoint['id']}/secret/rotate"
    rotated = await _post(world, path, status=200)
    old, now = SigningKey(secret=WHSEC, until=world.clock.now + timedelta(days=1)), world.clock.now
    assert world.secrets().keys == (SigningKey(secret=rotated["secret"]), old)
    assert rotated["old_secrets_until"] == ["2026-03-02T12:00:00Z"]
    assert "secret" not in await _show(world, endpoint["id"])
    world.clock.now += timedelta(hours=1)
    second = await _post(world, path, keep_old_for_s=60, secret_type="ed25519", status=200)
    assert (second["secret"], second["public_key"][:5]) == (None, "whpk_")
    keys = world.secrets().keys
    assert keys[1].until == now + timedelta(hours=1, seconds=60)
    assert keys[2] == old
    world.clock.now += timedelta(days=2)
    third = await _post(world, path, keep_old_for_s=0, status=200)
    assert third["secret"] is None  # of the old one's type
    assert len(world.secrets().keys) == 1


async def test_at_most_four_secrets_sign(world):
    endpoint = await _post(world, url=HOOK, secret=WHSEC)
    for _ in range(6):
        await _post(world, f"/{endpoint['id']}/secret/rotate", status=200)
    assert len(world.secrets().keys) == 4
    assert WHSEC not in {key.secret for key in world.secrets().keys}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"secret": WHSEC}, "secret"), ({"secret": "hush"}, "secret"),
     ({"keep_old_for_s": -1}, "keep_old_for_s"), ({"keep_old_for_s": 2_592_001}, "keep_old_for_s"),
     ({"secret": OTHER, "secret_type": "ed25519"}, "secret_type")],
)  # fmt: skip
async def test_a_rotation_that_cannot_be_is_refused(world, body, field):
    endpoint = await _post(world, url=HOOK, secret=WHSEC)
    problem = await _post(world, f"/{endpoint['id']}/secret/rotate", **body, status=422)
    assert problem["errors"][0]["field"] == field
    assert "hush" not in json.dumps(problem)


async def test_pausing_and_disabling_by_path_and_by_field_are_the_same(world):
    known = (await _post(world, url=HOOK))["id"]
    assert (await _post(world, f"/{known}/pause", status=200))["state"] == "paused"
    assert (await _patch(world, known, paused=False))["state"] == "active"
    assert (await _post(world, f"/{known}/disable", status=200))["disabled_reason"] == "by_hand"
    assert (await _post(world, f"/{known}/enable", status=200))["state"] == "active"
    await _patch(world, known, disabled=True)
    world.clock.now += timedelta(hours=1)
    enabled = await _patch(world, known, disabled=False)
    assert (enabled["state"], enabled["enabled_at"]) == ("active", "2026-03-01T13:00:00Z")
    status = (await world.client.post(f"/v1/endpoints/{known}/explode", json={})).status
    assert status == 404


async def test_what_notify_found_is_shown_in_one_word_and_in_full(world):
    known = (await _post(world, url=HOOK))["id"]
    at = world.clock.now + timedelta(minutes=5)
    failing = _state(
        known, at=at, breaker=Breaker.OPEN, failures=7, failing_since=at, last_failure_at=at,
        last_reason=AttemptReason.TIMEOUT, last_detail="after 15 s", probe_at=at,
    )  # fmt: skip
    world.read(world.tables.endpoint_states, failing)
    shown = await _show(world, known)
    assert (shown["state"], shown["breaker"], shown["failures"]) == ("failing", "open", 7)
    assert shown["last_failure"] == {
        "at": "2026-03-01T12:05:00Z", "reason": "timeout", "detail": "after 15 s",
    }  # fmt: skip
    gone = _state(known, at=at, disabled_at=at, disabled_reason=DisabledReason.GONE)
    world.tables.endpoint_states.forget(0)
    world.read(world.tables.endpoint_states, gone)
    shown = await _show(world, known)
    assert (shown["state"], shown["disabled"], shown["disabled_reason"]) == (
        "disabled", False, "gone",
    )  # fmt: skip
    counts = await (await world.client.get("/v1/status")).json()
    assert counts["endpoints"] == {"active": 0, "resting": 1}
    world.clock.now += timedelta(hours=1)
    enabled = await _post(world, f"/{known}/enable", status=200)
    assert (enabled["state"], enabled["disabled_at"]) == ("active", None)


async def test_an_endpoint_is_unverified_until_this_address_is_proved(world):
    known = (await _post(world, url=HOOK + "?a=1", verification="ping"))["id"]
    assert (await _show(world, known))["state"] == "unverified"
    proof = verification_of(world.log.sent[-1][1])
    proved = _state(known, at=world.clock.now, verified=proof)
    world.read(world.tables.endpoint_states, proved)
    assert (await _show(world, known))["verified"] is True
    # What is cut of the address counts too.
    assert (await _patch(world, known, url=HOOK + "?a=2"))["state"] == "unverified"
    assert (await _patch(world, known, url=HOOK + "?a=1"))["state"] == "active"
    assert (await _patch(world, known, verification="handshake"))["state"] == "unverified"
    assert (await _patch(world, known, verification="none"))["state"] == "active"


async def test_a_test_is_a_pending_delivery_of_its_own(world):
    known = (await _post(world, url=HOOK, name="desk"))["id"]
    started = await _post(world, f"/{known}/test", status=202)
    topic, delivery = world.log.sent[-1]
    assert (topic, delivery.id) == ("deliveries", started["delivery_id"])
    assert (delivery.state, delivery.endpoint_id, delivery.due_at) == (
        "pending", known, world.clock.now,
    )  # fmt: skip
    assert (delivery.notice.type, delivery.notice.endpoint_name) == ("endpoint.test", "desk")
    again = await _post(world, f"/{known}/test", status=202)
    assert again["delivery_id"] != started["delivery_id"]


async def test_a_verification_carries_a_challenge_nobody_can_guess(world):
    known = (await _post(world, url=HOOK, verification="ping"))["id"]
    challenges = set()
    for _ in range(2):
        await _post(world, f"/{known}/verify", status=202)
        notice = world.log.sent[-1][1].notice
        assert notice.type == "endpoint.verify"
        challenges.add(notice.challenge)
    assert [len(base64.urlsafe_b64decode(each + "=")) for each in challenges] == [32, 32]
    await _patch(world, known, verification="none")
    problem = await _post(world, f"/{known}/verify", status=409)
    assert "needs no verification" in problem["detail"]


@pytest.mark.parametrize("path", ["test", "verify", "pause", "secret/rotate"])
async def test_what_is_not_there_cannot_be_asked(world, path):
    await _post(world, f"/end_no/{path}", status=404)
    plain = await world.client.post(f"/v1/endpoints/end_no/{path}", data="{}")
    assert plain.status == 415


def _version_1(world, url=HOOK):
    at = world.clock.now
    old = Endpoint(
        version=1, id=endpoint_id(url), url=url, secret=WHSEC, created_at=at, updated_at=at
    )
    world.read(world.tables.endpoints, old)
    return old


async def test_the_api_seals_what_an_older_version_kept_in_the_open(world):
    old = _version_1(world, HOOK + "?key=hush")
    world.log.sent.append(("", ""))
    counts = await seal_old(world.api)
    assert counts.resealed == 1
    record = world.log.sent[-1][1]
    assert (record.version, record.secret, record.url) == (2, "", HOOK + "?…")
    assert world.secrets().keys == (SigningKey(secret=WHSEC),)
    assert world.secrets().url == old.url
    assert (record.updated_at, record.created_at) == (old.updated_at, old.created_at)


async def test_all_are_sealed_with_the_newest_key_and_the_unreadable_are_counted(world):
    mine = (await _post(world, url=HOOK))["id"]
    at, fields = world.clock.now, {"keys": (SigningKey(secret=WHSEC),)}
    for name, key in (("end_old", b"o" * 32), ("end_lost", b"l" * 32)):
        sealed = Vault([key]).seal(EndpointSecrets(**fields), bound_to=name)
        record = Endpoint(id=name, url=HOOK, sealed=sealed, created_at=at, updated_at=at)
        world.read(world.tables.endpoints, record)
    counts = await _post(world, "/reseal", status=200)
    assert counts == {
        "resealed": 1, "already": 1, "unreadable": 1, "unreadable_ids": ["end_lost"],
    }  # fmt: skip
    assert world.log.sent[-1][1].id == "end_old"
    assert world.secrets().keys[0].secret == WHSEC
    assert (await _show(world, mine))["warnings"] == []


async def test_an_endpoint_whose_key_is_lost_can_still_be_seen_stopped_and_removed(world):
    at = world.clock.now
    sealed = Vault([b"l" * 32]).seal(EndpointSecrets(token="hush"), bound_to="end_x")
    world.read(
        world.tables.endpoints,
        Endpoint(id="end_x", url=HOOK, sealed=sealed, created_at=at, updated_at=at),
    )
    shown = await _show(world, "end_x")
    assert "cannot be read with the keys of WIREWATCH_SECRET_KEY" in shown["warnings"][0]
    assert (await _post(world, "/end_x/disable", status=200))["state"] == "disabled"
    assert world.log.sent[-1][1].sealed == sealed
    problem = await _patch(world, "end_x", headers={"X": "1"}, status=409)
    assert "add the key they were sealed with" in problem["detail"]
    assert (await world.client.delete("/v1/endpoints/end_x")).status == 204


async def test_no_secret_is_in_any_answer_log_metric_or_representation(world, caplog):
    caplog.set_level(logging.DEBUG)
    hush = "hush" * 12
    own = "whsec_" + base64.b64encode(b"hush" * 8).decode()
    texts = []

    async def ask(method, path, **body):
        answer = await world.client.request(method, path, json=body)
        texts.append(await answer.text())
        return answer

    bodies = [
        {"url": HOOK + f"?k={hush}", "secret": own, "headers": {"X-Key": hush}},
        {"url": f"https://x.example/{hush}", "kind": "slack"},
        BOT | {"token": "123456:" + hush[:35]},
        {"url": f"https://ntfy.sh/{hush}", "kind": "ntfy", "token": hush},
        {"url": f"https://{hush}:{hush}@x.example/", "secret": hush, "token": hush},
        {"url": HOOK + "3", "headers": {"Host": hush, "X": hush + "\n"}, "private_key": hush},
        {"url": HOOK + "4", "certificate": hush, "private_key": hush, "ca": hush},
        {"url": HOOK + "5", "secret": [hush], "token": {"a": hush}},
        {"url": HOOK + "6", "headers": [hush]},
    ]
    for body in bodies:
        made = await world.client.post("/v1/endpoints", json=body)
        said = await made.json()
        if said.get("secret") == own:
            del said["secret"]  # the one time that it is shown
        texts.append(json.dumps(said))
        known = said.get("id", "end_no")
        await ask("PATCH", f"/v1/endpoints/{known}", secret=hush, token=hush, headers={"Y": hush})
        await ask("PATCH", f"/v1/endpoints/{known}", headers={"Z": hush})
        await ask("POST", f"/v1/endpoints/{known}/secret/rotate", secret=hush)
        for path in ("test", "verify", "disable"):
            await ask("POST", f"/v1/endpoints/{known}/{path}")
        await ask("GET", f"/v1/endpoints/{known}")
    await ask("GET", "/v1/endpoints")
    await ask("POST", "/v1/endpoints/reseal")
    texts += [repr(record) + str(record) for _, record in world.log.sent]
    texts += [repr(secrets_of(r, world.vault)) for t, r in world.log.sent if t == "endpoints"]
    texts += [repr(world.vault), repr(world.api), caplog.text]
    texts += [f"{family} {family.samples}" for family in world.registry.collect()]
    assert len(world.log.sent) > 8
    for text in texts:
        assert hush[:35] not in text
        assert own not in text
        assert base64.b64encode(b"hush" * 8).decode() not in text
