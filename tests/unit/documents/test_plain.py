"""What a reader sees of HTML."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.plain import MAX_HTML_CHARS, plain_text

PIECES = st.sampled_from([
    "<", ">", "&", "</", "<!--", "-->", "<![CDATA[", "]]>", "<p", "<b>", "</b>", "<br/>", '="',
    "='", "<script>", "</script", "<svg>", "</svg>", "<svg/>", "<head>", "<body>", "&#", "&#x",
    "999999999999", "&amp;", "&#0;", "&#xd800;", "\0", "\ud800", "\x85", "e\u0301", "word", " ",
])  # fmt: skip


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("", ""),
        ("Nord<b>korea</b>", "Nordkorea"),
        ("Nord<wbr>korea <A HREF='x'>visit</A>ed", "Nordkorea visited"),
        ("one<br>two<p>three", "one two three"),
        ("one<BR/>two<DIV class=x>three</DIV>four", "one two three four"),
        ("<ul><li>one<li>two</ul><td>1</td><td>2</td>", "one two 1 2"),
        ("<made-up>one</made-up>two", "one two"),
        ("  many \n\t spaces\u00a0here\u3000and there ", "many spaces here and there"),
        ("e\u0301", "é"),
        ("e&#x301;", "é"),
    ],
)
def test_blocks_separate_words_and_inline_tags_do_not(html: str, plain: str) -> None:
    assert plain_text(html, 100) == plain


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("a<script>alert('x')</script>b<style>p{}</style>c", "abc"),
        ("a<SCRIPT type='x>y'>if (a < b) '<p>'</SCRIPT >b", "ab"),
        ("<svg><text>no</text></svg>yes", "yes"),
        ("<svg><svg/><svg>no</svg>no</svg>yes", "yes"),
        ("<template><template>no</template>no</template>yes", "yes"),
        ("<noscript><img></noscript><iframe>no</iframe>yes", "yes"),
        ("<iframe src='a'/>yes", "yes"),
        ("<html><head><title>no</title></head><body>yes</body></html>", "yes"),
        ("<head><title>no</title><body>yes", "yes"),
        ("<header>yes</header>", "yes"),
        ("a<!-- no <b> -- > -->b<!-->c<!--->d", "abcd"),
        ("a<!--[if mso]><p>no</p><![endif]-->b", "ab"),
        ("<!--[if !mso]><!-->yes<!--<![endif]-->", "yes"),
        ("a<![if !mso]>b<![endif]>", "ab"),
        ("<?xml version='1.0'?><!DOCTYPE html>yes", "yes"),
        ("<![CDATA[<p>yes</p>]]>", "yes"),
        ("<a title='>' href=\"a>b\">yes</a>", "yes"),
        ("<p it's>yes</p> that's", "yes that's"),
        ('<a href=x">yes</a>', "yes"),
        ("yes<script>no", "yes"),
        ("yes<!-- no <b>no</b>", "yes"),
        ("yes <a href='http://", "yes"),
        ("yes <b", "yes"),
        ("</ nothing>yes</>", "yes"),
    ],
)
def test_what_is_not_shown_is_left_out(html: str, plain: str) -> None:
    assert plain_text(html, 100) == plain


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("x &lt; y &amp; z", "x < y & z"),
        ("&amp;lt;b&amp;gt; &lt;b&gt;", "&lt;b&gt; <b>"),
        ("1 < 2", "1 < 2"),
        ("a < b<p>c > d", "a < b c > d"),
        ("I <3 you, <b>AT&T</b> & co", "I <3 you, AT&T & co"),
        ("<<b>p>", "<p>"),
        ("&nbsp;&eacute;&#233;&#xE9;&#128;", "ééé€"),
        ("\x00bad\x0b\x7f\x9f\ud83d", "bad"),
        ("&#0;&#xd800;&#x110000;&#1;", "\ufffd" * 3),
        ("&#" + "9" * 5_000 + ";x", "\ufffdx"),
    ],
)
def test_references_are_decoded_once_and_strays_are_text(html: str, plain: str) -> None:
    assert plain_text(html, 100) == plain


def test_the_text_is_cut() -> None:
    assert plain_text("<p>" + "word " * 100, 12) == "word word wo"
    assert plain_text("word " * 100, 10) == "word word"
    assert plain_text(" " * MAX_HTML_CHARS + "beyond", 12) == ""


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<div>" * 100_000 + "deep" + "</div>" * 100_000, "deep"),
        ("<" * 1_000_000, "<" * 10),
        ("<a " * 300_000, "<a <a <a <"),
        ('<a x="' * 100_000 + ">", ""),
        ("<!-- " * 200_000, ""),
        ("<svg>" * 200_000, ""),
        ("<b></b" * 100_000 + ">yes", "yes"),
        ("&#9" * 300_000, ""),
        ("a" + "\u0323\u0301" * 200_000, "\u1ea1" + 9 * "\u0323"),
        ("\0" * 1_000_000, ""),
    ],
)  # fmt: skip
def test_hostile_markup_is_read_in_one_pass(html: str, plain: str) -> None:
    assert plain_text(html, 10) == plain


@given(st.lists(PIECES | st.text(max_size=5)).map("".join), st.integers(0, 50))
def test_whatever_comes_is_text_without_controls_and_double_spaces(html: str, limit: int) -> None:
    plain = plain_text(html, limit)

    assert len(plain) <= limit
    assert plain == " ".join(plain.split())
    assert plain == unicodedata.normalize("NFC", plain)
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in plain)


@given(st.text().filter(lambda text: "<" not in text and "&" not in text))
def test_plain_text_stays_as_it_is(text: str) -> None:
    plain = plain_text(text, 1_000)

    assert plain_text(plain, 1_000) == plain
