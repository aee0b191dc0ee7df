"""What the API answers when it cannot do what was asked (RFC 9457).

ApiError                 status, title, detail and, where fields are wrong, which
├── BadRequest           400  not JSON, or a parameter that cannot be read
├── WrongHost            403  a name that is not ours (DNS rebinding)
├── NotFound             404
├── MethodNotAllowed     405
├── BodyTimeout          408
├── Conflict             409  something else is there, or something depends on it
├── TooLarge             413
├── NotJson              415
├── Invalid              422  readable, but a field has a value that is not allowed
└── Unavailable          503  Kafka does not answer; trying again is safe
    └── Busy             503  as much is under way as may be; Retry-After says when to ask again
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

import msgspec

_RENAMED = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
"""As RFC 9110 names them now; Python does so from 3.13 on."""


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    message: str


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that is not a success, as application/problem+json."""

    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()


class ApiError(Exception):
    """An answer that is not a success. `detail` is one sentence: what, where, what to do."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)

    def view(self) -> ProblemView:
        """Return the body to answer with."""
        return ProblemView(
            title=_RENAMED.get(self.status, self.status.phrase),
            status=self.status.value,
            detail=self.detail,
            errors=self.errors,
        )


class BadRequest(ApiError):
    """The request cannot be read."""

    status = HTTPStatus.BAD_REQUEST


class WrongHost(ApiError):
    """The Host header names somebody else."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ApiError):
    """There is nothing of this id, or at this path."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(ApiError):
    """The path exists, but not for this method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class BodyTimeout(ApiError):
    """The body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class Conflict(ApiError):
    """What is stored already stands against it."""

    status = HTTPStatus.CONFLICT


class TooLarge(ApiError):
    """The body is larger than is read."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotJson(ApiError):
    """The content type is not application/json."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Invalid(ApiError):
    """One or more fields have a value that is not allowed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors) + ".", errors)


class Unavailable(ApiError):
    """The log does not take what was to be written."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Busy(Unavailable):
    """As many requests of this kind are under way as may be at once."""

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Broken(ApiError):
    """An error that is ours; its traceback is in the log."""
