"""Feeds and hubs are guarded like endpoints, and the settings and the documentation say how."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.receiver import Receiver, answering, redirecting
from wirewatch.ingest.hub import HubProblem, ask, open_hub_session
from wirewatch.runtime.address import METADATA
from wirewatch.runtime.ports import BROWSERS_REFUSE, DEFAULT_PORTS, SERVERS_BEHIND
from wirewatch.runtime.settings import Settings, load_settings
from wirewatch.topics.feed_states import FetchReason
from wirewatch.web.client import Limits, Validators, WebClient
from wirewatch.web.errors import FetchProblem

PAGE = Path(__file__).parents[3] / "docs" / "delivery-security.md"
HOSTS = ["93.184.216.34:6379", "169.254.169.254", "[::ffff:10.0.0.1]", "0x7f.1", "127.0.0.2"]


async def _fetch_problem(client: WebClient, url: str) -> FetchProblem:
    with pytest.raises(FetchProblem) as caught:
        await client.get(
            url,
            validators=Validators(),
            limits=Limits(max_wire_bytes=1_000, timeout_s=10),
            accept="text/x",
            now=datetime(2026, 11, 23, tzinfo=UTC),
        )
    return caught.value


@pytest.mark.parametrize("host", HOSTS)
async def test_feeds_are_guarded_at_once_and_after_a_redirect(host: str) -> None:
    client = WebClient(user_agent="x", allow=["127.0.0.1/32"], ports=DEFAULT_PORTS, connections=2)
    await client.start()
    async with Receiver(redirecting(f"http://{host}/")) as receiver:
        for url in (f"http://{host}/", receiver.url()):
            assert (await _fetch_problem(client, url)).reason is FetchReason.ADDRESS
    await client.stop()


async def test_a_feed_at_a_port_that_is_not_allowed() -> None:
    client = WebClient(user_agent="x", allow=[], ports=["443"], connections=2)
    await client.start()
    found = await _fetch_problem(client, "http://93.184.216.34/")
    await client.stop()

    assert found.detail.startswith("port 80 is not one")


@pytest.mark.parametrize("host", HOSTS)
async def test_hubs_are_guarded(host: str) -> None:
    settings = Settings(allow_networks=("127.0.0.1/32",))
    async with open_hub_session(settings) as session, Receiver(answering("202 Taken")) as hub:
        await ask(session, hub.url(), {}, timedelta(seconds=10))
        with pytest.raises(HubProblem, match=r"not a public|port 6379"):
            await ask(session, f"http://{host}/", {}, timedelta(seconds=10))


def test_ports_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_ALLOW_PORTS", "443, 8000-8999")

    assert load_settings().allow_ports == ("443", "8000-8999")


def test_ports_that_are_none_are_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIREWATCH_ALLOW_PORTS", "443,http")

    with pytest.raises(Exception, match=r"ALLOW_PORTS=.*http is neither a port"):
        load_settings()


def test_the_page_names_every_port_and_address_that_is_refused() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")]
    listed = {row[1].strip(): {*map(int, re.findall(r"\d+", row[2]))} for row in rows[:3]}

    assert listed["browsers refuse them too (Fetch standard)"] == BROWSERS_REFUSE
    assert listed["databases, queues, administration"] == SERVERS_BEHIND
    assert f"WIREWATCH_ALLOW_PORTS={','.join(DEFAULT_PORTS)}" in page
    assert all(str(address) in page for address in METADATA)


def test_the_page_names_only_settings_that_there_are() -> None:
    named = {*re.findall(r"WIREWATCH_([A-Z_]+)", PAGE.read_text(encoding="utf-8"))}

    assert named <= {name.upper() for name in Settings.model_fields}
