"""Ask a WebSub hub for a subscription, over HTTP and bounded in every way.

https://www.w3.org/TR/websub/#subscriber-sends-subscription-request
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from urllib.parse import urljoin

import aiohttp

from wirewatch.ingest.websub import is_private_way
from wirewatch.runtime.address import Guard
from wirewatch.runtime.settings import Settings
from wirewatch.web.connections import GuardedConnector

MAX_REDIRECTS = 3
MAX_WORDS = 300
CONNECTIONS = 8
CONNECT_TIMEOUT_S = 10.0
MAX_HEADER_BYTES = 16_384
REDIRECTS = frozenset({301, 302, 307, 308})
"""The specification (5.1.2) knows 307 and 308. Web servers that send http to https say 301
or 302 and mean the same, so what we ask is asked again there too."""


class HubProblem(Exception):
    """A hub did not take a request; `str()` says why, and `status` is its answer's, if any."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


def open_hub_session(settings: Settings) -> aiohttp.ClientSession:
    """Return a session for `ask`, which refuses addresses that are not public. Close it."""
    contact = f" (+{settings.ingest_contact})" if settings.ingest_contact else ""
    return aiohttp.ClientSession(
        connector=GuardedConnector(
            Guard.of(settings.allow_networks, settings.allow_ports),
            limit=CONNECTIONS,
            idle=CONNECTIONS,
        ),
        timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "User-Agent": f"wirewatch/{version('wirewatch')}{contact}",
            "Accept-Encoding": "identity",
        },
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


async def ask(
    session: aiohttp.ClientSession,
    hub_url: str,
    fields: Mapping[str, str],
    timeout: timedelta,  # noqa: ASYNC109 - the limit of all tries together
) -> None:
    """Post `fields` to the hub; return when it has taken them (2xx, mostly 202).

    That says nothing yet: the hub verifies and tells us at the callback. Raises
    HubProblem for every other answer and for none within `timeout`.
    """
    limit_s = timeout.total_seconds()
    try:
        async with asyncio.timeout(limit_s):
            url = hub_url
            for _ in range(1 + MAX_REDIRECTS):
                leads_to = await _post(session, url, fields)
                if leads_to is None:
                    return
                url = leads_to
    except TimeoutError as error:
        raise HubProblem(f"no answer within {limit_s:g} s") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise HubProblem("its address is none that can be asked") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise HubProblem(_one_line(str(error)) or type(error).__name__) from error
    raise HubProblem(f"more than {MAX_REDIRECTS} redirects")


async def _post(session: aiohttp.ClientSession, url: str, fields: Mapping[str, str]) -> str | None:
    """Post once; return where the hub sends us, None if it has taken the request."""
    if "hub.secret" in fields and not is_private_way(url):
        raise HubProblem("it leads from https to http, where no secret is sent")
    async with session.post(url, data=fields, allow_redirects=False) as answer:
        location = answer.headers.get("Location")
        if answer.status in REDIRECTS and location:
            return urljoin(url, location)
        if 200 <= answer.status < 300:
            return None
        # 5.1.2: the reason stands in the body as plain text.
        words = (await answer.content.read(4 * MAX_WORDS)).decode("utf-8", "replace")
        raise HubProblem(
            f"{answer.status} {_one_line(words) or answer.reason or ''}".strip(), answer.status
        )


def _one_line(words: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(printable.split())[:MAX_WORDS]
