"""Where a redirect leads, and what goes there. Pure.

A redirect is followed only for endpoints that allow it, with the same method and
body. To another origin go the message and its signature, which are about what
was said and not about whom it was said to; headers of the endpoint's own, which
may hold a password, and its client certificate do not. From https it never
leads to http.
"""

from dataclasses import replace

from yarl import URL

from wirewatch.notify.request import HttpRequest
from wirewatch.web.target import BadTarget, Target, resolve

REDIRECTS = frozenset({301, 302, 307, 308})
"""With 301 and 302 the request is repeated as it was, as with 307 and 308: the old habit
of going on with GET would lose the message. 303 says that the answer to it is
elsewhere, and is not followed."""
TRAVEL = frozenset({"content-type", "user-agent"})
TRAVELS = ("webhook-", "ce-")
"""Headers that go on to another origin, and how others begin that do."""


def next_request(request: HttpRequest, here: Target, location: str) -> HttpRequest:
    """Return the request that a redirect to `location` asks for, with one redirect less.

    Raises BadTarget if it leads where nothing is sent.
    """
    there = resolve(here, location)
    if here.url.scheme == "https" and there.url.scheme == "http":
        raise BadTarget("it leads from https to http")
    onward = replace(request, url=str(there.url), redirects=request.redirects - 1)
    if _same_origin(here.url, there.url):
        return onward
    headers = {name: value for name, value in request.headers.items() if _travels(name.lower())}
    tls = request.tls and replace(request.tls, certificate="", private_key="")
    return replace(onward, headers=headers, tls=tls)


def _travels(name: str) -> bool:
    return name in TRAVEL or name.startswith(TRAVELS)


def _same_origin(here: URL, there: URL) -> bool:
    """Say whether two URLs have one origin, or the second is the same host made safe."""
    if here.origin() == there.origin():
        return True
    plain = here.scheme == "http" and here.is_default_port()
    return plain and here.with_scheme("https").origin() == there.origin()
