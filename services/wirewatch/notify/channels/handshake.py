"""Ask a receiver whether it wants to be told (CloudEvents HTTP 1.1 Web Hooks, section 4). Pure.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
"""

from wirewatch.notify.channels.job import USER_AGENT, http
from wirewatch.notify.request import HttpRequest
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets

ASKED_RATE_PER_MIN = 600
"""Requests a minute that are asked for where the endpoint has no rate of its own."""


def handshake_request(
    endpoint: Endpoint,
    secrets: EndpointSecrets,
    *,
    origin: str,
    user_agent: str = USER_AGENT,
) -> HttpRequest:
    """Return the OPTIONS request that asks for consent; `outcome.judge_handshake` reads the answer.

    `origin` is the DNS name that stands for all senders of this installation.
    Raises SecretError.
    """
    rate = ASKED_RATE_PER_MIN
    if endpoint.rate_per_s is not None:
        rate = max(1, int(endpoint.rate_per_s * 60))
    own = {
        "WebHook-Request-Origin": origin,
        "WebHook-Request-Rate": str(rate),
        "User-Agent": user_agent,
    }
    return http(endpoint, secrets, secrets.url or endpoint.url, body=b"", own=own, method="OPTIONS")
