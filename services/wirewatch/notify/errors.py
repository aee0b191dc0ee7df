"""What can keep a request from being made.

Unsendable          with `reason`, the label of the attempt that was not made
├── SecretError     a secret that cannot sign, or cannot stand in a request
├── AddressError    the endpoint does not say where to, in a way its kind understands
├── TemplateError   the endpoint's template is wrong, or does too much
└── MailError       our own headers do not make a mail
"""

from wirewatch.topics.attempts import AttemptReason


class Unsendable(ValueError):
    """Nothing can be sent to this endpoint as it is. The message never quotes a secret."""

    reason: AttemptReason


class SecretError(Unsendable):
    """A secret that cannot be used. The message says what is wrong, never the secret."""

    reason = AttemptReason.SECRETS


class AddressError(Unsendable):
    """The endpoint's URL, chat or headers are none that a request can be made of.

    The message leaves out what may be secret.
    """

    reason = AttemptReason.URL


class TemplateError(Unsendable):
    """The endpoint's template failed; the message names the line and why."""

    reason = AttemptReason.TEMPLATE


class MailError(Unsendable):
    """A mail that cannot be written as it was put together here, whoever it is for."""

    reason = AttemptReason.INTERNAL
