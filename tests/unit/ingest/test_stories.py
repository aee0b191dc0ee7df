"""Which articles share a story."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from bench.stories import rightness
from wirewatch.ingest.signature import KEYS, WORDS_AT, signature
from wirewatch.ingest.stories import CANDIDATES, PAGE, StoryIndex
from wirewatch.topics.stories import STORY_WINDOW

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FERRY = (
    "Ferry with 120 people on board runs aground off Norwegian coast",
    (
        "A passenger ferry with 120 people on board ran aground off the western coast of Norway "
        "late on Sunday; rescue helicopters brought everybody to the port of Florø, police said."
    ),
)
BUDGET = (
    "Parliament adopts the budget after a night of talks",
    "Lawmakers in Bern approved next year's spending early on Monday by 109 votes to 87.",
)


def sign(report: tuple[str, str]) -> bytes:
    return signature(*report)


def told(index: StoryIndex, name: str, report: tuple[str, str], at: datetime = AT) -> str:
    """Return the story that is found and then claimed, as ingest does."""
    found = index.find(sign(report), at)
    story = index.claim(name, found or name, sign(report), at)
    assert found in {None, story}
    return story


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(FERRY, id="the same"),
        pytest.param((f"{FERRY[0]} - Example Times", FERRY[1]), id="with the outlet's name"),
        pytest.param((f"UPDATE 1-{FERRY[0]}", f"OSLO, Nov 22 (Wire) - {FERRY[1]}"), id="agency"),
        pytest.param((FERRY[0], FERRY[1].partition(";")[0]), id="cut short"),
        pytest.param(("All saved from ferry", FERRY[1]), id="another title"),
        pytest.param((FERRY[0].upper(), FERRY[1]), id="in capitals"),
    ],
)
def test_a_report_that_others_print_too_is_one_story(report: tuple[str, str]) -> None:
    index = StoryIndex()
    assert told(index, "art_1", FERRY) == "art_1"
    assert told(index, "art_2", report) == "art_1"


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(BUDGET, id="something else"),
        pytest.param(
            (
                "Ferry with 45 people on board runs aground off Greek coast",
                (
                    "A passenger ferry with 45 people on board ran aground off the eastern coast "
                    "of Crete late on Monday; fishing boats brought everybody to the port of Sitia."
                ),
            ),
            id="the same again elsewhere",
        ),
        pytest.param(("Ferry", ""), id="too little to judge"),
    ],
)
def test_another_event_is_another_story(report: tuple[str, str]) -> None:
    index = StoryIndex()
    told(index, "art_1", FERRY)
    assert told(index, "art_2", report) == "art_2"


@pytest.mark.parametrize("name", ["dev", "held-out"])
def test_the_labelled_set(name: str) -> None:
    for seed in range(3):
        precision, recall = rightness(name, seed)
        assert precision >= 0.97
        assert recall >= 0.9


def test_a_claim_that_is_repeated_keeps_its_story() -> None:
    index = StoryIndex()
    told(index, "art_1", FERRY)
    assert index.claim("art_1", "art_9", sign(BUDGET), AT) == "art_1"
    assert len(index) == 1
    assert index.story_of("art_1") == "art_1"
    assert index.story_of("art_2") is None


def test_two_who_claim_at_once_agree_by_the_order_of_the_log() -> None:
    index = StoryIndex()
    index.claim("art_1", "art_1", sign(FERRY), AT)
    assert index.claim("art_2", "art_2", sign(FERRY), AT) == "art_1"


def test_a_claim_is_compared_with_what_its_claimant_had_not_read() -> None:
    index = StoryIndex()
    index.claim("art_1", "art_1", sign(FERRY), AT, offset=5)
    # Its claimant had read up to 5 and found nothing like it: that counts for all who fold it.
    assert index.claim("art_2", "art_2", sign(FERRY), AT, offset=6, seen=5) == "art_2"
    # This one's had not: with what came between it is compared again.
    assert index.claim("art_3", "art_3", sign(FERRY), AT, offset=7, seen=4) in {"art_1", "art_2"}
    assert index.claim("art_4", "art_4", sign(BUDGET), AT, offset=8, seen=8) == "art_4"
    assert index.offset == 8


def test_claims_of_one_record_are_compared_with_one_another() -> None:
    index = StoryIndex()
    for name in ("art_1", "art_2"):
        story = index.claim(name, name, sign(FERRY), AT, offset=0, seen=-1)
        assert story == "art_1"


def test_who_reads_a_log_without_its_beginning_follows_the_claim() -> None:
    index = StoryIndex()
    assert index.claim("art_2", "art_1", sign(FERRY), AT) == "art_1"
    assert told(index, "art_3", FERRY) == "art_1"


def test_articles_further_apart_than_the_window_are_two_stories() -> None:
    index = StoryIndex()
    told(index, "art_1", FERRY)
    assert told(index, "art_2", FERRY, AT + STORY_WINDOW + HOUR) == "art_2"
    assert told(index, "art_3", FERRY, AT) == "art_3"  # a late one: the first is forgotten


def test_the_answers_depend_on_the_claims_alone() -> None:
    """Whoever forgets at other moments, or asks in between, folds the same stories."""
    rng = random.Random(7)
    words = [f"word{number}" for number in range(300)]
    one, other = StoryIndex(HOUR), StoryIndex(HOUR)
    at = AT
    for number in range(3_000):
        at += timedelta(seconds=rng.randrange(30))
        lead = " ".join(rng.sample(words, 3) + words[number % 40 : number % 40 + 12])
        signed = signature(f"Report {number % 40}", lead)
        name = f"art_{number}"
        stories = [index.claim(name, name, signed, at) for index in (one, other)]
        assert stories[0] == stories[1]
        one.expire()
        if number % 7 == 0:
            other.find(signed, at)


def test_what_is_past_is_forgotten() -> None:
    index = StoryIndex()
    for number in range(2 * PAGE):
        index.claim(f"art_{number}", f"art_{number}", sign(BUDGET), AT)
    index.claim("art_late", "art_late", sign(FERRY), AT + STORY_WINDOW - HOUR)
    index.expire()
    assert len(index) == 2 * PAGE + 1
    told(index, "art_later", FERRY, AT + STORY_WINDOW + HOUR)
    index.expire()
    assert len(index) == 2
    assert told(index, "art_last", FERRY, AT + STORY_WINDOW + HOUR) == "art_late"


def weather(town: str, degrees: int) -> tuple[str, str]:
    return (
        f"Weather forecast for {town} today",
        f"Light winds in {town} with {degrees} degrees and a gentle breeze, forecasters said.",
    )


def test_of_a_template_each_town_is_a_story_and_its_repetition_is_found() -> None:
    index = StoryIndex()
    towns = [f"{a}{b}{c}" for a in "BDKLMNPRST" for b in ("ao", "ei", "ou") for c in "bdgklmnrst"]
    signed = [sign(weather(town, number)) for number, town in enumerate(towns)]
    for number, one in enumerate(signed):
        index.claim(f"art_{number}", f"art_{number}", one, AT)
    stories = [index.story_of(f"art_{number}") for number in range(len(towns))]
    assert len(set(stories)) >= 0.97 * len(towns)  # words are hashes of 16 bits
    found = [index.find(one, AT) for one in signed]
    same = [one == other for one, other in zip(found, stories, strict=True)]
    assert sum(same) >= 0.9 * len(towns)


def test_a_template_is_compared_with_a_few_however_often_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from wirewatch.ingest import stories  # noqa: PLC0415 - to count its calls

    compared = 0
    likeness = stories.likeness

    def counted(*words: object) -> float:
        nonlocal compared
        compared += 1
        return likeness(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(stories, "likeness", counted)
    index = StoryIndex()
    for number in range(5_000):
        town = f"Town{number}"
        lead = f"In {town} it will be {number} degrees tomorrow with clouds in the morning."
        index.claim(f"art_{number}", f"art_{number}", signature(f"Weather for {town}", lead), AT)
    before = compared
    index.find(signature("Weather for Elsewhere", lead), AT)
    assert compared - before <= 2 * CANDIDATES


@pytest.mark.parametrize(
    "signed", [b"", b"\x00", b"\xff" * 60, b"\x01" + b"\x00" * 3, b"\x01" + b"\xff" * 90]
)
def test_a_signature_of_another_layout_is_its_own_story(signed: bytes) -> None:
    index = StoryIndex()
    assert index.find(signed, AT) is None
    assert index.claim("art_1", "art_1", signed, AT) == "art_1"
    assert index.claim("art_2", "art_2", signed, AT) == "art_2"


def test_a_signature_is_bounded_and_the_same_everywhere() -> None:
    assert signature(*BUDGET).hex() == signature(*BUDGET).hex()
    long = " ".join(f"word{number}" for number in range(10_000))
    assert len(signature(long, long)) <= 212
    assert len(signature("a b c d e f", "")) == 0
    assert len(signature(*FERRY)) > WORDS_AT > 8 * KEYS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("日本銀行は金融政策決定会合で政策金利を据え置くことを決めた", "日銀、政策金利を据え置き"),
        (
            "Президент Украины посетил Польшу во вторник",
            "Президент України відвідав Польщу у вівторок вранці",
        ),
    ],
)
def test_every_script_gives_a_signature(one: str, other: str) -> None:
    assert signature(one, "")
    assert signature(other, "")
    assert signature(one, "") != signature(other, "")
