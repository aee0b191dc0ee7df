"""What a client may send, as types. Pure.

A body names only what it means to say: a field left out of a POST takes its
default, a field left out of a PATCH stays as it is. Unknown fields are refused.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from wirewatch.api.errors import BadRequest, FieldError, Invalid
from wirewatch.api.replaying import DEFAULT_REPLAYED, What
from wirewatch.entities.own import Imported
from wirewatch.query.dialects.translate import Dialect
from wirewatch.query.sample import Sample
from wirewatch.topics.entities import Kind
from wirewatch.topics.subscriptions import Pace, QuietHours
from wirewatch.web.hosts import comparable_host

B = TypeVar("B", bound="Body")
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"contains unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every body."""

    def given(self) -> dict[str, object]:
        """Return the fields the client named, with their values."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not UNSET}


class FeedPatch(Body, frozen=True, kw_only=True):
    """Changes to a feed. Its URL is not among them: another URL is another feed."""

    title: str | UnsetType = UNSET
    language: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    interval_s: int | UnsetType | None = UNSET
    paused: bool | UnsetType = UNSET
    full_text: bool | UnsetType = UNSET
    country: str | UnsetType | None = UNSET


class FeedBody(FeedPatch, frozen=True, kw_only=True):
    """A feed to watch."""

    url: str


class QuietBody(Body, frozen=True, kw_only=True):
    """Quiet hours of a pace (`topics.subscriptions.QuietHours`)."""

    start: str
    end: str
    days: tuple[int, ...] = ()


class PaceBody(Body, frozen=True, kw_only=True):
    """When a subscriber is told, as a whole: what is left out takes its default."""

    every_min: int | None = None
    at: tuple[str, ...] = ()
    most_per_hour: int | None = None
    quiet: tuple[QuietBody, ...] = ()
    snoozed_until: Moment | None = None
    muted_sources: tuple[str, ...] = ()
    muted_stories: tuple[str, ...] = ()
    time_zone: str = "UTC"

    def pace(self) -> Pace:
        """Return the pace as it is stored: times in UTC, hosts as they are compared."""
        fields = {
            **self.given(),
            "quiet": msgspec.convert(self.quiet, tuple[QuietHours, ...], from_attributes=True),
            "muted_sources": tuple(dict.fromkeys(map(comparable_host, self.muted_sources))),
            "muted_stories": tuple(dict.fromkeys(self.muted_stories)),
        }
        if self.snoozed_until is not None:
            fields["snoozed_until"] = self.snoozed_until.astimezone(UTC)
        return msgspec.convert(fields, Pace)


class SnoozeBody(Body, frozen=True, kw_only=True):
    """How long to be silent: `until` a time, or `for_s` seconds from now."""

    until: Moment | UnsetType = UNSET
    for_s: float | UnsetType = UNSET


class MuteBody(Body, frozen=True, kw_only=True):
    """What not to be told of any more: a source, with all hosts below it, or a story."""

    source: str | UnsetType = UNSET
    story: str | UnsetType = UNSET


class SubscriptionPatch(Body, frozen=True, kw_only=True):
    """Changes to a subscription. A `pace` replaces the whole one, null is the default."""

    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    endpoint_ids: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    paused: bool | UnsetType = UNSET
    language: str | UnsetType = UNSET
    pace: PaceBody | UnsetType | None = UNSET

    def record_fields(self) -> dict[str, object]:
        """Return the fields the client named, as a record has them."""
        if self.pace is UNSET:
            return self.given()
        return self.given() | {"pace": Pace() if self.pace is None else self.pace.pace()}


class SubscriptionBody(SubscriptionPatch, frozen=True, kw_only=True):
    """A standing query."""

    name: str
    query: str
    endpoint_ids: tuple[str, ...]


class EntityPatch(Body, frozen=True, kw_only=True):
    """Changes to an own entity. `names` and `exceptions` map a language to a line of names."""

    name: str | UnsetType = UNSET
    names: dict[str, str] | UnsetType = UNSET
    exceptions: dict[str, str] | UnsetType = UNSET
    context: tuple[str, ...] | UnsetType = UNSET
    dropped: tuple[str, ...] | UnsetType = UNSET


class EntityBody(EntityPatch, frozen=True, kw_only=True):
    """An own entity, or what is added to one of the catalogue; then `id` says to which."""

    name: str
    kind: Kind | UnsetType = UNSET
    id: str | UnsetType = UNSET


class ImportBody(Body, Imported, frozen=True, kw_only=True):
    """What Wikidata says of an entity."""

    kind: Kind | UnsetType = UNSET
    name: str | UnsetType = UNSET


class TextBody(Body, frozen=True, kw_only=True):
    """A text whose entities are asked for; `language` is BCP 47."""

    text: str
    title: str = ""
    language: str = "und"


class QueryBody(Body, frozen=True, kw_only=True):
    """A query to check, in our language or in `dialect`."""

    query: str
    dialect: Dialect | None = None


class ArticleBody(Body, Sample, frozen=True, kw_only=True):
    """An article to try a query on."""


class ExplainBody(QueryBody, frozen=True, kw_only=True):
    """A query to try on an article."""

    article: ArticleBody


class ResendBody(Body, frozen=True, kw_only=True):
    """A delivery that is to be sent again. `id` names the request."""

    endpoint: str = ""
    id: str = ""


class ReplayBody(Body, frozen=True, kw_only=True):
    """Deliveries to one endpoint that are to be sent again. `id` names the request."""

    endpoint: str
    since: datetime
    until: datetime | None = None
    what: What
    reasons: tuple[str, ...] = ()
    limit: int = DEFAULT_REPLAYED
    dry_run: bool = False
    id: str = ""


def read_body(raw: bytes, body: type[B]) -> B:
    """Return the body that `raw` holds.

    Raises BadRequest if it is not JSON, Invalid if a field is unknown, missing
    or of a wrong type.
    """
    try:
        return msgspec.json.decode(raw, type=body)
    except msgspec.ValidationError as error:
        raise Invalid([_explain(str(error), body)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


_INDEX = re.compile(r"\[[^\]]*\]")
_INSIDE = {"article": ArticleBody, "pace": PaceBody, "pace.quiet": QuietBody}
"""The bodies within bodies, by where they stand."""


def _explain(message: str, body: type[Body]) -> FieldError:
    at = _AT.search(message)
    inside = _INSIDE.get(_INDEX.sub("", at[1]) if at else "", body)
    place = f"{at[1]}." if at and at[1] else ""
    if unknown := _UNKNOWN.search(message):
        known = ", ".join(inside.__struct_fields__)
        return FieldError(place + unknown[1], f"there is no such field here; there are {known}")
    if missing := _MISSING.search(message):
        return FieldError(place + missing[1], "is required")
    text = _AT.sub("", message)
    return FieldError(at[1] if at and at[1] else "(body)", text[:1].lower() + text[1:])
