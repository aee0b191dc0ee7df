"""Which values the fields of an endpoint may have, alone and together.

No message quotes a value of a field that is a secret.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from wirewatch.api.checks import Check, line, nullable, refuse_wrong
from wirewatch.api.endpoint_bodies import EndpointBody, EndpointPatch, RotateBody, SecretType
from wirewatch.api.endpoint_changes import SIGNED_KINDS, Opened
from wirewatch.api.endpoint_keys import secret_mistake, type_of
from wirewatch.api.endpoint_urls import url_mistake
from wirewatch.api.errors import FieldError, Invalid
from wirewatch.runtime.pem import check_tls
from wirewatch.text.template import TemplateError, check_template
from wirewatch.topics.endpoint_shapes import MEDIA_TYPE, TELEGRAM_CHAT, TELEGRAM_TOKEN
from wirewatch.topics.endpoints import (
    MAX_REDIRECTS,
    Endpoint,
    EndpointKind,
    EndpointSecrets,
    Order,
    SigningKey,
)
from wirewatch.web.target import HEADER_NAME, HOW_IT_IS_SENT, MAX_HEADER_NAME_CHARS

MAX_RETRIES = 30
MAX_RETRY_WAIT_S = 7 * 86_400.0
MAX_CONCURRENCY = 100
MIN_RATE_PER_S = 1 / 3600
MAX_RATE_PER_S = 1_000.0
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 1.0, 60.0
MAX_KEEP_OLD_FOR_S = 30 * 86_400.0
MAX_TEMPLATE_CHARS = 16_384
MAX_PEM_CHARS = 16_384
"""A certificate with its chain has about 6,000."""
MAX_HEADERS = 20
MAX_HEADER_VALUE_CHARS = 4_096
MAX_TOKEN_CHARS = 512
OWN_HEADERS = HOW_IT_IS_SENT | {"content-type", "accept-encoding"}
"""Headers that are ours to say."""
OWN_HEADER_PREFIXES = ("webhook-", "ce-")

_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
"""A field value (RFC 9110 section 5.5), ASCII only."""
_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN_CHARS}}}")

ALL = frozenset(EndpointKind)
WEB = ALL - {EndpointKind.EMAIL}
STRUCTURED = frozenset({EndpointKind.WEBHOOK, EndpointKind.CLOUDEVENTS})
KINDS_OF = {
    "variant": STRUCTURED,
    "verification": STRUCTURED,
    "event_mode": frozenset({EndpointKind.CLOUDEVENTS}),
    "chat_id": frozenset({EndpointKind.TELEGRAM}),
    "template": frozenset({EndpointKind.TEMPLATE}),
    "content_type": frozenset({EndpointKind.TEMPLATE}),
    "redirects": WEB,
    "token": frozenset({EndpointKind.TELEGRAM, EndpointKind.NTFY}),
    "headers": WEB,
    "ca": WEB,
    "certificate": WEB,
    "private_key": WEB,
    "keys": SIGNED_KINDS,
}
"""Fields that mean something to some kinds only; to the others they must not be given."""
_SAID_AS = {"keys": "secret"}


def check_patch(body: EndpointPatch, kind: EndpointKind) -> None:
    """Raise Invalid if a field has a value that no endpoint of `kind` may have."""
    refuse_wrong(
        body.given(),
        {
            "url": lambda url: url_mistake(kind, str(url)),
            "name": line(least=0),
            "secret": lambda secret: secret_mistake(str(secret)),
            "token": _token,
            "headers": _headers,
            "retry_schedule_s": nullable(_retries),
            "concurrency": nullable(_within(1, MAX_CONCURRENCY)),
            "rate_per_s": nullable(_within(MIN_RATE_PER_S, MAX_RATE_PER_S)),
            "timeout_s": nullable(_within(MIN_TIMEOUT_S, MAX_TIMEOUT_S)),
            "redirects": _within(0, MAX_REDIRECTS),
            "chat_id": _optional(TELEGRAM_CHAT, "must be a number (-100… for a group) or @channel"),
            "content_type": _optional(MEDIA_TYPE, "is not a media type, such as text/plain"),
            "template": _at_most(MAX_TEMPLATE_CHARS),
            "ca": _at_most(MAX_PEM_CHARS),
            "certificate": _at_most(MAX_PEM_CHARS),
            "private_key": _at_most(MAX_PEM_CHARS),
            "events": _distinct,
        },
    )
    if isinstance(body, EndpointBody):
        _refuse_other_type(body.secret, body.secret_type)


def check_rotation(body: RotateBody, keys: tuple[SigningKey, ...]) -> None:
    """Raise Invalid if the rotation of `keys` cannot be as `body` says."""
    given = body.given()
    refuse_wrong(
        given,
        {
            "secret": lambda secret: secret_mistake(str(secret)),
            "keep_old_for_s": _within(0, MAX_KEEP_OLD_FOR_S),
        },
    )
    _refuse_other_type(body.secret, body.secret_type)
    if any(key.secret == given.get("secret") for key in keys):
        raise Invalid([FieldError("secret", "signs already: a new one has to be another")])


def _refuse_other_type(
    secret: str | msgspec.UnsetType, kind: SecretType | msgspec.UnsetType
) -> None:
    if msgspec.UNSET not in (secret, kind) and type_of(str(secret)) is not kind:
        raise Invalid([FieldError("secret_type", "is not the type of the `secret` that is given")])


def check_whole(
    endpoint: Endpoint, secrets: EndpointSecrets | None, *, tls_at: datetime | None = None
) -> None:
    """Raise Invalid if the fields of an endpoint do not go together.

    `secrets` is None where they were not opened, as a change does not touch them.
    Certificates have to be good at `tls_at`; None where they are not new: one
    that has expired meanwhile does not stand against a change of something else.
    """
    wrong = list(_of_kind(endpoint))
    if secrets is not None:
        wrong += _of_secrets(Opened(endpoint, secrets), tls_at)
    if wrong:
        raise Invalid(wrong)


def _of_kind(endpoint: Endpoint) -> Iterator[FieldError]:
    default = Endpoint(
        id="", url="", created_at=endpoint.created_at, updated_at=endpoint.updated_at
    )
    yield from _foreign(endpoint.kind, endpoint, default)
    if endpoint.kind is EndpointKind.TELEGRAM and not endpoint.chat_id:
        yield FieldError("chat_id", "is required: the number of a chat, or @channel")
    if endpoint.kind is EndpointKind.TEMPLATE:
        yield from _of_template(endpoint.template)
    if endpoint.order is Order.STRICT and (endpoint.concurrency or 1) > 1:
        yield FieldError("concurrency", "must be 1 or null where `order` is strict")


def _foreign(kind: EndpointKind, record: object, default: object) -> Iterator[FieldError]:
    """Yield a mistake for each field that is set and that this kind does not have."""
    for field, kinds in KINDS_OF.items():
        given = getattr(record, field, None)
        if kind not in kinds and given != getattr(default, field, None):
            named = ", ".join(sorted(kinds)) if len(kinds) < len(WEB) else "all but email"
            yield FieldError(_SAID_AS.get(field, field), f"is not for {kind}, but for {named}")


def _of_template(template: str) -> Iterator[FieldError]:
    if not template:
        yield FieldError("template", "is required: a Jinja template that writes the body")
        return
    try:
        check_template(template)
    except TemplateError as error:
        yield FieldError("template", f"does not work: {error}")


def _of_secrets(opened: Opened, tls_at: datetime | None) -> Iterator[FieldError]:
    kind, secrets = opened.endpoint.kind, opened.secrets
    if mistake := url_mistake(kind, opened.url):
        yield FieldError("url", mistake)
    yield from _foreign(kind, secrets, EndpointSecrets())
    if kind is EndpointKind.TELEGRAM and not TELEGRAM_TOKEN.fullmatch(secrets.token):
        yield FieldError("token", "is required: the bot's, digits, a colon and 35 characters")
    if len(secrets.headers) > MAX_HEADERS:
        yield FieldError(
            "headers", f"are {len(secrets.headers)}, at most {MAX_HEADERS} are allowed"
        )
    if bool(secrets.certificate) != bool(secrets.private_key):
        missing = "private_key" if secrets.certificate else "certificate"
        yield FieldError(missing, "is required: certificate and private_key go together")
    elif tls_at is not None:
        yield from _of_tls(secrets, tls_at)


def _of_tls(secrets: EndpointSecrets, at: datetime) -> Iterator[FieldError]:
    if mistake := check_tls(secrets.ca, "", "", now=at):
        yield FieldError("ca", mistake)
    if mistake := check_tls("", secrets.certificate, secrets.private_key, now=at):
        yield FieldError("certificate", mistake)


def _headers(value: object) -> str | None:
    given = value if isinstance(value, dict) else {}
    if len({name.lower() for name in given}) < len(given):
        return "must differ from one another"
    mistakes = (_header(str(name), field) for name, field in given.items())
    return next(filter(None, mistakes), None)


def _header(name: str, value: str | None) -> str | None:
    if not HEADER_NAME.fullmatch(name):
        return f"must have names of letters, digits and hyphens, at most {MAX_HEADER_NAME_CHARS}"
    if value is None:
        return None  # taken away, also one that was allowed once
    if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_HEADER_PREFIXES):
        return f"must not hold {name}: how a request is sent is for wirewatch to say"
    if len(value) > MAX_HEADER_VALUE_CHARS or not _HEADER_VALUE.fullmatch(value):
        return (
            f"{name} must be one line of 1 to {MAX_HEADER_VALUE_CHARS} ASCII characters "
            "without spaces around it"
        )
    return None


def _token(value: object) -> str | None:
    if not value or _TOKEN.fullmatch(str(value)):
        return None
    return f"must be 1 to {MAX_TOKEN_CHARS} ASCII characters without spaces"


def _retries(value: object) -> str | None:
    waits = value if isinstance(value, tuple) else ()
    if len(waits) > MAX_RETRIES:
        return f"has {len(waits)} waits, at most {MAX_RETRIES} are allowed"
    if any(not 0 < wait <= MAX_RETRY_WAIT_S for wait in waits):
        return f"must hold waits above 0 and up to {MAX_RETRY_WAIT_S:.0f} seconds"
    return None


def _within(least: float, most: float) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, int | float) and least <= value <= most:
            return None
        return f"must be {least:.6g} to {most:.6g}"

    return check


def _optional(shape: re.Pattern[str], message: str) -> Check:
    def check(value: object) -> str | None:
        return None if not value or shape.fullmatch(str(value)) else message

    return check


def _at_most(chars: int) -> Check:
    def check(value: object) -> str | None:
        text = str(value)
        if len(text) > chars:
            return f"has {len(text)} characters, at most {chars} are allowed"
        return None if "\x00" not in text else "must not hold a NUL character"

    return check


def _distinct(value: object) -> str | None:
    events = value if isinstance(value, tuple) else ()
    return "must differ from one another" if len(set(events)) < len(events) else None
