"""Whatever a newsroom writes, no channel is sent more than it takes, nor anything broken."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from wirewatch.topics.alerts import Alert, Field
from wirewatch.topics.digests import Digest
from wirewatch.topics.endpoints import EndpointKind, EventMode

HARD = "a雪😀é\u0301\u200d\n\x01<>&\"'*_`~|\\[]()@#:.-+!م\u202e"
texts = st.one_of(
    st.text(st.sampled_from(HARD), max_size=40),
    st.builds(
        lambda text, times: text * times,
        st.text(st.sampled_from(HARD), min_size=1, max_size=5),
        st.integers(1, 1_500),
    ),
)
urls = st.one_of(
    st.just("https://news.example/1"),
    st.builds(lambda n: "https://news.example/" + "&" * n, st.integers(0, 3_000)),
    st.sampled_from(["javascript:alert(1)", "https://a@b.example/", "https://x.example/\r\nA: b"]),
)


@st.composite
def proofs(draw: Any) -> dict[str, Any]:
    snippet = draw(texts)[:160]
    start = draw(st.integers(-3, 170))
    return {
        "field": draw(st.sampled_from([Field.LEAD, Field.BODY, Field.TITLE])),
        "snippet": snippet,
        "mark_start": start,
        "mark_end": start + draw(st.integers(-3, 40)),
    }


@pytest.fixture
def hard_alert(alert: Alert) -> Any:
    def make(data: Any) -> Alert:
        article = replace(
            alert.article,
            title=data.draw(texts),
            url=data.draw(urls),
            image=data.draw(urls),
            source=data.draw(texts),
            summary=data.draw(texts),
        )
        many = data.draw(st.lists(proofs(), max_size=64))
        return replace(
            alert,
            subscription_name=data.draw(texts),
            article=article,
            proofs=tuple(replace(alert.proofs[0], **changes) for changes in many),
        )

    return make


@pytest.fixture
def hard_digest(digest: Digest) -> Any:
    def make(data: Any) -> Digest:
        title, url, source = data.draw(texts), data.draw(urls), data.draw(texts)
        one = replace(
            digest.stories[0],
            title=title,
            url=url,
            source=source,
            proofs=(replace(digest.stories[0].proofs[0], **data.draw(proofs())),),
            summary=data.draw(texts),
        )
        count = data.draw(st.integers(1, 50))
        return replace(digest, subscription_name=data.draw(texts), stories=(one,) * count)

    return make


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class Tags(HTMLParser):
    """Fails on a tag that Telegram does not know or that is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag in {"a", "b", "i", "blockquote"}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_slack(body: Any, raw: bytes) -> None:
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        if block["type"] == "header":
            assert 1 <= units(block["text"]["text"]) <= 150
        if block["type"] == "context":
            assert 1 <= units(block["elements"][0]["text"]) <= 2_000
        if block["type"] == "rich_text":
            assert all(part["elements"] for part in block["elements"])
            assert len(json.dumps(block["elements"], ensure_ascii=False)) < 20_000
    assert "<" not in body["text"]


def check_teams(body: Any, raw: bytes) -> None:
    assert len(raw) <= 28 * 1024
    for block in body["attachments"][0]["content"]["body"]:
        assert all(run["text"] for run in block["inlines"])


def check_discord(body: Any, raw: bytes) -> None:
    assert len(body["embeds"]) <= 10
    assert units(body.get("content", "")) <= 2_000
    total = 0
    for embed in body["embeds"]:
        footer = embed.get("footer", {"text": ""})["text"]
        assert units(embed["title"]) <= 256
        assert units(embed["description"]) <= 4_096
        assert units(footer) <= 2_048
        total += units(embed["title"]) + units(embed["description"]) + units(footer)
    assert total <= 6_000
    assert body["allowed_mentions"] == {"parse": []}


def check_mattermost(body: Any, raw: bytes) -> None:
    assert units(body["text"]) <= 4_000
    assert sum(units(one["text"]) for one in body["attachments"]) <= 16_383


def check_telegram(body: Any, raw: bytes) -> None:
    assert 1 <= units(body["text"]) <= 4_096
    tags = Tags()
    tags.feed(body["text"])
    tags.close()
    assert tags.open == []


def check_ntfy(body: Any, raw: bytes) -> None:
    assert len(body["message"].encode()) <= 4_096
    assert len(body["title"].encode()) <= 250
    assert len(raw) <= 8_192


CHECKS = {
    EndpointKind.SLACK: check_slack,
    EndpointKind.TEAMS: check_teams,
    EndpointKind.DISCORD: check_discord,
    EndpointKind.MATTERMOST: check_mattermost,
    EndpointKind.TELEGRAM: check_telegram,
    EndpointKind.NTFY: check_ntfy,
}
LINKS = {"url", "title_link", "click", "thumb_url"}


def all_links(value: Any) -> list[str]:
    if isinstance(value, list):
        return [link for one in value for link in all_links(one)]
    if not isinstance(value, dict):
        return []
    here = [held for name, held in value.items() if name in LINKS and isinstance(held, str)]
    return here + [link for one in value.values() for link in all_links(one)]


def check_all(kind: EndpointKind, raw: bytes) -> None:
    body = json.loads(raw)
    CHECKS[kind](body, raw)
    assert all(link.startswith("https://news.example/") for link in all_links(body))
    shown = json.dumps(body, ensure_ascii=False)
    assert not set(shown) & set("\x01\u202e\r")
    assert "@all" not in shown.replace('"Panzer & <Waffen> @all"', "")


@pytest.mark.parametrize("kind", CHECKS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_alert_stays_within_the_limits_of_its_channel(
    kind: EndpointKind, data: Any, hard_alert: Any, make: Any
) -> None:
    check_all(kind, make(hard_alert(data), kind).body)


@pytest.mark.parametrize("kind", CHECKS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_digest_stays_within_the_limits_of_its_channel(
    kind: EndpointKind, data: Any, hard_digest: Any, make: Any
) -> None:
    check_all(kind, make(hard_digest(data), kind).body)


@pytest.mark.parametrize("kind", CHECKS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=texts, detail=texts)
def test_a_notice_stays_within_the_limits_of_its_channel(
    kind: EndpointKind, name: str, detail: str, notice: Any, make: Any
) -> None:
    check_all(kind, make(replace(notice, endpoint_name=name, detail=detail), kind).body)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mail_has_one_line_as_subject_and_no_markup_but_ours(
    data: Any, hard_alert: Any, make: Any
) -> None:
    mail = make(hard_alert(data), EndpointKind.EMAIL)

    assert 1 <= units(mail.subject) <= 200
    for line in (mail.subject, mail.message_id, *mail.headers.values()):
        assert not set(line) & set("\r\n\x01\u2028\x85")
    assert "\x01" not in mail.text
    assert len(mail.text.encode()) < 40_000
    tags = [tag.split(">")[0].split(" ")[0] for tag in mail.html.split("<")[1:]]
    known = {"!DOCTYPE", "html", "head", "meta", "body", "h2", "h3", "a", "b", "p", "blockquote"}
    assert {tag.removeprefix("/") for tag in tags} <= known


@pytest.mark.parametrize("kind", CHECKS)
def test_the_first_story_is_told_however_long_all_of_it_is(
    kind: EndpointKind, alert: Alert, make: Any
) -> None:
    long = "Überschwemmung " * 400
    article = replace(
        alert.article,
        title=long,
        summary=long,
        source=long,
        url="https://news.example/" + "&" * 1_900,
        image="https://news.example/" + "&" * 1_900,
    )
    proofs = tuple(
        replace(alert.proofs[0], snippet=f"{n} " + "&<" * 79, mark_start=3 * n, mark_end=3 * n + 1)
        for n in range(3)
    )

    body = make(replace(alert, article=article, proofs=proofs), kind).body

    assert "Überschwemmung" in body.decode()


@pytest.mark.parametrize("mode", EventMode)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_event_is_whole_and_no_larger_than_a_webhook(
    mode: EventMode, data: Any, hard_digest: Any, make: Any
) -> None:
    digest = replace(hard_digest(data), query=data.draw(texts) * 9)

    request = make(digest, EndpointKind.CLOUDEVENTS, event_mode=mode)

    assert len(request.body) <= 65_536
    told = json.loads(request.body)
    event = told["data"] if mode is EventMode.STRUCTURED else told
    assert len(event["stories"]) + event["more_stories"] == len(digest.stories) + 3
    assert all(value.isascii() and value.isprintable() for value in request.headers.values())
