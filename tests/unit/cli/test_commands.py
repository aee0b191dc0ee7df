"""The command line against an API on this machine."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from wirewatch.cli.main import COMMANDS, app, load_command
from wirewatch.cli.queries import explain
from wirewatch.query.errors import QueryError
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.vault import Vault, secrets_of
from wirewatch.topics.alerts import Alert, ArticleDigest, Field, Proof
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.ids import feed_id

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://news.example/feed.xml"
HOOK = "https://receiver.example/hook"
AWAY = (
    "wirewatch: The API at http://127.0.0.1:9 does not answer: start wirewatch with "
    "`make run`, or set WIREWATCH_API_URL.\n"
)


def secret_of(endpoint):
    return secrets_of(endpoint, Vault([b"v" * 32])).keys[0].secret


def fits(text: str) -> bool:
    return all(cell_len(line) <= 80 for line in text.splitlines())


def test_feeds_are_added_listed_paused_and_removed(wirewatch, api):
    added = wirewatch("feeds", "add", URL, "--title", "News", "--language", "en", "--tag", "a")
    assert (added.exit_code, added.stdout) == (0, f"Added {URL}\n{feed_id(URL)}\n")
    assert wirewatch("feeds", "add", URL).stdout.startswith("It is there already:")
    assert (api.sent[0].language, api.sent[0].tags) == ("en", ("a",))
    assert wirewatch("feeds", "pause", URL).stdout == f"Paused {URL}\n"
    listed = wirewatch("feeds", "list").stdout
    assert "News" in listed
    assert "paused" in listed
    assert feed_id(URL) in listed
    assert wirewatch("feeds", "resume", feed_id(URL)).exit_code == 0
    assert api.sent[-1].paused is False
    assert wirewatch("feeds", "remove", URL).exit_code == 0
    assert wirewatch("feeds", "list").stdout.startswith("No feeds yet.")


def test_a_list_fits_80_columns_and_json_has_everything(wirewatch, api, tables):
    long = "https://news.example/" + "very-long-path/" * 20
    title = "ニュース" * 30
    wirewatch("feeds", "add", long, "--title", title)
    wirewatch("feeds", "add", URL)
    state = FeedState(
        feed_id=feed_id(URL), url=URL, next_fetch_at=AT + timedelta(minutes=5), failures=2,
        failing_since=AT, reason=FetchReason.TIMEOUT, detail="after 30 s " * 20,
    )  # fmt: skip
    tables.feed_states.apply([Received(Position(0, 0), state.feed_id, state)])
    listed = wirewatch("feeds", "list").stdout
    assert fits(listed)
    assert feed_id(long) in listed
    assert "failing" in listed
    feeds = json.loads(wirewatch("feeds", "list", "--json").stdout)
    found = {feed["url"]: (feed["title"], feed["health"]["state"]) for feed in feeds}
    assert found == {URL: ("", "failing"), long: (title, "waiting")}


def test_what_a_feed_says_cannot_steer_the_terminal(wirewatch, api, tables):
    wirewatch("feeds", "add", URL)
    state = FeedState(
        feed_id=feed_id(URL), url=URL, title="\x1b]0;gotcha\x07\x1b[31mred\u202e",
        fetched_at=AT, next_fetch_at=AT,
    )  # fmt: skip
    tables.feed_states.apply([Received(Position(0, 0), state.feed_id, state)])
    listed = wirewatch("feeds", "list").stdout
    assert "red" in listed
    assert not {"\x1b", "\x07", "\u202e"} & set(listed)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("feeds", "add", "ftp://x.example"), "url: must begin with http:// or https://."),
        (("feeds", "remove", "feed_x"), "There is no feed feed_x: GET /v1/feeds lists them."),
        (("feeds", "remove", "../../etc"), "There is no feed ../../etc: GET /v1/feeds lists them."),
        (("alerts", "add", "A", "storm"),
         "Say who is to be told: --to with the URL or id of an endpoint."),
        (("alerts", "add", "A", "storm", "--to", "end_x"),
         "endpoint_ids: there is no endpoint end_x."),
        (("alerts", "show", "A"), "There is no alert named A: see `wirewatch alerts list`."),
        (("endpoints", "remove", HOOK),
         f"There is no endpoint with the URL {HOOK}: see `wirewatch endpoints list`."),
        (("feeds", "import", "/nowhere.opml"),
         "/nowhere.opml cannot be read: No such file or directory."),
        (("match", "--shard", "9/8"),
         "--shard 9/8 is wrong: shards are counted from 1/N to N/N, with N at most 64."),
        (("match", "--shard", "two"),
         "--shard two is wrong: a shard is written as 2/8: the second of eight."),
        (("listen", "--secret", "x y"),
         "--secret is wrong: the secret is not `whsec_` or `whpk_` and base64."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_on_standard_error(wirewatch, api, words, sentence):
    result = wirewatch(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"wirewatch: {sentence}\n"


@pytest.mark.parametrize("words", [("feeds", "list"), ("alerts", "recent"), ("endpoints", "list")])
def test_an_api_that_is_away_is_said_with_what_to_do(wirewatch, monkeypatch, words):
    monkeypatch.setenv("WIREWATCH_API_URL", "http://127.0.0.1:9")
    result = wirewatch(*words)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", AWAY)


def test_a_wrong_setting_is_said_too(wirewatch, monkeypatch):
    monkeypatch.setenv("WIREWATCH_API_URL", "nonsense")
    result = wirewatch("feeds", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("wirewatch: WIREWATCH_API_URL='nonsense' is not allowed")


@pytest.mark.parametrize(
    "words", [("nothing",), ("feeds", "add"), ("feeds", "add", URL, "--interval", "x")]
)
def test_wrong_usage_has_exit_code_2(wirewatch, words):
    assert wirewatch(*words).exit_code == 2


def test_an_alert_brings_its_endpoint_and_shows_the_secret_once(wirewatch, api):
    added = wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK, "--tag", "sea")
    assert added.exit_code == 0
    endpoint, subscription = api.sent
    assert endpoint.url == HOOK
    assert subscription.endpoint_ids == (endpoint.id,)
    assert (subscription.query, subscription.tags) == ("storm", ("sea",))
    assert f"Its secret, shown only now: {secret_of(endpoint)}" in added.stdout
    again = wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK, "--tag", "sea")
    assert again.stdout == f"It is there already: Storms\n{subscription.id}\n"
    by_id = wirewatch("alerts", "add", "More", "flood", "--to", endpoint.id, "--to", HOOK)
    assert by_id.exit_code == 0
    assert api.sent[-1].endpoint_ids == (endpoint.id,)


def test_alerts_are_shown_paused_resumed_and_removed(wirewatch, api):
    wirewatch("alerts", "add", "Storms", "storm", "--to", HOOK)
    assert wirewatch("alerts", "pause", "Storms").stdout == "Paused Storms\n"
    assert "paused" in wirewatch("alerts", "list").stdout
    assert wirewatch("alerts", "resume", "Storms").exit_code == 0
    shown = json.loads(wirewatch("alerts", "show", "Storms", "--json").stdout)
    assert (shown["name"], shown["query"], shown["paused"]) == ("Storms", "storm", False)
    assert "  query      storm\n" in wirewatch("alerts", "show", shown["id"]).stdout
    assert wirewatch("alerts", "remove", "Storms").exit_code == 0
    assert wirewatch("alerts", "list", "--json").stdout == "[]\n"


def test_a_name_that_is_there_twice_asks_for_an_id(wirewatch, api):
    for query in ("storm", "flood"):
        wirewatch("alerts", "add", "Same", query, "--to", HOOK)
    ids = [record.id for record in api.sent[1:]]
    result = wirewatch("alerts", "remove", "Same")
    assert result.exit_code == 1
    assert all(each in result.stderr for each in ids)


def test_a_query_is_checked_here_with_a_caret_under_the_mistake(wirewatch, monkeypatch):
    monkeypatch.setenv("WIREWATCH_API_URL", "http://127.0.0.1:9")
    right = wirewatch("alerts", "check", 'storm  entity:"North Korea"')
    assert right.stdout == 'storm AND entity:"North Korea"\n'
    wrong = wirewatch("alerts", "check", "台風 )")
    assert wrong.exit_code == 1
    first, shown, carets = wrong.stderr.splitlines()[:3]
    assert first.startswith("wirewatch: ")
    assert first.endswith("(at character 4)")
    assert (shown, carets) == ("  台風 )", "       ^")


def test_a_mistake_is_explained_with_what_may_have_been_meant():
    error = QueryError("what is this", offset=6, length=3, suggestion="write rain")
    assert explain("storm\nran", error).splitlines() == [
        "what is this (at character 7)",
        "  storm ran",
        "        ^^^",
        "  write rain",
    ]


def test_a_mistake_far_in_a_long_query_is_still_in_sight(wirewatch):
    wrong = wirewatch("alerts", "check", "storm " * 50 + ") " + "flood " * 50)
    shown, carets = wrong.stderr.splitlines()[1:3]
    assert fits(wrong.stderr)
    assert shown[carets.index("^")] == ")"


def test_recent_alerts_are_one_line_each(wirewatch, api, tables):
    article = ArticleDigest(
        id="art", story_id="art", revision=1, url="https://n.example/", title="Storm hits " * 20,
        summary="", language="en", source="n.example", feed_id="f", feed_title="", authors=(),
        published_at=AT, fetched_at=AT,
    )  # fmt: skip
    proof = Proof(
        leaf="storm", field=Field.TITLE, start=0, end=5, text="Storm", snippet="Storm",
        mark_start=0, mark_end=5,
    )  # fmt: skip
    alert = Alert(
        id="a", endpoint_id="e", subscription_id="s", subscription_name="Storms", query="storm",
        article=article, proofs=(proof,), found_at=AT,
    )  # fmt: skip
    assert wirewatch("alerts", "recent").stdout == "Nothing was found lately.\n"
    tables.alerts.apply([Received(Position(0, 0), "e", alert)])
    (line,) = wirewatch("alerts", "recent").stdout.splitlines()
    assert "Storms  en  Storm hits" in line
    assert line.endswith("n.example")
    assert fits(line)
    assert json.loads(wirewatch("alerts", "recent", "--json").stdout)[0]["id"] == "a"


def test_opml_comes_in_and_goes_out(wirewatch, api, tmp_path: Path):
    file = tmp_path / "feeds.opml"
    file.write_text(
        '<?xml version="1.0"?><opml version="2.0"><head/><body>'
        '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'
        '<outline type="rss" text="B" xmlUrl="https://b.example/f"/></body></opml>'
    )
    first = wirewatch("feeds", "import", str(file))
    assert first.stdout == "2 added, 0 there already, 0 refused\n"
    again = wirewatch("feeds", "import", str(file))
    assert again.stdout == "0 added, 2 there already, 0 refused\n"
    out = tmp_path / "out.opml"
    assert wirewatch("feeds", "export", str(out)).exit_code == 0
    assert 'xmlUrl="https://a.example/f"' in out.read_text()
    assert 'xmlUrl="https://b.example/f"' in wirewatch("feeds", "export").stdout


def test_the_help_stays_light():
    code = (
        "import sys; from typer.testing import CliRunner; from wirewatch.cli.main import app; "
        "r = CliRunner().invoke(app, ['--help']); assert r.exit_code == 0, r.output; "
        "print(*sorted({'aiohttp', 'aiokafka', 'pydantic', 'faust', 'regex'} & set(sys.modules)))"
    )
    heavy = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert heavy.stdout.strip() == ""


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_has_help(name):
    assert load_command(name) is not None
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("feeds", "remove", "f\udcfcr"),
        ("feeds", "add", "https://news.example/\udcfc"),
        ("alerts", "add", "\udcfc", "panzer", "--to", HOOK),
        ("deliveries", "show", "\udcfc"),
    ],
)
def test_an_argument_that_is_no_utf_8_is_a_sentence(wirewatch, api, words):
    found = wirewatch(*words)

    assert (found.exit_code, found.stdout) == (1, "")
    assert found.stderr == (
        "wirewatch: An argument is not UTF-8: give it again from a terminal or a script in UTF-8.\n"
    )


def fail_to_write(encoding):
    def invoke(*_):
        raise UnicodeEncodeError(encoding, "…", 0, 1, "ordinal not in range(256)")

    return invoke


def test_a_terminal_that_cannot_show_the_answer_is_a_sentence(monkeypatch):
    monkeypatch.setattr("wirewatch.cli.main.TyperGroup.invoke", fail_to_write("latin-1"))
    found = CliRunner(charset="latin-1").invoke(app, ["status"])

    assert found.exit_code == 1
    assert "The terminal's encoding, latin-1, cannot show the answer" in found.stderr


def test_what_else_cannot_be_written_is_a_mistake_of_ours_and_shown_as_one(monkeypatch, wirewatch):
    for encoding in ("utf-8", "latin-1"):
        monkeypatch.setattr("wirewatch.cli.main.TyperGroup.invoke", fail_to_write(encoding))
        assert isinstance(wirewatch("status").exception, UnicodeEncodeError)
