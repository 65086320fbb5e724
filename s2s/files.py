"""Files: strict UTF-8 lines split on LF only, commits by rename, checksums."""

import errno
import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from s2s.errors import DataError, UsageError

LOCK = ".lock"
GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when a disk, a share of it or a file is full."""


def read_lines(path: Path, errors: Literal["strict", "replace"] = "strict") -> Iterator[str]:
    """The lines of a plain or gzip-compressed file, without line ends; see `split_lines`.

    DataError: the file cannot be read, or holds invalid UTF-8 (names file, line and byte) while `errors` is "strict".
    """
    try:
        with open_unpacked(path) as stream:
            for number, line in enumerate(split_lines(stream), start=1):
                yield _decode(line, errors, path, number)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


@contextmanager
def open_unpacked(path: Path) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    """A file or pipe to read bytes from, unpacked if it is gzip by its first two bytes."""
    with path.open("rb") as stream:
        if stream.peek(2)[:2] != GZIP_MAGIC:
            yield stream
            return
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield unpacked


def split_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Lines as they arrive: split on LF only, each without one CR at its end, the first without a byte order mark.

    A last line without LF counts.
    """
    for number, line in enumerate(stream):
        body = line.removesuffix(b"\n").removesuffix(b"\r")
        yield body.removeprefix(BOM) if number == 0 else body


def _decode(line: bytes, errors: Literal["strict", "replace"], path: Path, number: int) -> str:
    try:
        return line.decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, line {number:,}, byte {error.start + 1:,}: 0x{line[error.start]:02x} is not valid UTF-8. "
            "Convert the file to UTF-8."
        ) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file by rename, so that it is seen with its old content or its new, never with a part."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, document: Any) -> None:
    """`write_text` of indented JSON; NaN and infinities are refused."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextmanager
def committed_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """A temporary folder that becomes `path`, as a whole, when the context ends without an error; else nothing is left.

    UsageError when `path` exists and `replace` is False. OSError, with the cure, when nothing can be made beside it.
    """
    with parents_of(path, replace):
        try:
            temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:  # it names the temporary folder, which nobody knows
            reason = f"cannot be made ({error.strerror}); name another folder"
            raise OSError(error.errno, reason, str(path)) from error
        try:
            temporary.chmod(0o777 & ~_umask())
            yield temporary
            commit_folder(temporary, path, replace)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


@contextmanager
def parents_of(path: Path, replace: bool = False) -> Iterator[None]:
    """A context that makes the folders above `path`; after an error those that it made go, unless something is in them.

    UsageError when `path` exists and `replace` is False.
    """
    if path.exists() and not replace:
        raise UsageError(f"{path} exists already. Name another folder, or remove it.")
    on_the_way = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for parent in on_the_way:
                parent.rmdir()
        raise


def commit_file(unfinished: Path, path: Path) -> None:
    """Rename a file on the same disk to `path` once its bytes are on the disk."""
    _sync(unfinished)
    unfinished.rename(path)
    _sync(path.parent)


def commit_folder(unfinished: Path, path: Path, replace: bool = False) -> None:
    """Rename a folder on the same disk to `path` once all that is in it is on the disk."""
    for item in sorted(unfinished.rglob("*"), reverse=True):
        _sync(item)
    _sync(unfinished)
    _take_place(unfinished, path, replace)
    _sync(path.parent)


def _take_place(temporary: Path, path: Path, replace: bool) -> None:
    """Rename a folder to a name that an older one may have, which is moved away first."""
    if not path.exists():
        temporary.rename(path)
        return
    if not replace:
        raise UsageError(f"{path} appeared in the meantime. Name another folder, or remove it.")
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    path.rename(old / path.name)
    temporary.rename(path)
    shutil.rmtree(old)


_LOCKS: set[int] = set()
"""The handles of locks that this process holds."""


def _forget_locks() -> None:
    """A forked process owns none of its parent's locks, but would keep them."""
    while _LOCKS:
        os.close(_LOCKS.pop())


os.register_at_fork(after_in_child=_forget_locks)


@contextmanager
def locked(folder: Path, busy: str) -> Iterator[None]:
    """UsageError with the text `busy` when another process holds the lock of the folder; it dies with its owner."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    _LOCKS.add(handle)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(busy) from error
        yield
    finally:
        if handle in _LOCKS:
            _LOCKS.remove(handle)
            os.close(handle)


def sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
