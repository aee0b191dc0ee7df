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
_ALIASES = {
    "windows-874": "cp874",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-cp1251": "cp1251",
    "x-euc-jp": "euc_jp",
}
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE | re.ASCII)
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_HEAD = 1_024
_SAMPLE_BYTES = 8_192
_A_FEW, _A_FEW_OF_ALL = 3, 0.2
_RECOGNISED = (
    "shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "euc_kr", "cp1251", "koi8_r", "cp1253",
    "cp1256", "cp1252",
)  # fmt: skip
"""What news without the name of a charset is written in."""
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
    body, is_utf8 = _as_utf8(body)
    for name in _claimed(body, content_type):
        if name == "utf-8" or (is_utf8 and _is_single_byte(name)):
            if is_utf8:
                return body
        else:
            try:
                return body.decode(name).encode("utf-8", "replace")
            except ValueError:
                continue
    if is_utf8:
        return body
    return body.decode(_recognised(body) or "utf-8", _WESTERN).encode("utf-8", "replace")


def _wide(body: bytes, name: str) -> bytes:
    return body.decode(name, "replace").encode("utf-8", "replace")


def _as_utf8(body: bytes) -> tuple[bytes, bool]:
    """Return `body` and whether it is UTF-8, which CESU-8 is made into."""
    try:
        body.decode()
    except UnicodeDecodeError:
        joined = _joined(body) if b"\xed" in body else None
        return (body, False) if joined is None else (joined, True)
    return body, True


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


def _recognised(body: bytes) -> str:
    """Return the charset that `body` is in by the look of it; empty for UTF-8.

    Only where more than a few of the bytes above ASCII are no UTF-8: a document of UTF-8 in
    which some words are of another charset is more often than a charset without a name.
    """
    sample = body[:_SAMPLE_BYTES]
    high = sum(byte > 0x7F for byte in sample)
    wrong = high - sum(byte > 0x7F for byte in sample.decode("utf-8", "ignore").encode())
    if wrong <= max(_A_FEW, _A_FEW_OF_ALL * high):
        return ""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to import, seldom needed

    found = from_bytes(sample, cp_isolation=list(_RECOGNISED), threshold=0.3).best()
    return found.encoding if found else ""


_WESTERN = "wirewatch.western"


def _western(problem: UnicodeError) -> tuple[str, int]:
    """Read a byte that is not UTF-8 as windows-1252: half of a document is often of each."""
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    wrong = problem.object[problem.start : problem.end]
    return wrong.decode("windows-1252", "replace"), problem.end


codecs.register_error(_WESTERN, _western)
