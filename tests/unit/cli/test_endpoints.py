"""`wirewatch endpoints` and `wirewatch secrets` against an API on this machine."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.vault import Vault, secrets_of
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.endpoint_states import Breaker, DisabledReason, EndpointState

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOOK = "https://receiver.example/hook"
SLACK = "https://hooks.slack.example/services/hushhush"
WHSEC = "whsec_" + base64.b64encode(b"x" * 24).decode()


def secrets(record):
    return secrets_of(record, Vault([b"v" * 32]))


def fits(text: str) -> bool:
    return all(cell_len(line) <= 80 for line in text.splitlines())


def see(tables, known, **fields):
    state = EndpointState(endpoint_id=known, changed_at=AT, **fields)
    tables.endpoint_states.apply([Received(Position(0, 0), known, state)])


def test_endpoints_are_added_disabled_enabled_and_removed(wirewatch, api):
    added = wirewatch("endpoints", "add", HOOK, "--name", "Mine")
    endpoint = api.sent[0]
    secret = secrets(endpoint).keys[0].secret
    assert f"wirewatch listen --secret {secret}" in added.stdout
    assert secret not in wirewatch("endpoints", "list", "--json").stdout
    assert wirewatch("endpoints", "disable", HOOK).stdout == f"Disabled {HOOK}\n"
    listed = wirewatch("endpoints", "list").stdout
    assert "disabled" in listed
    assert fits(listed)
    assert wirewatch("endpoints", "enable", endpoint.id).exit_code == 0
    assert api.sent[-1].disabled is False
    assert wirewatch("endpoints", "pause", "Mine").stdout == f"Paused {HOOK}\n"
    assert "paused" in wirewatch("endpoints", "list").stdout
    assert wirewatch("endpoints", "resume", "Mine").stdout == f"Resumed {HOOK}\n"
    assert wirewatch("endpoints", "remove", endpoint.id).exit_code == 0


def test_an_endpoint_that_is_there_shows_no_secret_again(wirewatch, api):
    wirewatch("endpoints", "add", HOOK)
    again = wirewatch("endpoints", "add", HOOK)
    assert again.stdout == f"It is there already: {HOOK}\n{api.sent[0].id}\n"


def test_an_endpoint_whose_address_is_secret_is_found_by_it(wirewatch, api):
    added = wirewatch("endpoints", "add", SLACK, "--kind", "slack")
    assert added.stdout == f"Added https://hooks.slack.example/…\n{api.sent[0].id}\n"
    shown = wirewatch("endpoints", "show", SLACK)
    assert api.sent[0].id in shown.stdout
    assert "hushhush" not in shown.stdout + wirewatch("endpoints", "list", "--json").stdout


def test_an_alert_can_be_sent_to_an_address_that_is_secret(wirewatch, api):
    wirewatch("endpoints", "add", SLACK, "--kind", "slack")
    added = wirewatch("alerts", "add", "Storms", "storm", "--to", SLACK, "--to", HOOK + "?key=x")
    assert added.exit_code == 0, added.stderr
    assert api.sent[-1].endpoint_ids == (api.sent[0].id, api.sent[1].id)


def test_two_of_a_name_ask_for_an_id(wirewatch, api):
    for number in ("1", "2"):
        wirewatch("endpoints", "add", HOOK + number, "--name", "Same")
    result = wirewatch("endpoints", "show", "Same")
    assert result.exit_code == 1
    assert all(each.id in result.stderr for each in api.sent)


def test_all_policies_can_be_given_and_changed(wirewatch, api, tmp_path):
    template = tmp_path / "body.j2"
    template.write_text("{{ type }}")
    added = wirewatch(
        "endpoints", "add", HOOK, "--kind", "template", "--template", str(template),
        "--content-type", "text/plain", "--secret-type", "ed25519", "--order", "strict",
        "--rate", "0.5", "--timeout", "5", "--retry", "5,300", "--redirects", "1",
        "--events", "endpoint.disabled", "--events", "delivery.exhausted",
        "--header", "X-Key: v", "--header", "Authorization: Bearer a:b",
    )  # fmt: skip
    assert added.exit_code == 0, added.stderr
    made = api.sent[-1]
    assert (made.template, made.content_type, made.order) == ("{{ type }}", "text/plain", "strict")
    assert (made.rate_per_s, made.timeout_s, made.retry_schedule_s) == (0.5, 5, (5, 300))
    assert (made.redirects, len(made.events)) == (1, 2)
    assert secrets(made).headers == (("Authorization", "Bearer a:b"), ("X-Key", "v"))
    assert "Its public key: whpk_" in added.stdout
    assert "whsk_" not in added.stdout
    changed = wirewatch(
        "endpoints", "set", HOOK, "--rate", "0", "--retry", "default", "--no-header", "x-key",
        "--order", "fast", "--concurrency", "8",
    )  # fmt: skip
    assert changed.stdout == f"Changed {made.url}\n"
    after = api.sent[-1]
    assert (after.rate_per_s, after.retry_schedule_s, after.concurrency) == (None, None, 8)
    assert secrets(after).headers == (("Authorization", "Bearer a:b"),)


def test_a_verification_is_asked_for(wirewatch, api):
    wirewatch("endpoints", "add", HOOK, "--verify", "ping")
    assert "unverified" in wirewatch("endpoints", "list").stdout
    assert wirewatch("endpoints", "verify", HOOK, "--no-wait").stdout.startswith("Sent as msg_")
    assert api.sent[-1].notice.type == "endpoint.verify"


def test_secrets_can_stay_off_the_command_line(wirewatch, api, tmp_path):
    file = tmp_path / "secret"
    file.write_text(WHSEC + "\n")
    wirewatch("endpoints", "add", HOOK, "--secret", f"@{file}", "--header", f"X-Key: @{file}")
    assert secrets(api.sent[-1]).keys[0].secret == WHSEC
    assert secrets(api.sent[-1]).headers == (("X-Key", WHSEC),)
    wirewatch("endpoints", "add", HOOK + "2", "--secret", "-", stdin=WHSEC + "\n")
    assert secrets(api.sent[-1]).keys[0].secret == WHSEC
    wirewatch("endpoints", "add", "-", "--kind", "slack", stdin=SLACK + "\n")
    assert secrets(api.sent[-1]).url == SLACK


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", HOOK, "--secret", "-"), "--secret - got nothing on standard input"),
        (("add", HOOK, "--secret", "@/nowhere"), "--secret: /nowhere cannot be read"),
        (("add", HOOK, "--secret", "hush"), "secret: must be whsec_ and"),
        (("add", HOOK, "--header", "hush"), "--header is wrong: it is 'Name: value'"),
        (("add", HOOK, "--ca", "/nowhere"), "--ca: /nowhere cannot be read"),
        (("add", HOOK, "--retry", "soon"), "--retry soon is wrong"),
        (("show", "desk"), "There is no endpoint named desk: see `wirewatch endpoints list`."),
    ],
)
def test_a_mistake_is_one_sentence_without_a_secret(wirewatch, api, words, sentence):
    result = wirewatch("endpoints", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"wirewatch: {sentence}")
    assert "hush" not in result.stderr


def test_a_change_has_to_say_what(wirewatch, api):
    wirewatch("endpoints", "add", HOOK)
    assert "Say what is to change" in wirewatch("endpoints", "set", HOOK).stderr


def test_a_plain_address_is_warned_of(wirewatch, api):
    added = wirewatch("endpoints", "add", "http://receiver.example/")
    assert added.exit_code == 0
    assert added.stderr == (
        "wirewatch: Its URL is not https: whoever is on the way reads what is sent.\n"
    )


def test_an_endpoint_is_shown_with_how_it_does(wirewatch, api, tables):
    wirewatch("endpoints", "add", HOOK, "--name", "Mine", "--header", "X-Key: hush")
    known = api.sent[0].id
    see(
        tables, known, breaker=Breaker.OPEN, failures=3, failing_since=AT,
        last_failure_at=AT, last_reason=AttemptReason.SERVER_ERROR,
        last_detail="the receiver answered \x1b[31m500", probe_at=AT + timedelta(minutes=1),
    )  # fmt: skip
    shown = wirewatch("endpoints", "show", "Mine").stdout
    for line in (
        "Mine",
        f"  id            {known}",
        "  kind          webhook, full",
        "  state         failing",
        "  failing since 2026-03-01 12:00:00 UTC, 3 times",
        "  last failure  2026-03-01 12:00:00 UTC, server_error: the receiver answered  [31m500",
        "  breaker       open, next try 2026-03-01 12:01:00 UTC",
        "  signed with   hmac",
        "  headers       X-Key",
    ):
        assert line in shown.splitlines()
    assert "hush" not in shown
    assert json.loads(wirewatch("endpoints", "show", HOOK, "--json").stdout)["failures"] == 3


def test_why_an_endpoint_was_disabled_is_shown(wirewatch, api, tables):
    wirewatch("endpoints", "add", HOOK)
    later = AT + timedelta(seconds=1)
    see(tables, api.sent[0].id, disabled_at=later, disabled_reason=DisabledReason.GONE)
    shown = wirewatch("endpoints", "show", HOOK).stdout
    assert "  state         disabled (gone) since 2026-03-01 12:00:01 UTC\n" in shown


def test_a_secret_is_rotated_and_the_new_one_shown_once(wirewatch, api):
    wirewatch("endpoints", "add", HOOK)
    rotated = wirewatch("endpoints", "rotate-secret", HOOK, "--keep-old", "2")
    new, old = secrets(api.sent[-1]).keys
    assert f"Its secret, shown only now: {new.secret}\n" in rotated.stdout
    assert old.secret not in rotated.stdout
    assert old.until == AT + timedelta(hours=2)


def _answer(api, tables, **fields):
    """Let notify have tried what is asked for next."""

    class Answering(list):
        def append(self, record):
            super().append(record)
            if getattr(record, "notice", None) is not None:
                attempt = Attempt(
                    delivery_id=record.id, alert_id="", subscription_id="",
                    endpoint_id=record.endpoint_id, number=1, started_at=AT, duration_ms=12,
                    **fields,
                )  # fmt: skip
                tables.attempts.apply([Received(Position(0, 0), record.endpoint_id, attempt)])

    api.sent = Answering(api.sent)


def test_a_test_says_what_came_of_it(wirewatch, api, tables):
    wirewatch("endpoints", "add", HOOK)
    _answer(api, tables, outcome=Outcome.DELIVERED, status=204)
    tried = wirewatch("endpoints", "test", HOOK)
    assert tried.stdout.splitlines()[-1] == "Answered with 204 after 12 ms"


def test_a_test_that_failed_is_a_failure(wirewatch, api, tables):
    wirewatch("endpoints", "add", HOOK)
    _answer(api, tables, outcome=Outcome.RETRY, reason=AttemptReason.TIMEOUT, detail="after 15 s")
    tried = wirewatch("endpoints", "test", HOOK)
    assert tried.exit_code == 1
    assert tried.stderr == "wirewatch: It failed (timeout): after 15 s.\n"


def test_a_key_is_made_and_endpoints_are_sealed_anew(wirewatch, api):
    key = wirewatch("secrets", "new-key").stdout
    assert len(base64.b64decode(key)) == 32
    assert key != wirewatch("secrets", "new-key").stdout
    wirewatch("endpoints", "add", HOOK)
    assert wirewatch("secrets", "reseal").stdout == "0 sealed anew, 1 were already\n"
