"""endpoints: where alerts are delivered."""

from datetime import datetime

from wirewatch.topics.spec import Cleanup, Record, Topic


class Endpoint(Record, frozen=True, kw_only=True):
    """A URL and the secret that signs what is sent to it.

    `secret` is a Standard Webhooks symmetric secret: `whsec_` and base64 of 24
    to 64 random bytes. It is left out of the record's representation, so that
    it cannot reach a log by accident. A disabled endpoint keeps its pending
    deliveries and gets nothing until it is enabled again.
    `retry_schedule_s` replaces the default waits between attempts.
    """

    id: str
    name: str = ""
    url: str
    secret: str
    disabled: bool = False
    retry_schedule_s: tuple[float, ...] | None = None
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r}, url={self.url!r}, disabled={self.disabled})"


ENDPOINTS = Topic(
    name="endpoints",
    record=Endpoint,
    key=lambda endpoint: endpoint.id,
    key_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("api",),
    read_by=("notify", "api"),
)
