"""Sending again, in the name of a request that may come more than once.

It is one more alert in its topic, with an id that the delivery and the request
give: however often the same request comes, notify follows it once.
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

from wirewatch.api.answers import API
from wirewatch.api.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from wirewatch.api.lookback import Told
from wirewatch.api.replaying import again
from wirewatch.api.store import Api
from wirewatch.api.words import count
from wirewatch.topics.alerts import ALERTS, Alert
from wirewatch.topics.deliveries import DELIVERIES, Delivery
from wirewatch.topics.endpoint_states import (
    Breaker,
    DisabledReason,
    disabled_by,
    is_verified,
)
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import content_id

KEY_HEADER = "Idempotency-Key"
MAX_KEY_CHARS = 200
SENT_AT_ONCE = 200
"""Between two batches it is seen whether the client still listens."""
DISABLED_WORDS = {
    DisabledReason.BY_HAND: "by hand",
    DisabledReason.GONE: "because it answered 410",
    DisabledReason.FAILING: "because every attempt failed for days",
}


class Again:
    """Sends again what it is given, in the name of one request."""

    def __init__(
        self, api: Api, request: web.Request, key: str, attempts: Mapping[str, int], *, dry: bool
    ) -> None:
        self._api = api
        self._request = request
        self._key = key
        self._attempts = attempts
        self._dry = dry
        self.sent = 0

    @property
    def is_alone(self) -> bool:
        """Whether the client that asked has gone: it may ask once more under the same id."""
        return self._request.transport is None

    async def give(self, told: Sequence[Told]) -> bool:
        """Send these, a batch at a time; say whether the client still listens."""
        for start in range(0, len(told), SENT_AT_ONCE):
            if self.is_alone:
                return False
            batch = told[start : start + SENT_AT_ONCE]
            if not self._dry:
                await self._send(batch)
            self.sent += len(batch)
        return True

    async def _send(self, told: Sequence[Told]) -> None:
        now = self._api.clock()
        records = [
            again(each, self._key, attempts=self._attempts.get(each.id, 0), now=now)
            for each in told
        ]
        try:
            if alerts := [each for each in records if isinstance(each, Alert)]:
                await self._api.publish(ALERTS, alerts)
            if deliveries := [each for each in records if isinstance(each, Delivery)]:
                await self._api.publish(DELIVERIES, deliveries)
        except Unavailable as error:
            raise Unavailable(
                f"Kafka takes nothing now, {count(self.sent, 'delivery', 'deliveries')} were sent "
                f"again before: repeat the request with the id {self._key}, nothing is sent twice."
            ) from error


def endpoint_to_send_to(api: Api, endpoint_id: str) -> Endpoint:
    """Return the endpoint. Raises NotFound or Conflict where nothing can be sent to it."""
    endpoint = api.endpoints.get(endpoint_id)
    if endpoint is None:
        raise NotFound(
            f"There is no endpoint {endpoint_id[:100]}, or not any more, so nothing can be sent "
            "to it: one that is added with the same URL gets the same id."
        )
    why = disabled_by(endpoint, api.tables.endpoint_states.get(endpoint_id))
    if why is not None:
        raise Conflict(
            f"The endpoint {endpoint_id} is disabled ({DISABLED_WORDS[why]}), what is sent to it "
            f"is given up: enable it first, PATCH /v1/endpoints/{endpoint_id}."
        )
    return endpoint


def note_of(api: Api, endpoint: Endpoint) -> str:
    """Say what keeps the endpoint from being told now, empty if nothing does."""
    state = api.tables.endpoint_states.get(endpoint.id)
    if endpoint.paused:
        return "The endpoint is paused: it is told once it is resumed."
    if not is_verified(endpoint, state):
        return "The endpoint is not verified: it is told once it is."
    if state is not None and state.breaker is Breaker.OPEN and state.probe_at is not None:
        return (
            "The endpoint did not answer lately: it is asked again at "
            f"{state.probe_at:%Y-%m-%d %H:%M:%S} UTC, and told once it answers."
        )
    return ""


def request_key(request: web.Request, named: str, *parts: str) -> str:
    """Return what names this request: as the client says, or made from the request and now."""
    header = request.headers.get(KEY_HEADER, "")
    if named and header and named != header:
        raise Invalid([FieldError("id", f"differs from the header {KEY_HEADER}: send one of them")])
    key = named or header
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise Invalid([FieldError("id", "is not UTF-8: choose a plain name")]) from error
    if len(key) > MAX_KEY_CHARS:
        raise Invalid([FieldError("id", f"has more than {MAX_KEY_CHARS} characters")])
    return key or content_id("replay", *parts, request.app[API].clock().isoformat())
