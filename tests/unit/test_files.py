"""Lines are split on LF only, whatever else they hold, and what is written appears as a whole or not at all."""

import gzip
import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from s2s import files
from s2s.errors import DataError, UsageError
from s2s.files import committed_folder, locked, read_lines, sha256, split_lines, write_bytes, write_json, write_text

ODD = ["", "a\x00b", "x\u2028y\u2029z\x85\x0b\x0c\x1c", "lone\rCR", " spaces \t", "\ufeffno BOM in here", "\U0001f642"]


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_line_feeds_split(tmp_path: Path, end: str) -> None:
    assert list(read_lines(write(tmp_path / "text", ODD, end))) == ODD


def test_the_byte_order_mark_of_a_file_is_no_text(tmp_path: Path) -> None:
    assert list(read_lines(write(tmp_path / "text", ["\ufefffirst", "second"]))) == ["first", "second"]


@pytest.mark.parametrize(("data", "lines"), [(b"", []), (b"\n", [""]), (b"a\nb", ["a", "b"]), (b"a\n\n", ["a", ""])])
def test_a_last_line_without_its_end_counts(tmp_path: Path, data: bytes, lines: list[str]) -> None:
    (tmp_path / "text").write_bytes(data)
    assert list(read_lines(tmp_path / "text")) == lines


def test_compressed_files_are_told_by_their_content(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.gz", ODD)
    compressed = tmp_path / "compressed.txt"
    compressed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_lines(plain)) == list(read_lines(compressed)) == ODD


def test_bytes_that_are_no_text_are_found_by_file_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("gut\nschön\nfa".encode() + b"\xff" + b"lsch\n")
    lines = read_lines(path)
    assert [next(lines), next(lines)] == ["gut", "schön"]
    with pytest.raises(DataError, match=r"text, line 3, byte 3: 0xff is not valid UTF-8"):
        next(lines)
    assert list(read_lines(path, errors="replace")) == ["gut", "schön", "fa\ufffdlsch"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing cannot be read: No such file"):
        list(read_lines(tmp_path / "nothing"))
    whole = gzip.compress(b"some text\n" * 1000)
    for damaged in (whole[:-20], whole[:12] + b"\xff\xff" + whole[14:], whole[:-8] + b"\x00" * 8):
        (tmp_path / "damaged.gz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"damaged\.gz cannot be read"):
            list(read_lines(tmp_path / "damaged.gz"))


def test_lines_of_a_stream_come_as_they_arrive() -> None:
    class Endless(io.RawIOBase):
        def __next__(self) -> bytes:
            return b"again\r\n"

    lines = split_lines(Endless())
    assert [next(lines), next(lines)] == [b"again", b"again"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_text(path, "first ü\n")
    assert path.read_bytes() == "first ü\n".encode()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"second")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == "first ü\n".encode()


def test_a_file_is_synced_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = files.os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        events.append("fsync")
        fsync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        events.append("replace")
        return replace(self, target)

    monkeypatch.setattr(files.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_bytes(tmp_path / "file", b"data")
    assert events == ["fsync", "replace", "fsync"]


def test_json_holds_finite_numbers_only(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"ü": [1, 2.5]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "ü": [\n    1,\n    2.5\n  ]\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder"
    with committed_folder(path) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_text("text")
        assert not path.exists()
    assert (path / "inner" / "file").read_text() == "text"
    assert [found.name for found in path.parent.iterdir()] == ["folder"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_folder_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), committed_folder(tmp_path / "folder") as temporary:
        (temporary / "file").write_text("text")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: int) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(PermissionError) as raised, committed_folder(tmp_path / "folder"):
        pass
    assert raised.value.filename == str(tmp_path / "folder")
    assert raised.value.strerror == "cannot be made (Permission denied); name another folder"


def test_a_folder_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with committed_folder(path) as temporary:
        (temporary / "old").touch()
    with pytest.raises(UsageError, match="exists already"), committed_folder(path):
        pass
    with pytest.raises(ValueError), committed_folder(path, replace=True) as temporary:
        raise ValueError
    assert [found.name for found in path.iterdir()] == ["old"]
    with committed_folder(path, replace=True) as temporary:
        (temporary / "new").touch()
    assert [found.name for found in path.iterdir()] == ["new"]
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_someone_else_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with pytest.raises(UsageError, match="in the meantime"), committed_folder(path):
        path.mkdir()
        (path / "theirs").touch()
    assert [found.name for found in path.iterdir()] == ["theirs"]
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


def test_checksums_are_those_of_the_standard_library(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(data)
    assert sha256(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_a_pipe_is_read_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("one\ntwo\n",))
    writer.start()
    assert list(read_lines(pipe)) == ["one", "two"]
    writer.join()


def test_a_lock_is_not_kept_by_what_its_owner_has_forked(tmp_path: Path) -> None:
    """Also when the owner is killed, and also where the child leaves the context itself."""
    ready, go = os.pipe(), os.pipe()
    lock = locked(tmp_path, "busy")
    with lock:
        child = os.fork()
        if not child:
            code = 1
            try:
                os.write(ready[1], b"!")
                os.read(go[0], 1)
                lock.__exit__(None, None, None)
                code = 0
            finally:
                os._exit(code)
    os.read(ready[0], 1)
    with locked(tmp_path, "busy"):
        os.write(go[1], b"!")
        assert os.waitpid(child, 0)[1] == 0
        with pytest.raises(UsageError, match="busy"), locked(tmp_path, "busy"):
            pass
