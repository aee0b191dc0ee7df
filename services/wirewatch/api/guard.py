"""What stands before every handler: counting, the Host check, errors as problem details."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web

from wirewatch.api.answers import API, problem_answer
from wirewatch.api.errors import (
    ApiError,
    BadRequest,
    Broken,
    MethodNotAllowed,
    NotFound,
    WrongHost,
)
from wirewatch.runtime.logs import get_logger

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOCAL_NAME = "localhost"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}

log = get_logger("api")


def is_loopback(host: str) -> bool:
    """Say whether `host`, a name or a literal address, means this machine only."""
    name = host.strip("[]").lower()
    if name == LOCAL_NAME:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """Return the name in a Host header, without port (RFC 9110 section 7.2)."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request with its status and how long it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    response = await handler(request)
    request.app[API].metrics.answered(request.method, response.status, loop.time() - began)
    response.headers.update(HEADERS)
    return response


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what goes wrong into an answer; an error that is ours goes to the log."""
    try:
        return await handler(request)
    except ApiError as error:
        return problem_answer(error)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = problem_answer(
            MethodNotAllowed(f"{request.path} does not take {request.method}, but {allowed}.")
        )
        response.headers["Allow"] = allowed
        return response
    except web.HTTPNotFound:
        return problem_answer(
            NotFound(f"There is nothing at {request.path[:200]}: see docs/api.md.")
        )
    except web.HTTPException as error:
        return problem_answer(BadRequest(f"{error.reason}."))
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return problem_answer(Broken("Something went wrong here; the log of the API says what."))


@web.middleware
async def local_host_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host while only this machine is served.

    A web page can make its own name point to 127.0.0.1 (DNS rebinding); the
    browser then sends that name.
    """
    header = request.headers.get("Host", "")
    if request.app[API].loopback_only and not is_loopback(host_name(header)):
        raise WrongHost(
            f"This API serves 127.0.0.1 and localhost only, not {header[:200]!r}: "
            "set WIREWATCH_API_HOST to serve others."
        )
    return await handler(request)
