"""Alerts that were held, told together by story. Pure.

The same alerts give the same digest, in whatever order they come: a digest that is
made again after a crash is the one that may have been sent.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate

import msgspec
from msgspec.structs import replace

from wirewatch.topics.alerts import Alert, Field, Proof
from wirewatch.topics.digests import MAX_DIGEST_STORIES, Digest, DigestStory, DigestWhy

MAX_STORY_PROOFS = 3
MAX_STORY_SOURCES = 20
MAX_STORY_ALERTS = 20
MAX_LEAF_CHARS = 200
"""A leaf may be as long as the whole query, and comes again with every proof."""
MAX_DIGEST_BYTES = 262_144
"""Of the record: what a digest tells of has to fit into one batch with it."""

_RANK = {field: number for number, field in enumerate(Field)}
"""A proof in the title tells more than one in the body: the order of `Field`."""


def make_digest(
    alerts: Sequence[Alert], *, why: DigestWhy, since: datetime, until: datetime, part: int = 1
) -> Digest:
    """Return the digest of `alerts`, which are of one subscription and endpoint.

    One that comes twice counts once. The largest story stands first, of equal
    ones that with the newest article. Name, query and tags are those of the
    alert found last. Where it would be larger than MAX_DIGEST_BYTES the proofs are
    left out, then the summaries, then the last stories. Raises ValueError without alerts.
    """
    if not alerts:
        raise ValueError("A digest needs alerts to tell of.")
    each_once = list({alert.id: alert for alert in sorted(alerts, key=_version)}.values())
    stories = sorted(_by_story(each_once), key=_largest_first)
    newest = max(each_once, key=lambda alert: (alert.found_at, alert.id))
    digest = Digest(
        subscription_id=newest.subscription_id,
        subscription_name=newest.subscription_name,
        query=newest.query,
        tags=newest.tags,
        why=why,
        since=since,
        until=until,
        part=part,
        alerts=len(each_once),
        stories=tuple(map(_story, stories[:MAX_DIGEST_STORIES])),
        more_stories=max(len(stories) - MAX_DIGEST_STORIES, 0),
    )
    return _fitting(digest)


def _fitting(digest: Digest) -> Digest:
    for cut in (_without_proofs, _without_summaries, _with_fewer_stories):
        if _size(digest) <= MAX_DIGEST_BYTES:
            break
        digest = cut(digest)
    return digest


def _without_proofs(digest: Digest) -> Digest:
    return replace(digest, stories=tuple(replace(each, proofs=()) for each in digest.stories))


def _without_summaries(digest: Digest) -> Digest:
    return replace(digest, stories=tuple(replace(each, summary="") for each in digest.stories))


def _with_fewer_stories(digest: Digest) -> Digest:
    """Leave out the last stories; the first one stays."""
    most = digest.more_stories + len(digest.stories)
    room = MAX_DIGEST_BYTES - _size(replace(digest, stories=(), more_stories=most))
    ends = accumulate(_size(each) + 1 for each in digest.stories)  # and a comma
    kept = max(1, sum(end <= room for end in ends))
    return replace(digest, stories=digest.stories[:kept], more_stories=most - kept)


def _size(told: Digest | DigestStory) -> int:
    return len(msgspec.json.encode(told))


def _version(alert: Alert) -> tuple[int, datetime, str, str]:
    article = alert.article
    return article.revision, alert.found_at, alert.subscription_name, article.title


def _by_story(alerts: Iterable[Alert]) -> list[list[Alert]]:
    """Return the alerts of each story, those of the oldest article first."""
    stories: dict[str, list[Alert]] = {}
    for alert in alerts:
        stories.setdefault(alert.article.story_id, []).append(alert)
    for story in stories.values():
        story.sort(key=lambda alert: (alert.article.published_at, alert.found_at, alert.id))
    return list(stories.values())


def _largest_first(story: Sequence[Alert]) -> tuple[int, float, str]:
    newest = story[-1].article.published_at
    return -len(story), -newest.timestamp(), story[0].article.story_id


def _story(alerts: Sequence[Alert]) -> DigestStory:
    first = alerts[0].article
    sources = dict.fromkeys(alert.article.source for alert in alerts)
    return DigestStory(
        story_id=first.story_id,
        title=first.title,
        url=first.url,
        source=first.source,
        language=first.language,
        published_at=first.published_at,
        summary=first.summary,
        image=first.image,
        proofs=tuple(map(_with_short_leaf, best_proofs(alerts[0].proofs))),
        articles=len({alert.article.id for alert in alerts}),
        sources=tuple(sources)[:MAX_STORY_SOURCES],
        alert_ids=tuple(alert.id for alert in alerts)[:MAX_STORY_ALERTS],
    )


def best_proofs(proofs: Iterable[Proof]) -> tuple[Proof, ...]:
    """Return the few proofs that tell most: of each leaf one before a second, titles first."""
    ranked = sorted(proofs, key=lambda proof: (_RANK[proof.field], proof.start, proof.leaf))
    firsts = {proof.leaf: proof for proof in reversed(ranked)}
    others = [proof for proof in ranked if firsts[proof.leaf] is not proof]
    chosen = sorted(firsts.values(), key=ranked.index) + others
    return tuple(chosen[:MAX_STORY_PROOFS])


def _with_short_leaf(proof: Proof) -> Proof:
    if len(proof.leaf) <= MAX_LEAF_CHARS:
        return proof
    return replace(proof, leaf=proof.leaf[: MAX_LEAF_CHARS - 1] + "…")
