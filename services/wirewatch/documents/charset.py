"""The bytes of a document to UTF-8, whatever they say that they are. Pure.

The order is that of RFC 7303: byte order mark, HTTP header, XML declaration, else
UTF-8. What does not fit the bytes is passed over. A charset that browsers read as
a larger one (ISO 8859-1 as windows-1252) is read as that.
"""

import codecs
import re
from collections.abc import Iterator

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SNIFFED = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
"""How a document without a mark begins in encodings that are not like ASCII."""
_SUPERSETS = {
    "ascii": "windows-1252",
    "iso8859-1": "windows-1252",
    "iso8859-9": "windows-1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "utf-7": "utf-8",
}
_ALIASES = {"x-sjis": "cp932", "x-gbk": "gb18030", "x-cp1251": "cp1251", "x-euc-jp": "euc_jp"}
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE | re.ASCII)
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_HEAD = 1_024
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
_NO_TEXT = frozenset({"hex", "base64", "bz2", "zlib", "uu", "quopri", "rot13", "idna", "punycode"})


def to_utf8(body: bytes, content_type: str) -> bytes:
    """Return `body` in UTF-8 without a byte order mark; what means nothing is replaced.

    An XML declaration stays as it was. Bytes that are valid UTF-8 and not only
    ASCII are UTF-8, also where a single-byte charset is claimed: in such a charset
    they would make no words.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _wide(body[len(mark) :], name)
    for start, name in _SNIFFED:
        if body.startswith(start):
            return _wide(body, name)
    is_utf8 = _is_utf8(body)
    if not is_utf8 and b"\xed" in body and (joined := _joined(body)) is not None:
        body, is_utf8 = joined, True
    for name in _claimed(body, content_type):
        if name == "utf-8" or (is_utf8 and _is_single_byte(name)):
            if is_utf8:
                return body
        else:
            try:
                return body.decode(name).encode("utf-8", "replace")
            except ValueError:
                continue
    return body if is_utf8 else body.decode("utf-8", _WESTERN).encode()


def _wide(body: bytes, name: str) -> bytes:
    return body.decode(name, "replace").encode("utf-8", "replace")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _joined(body: bytes) -> bytes | None:
    """Return CESU-8, in which characters beyond the BMP are pairs of halves, as UTF-8."""
    try:
        halves = body.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
    except UnicodeError:
        return None
    return halves.decode("utf-16-le", "replace").encode()


def _claimed(body: bytes, content_type: str) -> Iterator[str]:
    """Yield the codecs that the header and the declaration name, the stronger first."""
    if match := _CHARSET.search(content_type):
        yield from _codec(match[1])
    if declared := _DECLARED.search(body[:_HEAD]):
        yield from _codec(declared[1].decode("ascii"))


def _codec(name: str) -> Iterator[str]:
    name = _ALIASES.get(name.lower(), name)
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return
    if known.startswith(_WIDE) or known in _NO_TEXT:
        return  # the declaration could be read, so it is not in these
    yield _SUPERSETS.get(known, known)


def _is_single_byte(name: str) -> bool:
    return name.startswith(("windows", "cp12", "cp8", "iso8859", "koi8", "mac", "latin", "kz1048"))


_WESTERN = "wirewatch.western"


def _western(problem: UnicodeError) -> tuple[str, int]:
    """Read a byte that is not UTF-8 as windows-1252: half of a document is often of each."""
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    wrong = problem.object[problem.start : problem.end]
    return wrong.decode("windows-1252", "replace"), problem.end


codecs.register_error(_WESTERN, _western)
