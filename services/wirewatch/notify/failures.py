"""What went wrong with a request, in our own words: aiohttp's are for developers and hold the URL.

Each sentence names one cause that the receiver's owner can find and mend.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

import aiohttp

from wirewatch.notify.outcome import NoAnswer
from wirewatch.runtime.address import ForbiddenAddress
from wirewatch.runtime.names import NameProblem
from wirewatch.topics.attempts import AttemptReason
from wirewatch.web.connections import Unasked

MAX_DETAIL_CHARS = 300

_CERTIFICATE = {
    9: "the receiver's certificate is not valid yet",
    10: "the receiver's certificate has expired",
    18: "the receiver's certificate is self-signed",
    19: "the receiver's certificate comes from an authority that is not trusted (self-signed)",
    20: "the receiver's certificate comes from an authority that is not known",
    21: "the receiver does not send the certificates between its own and an authority",
    23: "the receiver's certificate was revoked",
    62: "the receiver's certificate is for another host name",
    64: "the receiver's certificate is for another address",
}
"""By the verification codes of OpenSSL (x509_vfy.h)."""
_TOO_OLD = "the receiver speaks only a version of TLS older than 1.2"
_NOT_TLS = "what listens there does not speak TLS"
_REFUSED_OURS = "the receiver did not accept our client certificate"
_HANDSHAKE = {
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "WRONG_SSL_VERSION": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "WRONG_VERSION_NUMBER": _NOT_TLS,
    "HTTP_REQUEST": _NOT_TLS,
    "RECORD_LAYER_FAILURE": _NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": _NOT_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the receiver asks for a client certificate",
    "TLSV1_ALERT_UNKNOWN_CA": f"{_REFUSED_OURS}: it does not know the authority",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": f"{_REFUSED_OURS}: it has expired",
    "SSLV3_ALERT_BAD_CERTIFICATE": _REFUSED_OURS,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _REFUSED_OURS,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": f"{_REFUSED_OURS}: it was revoked",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": _REFUSED_OURS,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the receiver refused the TLS handshake: it asks for a "
    "client certificate, or has no cipher in common with us",
    "TLSV1_UNRECOGNIZED_NAME": "the receiver does not know the host name it was asked for",
    "TLSV1_ALERT_INTERNAL_ERROR": "the receiver broke off the TLS handshake: internal error",
}
"""By the reasons of OpenSSL (sslerr.h)."""
_NO_CONNECTION = {
    errno.ECONNREFUSED: "nobody listens there: the connection was refused",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "its network cannot be reached",
    errno.ETIMEDOUT: "the connection was not taken in time",
    errno.ECONNRESET: "the connection was reset",
    errno.EMFILE: "this process has as many open files as it may have",
    errno.ENFILE: "this machine has as many open files as it may have",
}
_RESET = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def no_answer(error: Exception, *, to: str, is_tls: bool, limit_s: float) -> NoAnswer:
    """Return the reason for an error of aiohttp or of the network below it."""
    reason, words = _explain(error, is_tls, limit_s)
    return NoAnswer(reason, words[:MAX_DETAIL_CHARS], to)


def _explain(error: Exception, is_tls: bool, limit_s: float) -> tuple[AttemptReason, str]:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return AttemptReason.TIMEOUT, "the connection was not taken in time"
    if isinstance(error, TimeoutError):
        return AttemptReason.TIMEOUT, f"no answer within {limit_s:g} s"
    known = next(filter(None, map(_explain_cause, _causes(error))), None)
    if known is not None:
        return known
    if isinstance(error, aiohttp.ClientConnectorError):
        return _not_connected(error, is_tls)
    return AttemptReason.BROKEN, _broken(error)


def _explain_cause(cause: BaseException) -> tuple[AttemptReason, str] | None:
    if isinstance(cause, ForbiddenAddress):
        return AttemptReason.ADDRESS, str(cause.strerror)
    if isinstance(cause, NameProblem):
        return AttemptReason.DNS, str(cause)
    # aiohttp's own errors are SSLErrors too, but know neither code nor reason.
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, aiohttp.ClientError):
        return AttemptReason.TLS, tls_words(cause)
    if isinstance(cause, aiohttp.InvalidURL):
        return AttemptReason.URL, "the URL is none that can be asked"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _not_connected(error: aiohttp.ClientConnectorError, is_tls: bool) -> tuple[AttemptReason, str]:
    cause = error.os_error
    if isinstance(cause, socket.gaierror):
        return AttemptReason.DNS, "the name was not found"
    if is_tls and isinstance(cause, _RESET):
        return AttemptReason.TLS, "the connection was closed during the TLS handshake"
    words = _NO_CONNECTION.get(cause.errno or 0)
    return AttemptReason.CONNECT, words or f"no connection: {_one_line(cause.strerror)}"


def _one_line(words: str | None) -> str:
    return " ".join((words or "for several reasons").split())


def _broken(error: Exception) -> str:
    if isinstance(error, Unasked):
        return f"the receiver sent {error}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came back is not HTTP"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer came"
    if any(isinstance(cause, _RESET) for cause in _causes(error)) or _is_reset(error):
        return "the connection was reset before an answer came"
    if isinstance(error, aiohttp.ClientPayloadError | asyncio.IncompleteReadError):
        return "the answer broke off"
    return "the connection broke before an answer came"


def _is_reset(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ECONNRESET, errno.EPIPE}


def tls_words(error: ssl.SSLError) -> str:
    """Say what was wrong with a certificate or a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _CERTIFICATE.get(error.verify_code)
        return known or f"the receiver's certificate is not acceptable: {error.verify_message}"
    reason = error.reason or ""
    known = _HANDSHAKE.get(reason)
    return known or f"the TLS handshake failed: {reason.lower().replace('_', ' ') or 'unknown'}"
