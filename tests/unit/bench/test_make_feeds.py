from datetime import UTC, datetime

import pytest

from bench.make_feeds import ENTRIES, FORMS, NEW, TONGUES, Outlet
from wirewatch.documents.feed import ParsedFeed
from wirewatch.documents.read import read_feed

AT = datetime(2026, 11, 23, tzinfo=UTC)
FIRST = range(len(FORMS))


def read(outlet: Outlet, version: int) -> ParsedFeed:
    return read_feed(
        outlet.document(version),
        content_type=outlet.content_type,
        url="https://feeds.example/",
        max_entries=1_000,
    )


@pytest.mark.parametrize("seed", FIRST)
def test_a_document_is_complete_and_of_its_form(seed: int) -> None:
    outlet = Outlet(seed, AT)
    feed = read(outlet, 0)
    assert (feed.format, feed.language) == (outlet.form, outlet.tongue.code)
    assert len(feed.entries) == ENTRIES
    assert all(e.id and e.link and e.title and e.content and e.published_at for e in feed.entries)
    assert 45_000 < len(outlet.document(0)) < 110_000


@pytest.mark.parametrize("seed", FIRST)
def test_a_version_has_new_entries_and_edits_one(seed: int) -> None:
    outlet = Outlet(seed, AT)
    for version in range(4):
        before = {entry.id: entry.title for entry in read(outlet, version).entries}
        after = {entry.id: entry.title for entry in read(outlet, version + 1).entries}
        assert len(after.keys() - before.keys()) == NEW
        edited = [key for key in before.keys() & after.keys() if before[key] != after[key]]
        assert [len(after[key].split()) > len(before[key].split()) for key in edited] == [True]


def test_the_same_seed_makes_the_same_bytes_also_when_versions_are_skipped() -> None:
    step_by_step = Outlet(3, AT)
    for version in range(3):
        step_by_step.document(version)
    assert step_by_step.document(3) == Outlet(3, AT).document(3)
    assert Outlet(3, AT).document(3) != Outlet(13, AT).document(3)


def test_all_languages_are_there_in_a_few_outlets() -> None:
    assert {Outlet(seed, AT).tongue for seed in range(16)} == set(TONGUES)
