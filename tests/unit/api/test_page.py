import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from wirewatch.api.page import Bar, render_page, safe_link, sparkline
from wirewatch.api.status import Holdings
from wirewatch.topics.alerts import Field
from wirewatch.topics.dead_letters import DeadReason, bury
from wirewatch.topics.feeds import Feed
from wirewatch.topics.subscriptions import Subscription

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
ZEROS = {"articles_per_minute": (0,) * 60, "alerts_per_minute": (0,) * 60}
VOID = {"meta", "link", "rect", "br", "img", "input", "hr"}


class Tags(HTMLParser):
    """Collects the tags of a page and sees whether they nest."""

    def __init__(self):
        super().__init__()
        self.found, self.open, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _tags(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


def _feed(**changes):
    fields = {"id": "feed_1", "url": "https://news.example/f", "created_at": NOW, "updated_at": NOW}
    return Feed(**(fields | changes))


def _subscription():
    return Subscription(
        id="sub_1", name="S", query="s", endpoint_ids=("e",), created_at=NOW, updated_at=NOW
    )


def test_hostile_content_stays_text(make):
    alert = make.alert(
        subscription_name=HOSTILE,
        article=make.article(
            title=HOSTILE, source=HOSTILE, url="javascript:alert(1)", language='"><script>'
        ),
        proofs=(
            make.proof(start=0, end=8, text="<script>"),
            make.proof(field=Field.BODY, snippet=HOSTILE, mark_start=0, mark_end=8),
        ),
    )
    letter = bury(
        b"", service=HOSTILE, reason=DeadReason.UNREADABLE, detail=HOSTILE, topic=HOSTILE,
        partition=0, offset=0, key=HOSTILE, now=NOW,
    )  # fmt: skip
    held = Holdings(
        feeds=[_feed(title=HOSTILE, url="javascript:alert(2)")],
        alerts=[alert],
        dead_letters=[letter],
        **ZEROS,
    )
    html = render_page(held, NOW)
    tags = _tags(html)
    assert not {"script", "img", "iframe", "form"} & set(tags.found)
    assert not [link for link in tags.links if link.startswith("javascript")]
    assert "<mark>&lt;script&gt;</mark>" in html
    assert "{{ 7*7 }}" in html


def test_nothing_is_loaded_from_anywhere(make):
    held = Holdings(feeds=[_feed()], alerts=[make.alert()], **ZEROS)
    tags = _tags(render_page(held, NOW))
    assert set(tags.links) == {
        "data:,", "https://news.example/storm", "https://news.example/f", "/?refresh=off",
        "/entities", "/v1/status", "/v1/alerts", "/v1/attempts", "/v1/dead-letters",
    }  # fmt: skip


def test_proofs_are_marked_and_directions_left_to_the_text(make):
    alert = make.alert(
        article=make.article(title="عاصفة تضرب الساحل", language="ar"),
        proofs=(
            make.proof(start=0, end=5, text="عاصفة"),
            make.proof(field=Field.LEAD, snippet="… סופה בחוף …", mark_start=2, mark_end=6),
        ),
    )
    html = render_page(Holdings(feeds=[_feed()], alerts=[alert], **ZEROS), NOW)
    assert "<mark>عاصفة</mark> تضرب الساحل" in html
    assert "… <mark>סופה</mark> בחוף …" in html
    assert html.count('dir="auto" lang="ar"') == 2


def test_a_newcomer_is_told_what_to_do():
    empty = render_page(Holdings(**ZEROS), NOW)
    assert "wirewatch feeds add" in empty
    fed = render_page(Holdings(feeds=[_feed()], **ZEROS), NOW)
    assert "wirewatch alerts add" in fed
    assert "wirewatch feeds add" not in fed
    asked = render_page(Holdings(feeds=[_feed()], subscriptions=[_subscription()], **ZEROS), NOW)
    assert "What to do next" not in asked
    assert "Nothing has matched yet." in asked


def test_long_lists_are_cut_and_said_to_be(make):
    held = Holdings(
        feeds=[_feed(id=str(n), title=f"Feed {n:03}") for n in range(30)],
        alerts=[make.alert(id=str(n)) for n in range(25)],
        **ZEROS,
    )
    html = render_page(held, NOW)
    assert html.count('class="feed"') == 25
    assert "and 5 more" in html
    assert html.count('class="title"') == 20


def test_it_reloads_unless_told_not_to():
    assert '<meta http-equiv="refresh" content="10">' in render_page(Holdings(**ZEROS), NOW)
    assert "http-equiv" not in render_page(Holdings(**ZEROS), NOW, refresh=False)


def test_a_minute_is_a_bar():
    assert sparkline((0, 4, 2, 0, 400)) == (
        Bar(x=5, y=38, height=2),
        Bar(x=10, y=38, height=2),
        Bar(x=20, y=0, height=40),
    )
    assert sparkline(()) == ()
    held = Holdings(articles_per_minute=(0, 3, 1), alerts_per_minute=(0, 0, 0))
    html = render_page(held, NOW)
    assert 'aria-label="4 articles in the last hour, at most 3 in a minute"' in html
    assert len(re.findall("<rect ", html)) == 2


@pytest.mark.parametrize(
    ("url", "link"),
    [("https://a.example/", "https://a.example/"), ("HTTP://a.example/", "HTTP://a.example/"),
     ("javascript:alert(1)", None), ("data:text/html,x", None), ("//a.example", None), ("", None),
     (" https://a.example", None)],
)  # fmt: skip
def test_only_web_addresses_become_links(url, link):
    assert safe_link(url) == link


async def test_the_page_is_served_with_a_policy_that_runs_nothing(world):
    answer = await world.client.get("/")
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
