"""The reader against what is not as it should be: charsets, cut ends, damage, attacks."""

import json
import random
import resource
from pathlib import Path

import pytest

from wirewatch.documents.charset import to_utf8
from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.feed import ParsedFeed
from wirewatch.documents.limits import MAX_ATTRIBUTES, MAX_DOCTYPE_BYTES, MAX_ENTITIES
from wirewatch.documents.plain import plain_text
from wirewatch.documents.read import read_feed
from wirewatch.topics.feed_states import FetchReason

CORPUS = Path(__file__).parents[2] / "documents"
DOCUMENTS = sorted(p for p in CORPUS.iterdir() if p.suffix in {".xml", ".json", ".txt", ".html"})
SEED = 20261123
DAMAGED = 1_500
ENTRY_BUDGET = 2_000


def read(body: bytes, content_type: str = "text/xml", **options: bool) -> ParsedFeed:
    return read_feed(
        body,
        content_type=content_type,
        url="https://news.example/feed.xml",
        max_entries=ENTRY_BUDGET,
        **options,
    )


def problem(body: bytes) -> FetchReason:
    with pytest.raises(DocumentProblem) as raised:
        read(body)
    return raised.value.reason


def attempt(body: bytes, content_type: str = "text/xml") -> ParsedFeed | DocumentProblem:
    try:
        return read(body, content_type)
    except DocumentProblem as refused:
        return refused


def channel(inside: str) -> bytes:
    return f"<rss version='2.0'><channel><title>T</title>{inside}</channel></rss>".encode()


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "Fiancé, 東京, Київ"),
        ("utf-16", "Fiancé, 東京, Київ"),
        ("utf-32-le", "Fiancé, 東京"),
        ("iso-8859-1", "Fiancé"),
        ("windows-1252", "“Fiancé” – €"),
        ("koi8-r", "Новости дня"),
        ("windows-1251", "Новости дня"),
        ("shift_jis", "東京の新聞"),
        ("euc-jp", "東京の新聞"),
        ("gb2312", "北京新闻"),
        ("big5", "臺北新聞"),
        ("euc-kr", "서울 뉴스"),
        ("windows-1256", "أخبار اليوم"),
        ("tis-620", "ข่าววันนี้"),
    ],
)
def test_a_charset_that_is_named_in_the_header_or_the_document(charset: str, text: str) -> None:
    body = f"<rss><channel><title>{text}</title></channel></rss>"
    declared = f'<?xml version="1.0" encoding="{charset}"?>{body}'
    assert read(body.encode(charset), f"text/xml; charset={charset}").title == text
    assert read(declared.encode(charset), "text/xml").title == text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("windows-1252", "Le président a été élu à l'unanimité"),
        ("windows-1251", "Президент подписал указ о мерах поддержки"),
        ("koi8-r", "Президент подписал указ о мерах поддержки"),
        ("shift_jis", "東京の新聞によると、首相は会見で述べた"),
        ("euc-jp", "東京の新聞によると、首相は会見で述べた"),
        ("gb18030", "据北京新闻报道，会议将于下周举行"),
        ("euc-kr", "서울 뉴스에 따르면 회의가 다음 주에 열린다"),
    ],
)
def test_a_charset_that_is_not_named_is_recognised(charset: str, text: str) -> None:
    body = "<rss><channel>" + f"<item><title>{text}</title></item>" * 20 + "</channel></rss>"
    assert {entry.title for entry in read(body.encode(charset)).entries} == {text}


def test_bytes_that_are_utf_8_are_utf_8_whatever_is_claimed() -> None:
    body = channel("<item><title>Fiancé</title></item>")
    assert read(body, "text/xml; charset=iso-8859-1").entries[0].title == "Fiancé"


def test_a_few_words_of_another_charset_do_not_spoil_the_rest() -> None:
    body = "<rss><channel><title>Київ, 東京, Київ</title><item><title>".encode()
    body += "Fiancé".encode("windows-1252") + b"</title></item></channel></rss>"
    assert read(body).title == "Київ, 東京, Київ"
    assert read(body).entries[0].title == "Fiancé"


def test_of_a_document_that_is_cut_off_what_is_whole_is_read() -> None:
    body = channel("<item><guid>1</guid><title>One</title></item><item><guid>2</guid><title>Tw")
    cut = body[: body.index(b"Tw") + 2]

    parsed = read(cut)
    assert [entry.id for entry in parsed.entries] == ["1"]
    assert not parsed.is_whole
    assert read(channel("")).is_whole


def test_one_that_is_cut_off_in_its_first_entry_is_read_only_on_demand() -> None:
    cut = b"<rss><channel><title>T</title><item><title>On"

    assert problem(cut) is FetchReason.MALFORMED
    parsed = read(cut, parts=True)
    assert (parsed.title, parsed.is_whole) == ("T", False)


@pytest.mark.parametrize("mend", [False, True])
def test_an_entry_is_the_same_whichever_reader_it_takes(mend: bool) -> None:
    """The forgiving one is feedparser: an id that it changed would be an article twice."""
    item = (
        "<item><guid>tag:1</guid><title>One</title><link>/1</link><author>a@b.c (Ann)</author>"
        "<description>&lt;p&gt;Text&lt;/p&gt;</description><category>X</category>"
        "<enclosure url='/1.mp3' type='audio/mpeg' length='5'/>"
        "<pubDate>Mon, 23 Nov 2026 08:30:44 GMT</pubDate></item>"
    )
    strict = read(channel(item)).entries[0]
    broken = read(channel(item + "<item><title>Two</item></title>")).entries[0]
    assert broken == strict


ATTACKS = {
    "many attributes": channel("<item " + " ".join(f"a{n}='1'" for n in range(200_000)) + "/>"),
    "deep": b"<rss><channel>" + b"<a>" * 300_000,
    "deep and closed": channel("<a>" * 100_000 + "</a>" * 100_000),
    "long doctype": b"<!DOCTYPE rss [" + b" " * (2 * MAX_DOCTYPE_BYTES) + b"]>" + channel(""),
    "many entities": (
        b"<!DOCTYPE rss ["
        + b"".join(b"<!ENTITY e%d 'x'>" % n for n in range(2 * MAX_ENTITIES))
        + b"]>"
        + channel("&e1;")
    ),
    "entities": (
        b"<!DOCTYPE rss [<!ENTITY a '" + b"x" * 1000 + b"'>]>" + channel("&a;" * 1_000_000)
    ),
    "ampersands": channel("<title>" + "&" * 3_000_000 + "</title>"),
    "less than": channel("<title>" + "<" * 3_000_000 + "</title>"),
    "cdata": channel("<title>" + "<![CDATA[" * 300_000 + "</title>"),
    "comments": channel("<!--" * 500_000),
    "tags without end": channel("<item><description>" + "<p" * 500_000),
    "quotes": channel("<item a=" + "'\"" * 500_000 + ">"),
    "a long attribute": channel(f"<item a='{'x' * 10_000_000}'><title>One</title></item>"),
    "null bytes": b"\0" * 5_000_000,
    "brackets": b"[" * 3_000_000,
    "braces": b'{"a":' * 1_000_000,
    "spaces": b"<rss><channel><title>" + b" " * 9_000_000,
}


@pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_costs_no_more_than_a_document_may(body: bytes) -> None:
    """Two seconds of CPU time are what ingest gives a document; here a runaway would be minutes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    outcome = attempt(body[:10_485_760])
    if isinstance(outcome, DocumentProblem):
        assert len(outcome.detail) < 300
    else:
        for entry in outcome.entries:
            for html in (entry.title, entry.summary, entry.content):
                plain_text(html, 100_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 20


def test_a_tag_may_have_as_many_attributes_as_are_allowed() -> None:
    some = " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES))
    assert len(read(channel(f"<item {some}><title>One</title></item>")).entries) == 1
    assert problem(channel(f"<item {some} more='1'/>")) is FetchReason.TOO_COSTLY


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden treasure")
    body = f'<!DOCTYPE rss [<!ENTITY e SYSTEM "file://{secret}">]>'.encode() + channel(
        "<item><title>a&e;b</title></item>"
    )
    assert read(body).entries[0].title == "ab"


def test_damage_is_a_problem_with_a_reason_or_a_feed() -> None:
    """Cut, doubled, shuffled and flipped documents of the corpus, the same each time."""
    rng = random.Random(SEED)
    originals = [path.read_bytes() for path in DOCUMENTS]
    charsets = ["", "text/xml", "text/html; charset=gb2312"]
    outcomes = [
        attempt(_damaged(bytearray(rng.choice(originals)[:20_000]), rng), rng.choice(charsets))
        for _ in range(DAMAGED)
    ]
    refused = [one for one in outcomes if isinstance(one, DocumentProblem)]
    assert all(one.detail for one in refused)
    assert DAMAGED / 20 < len(refused) < DAMAGED * 19 / 20
    titles = [e.title for one in outcomes if isinstance(one, ParsedFeed) for e in one.entries]
    json.dumps(titles).encode()


def _damaged(body: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0:
            del body[start : min(end, start + 50)]
        elif kind == 1:
            body[start:start] = body[start : min(end, start + 200)]
        elif kind == 2 and start < len(body):
            body[start] ^= 1 << rng.randrange(8)
        elif kind == 3:
            body[start:start] = rng.choice([b"<", b"&", b"]]>", b"\0", b"<![CDATA[", b"\xff", b'"'])
        else:
            del body[end:]
    return bytes(body)


@pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf", b"\0\0\0"])
def test_nothing_is_no_feed(body: bytes) -> None:
    assert problem(body) is FetchReason.NOT_A_FEED
    assert to_utf8(body, "") is not None
