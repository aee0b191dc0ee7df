"""/v1/endpoints: where alerts are delivered."""

from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from aiohttp import web

from wirewatch.api.answers import API, answer, body_of, found, page, paged
from wirewatch.api.endpoint_bodies import EndpointBody, EndpointPatch, NoBody, RotateBody
from wirewatch.api.endpoint_changes import (
    SECRET_FIELDS,
    SIGNED_KINDS,
    Opened,
    changed,
    created,
    id_of,
    is_as,
    kind_of,
    rotated,
    sealed_anew,
    with_secret,
)
from wirewatch.api.endpoint_checks import check_patch, check_rotation, check_whole
from wirewatch.api.endpoint_views import (
    UNREADABLE,
    EndpointView,
    ResealView,
    endpoint_view,
    new_secret_view,
)
from wirewatch.api.errors import Conflict
from wirewatch.api.store import Api
from wirewatch.api.subscriptions import ROUTING
from wirewatch.api.words import listed
from wirewatch.runtime.vault import VaultError, secrets_of
from wirewatch.topics.codec import known_version
from wirewatch.topics.endpoint_states import disabled_by
from wirewatch.topics.endpoints import Endpoint, EndpointSecrets

routes = web.RouteTableDef()

PATH = "/v1/endpoints"
MAX_UNREADABLE_IDS = 20


@routes.post(PATH)
async def create(request: web.Request) -> web.Response:
    """Add an endpoint: 201 with its secret, or 200 without where it is there already."""
    api = request.app[API]
    body = await body_of(request, EndpointBody)
    check_patch(body, kind_of(body))
    async with api.locks.hold(ROUTING):
        there = api.endpoints.get(id_of(body))
        if there is not None:
            return answer(view_of(api, _same(api, there, body)))
        opened = created(body, api.clock())
        check_whole(opened.endpoint, opened.secrets, tls_at=opened.endpoint.created_at)
        await api.endpoints.put(_sealed(api, opened))
    return answer(_with_secret(api, opened), HTTPStatus.CREATED)


def _same(api: Api, there: Endpoint, body: EndpointBody) -> Endpoint:
    if not is_as(_opened(api, there), body):
        raise Conflict(
            f"The endpoint {there.id} was made with this URL and now differs: "
            f"PATCH {PATH}/{there.id}."
        )
    return there


def view_of(api: Api, endpoint: Endpoint) -> EndpointView:
    """Return what is shown of `endpoint`."""
    try:
        secrets = secrets_of(endpoint, api.vault)
    except VaultError:
        secrets = None
    return _view(api, endpoint, secrets)


def _view(api: Api, endpoint: Endpoint, secrets: EndpointSecrets | None) -> EndpointView:
    return endpoint_view(
        endpoint, secrets, api.tables.endpoint_states.get(endpoint.id), api.clock()
    )


def _with_secret(api: Api, opened: Opened) -> EndpointView:
    return new_secret_view(_view(api, opened.endpoint, opened.secrets), opened.secrets)


def _opened(api: Api, endpoint: Endpoint) -> Opened:
    """Return `endpoint` with its secrets. Raises Conflict if no key of ours opens them."""
    try:
        return Opened(endpoint, secrets_of(endpoint, api.vault))
    except VaultError as error:
        raise Conflict(f"{endpoint.id}: {UNREADABLE} ({error})") from error


def _sealed(api: Api, opened: Opened) -> Endpoint:
    """Return the record to store, written in the newest version."""
    sealed = api.vault.seal(opened.secrets, bound_to=opened.endpoint.id)
    version = known_version(Endpoint)
    return msgspec.structs.replace(opened.endpoint, sealed=sealed, secret="", version=version)


@routes.get(PATH)
async def listing(request: web.Request) -> web.Response:
    """List endpoints, oldest first."""
    api = request.app[API]
    endpoints, following = paged(api.endpoints, request)
    return page((view_of(api, endpoint) for endpoint in endpoints), following)


@routes.get(PATH + "/{id}")
async def one(request: web.Request) -> web.Response:
    """Show one endpoint and how it does."""
    api = request.app[API]
    return answer(view_of(api, found(api.endpoints, "endpoint", request)))


@routes.patch(PATH + "/{id}")
async def change(request: web.Request) -> web.Response:
    """Change an endpoint; its id stays. A secret that its new kind needs is shown."""
    api = request.app[API]
    body = await body_of(request, EndpointPatch)
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        check_patch(body, kind_of(body, endpoint.kind))
        if SECRET_FIELDS.isdisjoint(body.given()):
            return answer(view_of(api, await _change_openly(api, endpoint, body)))
        before = _opened(api, endpoint)
        after = with_secret(_changed(api, before, body))
        check_whole(
            after.endpoint,
            after.secrets,
            tls_at=api.clock() if _is_new_tls(before, after) else None,
        )
        if after != before:
            after = Opened(_touched(api, after.endpoint), after.secrets)
            await api.endpoints.put(_sealed(api, after))
    is_made = body.secret is msgspec.UNSET and not before.secrets.keys and after.secrets.keys
    return answer(
        _with_secret(api, after) if is_made else _view(api, after.endpoint, after.secrets)
    )


def _is_new_tls(before: Opened, after: Opened) -> bool:
    names = ("ca", "certificate", "private_key")
    return any(getattr(before.secrets, n) != getattr(after.secrets, n) for n in names)


async def _change_openly(api: Api, endpoint: Endpoint, body: EndpointPatch) -> Endpoint:
    """Change what is no secret: that also works where the secrets cannot be read."""
    after = _changed(api, Opened(endpoint, EndpointSecrets()), body).endpoint
    check_whole(after, None)
    if after == endpoint:
        return endpoint
    after = _touched(api, after)
    await api.endpoints.put(after)
    return after


def _changed(api: Api, before: Opened, body: EndpointPatch) -> Opened:
    state = api.tables.endpoint_states.get(before.endpoint.id)
    is_disabled = disabled_by(before.endpoint, state) is not None
    return changed(before, body, is_disabled=is_disabled, now=api.clock())


def _touched(api: Api, endpoint: Endpoint) -> Endpoint:
    return msgspec.structs.replace(endpoint, updated_at=api.clock())


SWITCHES = {
    "pause": EndpointPatch(paused=True),
    "resume": EndpointPatch(paused=False),
    "disable": EndpointPatch(disabled=True),
    "enable": EndpointPatch(disabled=False),
}


@routes.post(PATH + f"/{{id}}/{{switch:{'|'.join(SWITCHES)}}}")
async def switch(request: web.Request) -> web.Response:
    """Pause, resume, disable or enable an endpoint."""
    api = request.app[API]
    await body_of(request, NoBody)
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        body = SWITCHES[request.match_info["switch"]]
        return answer(view_of(api, await _change_openly(api, endpoint, body)))


@routes.post(PATH + "/{id}/secret/rotate")
async def rotate(request: web.Request) -> web.Response:
    """Give a new signing secret, shown this once; the old one goes on signing for a while."""
    api = request.app[API]
    body = await body_of(request, RotateBody)
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        if endpoint.kind not in SIGNED_KINDS:
            raise Conflict(
                f"The endpoint {endpoint.id} is of kind {endpoint.kind}, which signs nothing."
            )
        before = _opened(api, endpoint)
        check_rotation(body, before.secrets.keys)
        after = rotated(before, body, api.clock())
        after = Opened(_touched(api, after.endpoint), after.secrets)
        await api.endpoints.put(_sealed(api, after))
    return answer(_with_secret(api, after))


@routes.post(PATH + "/reseal")
async def reseal(request: web.Request) -> web.Response:
    """Seal all secrets with the newest key, after which the older keys can go."""
    await body_of(request, NoBody)
    return answer(await seal_all(request.app[API]))


async def seal_all(api: Api) -> ResealView:
    """Seal every endpoint's secrets with the newest key, those of version 1 too."""
    return await _seal(api, [endpoint.id for endpoint in api.endpoints])


async def seal_old(api: Api) -> ResealView:
    """Seal the secrets of endpoints of version 1, which stand in the open."""
    return await _seal(api, [endpoint.id for endpoint in api.endpoints if not endpoint.sealed])


async def _seal(api: Api, ids: Iterable[str]) -> ResealView:
    resealed, already, unreadable = 0, 0, []
    for known in ids:
        async with api.locks.hold(ROUTING):
            endpoint = api.endpoints.get(known)
            if endpoint is None:
                continue
            if endpoint.sealed and api.vault.is_newest(endpoint.sealed):
                already += 1
                continue
            try:
                opened = Opened(endpoint, secrets_of(endpoint, api.vault))
            except VaultError:
                unreadable.append(known)
                continue
            await api.endpoints.put(_sealed(api, sealed_anew(opened)))
            resealed += 1
    first = tuple(unreadable[:MAX_UNREADABLE_IDS])
    return ResealView(
        resealed=resealed, already=already, unreadable=len(unreadable), unreadable_ids=first
    )


@routes.delete(PATH + "/{id}")
async def remove(request: web.Request) -> web.Response:
    """Remove an endpoint that no subscription uses."""
    api = request.app[API]
    async with api.locks.hold(ROUTING):
        endpoint = found(api.endpoints, "endpoint", request)
        _refuse_used(api, endpoint)
        await api.endpoints.remove(endpoint.id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _refuse_used(api: Api, endpoint: Endpoint) -> None:
    users = [f"{s.name!r} ({s.id})" for s in api.subscriptions if endpoint.id in s.endpoint_ids]
    if users:
        raise Conflict(
            f"The endpoint {endpoint.id} is used by {listed(users)}: "
            "give those another endpoint or remove them first."
        )
