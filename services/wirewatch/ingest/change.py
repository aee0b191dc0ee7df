"""Which articles of a fetched feed are new or edited. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import Seen

MAX_SEEN = 5_000
"""Entries remembered of one feed; those in the newest document always are."""


@dataclass(frozen=True, slots=True)
class Changes:
    """`new` and `revised` are to be published; `seen` is to be remembered once they are."""

    new: tuple[Article, ...]
    revised: tuple[Article, ...]
    seen: tuple[Seen, ...]


def content_digest(article: Article) -> str:
    """Return a digest of what a reader would notice; times and order do not count."""
    digest = hashlib.blake2b(digest_size=12)
    for part in (article.title, article.lead, article.body, article.url):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def find_changes(articles: Iterable[Article], seen: Sequence[Seen]) -> Changes:
    """Compare a document's `articles` with what was `seen` before.

    Of two articles with the same id in one document the first counts:
    otherwise each would for ever be a revision of the other.
    """
    known = {one.article_id: one for one in seen}
    new: list[Article] = []
    revised: list[Article] = []
    present: dict[str, Seen] = {}
    for article in articles:
        if article.id in present:
            continue
        before = known.get(article.id)
        digest = content_digest(article)
        revision = 1 if before is None else before.revision + (digest != before.digest)
        present[article.id] = Seen(article.id, digest, revision)
        if before is None:
            new.append(article)
        elif digest != before.digest:
            revised.append(msgspec.structs.replace(article, revision=revision))
    older = [one for one in seen if one.article_id not in present]
    kept = older[max(0, len(older) + len(present) - MAX_SEEN) :]
    return Changes(tuple(new), tuple(revised), (*kept, *present.values()))
