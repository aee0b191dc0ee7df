"""What a client may send, as types. Pure.

A body names only what it means to say: a field left out of a POST takes its
default, a field left out of a PATCH stays as it is. Unknown fields are refused.
"""

import re
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from wirewatch.api.errors import BadRequest, FieldError, Invalid
from wirewatch.entities.own import Imported
from wirewatch.query.dialects.translate import Dialect
from wirewatch.query.sample import Sample
from wirewatch.topics.entities import Kind

B = TypeVar("B", bound="Body")

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


class SubscriptionPatch(Body, frozen=True, kw_only=True):
    """Changes to a subscription."""

    name: str | UnsetType = UNSET
    query: str | UnsetType = UNSET
    endpoint_ids: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    paused: bool | UnsetType = UNSET
    language: str | UnsetType = UNSET


class SubscriptionBody(SubscriptionPatch, frozen=True, kw_only=True):
    """A standing query."""

    name: str
    query: str
    endpoint_ids: tuple[str, ...]


class EndpointPatch(Body, frozen=True, kw_only=True):
    """Changes to an endpoint; a new `secret` signs everything from then on."""

    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    retry_schedule_s: tuple[float, ...] | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self.url!r})"


class EndpointBody(EndpointPatch, frozen=True, kw_only=True):
    """Where to deliver. Without a `secret` one is made."""

    url: str

    def __repr__(self) -> str:
        return f"EndpointBody(url={self.url!r})"


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


def _explain(message: str, body: type[Body]) -> FieldError:
    at = _AT.search(message)
    inside = ArticleBody if at and at[1] == "article" else body
    place = f"{at[1]}." if at and at[1] else ""
    if unknown := _UNKNOWN.search(message):
        known = ", ".join(inside.__struct_fields__)
        return FieldError(place + unknown[1], f"there is no such field here; there are {known}")
    if missing := _MISSING.search(message):
        return FieldError(place + missing[1], "is required")
    text = _AT.sub("", message)
    return FieldError(at[1] if at and at[1] else "(body)", text[:1].lower() + text[1:])
