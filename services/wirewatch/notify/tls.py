"""Whom an https request trusts, and who it says we are.

A context is dear to make (the system's authorities are some 150 certificates)
and connections are shared only within one, so those of endpoints with their own
authority or certificate are kept: the ones used last, by a digest of their texts.
"""

import asyncio
import os
import ssl
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.serialization import Encoding

from wirewatch.notify.request import Tls
from wirewatch.runtime.pem import PemProblem, read_tls

MAX_CONTEXTS = 256
"""About 1 MB each where the system's authorities are in it."""


class TlsProblem(Exception):
    """An endpoint's certificates cannot be used; `str()` says why."""


def make_context(tls: Tls | None = None) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and newer that checks certificate and host name.

    Takes some 20 ms. Raises TlsProblem if the texts cannot be used. Whether a
    certificate has expired is left to the receiver, who may be in no hurry.
    """
    tls = tls or Tls()
    try:
        authorities, _ = read_tls(tls.ca, tls.certificate, tls.private_key)
        # As they were read: what stands around them (comments in any script) is not for OpenSSL.
        der = b"".join(one.public_bytes(Encoding.DER) for one in authorities)
        context = ssl.create_default_context(cadata=der or None)
        if tls.certificate:
            _load_own(context, tls)
    except (PemProblem, ssl.SSLError, OSError, ValueError) as error:
        raise TlsProblem(
            f"the endpoint's own TLS settings cannot be used: {_words(error)}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "OpenSSL refuses them").lower().replace("_", " ")
    return error.strerror or "?" if isinstance(error, OSError) else str(error)


def _load_own(context: ssl.SSLContext, tls: Tls) -> None:
    """Load our certificate and its key. OpenSSL's only way through Python is a file."""
    with _as_file(f"{tls.private_key}\n{tls.certificate}") as path:
        context.load_cert_chain(path, password=_no_password)


def _no_password() -> str:
    """Answer for an encrypted key, for which OpenSSL would ask at the terminal."""
    return ""


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Show `text` under a path for a moment, in memory where the system can do that.

    Elsewhere it is a file that only we may read, gone as soon as it has been read.
    """
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        number = os.memfd_create("pem", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as memory:
            memory.write(text.encode())
            memory.flush()
            yield f"/proc/self/fd/{number}"
    else:
        with _as_file_on_disk(text) as path:
            yield path


@contextmanager
def _as_file_on_disk(text: str) -> Iterator[str]:
    with NamedTemporaryFile(delete=False) as file:  # made with mode 0600
        path = Path(file.name)
        file.write(text.encode())
    try:
        yield str(path)
    finally:
        path.unlink()


class Contexts:
    """The contexts in use: one for all endpoints without settings of their own."""

    def __init__(self) -> None:
        self.common = make_context()
        self._own: OrderedDict[bytes, asyncio.Future[ssl.SSLContext]] = OrderedDict()

    async def of(self, tls: Tls | None) -> ssl.SSLContext:
        """Return the context of an endpoint; the same one for the same texts.

        Raises TlsProblem if the texts cannot be used.
        """
        if tls is None or tls == Tls():
            return self.common
        key = _digest(tls)
        making = self._own.get(key)
        if making is None:
            making = asyncio.ensure_future(asyncio.to_thread(make_context, tls))
            self._own[key] = making
            making.add_done_callback(lambda done: self._keep(key, done))
        self._own.move_to_end(key)
        return await asyncio.shield(making)

    def _keep(self, key: bytes, made: asyncio.Future[ssl.SSLContext]) -> None:
        """Forget what failed, and those that were used least lately."""
        if made.cancelled() or made.exception() is not None:
            self._own.pop(key, None)
        while len(self._own) > MAX_CONTEXTS:
            self._own.popitem(last=False)


def _digest(tls: Tls) -> bytes:
    made = blake2b(digest_size=32)
    for text in (tls.ca, tls.certificate, tls.private_key):
        made.update(len(text).to_bytes(8, "big") + text.encode())
    return made.digest()
