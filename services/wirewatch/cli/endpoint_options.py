"""What `wirewatch endpoints add` and `set` take, and the fields that it becomes."""

from pathlib import Path
from typing import Annotated

import typer

from wirewatch.api.endpoint_bodies import SecretType
from wirewatch.cli.secret_values import HELP, header, secret_value, text_of
from wirewatch.runtime.errors import Problem
from wirewatch.topics.endpoints import (
    EndpointKind,
    EventMode,
    OperationalEvent,
    Order,
    Variant,
    Verification,
)

SHAPE, SAFETY, PACE = "What is sent", "Secrets and safety", "How it is delivered"


def _option(*names: str, help: str, panel: str) -> typer.models.OptionInfo:  # noqa: A002
    made: typer.models.OptionInfo = typer.Option(*names, help=help, rich_help_panel=panel)
    return made


Name = Annotated[str | None, typer.Option("--name", help="What to call it.")]
Kind = Annotated[EndpointKind | None, _option("--kind", help="Its kind.", panel=SHAPE)]
TheVariant = Annotated[
    Variant | None, _option("--variant", help="How much a webhook says.", panel=SHAPE)
]
Mode = Annotated[
    EventMode | None, _option("--event-mode", help="How a CloudEvent is written.", panel=SHAPE)
]
ChatId = Annotated[
    str | None, _option("--chat-id", help="Telegram: a chat's number or @channel.", panel=SHAPE)
]
Template = Annotated[
    Path | None,
    _option("--template", help="A file with the Jinja template of the body.", panel=SHAPE),
]
ContentType = Annotated[
    str | None, _option("--content-type", help="What the template writes.", panel=SHAPE)
]
Events = Annotated[
    list[OperationalEvent] | None,
    _option("--events", help="Told beside alerts; may come several times.", panel=SHAPE),
]
Secret = Annotated[
    str | None,
    _option("--secret", help=f"Sign with this one (whsec_… or whsk_…); {HELP}.", panel=SAFETY),
]
TheSecretType = Annotated[
    SecretType | None, _option("--secret-type", help="Of the secret that is made.", panel=SAFETY)
]
Token = Annotated[
    str | None, _option("--token", help=f"Telegram's bot, ntfy's access; {HELP}.", panel=SAFETY)
]
Headers = Annotated[
    list[str] | None,
    _option(
        "--header",
        help="'Name: value', sent with each request; the value also as @FILE or -.",
        panel=SAFETY,
    ),
]
Authority = Annotated[
    Path | None, _option("--ca", help="PEM file: trust these authorities only.", panel=SAFETY)
]
Certificate = Annotated[
    Path | None, _option("--cert", help="PEM file: our certificate.", panel=SAFETY)
]
Key = Annotated[Path | None, _option("--key", help="PEM file: its private key.", panel=SAFETY)]
Verify = Annotated[
    Verification | None,
    _option("--verify", help="How it proves that it wants what it is sent.", panel=SAFETY),
]
Redirects = Annotated[
    int | None, _option("--redirects", help="Redirects that are followed.", panel=SAFETY)
]
TheOrder = Annotated[
    Order | None, _option("--order", help="As fast as possible, or strictly in turn.", panel=PACE)
]
Rate = Annotated[
    float | None, _option("--rate", help="Requests a second at most; 0: no limit.", panel=PACE)
]
Concurrency = Annotated[
    int | None, _option("--concurrency", help="Requests at once; 0: the default.", panel=PACE)
]
Timeout = Annotated[
    float | None, _option("--timeout", help="Seconds for one; 0: the default.", panel=PACE)
]
Retry = Annotated[
    str | None,
    _option(
        "--retry", help="Seconds before each further attempt: 5,300,3600, or default.", panel=PACE
    ),
]


def fields_of(**given: object) -> dict[str, object]:
    """Return the fields of a request for the options that were given. Raises Problem.

    Options are named as the fields they become, `cert` and `key` aside.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    for name in ("secret", "token"):
        if name in fields:
            fields[name] = secret_value(str(fields[name]), f"--{name}")
    for option, field in {
        "ca": "ca",
        "cert": "certificate",
        "key": "private_key",
        "template": "template",
    }.items():
        if isinstance(file := fields.pop(option, None), Path):
            fields[field] = text_of(file, f"--{option}")
    if isinstance(headers := fields.get("headers"), list):
        fields["headers"] = dict(header(each) for each in headers)
    for name in ("rate_per_s", "concurrency", "timeout_s"):
        if fields.get(name) == 0:
            fields[name] = None
    if "retry_schedule_s" in fields:
        fields["retry_schedule_s"] = _waits(str(fields["retry_schedule_s"]))
    return {name: value for name, value in fields.items() if value != []}


def _waits(text: str) -> list[float] | None:
    if text == "default":
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise Problem(
            f"--retry {text} is wrong: it is seconds with commas, such as 5,300,3600, or default."
        ) from None
