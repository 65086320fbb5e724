"""Lines arrive as they were sent: split at LF only, at once, whatever bytes they hold."""

import gzip
import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.files import open_unpacked
from s2s.inference import lines
from s2s.inference.lines import Line, LineSplitter, count_lines, read_windows

AWKWARD = st.lists(
    st.sampled_from(
        [b"a", b"\n", b"\r", b"\r\n", b"\0", "\u2028".encode(), b"\xef\xbb\xbf", b"\xff", b"\xe2\x82", b" "]
    )
).map(b"".join)


def _texts(data: bytes, size: int = 7) -> list[str]:
    return [line.text for window in read_windows(io.BytesIO(data), size) for line in window]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"a\r\nb\rc\n", ["a", "b\rc"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        ("a\u2028b\x85c\x0bd\n".encode(), ["a\u2028b\x85c\x0bd"]),
        (b"a\0b\n", ["a\0b"]),
    ],
)
def test_only_lf_ends_a_line(data: bytes, expected: list[str]) -> None:
    assert _texts(data) == expected


@given(AWKWARD)
def test_there_is_a_line_for_each_lf_and_one_for_a_rest(data: bytes) -> None:
    assert len(_texts(data)) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


@given(AWKWARD, st.integers(1, 5))
def test_the_pieces_that_a_pipe_delivers_change_nothing(data: bytes, step: int) -> None:
    whole, pieces = LineSplitter(), LineSplitter()
    expected = whole.feed(data) + whole.close()
    found = [line for start in range(0, len(data), step) for line in pieces.feed(data[start : start + step])]
    assert found + pieces.close() == expected


def test_bad_bytes_are_replaced_and_told() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"gr\xfcn\nok\n") == [Line("gr\ufffdn", repaired=True), Line("ok")]


def test_an_endless_line_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    splitter = LineSplitter()
    for _ in range(1000):
        assert splitter.feed("äöü".encode()) == []
        assert len(splitter._pending) <= 10
    assert splitter.feed(b"\nnext\n") == [Line("äöüäö"), Line("next")]
    splitter.feed("xäöüäö".encode())
    assert splitter.close() == [Line("xäöüä")]


def test_a_line_is_whole_where_all_of_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    windows = read_windows(io.BytesIO(b"a" * 25 + b"\r\nb"), 5, whole=True)
    assert [line.text for window in windows for line in window] == ["a" * 25, "b"]


def test_a_line_is_there_before_the_next_one_is_written() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as pipe:  # noqa: PTH123
        windows = read_windows(stream, 100)
        too_late = threading.Timer(10, pipe.close)  # a wait for more becomes a failure, not a hang
        too_late.start()
        for text in ("one", "two"):
            pipe.write(text.encode() + b"\n")
            assert next(windows) == [Line(text)]
        pipe.write(b"three\nfour\nfi")
        assert next(windows) == [Line("three"), Line("four")]
        pipe.write(b"ve")
        pipe.close()
        too_late.cancel()
        assert next(windows) == [Line("five")]
        assert list(windows) == []


def test_windows_are_full_where_nothing_has_to_be_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"line\n" * 100_000)
    with open_unpacked(path) as stream:
        assert [len(window) for window in read_windows(stream, 30_000)] == [30_000, 30_000, 30_000, 10_000]


@pytest.mark.parametrize("data", [b"", b"\n", b"a", b"a\nb", b"a\nb\n"])
def test_lines_are_counted_as_they_are_read(tmp_path: Path, data: bytes) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    assert count_lines([plain, packed]) == 2 * len(_texts(data))
    with open_unpacked(packed) as stream:
        assert [line.text for window in read_windows(stream, 5) for line in window] == _texts(data)


def test_a_pipe_is_not_counted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert count_lines([tmp_path / "pipe"]) is None
