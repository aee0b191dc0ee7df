"""A signed webhook whose body the endpoint's own template writes. Pure."""

import re

import msgspec

from wirewatch.notify.channels.job import JSON, Job, signed
from wirewatch.notify.errors import TemplateError
from wirewatch.notify.payload import fitting_payload
from wirewatch.notify.request import HttpRequest
from wirewatch.text import template
from wirewatch.topics.endpoint_shapes import MEDIA_TYPE

_MARKUP = re.compile(r"[^;]*\b(html|xml)\b")


def request(job: Job) -> HttpRequest:
    """Return the webhook. Raises TemplateError or SecretError.

    The template is given what a webhook's body holds, and `webhook_id`.
    """
    payload = fitting_payload(job.telling, job.delivery_id, job.endpoint.variant)
    names = {**msgspec.to_builtins(payload), "webhook_id": job.delivery_id}
    content_type = job.endpoint.content_type or JSON
    if not MEDIA_TYPE.fullmatch(content_type):
        raise TemplateError("content_type is none: it should look like text/plain; charset=utf-8")
    is_markup = _MARKUP.match(content_type.lower()) is not None
    try:
        body = template.render_template(job.endpoint.template, names, autoescape=is_markup)
    except template.TemplateError as error:
        raise TemplateError(f"the template failed: {error}") from None
    return signed(job, body.encode(), content_type)
