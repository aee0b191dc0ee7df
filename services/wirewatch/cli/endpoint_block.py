"""One endpoint as a block of lines for a terminal. Pure."""

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from wirewatch.api.endpoint_views import CertificateView, EndpointView, StateWord
from wirewatch.cli.show import harmless
from wirewatch.topics.endpoint_states import Breaker
from wirewatch.topics.endpoints import EventMode, Verification

LABEL_CELLS = 14
COLOURS = {StateWord.ACTIVE: "green", StateWord.FAILING: "red", StateWord.DISABLED: "red"}


def block(endpoint: EndpointView) -> Text:
    """Return what is known of `endpoint`; what is not set or does not apply is left out."""
    text = Text(harmless(endpoint.name or endpoint.url), "bold")
    for label, value in (*_what(endpoint), *_state(endpoint), *_safety(endpoint), *_pace(endpoint)):
        if value:
            text.append(f"\n  {label:<{LABEL_CELLS}}")
            text.append(
                harmless(value), COLOURS.get(endpoint.state, "") if label == "state" else ""
            )
    for warning in endpoint.warnings:
        text.append(f"\n  {harmless(warning)}", "yellow")
    return text


def _what(endpoint: EndpointView) -> Iterator[tuple[str, str]]:
    yield "id", endpoint.id
    yield "kind", _kind(endpoint)
    yield "url", endpoint.url
    yield "chat", endpoint.chat_id
    if endpoint.template:
        lines = endpoint.template.count("\n") + 1
        yield "template", f"{lines} lines, {endpoint.content_type or 'application/json'}"
    yield "told beside", ", ".join(endpoint.events)


def _kind(endpoint: EndpointView) -> str:
    mode = f", {endpoint.event_mode}" if endpoint.event_mode is not EventMode.STRUCTURED else ""
    return f"{endpoint.kind}, {endpoint.variant}{mode}"


def _state(endpoint: EndpointView) -> Iterator[tuple[str, str]]:
    why = f" ({endpoint.disabled_reason})" if endpoint.disabled_reason else ""
    since = f" since {_at(endpoint.disabled_at)}" if endpoint.disabled_at else ""
    yield "state", f"{endpoint.state}{why}{since}"
    if endpoint.failing_since is not None:
        yield "failing since", f"{_at(endpoint.failing_since)}, {endpoint.failures} times"
    if endpoint.last_failure is not None:
        failure = endpoint.last_failure
        yield "last failure", f"{_at(failure.at)}, {failure.reason}: {failure.detail}"
    yield "last success", _at(endpoint.last_success_at)
    if endpoint.breaker is not Breaker.CLOSED:
        probe = f", next try {_at(endpoint.probe_at)}" if endpoint.probe_at else ""
        yield "breaker", f"{endpoint.breaker}{probe}"
    if endpoint.verification is not Verification.NONE:
        word = "done" if endpoint.verified else endpoint.unverified_detail or "not yet"
        yield "verification", f"{endpoint.verification}: {word}"


def _safety(endpoint: EndpointView) -> Iterator[tuple[str, str]]:
    yield "signed with", f"{endpoint.secret_type}" if endpoint.secret_type else ""
    yield "public key", endpoint.public_key or ""
    yield "old secrets", ", ".join(f"until {_at(at)}" for at in endpoint.old_secrets_until)
    yield "token", "set" if endpoint.has_token else ""
    yield "headers", ", ".join(endpoint.headers)
    yield "authority", _certificate(endpoint.ca)
    yield "certificate", _certificate(endpoint.certificate)
    yield "redirects", str(endpoint.redirects) if endpoint.redirects else ""


def _pace(endpoint: EndpointView) -> Iterator[tuple[str, str]]:
    yield "order", str(endpoint.order)
    yield "rate", f"{endpoint.rate_per_s:g} a second" if endpoint.rate_per_s else ""
    yield "at once", str(endpoint.concurrency or "")
    yield "timeout", f"{endpoint.timeout_s:g} s" if endpoint.timeout_s else ""
    if endpoint.retry_schedule_s is not None:
        waits = ", ".join(f"{wait:g}" for wait in endpoint.retry_schedule_s)
        yield "retries", f"after {waits} s" if waits else "none"
    yield "changed", _at(endpoint.updated_at)


def _certificate(certificate: CertificateView | None) -> str:
    if certificate is None:
        return ""
    return f"{certificate.subject}, until {_at(certificate.expires_at)}"


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
