"""Lines as users send them: split at LF only, as soon as they arrive, whatever bytes they hold."""

import codecs
import gzip
import select
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from s2s.errors import DataError
from s2s.files import open_unpacked

MAX_LINE_BYTES = 2**20
READ_BYTES = 2**16
WINDOW = 1000
BOM = "\ufeff"


class ByteStream(Protocol):
    """What is needed of a binary file: to read what is there without waiting for more."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes, as soon as there are any; none at the end."""

    def fileno(self) -> int:
        """The descriptor to ask whether more can be read; OSError when there is none."""


@dataclass(frozen=True)
class Line:
    """One line without its end; `repaired`: bad UTF-8 became U+FFFD."""

    text: str
    repaired: bool = False


@dataclass
class Counts:
    """How many lines had bad UTF-8."""

    repaired: int = 0


class LineSplitter:
    """Bytes, in pieces of any size, to lines; a leading BOM and one CR at the end of a line are dropped.

    Of a line longer than 1 MiB only that much is there, more than a search reads, unless lines are to be `whole`.
    """

    def __init__(self, whole: bool = False) -> None:
        self._whole = whole
        self._pending = bytearray()
        self._cut = False
        self._first = True

    def feed(self, data: bytes) -> list[Line]:
        """The lines that end within `data`."""
        *ended, rest = data.split(b"\n")
        lines = []
        for piece in ended:
            self._append(piece)
            lines.append(self._take())
        self._append(rest)
        return lines

    def close(self) -> list[Line]:
        """The last line, if it has no end."""
        return [self._take()] if self._pending or self._cut else []

    def _append(self, piece: bytes) -> None:
        room = len(piece) if self._whole else MAX_LINE_BYTES - len(self._pending)
        self._cut = self._cut or len(piece) > room
        self._pending += piece[:room]

    def _take(self) -> Line:
        data, cut = bytes(self._pending), self._cut
        self._pending.clear()
        self._cut = False
        if not cut:
            data = data.removesuffix(b"\r")
        text, repaired = _decode(data, whole=not cut)
        if self._first:
            text = text.removeprefix(BOM)
            self._first = False
        return Line(text, repaired)


def count_lines(paths: Sequence[Path]) -> int | None:
    """How many lines the files hold together; None when one is a pipe, which can be read only once."""
    if not all(path.is_file() for path in paths):
        return None
    total = 0
    for path in paths:
        last = b"\n"
        with open_unpacked(path) as stream:
            while data := _read(stream):
                total += data.count(b"\n")
                last = data
        total += not last.endswith(b"\n")
    return total


def read_windows(stream: ByteStream, size: int, whole: bool = False) -> Iterator[list[Line]]:
    """All lines of a stream in windows of about `size`, or fewer where the next would have to be waited for.

    Lines of more than 1 MiB are cut unless they are to be `whole`, see `LineSplitter`.
    """
    splitter = LineSplitter(whole)
    window: list[Line] = []
    while data := _read(stream):
        window += splitter.feed(data)
        while len(window) >= size or (window and not _more_is_ready(stream)):
            yield window[:size]
            window = window[size:]
    window += splitter.close()
    if window:
        yield window


def read_texts(streams: Iterable[ByteStream], counts: Counts, whole: bool = False) -> Iterator[list[str]]:
    """The lines of all streams, window by window, see `read_windows`; a window never spans two streams."""
    for stream in streams:
        for window in read_windows(stream, WINDOW, whole):
            counts.repaired += sum(line.repaired for line in window)
            yield [line.text for line in window]


def _read(stream: ByteStream) -> bytes:
    """What can be read now; DataError when a file that calls itself gzip cannot be unpacked."""
    try:
        return stream.read1(READ_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{getattr(stream, 'name', 'The input')} is not sound gzip: {error}.") from error


def _decode(data: bytes, whole: bool) -> tuple[str, bool]:
    """The text, and whether bytes were replaced; of data that is not whole an unfinished last character is left out."""
    try:
        return codecs.utf_8_decode(data, "strict", whole)[0], False
    except UnicodeDecodeError:
        return codecs.utf_8_decode(data, "replace", whole)[0], True


def _more_is_ready(stream: ByteStream) -> bool:
    """Whether a read would return at once; systems that cannot tell say no, which costs speed only."""
    try:
        return bool(select.select([stream.fileno()], [], [], 0)[0])
    except (OSError, ValueError):
        return False
