"""What a person is told, before it takes the form of a channel. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wirewatch.notify.channels.words import Piece, clean, clean_pieces, link
from wirewatch.topics.alerts import Alert, Field, Proof
from wirewatch.topics.digests import Digest, DigestStory, DigestWhy, Notice, NoticeType, Telling

MAX_ITEMS = 10
"""Stories of a digest that a message for people shows; how many more there are is said."""
MAX_EXCERPTS = 3
_SHOWN = frozenset({Field.LEAD, Field.BODY})
"""A proof elsewhere needs no excerpt: the title stands above, a host says nothing."""
_WHY = {
    DigestWhy.SCHEDULE: "As ordered",
    DigestWhy.RATE: "More than you want one by one",
    DigestWhy.QUIET: "Found in your quiet hours",
    DigestWhy.SNOOZE: "Found while snoozed",
}


@dataclass(frozen=True, slots=True)
class Item:
    """An article, or a story by its first article. `url` and `image` are safe or empty.

    `excerpts` are places of the text with the proving words marked. `origin`
    says where and when it appeared.
    """

    title: str
    url: str
    excerpts: tuple[tuple[Piece, ...], ...]
    image: str
    origin: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """A message. `title` is above everything; items or `text` and `facts` are its content.

    `summary` tells it in one line where there is room for no more, `note` stands
    below. `more` stories are not among the items. `is_warning` asks for attention.
    """

    title: str
    summary: str
    items: tuple[Item, ...] = ()
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    more: int = 0
    is_warning: bool = False

    def below(self, left_out: int = 0) -> str:
        """Return what stands at the end of a message in which `left_out` items found no room."""
        more = self.more + left_out
        said = f"and {_count(more, 'more story', 'more stories')}" if more else ""
        return " · ".join(filter(None, (said, self.note)))


def read_news(telling: Telling) -> News:
    """Return what a person is to be told; all texts are clean, none is cut."""
    if isinstance(telling, Alert):
        return _of_alert(telling)
    if isinstance(telling, Digest):
        return _of_digest(telling)
    return _of_notice(telling)


def moment(at: datetime) -> str:
    """Return a time as people read it in every country."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _of_alert(alert: Alert) -> News:
    article = alert.article
    item = Item(
        title=clean(article.title) or clean(article.url),
        url=link(article.url),
        excerpts=_excerpts(alert.proofs, article.summary, MAX_EXCERPTS),
        image=link(article.image),
        origin=f"{clean(article.source)} · {moment(article.published_at)}",
        published_at=article.published_at,
    )
    name = clean(alert.subscription_name)
    return News(title=name, summary=f"{name}: {item.title}", items=(item,))


def _of_digest(digest: Digest) -> News:
    name = clean(digest.subscription_name)
    stories = len(digest.stories) + digest.more_stories
    counted = f"{_count(digest.alerts, 'alert', 'alerts')} in {_count(stories, 'story', 'stories')}"
    shown = digest.stories[:MAX_ITEMS]
    note = f"{_WHY[digest.why]}, {moment(digest.since)} to {moment(digest.until)}"
    if digest.part > 1:
        note += f", part {digest.part}"
    return News(
        title=f"{name}: {counted}",
        summary=f"{name}: {counted}",
        items=tuple(map(_of_story, shown)),
        note=note,
        more=stories - len(shown),
    )


def _of_story(story: DigestStory) -> Item:
    origin = f"{clean(story.source)} · {moment(story.published_at)}"
    if story.articles > 1:
        origin += f" · {story.articles} articles"
    return Item(
        title=clean(story.title) or clean(story.url),
        url=link(story.url),
        excerpts=_excerpts(story.proofs, story.summary, 1),
        image=link(story.image),
        origin=origin,
        published_at=story.published_at,
    )


def _excerpts(proofs: Sequence[Proof], summary: str, most: int) -> tuple[tuple[Piece, ...], ...]:
    """Return up to `most` snippets with all their marks; the summary if there are none."""
    marks: dict[str, list[tuple[int, int]]] = {}
    for proof in proofs:
        if proof.field in _SHOWN and proof.snippet:
            marks.setdefault(proof.snippet, []).append((proof.mark_start, proof.mark_end))
    made = [clean_pieces(_marked(text, places)) for text, places in list(marks.items())[:most]]
    if not made and clean(summary):
        made = [(Piece(clean(summary)),)]
    return tuple(made)


def _marked(text: str, places: Iterable[tuple[int, int]]) -> Iterable[Piece]:
    done = 0
    for start, end in sorted(places):
        first, last = max(start, done), min(end, len(text))
        if first < last:
            yield Piece(text[done:first])
            yield Piece(text[first:last], marked=True)
            done = last
    yield Piece(text[done:])


def _of_notice(notice: Notice) -> News:
    about = clean(notice.endpoint_name) or clean(notice.endpoint_url) or notice.endpoint_id
    endpoint = [("Endpoint", clean(f"{about} ({notice.endpoint_id})"))]
    why = [("Reason", clean(": ".join(filter(None, (notice.reason, notice.detail)))))]
    if notice.type is NoticeType.ENDPOINT_DISABLED:
        since = notice.failing_since
        return _notice(
            f"Endpoint disabled: {about}",
            "It is told nothing more until somebody enables it again.",
            [*endpoint, *why, ("Failing since", moment(since) if since else "")],
        )
    if notice.type is NoticeType.DELIVERY_EXHAUSTED:
        return _notice(
            f"Delivery given up: {about}",
            f"It failed {_count(notice.attempts, 'time', 'times')}. "
            "It is kept as a dead letter and can be sent again.",
            [*endpoint, *why, ("Delivery", notice.delivery_id), ("Alert", notice.alert_id)],
        )
    if notice.type is NoticeType.ENDPOINT_VERIFY:
        return _notice(
            f"Endpoint to be verified: {about}",
            "Answer with the challenge to be told of alerts here.",
            [*endpoint, ("Challenge", clean(notice.challenge))],
        )
    text = clean(notice.detail) or "Somebody asked for it. Alerts will arrive here, too."
    return _notice(f"Test of endpoint {about}", text, endpoint, is_warning=False)


def _notice(
    title: str, text: str, facts: Sequence[tuple[str, str]], *, is_warning: bool = True
) -> News:
    return News(
        title=title,
        summary=title,
        text=text,
        facts=tuple((name, value) for name, value in facts if value),
        is_warning=is_warning,
    )
