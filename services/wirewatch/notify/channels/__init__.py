"""What each kind of endpoint is sent. Pure: a delivery comes in, a request goes out.

One file a kind. Those for people show `news.read_news`, those for programs send
`notify.payload`; what both share is in `job` (the request) and `words` (texts).
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from wirewatch.notify.channels import (
    cloudevents,
    discord,
    email,
    mattermost,
    ntfy,
    slack,
    teams,
    telegram,
    template,
    webhook,
)
from wirewatch.notify.channels.handshake import handshake_request
from wirewatch.notify.channels.job import USER_AGENT, Job
from wirewatch.notify.request import Request
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoints import Endpoint, EndpointKind, EndpointSecrets

__all__ = ["handshake_request", "make_request"]

_KINDS: Mapping[EndpointKind, Callable[[Job], Request]] = {
    EndpointKind.WEBHOOK: webhook.request,
    EndpointKind.CLOUDEVENTS: cloudevents.request,
    EndpointKind.SLACK: slack.request,
    EndpointKind.TEAMS: teams.request,
    EndpointKind.DISCORD: discord.request,
    EndpointKind.MATTERMOST: mattermost.request,
    EndpointKind.TELEGRAM: telegram.request,
    EndpointKind.NTFY: ntfy.request,
    EndpointKind.EMAIL: email.request,
    EndpointKind.TEMPLATE: template.request,
}


def make_request(
    delivery: Delivery,
    endpoint: Endpoint,
    secrets: EndpointSecrets,
    *,
    now: datetime,
    user_agent: str = USER_AGENT,
    origin: str = "",
) -> Request:
    """Return the request that tells `endpoint` of what `delivery` carries, signed at `now`.

    `origin` is the name that a verified CloudEvents receiver gave its consent to
    (`handshake_request`). Raises SecretError, AddressError or TemplateError, all
    of them `Unsendable`; ValueError for a delivery that has ended.
    """
    telling = delivery.telling
    if telling is None:
        raise ValueError(f"the delivery {delivery.id} has ended: it has nothing to tell")
    job = Job(delivery.id, telling, endpoint, secrets, now, user_agent, origin)
    return _KINDS[endpoint.kind](job)
