"""Which entries are published, whatever happens to their feed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.feed import Entry, Format, ParsedFeed
from wirewatch.ingest import memory
from wirewatch.ingest.change import MOST_PUBLISHED_REVISIONS, Changes, Policy, find_changes
from wirewatch.topics.feeds import Feed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FEED = Feed(id="feed_1", url="https://news.example/feed.xml", created_at=NOW, updated_at=NOW)
POLICY = Policy(first_max_age=DAY, max_age=14 * DAY)


def entry(number: int, **changes: object) -> Entry:
    one = Entry(
        id=f"urn:{number}",
        link=f"https://news.example/{number}",
        title=f"Title {number}",
        summary=f"Summary of {number}",
        published_at=NOW - HOUR,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


class Reader:
    """Reads one document after the other and remembers, as ingest does."""

    def __init__(self) -> None:
        self.packed: bytes | None = None

    def read(self, *entries: Entry, now: datetime = NOW) -> Changes:
        parsed = ParsedFeed(Format.RSS, title="News", language="en", entries=entries)
        first = self.packed is None
        changes = find_changes(FEED, parsed, self.packed or b"", now, POLICY, first=first)
        self.packed = changes.packed
        return changes


def titles(changes: Changes) -> list[str]:
    return [article.title for article in changes.new]


def read_twice(before: Sequence[Entry], after: Sequence[Entry]) -> Changes:
    reader = Reader()
    reader.read(*before)
    return reader.read(*after)


def nothing(changes: Changes) -> bool:
    return changes.new == changes.revised == ()


def test_each_entry_is_published_once_the_oldest_first() -> None:
    reader = Reader()

    assert titles(reader.read(entry(2), entry(1))) == ["Title 1", "Title 2"]
    assert nothing(reader.read(entry(2), entry(1)))
    assert titles(reader.read(entry(3), entry(2), entry(1))) == ["Title 3"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([entry(1), entry(2)], [entry(2), entry(1)], id="order changed"),
        pytest.param([entry(1)], [entry(1, published_at=NOW)], id="re-dated"),
        pytest.param([entry(1)], [entry(1, updated_at=NOW)], id="update time only"),
        pytest.param([entry(1)], [entry(1, summary="Summary  of<br>1")], id="mark-up changed"),
        pytest.param([entry(1)], [entry(1, title="Title 1.")], id="punctuation changed"),
        pytest.param([entry(1)], [entry(1, id="urn:new")], id="guid edited"),
        pytest.param([entry(1)], [entry(1, id="")], id="guid left out"),
        pytest.param([entry(1, id="")], [entry(1)], id="guid added"),
        pytest.param(
            [entry(1, id="")],
            [entry(1, id="", link="https://news.example/1?utm_source=rss&utm_medium=feed")],
            id="tracking parameters in the link",
        ),
        pytest.param(
            [entry(1, id="https://news.example/1?utm_source=a")],
            [entry(1, id="https://news.example/1?utm_source=b")],
            id="tracking parameters in the guid",
        ),
        pytest.param(
            [entry(1, id="")],
            [entry(1, id="http://www.news.example/1", link="http://www.news.example/1")],
            id="moved to another scheme and www",
        ),
        pytest.param(
            [entry(1, link="")], [entry(1, link="https://news.example/1")], id="link added"
        ),
        pytest.param(
            [entry(1, id="", link="")], [entry(1, id="", link="")], id="neither id nor link"
        ),
    ],
)
def test_the_same_entry_is_not_published_again(
    before: Sequence[Entry], after: Sequence[Entry]
) -> None:
    assert nothing(read_twice(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([entry(1)], [entry(1, title="Title 1, corrected")], id="title"),
        pytest.param([entry(1)], [entry(1, content="Now with text")], id="content added"),
        pytest.param([entry(1)], [entry(1, summary="Summary of one")], id="summary"),
        pytest.param(
            [entry(1, id="")], [entry(1, id="", title="Title 1 changed")], id="title without a guid"
        ),
    ],
)
def test_an_edit_that_matters_is_a_revision_of_the_same_article(
    before: Sequence[Entry], after: Sequence[Entry]
) -> None:
    reader = Reader()
    (first,) = reader.read(*before).new
    changes = reader.read(*after)

    assert changes.new == ()
    assert [(one.id, one.revision) for one in changes.revised] == [(first.id, 2)]


def test_a_server_restored_from_an_old_back_up_publishes_nothing_again() -> None:
    reader = Reader()
    for newest in range(30, 200, 10):
        reader.read(*(entry(number) for number in range(newest, newest - 30, -1)))

    assert nothing(reader.read(*(entry(number) for number in range(30, 0, -1))))
    assert nothing(reader.read(*(entry(number) for number in range(190, 160, -1))))


def test_one_guid_for_all_entries_hides_none() -> None:
    reader = Reader()
    document = [entry(number, id="same") for number in (3, 2, 1)]

    assert titles(reader.read(*document)) == ["Title 1", "Title 2", "Title 3"]
    assert nothing(reader.read(*document))
    assert titles(reader.read(entry(4, id="same"), *document)) == ["Title 4"]


def test_a_guid_that_is_used_again_is_a_new_article() -> None:
    reader = Reader()
    (first,) = reader.read(entry(1, id="latest")).new
    (second,) = reader.read(entry(2, id="latest")).new

    assert first.id != second.id
    assert nothing(reader.read(entry(2, id="latest")))


def test_entries_that_share_a_link_are_different_articles() -> None:
    link = "https://news.example/live"
    reader = Reader()
    assert len(reader.read(entry(1, link=link), entry(2, link=link)).new) == 2

    assert titles(reader.read(entry(3, link=link), entry(2, link=link))) == ["Title 3"]


def test_a_new_bulletin_at_the_same_address_is_news() -> None:
    link = "https://weather.example/today"
    changes = read_twice([entry(1, link=link)], [entry(2, link=link)])

    assert titles(changes) == ["Title 2"]


def test_of_two_entries_with_one_id_the_first_counts_and_nothing_flips() -> None:
    document = [entry(1, title="one"), entry(1, title="other")]
    reader = Reader()

    assert titles(reader.read(*document)) == ["one"]
    assert nothing(reader.read(*document))


def test_a_new_feed_does_not_flood_its_subscribers() -> None:
    reader = Reader()
    old = entry(1, published_at=NOW - 2 * DAY)
    undated = entry(2, published_at=None)
    changes = reader.read(entry(3), undated, old)

    assert titles(changes) == ["Title 3"]
    assert changes.withheld == 2
    assert nothing(reader.read(entry(3), undated, old))
    assert nothing(reader.read(replace(old, title="Title 1, corrected"), undated))


def test_an_entry_that_was_withheld_and_is_published_anew_is_news() -> None:
    reader = Reader()
    reader.read(entry(1, published_at=NOW - 2 * DAY))
    changes = reader.read(entry(1, title="Now it has happened", published_at=NOW))

    assert [(one.title, one.revision) for one in changes.new] == [("Now it has happened", 1)]


def test_later_an_entry_without_a_date_is_new_and_an_ancient_one_is_not() -> None:
    reader = Reader()
    reader.read(entry(1))
    changes = reader.read(
        entry(2, published_at=None), entry(3, published_at=NOW - 30 * DAY), entry(1)
    )

    assert titles(changes) == ["Title 2"]
    assert changes.withheld == 1


def test_a_feed_whose_entries_never_stop_changing_is_cut_off() -> None:
    reader = Reader()
    reader.read(entry(1))
    published = sum(
        len(reader.read(entry(1, summary=f"It is {clock} o'clock")).revised)
        for clock in range(MOST_PUBLISHED_REVISIONS + 50)
    )

    assert published == MOST_PUBLISHED_REVISIONS - 1


def test_entries_with_nothing_in_them_are_left_out() -> None:
    assert Reader().read(Entry(), Entry(published_at=NOW)).new == ()


def test_the_memory_of_a_feed_is_bounded_and_holds_its_whole_document() -> None:
    reader = Reader()
    for start in range(0, 3_000, 100):
        reader.read(*(entry(number) for number in range(start, start + 100)))
    assert reader.packed is not None
    assert len(memory.unpack(reader.packed)) == 300

    many = [entry(number) for number in range(10_000)]
    reader.read(*many)
    assert nothing(reader.read(*many))


@given(
    document=st.lists(st.integers(0, 12), max_size=8),
    shuffled=st.randoms(use_true_random=False),
)
def test_a_document_read_again_in_any_order_says_nothing_new(
    document: list[int], shuffled: object
) -> None:
    entries = [entry(number) for number in document]
    again = entries[:]
    shuffled.shuffle(again)  # type: ignore[attr-defined]

    assert nothing(read_twice(entries, again))
