"""`wirewatch endpoints`: where alerts are delivered, how, and how that goes."""

import asyncio
from typing import Annotated, TypeVar

import typer
from rich.text import Text

from wirewatch.api.endpoint_views import DeliveryStarted, EndpointView, StateWord
from wirewatch.api.views import AttemptView, Page
from wirewatch.cli import endpoint_options as options
from wirewatch.cli.client import ApiClient, Created, client, run, segment
from wirewatch.cli.endpoint_block import block
from wirewatch.cli.secret_values import HELP, secret_value
from wirewatch.cli.show import console, harmless, print_json, print_table, say
from wirewatch.runtime.errors import Problem
from wirewatch.topics.attempts import Outcome
from wirewatch.topics.ids import endpoint_id

app = typer.Typer(help="Where alerts are delivered.", no_args_is_help=True)

V = TypeVar("V")

PATH = "/v1/endpoints"
ATTEMPTS = "/v1/attempts"
ID_PREFIX = "end_"
ANSWER_WITHIN_S = 30.0
"""A test is waited for as long: notify's own limit of an attempt, and some."""
ASK_AGAIN_S = 0.3
COLOURS = {
    StateWord.ACTIVE: "green",
    StateWord.FAILING: "red",
    StateWord.DISABLED: "red",
    StateWord.PAUSED: "yellow",
    StateWord.UNVERIFIED: "yellow",
}

Which = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id, URL or name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option(help="Wait for what comes of it.")]


class PostedEndpoint(EndpointView, frozen=True, kw_only=True):
    """The answer to a POST; only one with a new secret has it."""

    secret: str | None = None


async def post_endpoint(
    api: ApiClient, url: str, *, name: str = "", secret: str | None = None
) -> PostedEndpoint:
    """Create the webhook endpoint at `url`, or return the one that is there. Raises ApiProblem."""
    fields = {"url": url, "name": name or None, "secret": secret}
    given = {field: value for field, value in fields.items() if value is not None}
    return await api.post(PATH, given, PostedEndpoint)


async def find_endpoint(api: ApiClient, which: str) -> EndpointView:
    """Return the endpoint with this id, URL or name. Raises Problem.

    A URL that is a secret is never told by the API; its endpoint is found by
    the id that was made from it.
    """
    if which.startswith(ID_PREFIX):
        return await api.get(f"{PATH}/{segment(which)}", EndpointView)
    known = endpoint_id(which)
    every = [endpoint async for endpoint in api.items(PATH, EndpointView)]
    fitting = [each for each in every if known == each.id or which in {each.url, each.name}]
    if len(fitting) > 1:
        ids = ", ".join(each.id for each in fitting)
        raise Problem(f"Several endpoints have that URL or name: say which by its id ({ids}).")
    if not fitting:
        means = f"with the URL {which}" if ":" in which else f"named {which}"
        raise Problem(f"There is no endpoint {means}: see `wirewatch endpoints list`.")
    return fitting[0]


def say_secret(endpoint: PostedEndpoint) -> None:
    """Tell the secret of a new endpoint, once, and what it is for."""
    key = endpoint.secret or endpoint.public_key
    if key is None:
        return
    what = "Its secret, shown only now" if endpoint.secret else "Its public key"
    say(
        f"{what}: {key}\n"
        "Every webhook is signed with it (https://www.standardwebhooks.com); verify it with the\n"
        f"library `standardwebhooks`, or try it: wirewatch listen --secret {key}"
    )


@app.command()
def add(
    url: Annotated[
        str,
        typer.Argument(help=f"Where it is to be delivered, mailto:… for e-mail; {HELP}."),
    ],
    *,
    name: options.Name = None,
    kind: options.Kind = None,
    variant: options.TheVariant = None,
    event_mode: options.Mode = None,
    chat_id: options.ChatId = None,
    template: options.Template = None,
    content_type: options.ContentType = None,
    events: options.Events = None,
    secret: options.Secret = None,
    secret_type: options.TheSecretType = None,
    token: options.Token = None,
    headers: options.Headers = None,
    ca: options.Authority = None,
    cert: options.Certificate = None,
    key: options.Key = None,
    verification: options.Verify = None,
    redirects: options.Redirects = None,
    order: options.TheOrder = None,
    rate: options.Rate = None,
    concurrency: options.Concurrency = None,
    timeout: options.Timeout = None,
    retry: options.Retry = None,
) -> None:
    """Add an endpoint. Its secret is printed once."""
    fields = options.fields_of(
        url=secret_value(url, "URL"), name=name, kind=kind, variant=variant,
        event_mode=event_mode, chat_id=chat_id, template=template, content_type=content_type,
        events=events, secret=secret, secret_type=secret_type, token=token, headers=headers,
        ca=ca, cert=cert, key=key, verification=verification, redirects=redirects, order=order,
        rate_per_s=rate, concurrency=concurrency, timeout_s=timeout, retry_schedule_s=retry,
    )  # fmt: skip

    async def work() -> Created[PostedEndpoint]:
        async with client() as api:
            return await api.create(PATH, fields, PostedEndpoint)

    made = run(work())
    say(f"{'Added' if made.is_new else 'It is there already:'} {made.view.url}\n{made.view.id}")
    if made.is_new:
        say_secret(made.view)
    _say_warnings(made.view)


@app.command("set")
def change(
    endpoint: Which,
    *,
    url: Annotated[str | None, typer.Option(help=f"Another address; {HELP}.")] = None,
    name: options.Name = None,
    kind: options.Kind = None,
    variant: options.TheVariant = None,
    event_mode: options.Mode = None,
    chat_id: options.ChatId = None,
    template: options.Template = None,
    content_type: options.ContentType = None,
    events: options.Events = None,
    secret: options.Secret = None,
    token: options.Token = None,
    headers: options.Headers = None,
    no_header: Annotated[
        list[str] | None, typer.Option(help="Name of a header that is to go.")
    ] = None,
    ca: options.Authority = None,
    cert: options.Certificate = None,
    key: options.Key = None,
    verification: options.Verify = None,
    redirects: options.Redirects = None,
    order: options.TheOrder = None,
    rate: options.Rate = None,
    concurrency: options.Concurrency = None,
    timeout: options.Timeout = None,
    retry: options.Retry = None,
) -> None:
    """Change an endpoint; what is not named stays. To change its secret use rotate-secret."""
    fields = options.fields_of(
        url=secret_value(url, "--url"), name=name, kind=kind, variant=variant,
        event_mode=event_mode, chat_id=chat_id, template=template, content_type=content_type,
        events=events, secret=secret, token=token, headers=headers, ca=ca, cert=cert, key=key,
        verification=verification, redirects=redirects, order=order, rate_per_s=rate,
        concurrency=concurrency, timeout_s=timeout, retry_schedule_s=retry,
    )  # fmt: skip
    if no_header:
        laid = fields.get("headers")
        gone: dict[str, object] = dict.fromkeys(no_header)
        fields["headers"] = gone | (laid if isinstance(laid, dict) else {})
    if not fields:
        raise Problem("Say what is to change: wirewatch endpoints set --help lists it.")

    async def work() -> PostedEndpoint:
        async with client() as api:
            found = await find_endpoint(api, endpoint)
            return await api.patch(f"{PATH}/{segment(found.id)}", fields, PostedEndpoint)

    changed = run(work())
    say(f"Changed {changed.url}")
    if changed.secret:
        say_secret(changed)
    _say_warnings(changed)


def _say_warnings(endpoint: EndpointView) -> None:
    for warning in endpoint.warnings:
        typer.echo(f"wirewatch: {harmless(warning)}", err=True)


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints and how they do."""

    async def work() -> list[EndpointView]:
        async with client() as api:
            return [endpoint async for endpoint in api.items(PATH, EndpointView)]

    endpoints = run(work())
    if as_json:
        print_json(endpoints)
    elif not endpoints:
        say("No endpoints yet. Add one: wirewatch endpoints add https://www.example.org/hook")
    else:
        print_table(("ENDPOINT", "KIND", "STATE", "ID"), map(_row, endpoints))


def _row(endpoint: EndpointView) -> tuple[Text, str, Text, str]:
    name = Text(harmless(endpoint.name or endpoint.url))
    if endpoint.name:
        name.append("\n" + harmless(endpoint.url), "dim")
    state = Text(endpoint.state, COLOURS[endpoint.state])
    return name, endpoint.kind, state, endpoint.id


@app.command()
def show(endpoint: Which, as_json: AsJson = False) -> None:
    """Show one endpoint: what was asked for, and how it does."""
    found = run(_find(endpoint))
    if as_json:
        print_json(found)
    else:
        console().print(block(found), soft_wrap=True)


async def _find(which: str) -> EndpointView:
    async with client() as api:
        return await find_endpoint(api, which)


@app.command()
def remove(endpoint: Which) -> None:
    """Remove an endpoint that no alert uses; what is pending for it is given up."""

    async def work() -> EndpointView:
        async with client() as api:
            found = await find_endpoint(api, endpoint)
            await api.delete(f"{PATH}/{segment(found.id)}")
            return found

    say(f"Removed {run(work()).url}")


@app.command()
def pause(endpoint: Which) -> None:
    """Send nothing there for now; what comes meanwhile waits."""
    say(f"Paused {_switch(endpoint, 'pause').url}")


@app.command()
def resume(endpoint: Which) -> None:
    """Send there again, first what has waited."""
    say(f"Resumed {_switch(endpoint, 'resume').url}")


@app.command()
def disable(endpoint: Which) -> None:
    """Send nothing there; what is pending and what comes is given up."""
    say(f"Disabled {_switch(endpoint, 'disable').url}")


@app.command()
def enable(endpoint: Which) -> None:
    """Send there again, also where it was disabled because it failed."""
    say(f"Enabled {_switch(endpoint, 'enable').url}")


def _switch(which: str, switch: str) -> EndpointView:
    return run(_post(which, switch, {}, EndpointView))


async def _post(which: str, path: str, fields: dict[str, object], view: type[V]) -> V:
    async with client() as api:
        found = await find_endpoint(api, which)
        return await api.post(f"{PATH}/{segment(found.id)}/{path}", fields, view)


@app.command("rotate-secret")
def rotate_secret(
    endpoint: Which,
    keep_old: Annotated[
        float, typer.Option(min=0, max=720, help="Hours for which the old one signs too.")
    ] = 24.0,
    secret: options.Secret = None,
    secret_type: options.TheSecretType = None,
) -> None:
    """Sign with a new secret, printed once; the old one goes on signing for a while."""
    fields = options.fields_of(
        keep_old_for_s=keep_old * 3600, secret=secret, secret_type=secret_type
    )
    rotated = run(_post(endpoint, "secret/rotate", fields, PostedEndpoint))
    say(
        f"{rotated.url} has a new secret; replaced ones still sign: "
        f"{len(rotated.old_secrets_until)}"
    )
    say_secret(rotated)


@app.command("test")
def try_out(endpoint: Which, wait: Wait = True) -> None:
    """Send it an `endpoint.test`, whatever its state, and say what came of it."""
    _ask(endpoint, "test", wait=wait)


@app.command()
def verify(endpoint: Which, wait: Wait = True) -> None:
    """Ask it once more to prove that it wants what it is sent."""
    _ask(endpoint, "verify", wait=wait)


def _ask(which: str, path: str, *, wait: bool) -> None:
    started = run(_post(which, path, {}, DeliveryStarted))
    say(f"Sent as {started.delivery_id}")
    if not wait:
        return
    attempt = run(_attempt_of(started))
    if attempt is None:
        raise Problem(
            f"No attempt was made within {ANSWER_WITHIN_S:.0f} s: is `wirewatch notify` running?"
        )
    if attempt.outcome is not Outcome.DELIVERED:
        raise Problem(harmless(f"It failed ({attempt.reason}): {attempt.detail}."))
    answered = f" with {attempt.status}" if attempt.status else ""
    say(f"Answered{answered} after {attempt.duration_ms} ms")


async def _attempt_of(started: DeliveryStarted) -> AttemptView | None:
    """Return the first attempt of the delivery, None if there is none in time."""
    async with client() as api:
        loop = asyncio.get_running_loop()
        until = loop.time() + ANSWER_WITHIN_S
        while loop.time() < until:
            recent = await api.get(ATTEMPTS, Page[AttemptView], endpoint=started.endpoint_id)
            for attempt in recent.items:
                if attempt.delivery_id == started.delivery_id:
                    return attempt
            await asyncio.sleep(ASK_AGAIN_S)
    return None


__all__ = ["PostedEndpoint", "app", "find_endpoint", "post_endpoint", "say_secret"]
