"""The record file: what was put is there, also after a restart, and nothing else is."""

import os
from pathlib import Path

import numpy as np
import pytest

from wirewatch.match import records
from wirewatch.match.records import KeptRecords, RecordFile, checksum


def test_each_slot_has_its_record_and_the_last_one_counts(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.records")
    file.put([0, 1, 2], [b"one", b"", b"three"])
    file.put([1], [b"two, longer"])
    file.put([], [])

    assert [file.get(slot) for slot in range(3)] == [b"one", b"two, longer", b"three"]
    assert file.size_bytes == file.path.stat().st_size == len(b"onethreetwo, longer")
    assert file.checksum == checksum(file.path, file.size_bytes)
    file.close()


def test_a_kept_file_goes_on_where_it_was_whatever_was_written_behind(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.records")
    file.put([0, 1], [b"one", b"two"])
    starts, sizes = file.places(np.asarray([1, 0], np.int32))
    kept = KeptRecords(file.size_bytes, starts, sizes)
    crc = file.checksum
    file.put([2], [b"lost in the crash"])
    file.close()

    again = RecordFile(file.path, kept)

    assert again.checksum == crc
    assert [again.get(0), again.get(1)] == [b"two", b"one"]
    again.put([2], [b"three"])
    assert file.path.read_bytes() == b"onetwothree"
    again.close()


def test_a_kept_file_that_was_cut_short_has_another_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.records"
    file = RecordFile(path)
    file.put([0], [b"one"])
    kept = KeptRecords(file.size_bytes, *file.places(np.asarray([0], np.int32)))
    path.write_bytes(b"on")

    assert RecordFile(path, kept).checksum != file.checksum


def test_a_copy_holds_the_chosen_slots_numbered_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_COPIED_AT_ONCE", 2)
    file = RecordFile(tmp_path / "a.records")
    file.put(range(6), [b"0", b"1", b"2", b"3", b"4", b"5"])

    copied = file.copy(tmp_path / "b.records", np.asarray([1, 2, 3, 5], np.int32))

    assert [copied.get(slot) for slot in range(4)] == [b"1", b"2", b"3", b"5"]
    assert copied.path.read_bytes() == b"1235"
    assert file.get(4) == b"4"


def test_a_copy_that_fails_leaves_no_file(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.records")
    file.put([0], [b"one"])
    file.path.write_bytes(b"")

    with pytest.raises(OSError, match="shorter"):
        file.copy(tmp_path / "b.records", np.asarray([0], np.int32))

    assert not (tmp_path / "b.records").exists()


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.records")
    file.put([0], [b"one"])
    size, crc = file.size_bytes, file.checksum
    writable, file._file = file._file, os.open(file.path, os.O_RDONLY)

    with pytest.raises(OSError, match="Bad file descriptor"):
        file.put([0, 1], [b"two", b"three"])

    os.close(file._file)
    file._file = writable
    assert (file.size_bytes, file.checksum, file.get(0)) == (size, crc, b"one")
    file.put([1], [b"four"])
    assert (file.get(0), file.get(1)) == (b"one", b"four")


def test_who_still_reads_a_file_that_was_removed_reads_on(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.records")
    file.put([0], [b"one"])
    file.path.unlink()

    assert file.get(0) == b"one"
