"""Nobody's headline becomes markup, a mention or a link of its own."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from wirewatch.notify.channels import discord, mattermost, slack, telegram
from wirewatch.notify.channels.words import BREAK, Piece, clean, fit, fit_pieces, link, units, utf8
from wirewatch.topics.alerts import Alert
from wirewatch.topics.endpoints import EndpointKind


@pytest.mark.parametrize(
    ("escape", "text", "expected"),
    [
        (slack.escape, "<!channel> & <@U1>", f"&lt;!channel&gt; &amp; &lt;@{BREAK}U1&gt;"),
        (telegram.escape, "<b>@user & 'x'", f"&lt;b&gt;@{BREAK}user &amp; 'x'"),
        (discord.escape, "**a** _b_ `c` ||d|| ~e~", r"\*\*a\*\* \_b\_ \`c\` \|\|d\|\| \~e\~"),
        (discord.escape, "# h", r"\# h"),
        (discord.escape, "1. a 1.5", r"1\. a 1.5"),
        (discord.escape, "<@1> <#2> :smile: 12:30", f"\\<@{BREAK}1> \\<#2> \\:smile: 12:30"),
        (discord.escape, "[a](https://x.example)", r"\[a\](https://x.example)"),
        (discord.escape, "\\*", r"\\\*"),
        (mattermost.escape, "@all ~town *b* [a](b)", f"@{BREAK}all \\~town \\*b\\* \\[a\\](b)"),
        (mattermost.escape, "<!channel> <http://x|y>", f"<{BREAK}!channel> <{BREAK}http://x\\|y>"),
    ],
)
def test_markup_is_shown_and_nobody_is_called(escape: Any, text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" a\r\n\tb\x00c\x85d ", "a b c d"),
        ("evil \u202egpj.exe\u202c", "evil gpj.exe"),
        ("\u2066x\u2069\u2028y", "x y"),
        ("نیم\u200cفاصله 👩\u200d👧", "نیم\u200cفاصله 👩\u200d👧"),
        ("lone \ud83d half", "lone half"),
    ],
)
def test_control_characters_go_and_joiners_stay(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://news.example/a_(b)?c=[1]&d=ä", "https://news.example/a_(b)?c=[1]&d=ä"),
        ('https://x.example/"><b>|`', "https://x.example/%22%3E%3Cb%3E%7C%60"),
        ("https://[2001:db8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//news.example/", ""),
        ("https://user:pass@news.example/", ""),
        ("https://news.example@evil.example/", ""),
        ("https://x.example/\r\nSet-Cookie: a", ""),
        ("https://x.example:99999/", ""),
        ("https://[/", ""),
        ("https:///x", ""),
        ("https://x.example/" + "a" * 2_048, ""),
        ("https://x.example/" + "<" * 1_000, ""),
        ("", ""),
    ],
)
def test_only_whole_web_addresses_are_links(url: str, expected: str) -> None:
    assert link(url) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("too long", 4, "too…"),
        ("😀😀😀", 5, "😀😀…"),
        ("😀😀😀", 4, "😀…"),
        ("ee\u0301e\u0301xx", 3, "e…"),
        ("a👩\u200d👩\u200d👧", 6, "a…"),
        ("ab", 0, ""),
        ("ab", 1, "…"),
        ("ab", -3, ""),
        ("", 0, ""),
    ],
)
def test_a_cut_is_never_inside_a_sign(text: str, limit: int, expected: str) -> None:
    found = fit(text, limit)

    assert found == expected
    assert units(found) <= max(limit, 0)


def test_a_cut_counts_what_escaping_adds_and_never_cuts_an_escape() -> None:
    assert fit("a&b&c", 10, slack.escape) == "a&amp;b…"
    assert fit("雪雪雪", 8, measure=utf8) == "雪…"


def test_marks_are_closed_where_pieces_are_cut() -> None:
    pieces = (Piece("before "), Piece("marked words", marked=True), Piece(" after"))

    found = fit_pieces(pieces, 17, mark=lambda text: f"<b>{text}</b>")

    assert found == "before <b>ma…</b>"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a:b@news.example/", ""])
@pytest.mark.parametrize("kind", [kind for kind in EndpointKind if kind != EndpointKind.TEMPLATE])
def test_an_article_without_a_safe_address_is_told_without_a_link(
    kind: EndpointKind, url: str, alert: Alert, make: Any
) -> None:
    request = make(replace(alert, article=replace(alert.article, url=url, image=url)), kind)

    if kind in {EndpointKind.WEBHOOK, EndpointKind.CLOUDEVENTS}:
        assert json.loads(request.body)["data"]["article"]["url"] == url  # programs get the truth
        return
    shown = request.html + request.text if kind == "email" else request.body.decode()
    assert not url or url not in shown
    assert "href=" not in shown
    assert "北朝鮮" in shown
