"""Content-Encoding undone."""

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.documents.errors import DocumentProblem
from wirewatch.documents.unpack import MAX_MEMBERS, unpack
from wirewatch.topics.feed_states import FetchReason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=4),
    "zstd": zstd.compress,
}


def reason(body: bytes, codings: list[str], limit: int = LIMIT) -> FetchReason:
    with pytest.raises(DocumentProblem) as caught:
        unpack(body, codings, limit)
    return caught.value.reason


@given(st.binary(max_size=2_000), st.sampled_from(sorted(PACK)), st.sampled_from(sorted(PACK)))
def test_what_was_packed_comes_back(data: bytes, first: str, second: str) -> None:
    packed = PACK[second](PACK[first](data))

    assert unpack(packed, [first.upper(), f" {second} "], LIMIT) == data


def test_what_is_larger_than_a_piece_comes_back() -> None:
    data = bytes(range(256)) * 1_000 + b"".join(n.to_bytes(3, "big") for n in range(200_000))

    for name, pack in PACK.items():
        assert unpack(pack(data), [name], LIMIT) == data


def test_nothing_packed_is_nothing() -> None:
    assert unpack(b"", [], LIMIT) == b""
    assert unpack(b"", ["gzip"], LIMIT) == b""


def test_deflate_is_read_with_and_without_its_header() -> None:
    assert unpack(raw_deflate(b"feed" * 100), ["deflate"], LIMIT) == b"feed" * 100
    assert unpack(raw_deflate(b"x"), ["deflate"], LIMIT) == b"x"


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_are_joined(name: str) -> None:
    body = PACK[name](b"one ") + PACK[name](b"") + PACK[name](b"two")

    assert unpack(body, [name], LIMIT) == b"one two"


def test_a_member_may_begin_at_the_end_of_a_piece() -> None:
    noise = b"".join(
        zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(20_000)
    )
    for length in range(65_400, 65_536, 5):
        first = gzip.compress(noise[:length], compresslevel=0)

        assert unpack(first + gzip.compress(b"!"), ["gzip"], LIMIT) == noise[:length] + b"!"


def test_a_skippable_frame_of_zstd_is_skipped() -> None:
    body = b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstd.compress(b"feed")

    assert unpack(body, ["zstd"], LIMIT) == b"feed"


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("garbage", [b"\0" * 100, b"garbage", b"\n"])
def test_what_follows_the_end_is_passed_over(name: str, garbage: bytes) -> None:
    assert unpack(PACK[name](b"feed") + garbage, [name], LIMIT) == b"feed"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize(
    "body", [b"<rss/>", b'\n{"version": 1}', b"\xef\xbb\xbf<rss/>", b"\xff\xfe<\0"]
)
def test_a_body_that_was_not_packed_is_taken_as_it_is(name: str, body: bytes) -> None:
    assert unpack(body, [name], LIMIT) == body
    assert unpack(PACK["gzip"](body), [name, "gzip"], LIMIT) == body


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_what_is_cut_off_is_broken(name: str) -> None:
    packed = PACK[name](b"a feed of some length " * 50)

    for end in (1, 2, 5, len(packed) // 2, len(packed) - 1):
        assert reason(packed[:end], [name]) is FetchReason.BROKEN


def test_a_second_member_that_is_cut_off_is_broken() -> None:
    assert reason(gzip.compress(b"a") + gzip.compress(b"b")[:-3], ["gzip"]) is FetchReason.BROKEN


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_bad_data_is_broken(name: str) -> None:
    assert reason(b"\xff\xfd\xfc" * 20, [name]) is FetchReason.BROKEN


def test_a_wrong_checksum_is_broken() -> None:
    packed = bytearray(gzip.compress(b"feed"))
    packed[-6] ^= 1

    assert reason(bytes(packed), ["gzip"]) is FetchReason.BROKEN


def test_unknown_and_too_many_codings_are_broken() -> None:
    assert reason(b"<rss/>", ["compress"]) is FetchReason.BROKEN
    assert reason(b"x", ["gzip", "br", "gzip"]) is FetchReason.BROKEN
    assert reason(gzip.compress(b"") * (MAX_MEMBERS + 1), ["gzip"]) is FetchReason.BROKEN


@pytest.mark.parametrize("name", sorted(PACK))
def test_the_limit_is_kept_to_the_byte(name: str) -> None:
    packed = PACK[name](b"0" * 5_000)

    assert unpack(packed, [name], 5_000) == b"0" * 5_000
    assert reason(packed, [name], 4_999) is FetchReason.TOO_LARGE


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_too_large(name: str) -> None:
    packed = PACK[name](bytes(20_000_000))

    assert reason(packed, [name], 100_000) is FetchReason.TOO_LARGE
    assert reason(PACK[name](packed), [name, name], 100_000) is FetchReason.TOO_LARGE


def test_a_window_larger_than_servers_may_use_is_broken() -> None:
    packer = zstd.ZstdCompressor(options={int(zstd.CompressionParameter.window_log): 27})
    packed = packer.compress(b"feed" * 1_000) + packer.flush()

    assert reason(packed, ["zstd"]) is FetchReason.BROKEN
