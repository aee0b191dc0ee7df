"""What a document says, on the command line."""

import gzip
import json
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).parents[2] / "documents"
RSS = """<rss version="2.0"><channel><title>The &amp;amp; News</title>
<link>https://news.example/</link><language>en</language>
<item><guid>1</guid><title>A &lt;b&gt;bold&lt;/b&gt; step</title><link>/1</link>
<description>&lt;p&gt;It was taken.&lt;/p&gt;</description><author>a@b.example (Ann)</author>
<category>Politics</category><pubDate>Mon, 23 Nov 2026 08:30:00 +0100</pubDate>
<enclosure url="/1.mp3" type="audio/mpeg" length="12"/></item>
</channel></rss>"""


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.xml"
    path.write_text(RSS)
    return path


def test_a_document_as_json(wirewatch, feed):
    result = wirewatch("feeds", "parse", str(feed), "--url", "https://news.example/rss", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "feed": {"title": "The & News", "link": "https://news.example/", "language": "en"},
        "entries": [
            {
                "id": "1",
                "title": "A bold step",
                "link": "https://news.example/1",
                "published": "2026-11-23T07:30:00Z",
                "updated": None,
                "authors": ["Ann"],
                "summary_text": "It was taken.",
                "content_text": "",
                "categories": ["Politics"],
                "enclosures": [
                    {"url": "https://news.example/1.mp3", "type": "audio/mpeg", "length": 12}
                ],
            }
        ],
    }


def test_a_document_for_people(wirewatch, feed):
    result = wirewatch("feeds", "parse", str(feed), "--url", "https://news.example/rss")

    assert result.stdout.splitlines()[0] == "The & News  https://news.example/"
    assert "A bold step" in result.stdout
    assert "2026-11-23 07:30" in result.stdout


def test_a_batch_answers_each_line_in_order_whatever_comes(wirewatch, feed, tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html><html><body>Hello</body></html>")
    (tmp_path / "feed.xml.gz").write_bytes(gzip.compress(RSS.encode()))
    (tmp_path / "cut.json").write_text('{"version": "https://jsonfeed.org/version/1.1", ')
    lines = [
        json.dumps({"path": str(feed), "url": "https://news.example/", "content_type": "text/xml"}),
        json.dumps({"path": str(tmp_path / "missing.xml")}),
        "",
        "{ not json",
        json.dumps({"url": "https://news.example/"}),
        json.dumps({"path": str(tmp_path / "page.html")}),
        json.dumps({"path": str(tmp_path)}),
        json.dumps({"path": "a\0b"}),
        json.dumps({"path": str(tmp_path / "cut.json")}),
        json.dumps({"path": str(tmp_path / "feed.xml.gz"), "url": None, "content_type": None}),
    ]
    result = wirewatch("feeds", "parse", "--batch", stdin="\n".join(lines))

    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [next(iter(answer)) for answer in answers] == ["feed", *["error"] * 7, "feed"]
    said = [answer.get("error", "") for answer in answers]
    assert said[1] == f"{tmp_path}/missing.xml cannot be opened: No such file or directory."
    assert said[2].startswith('Line 4 is not {"path", "url", "content_type"}: ')
    assert "path" in said[3]
    assert "(not_a_feed): the document is an HTML page" in said[4]
    assert "Is a directory" in said[5]
    assert "(malformed)" in said[7]


def test_a_single_one_that_cannot_be_read_is_a_sentence(wirewatch, tmp_path):
    result = wirewatch("feeds", "parse", str(tmp_path / "missing.xml"))

    assert result.exit_code == 1
    assert result.stderr == (
        f"wirewatch: {tmp_path}/missing.xml cannot be opened: No such file or directory.\n"
    )


def test_without_a_document_it_says_what_to_do(wirewatch):
    result = wirewatch("feeds", "parse")

    assert result.exit_code == 1
    assert "--batch" in result.stderr


def test_the_whole_corpus_goes_through_in_one_batch(wirewatch):
    documents = [p for p in sorted(DOCUMENTS.iterdir()) if p.is_file() and p.suffix != ".md"]
    lines = "\n".join(json.dumps({"path": str(path)}) for path in documents)
    result = wirewatch("feeds", "parse", "--batch", stdin=lines)

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(documents)
    assert sum("feed" in answer for answer in answers) > 300
