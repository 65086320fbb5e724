"""Where the bytes of a recording come from: a file, a pipe, memory."""

import io
import os
from pathlib import Path
from typing import BinaryIO

from s2s.audio.containers import FORMATS, is_cut_short, is_known
from s2s.errors import AudioError

MISSING, UNREADABLE, EMPTY, CUT_SHORT = "missing", "unreadable", "empty", "damaged or cut short"
"""What `AudioError.problem` says."""


class InMemoryAudio(io.BytesIO):
    """The bytes of an audio file that is no file; `name` is what errors call it."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As in a file, but before the first byte there is the first byte: damaged headers point there."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.getbuffer().nbytes}[whence]
        return super().seek(max(0, start + offset))


def source_name(source: Path | BinaryIO) -> str:
    """What errors call a file or stream."""
    return str(source if isinstance(source, Path) else getattr(source, "name", None) or "the audio")


def open_source(source: Path | BinaryIO) -> tuple[str, str | InMemoryAudio]:
    """What errors call a source, and what libsndfile opens: the name of a file, or bytes.

    AudioError: it is missing, no file, empty, of no known format, or its end is missing.
    """
    if not isinstance(source, Path):
        data = _in_memory(source)
        _check(data, data.name)
        return data.name, data
    name = source_name(source)
    try:
        if source.is_dir():
            raise AudioError(f"{name} is a folder and no audio file.", UNREADABLE)
        if source.is_fifo():
            return open_source(InMemoryAudio(source.read_bytes(), name))
        if not source.is_file():
            raise AudioError(f"There is no audio file {name}.", MISSING)
        with source.open("rb") as stream:
            _check(stream, name)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{name} cannot be read: {reason}.", UNREADABLE) from error
    return name, name


def _in_memory(stream: BinaryIO) -> InMemoryAudio:
    """The bytes of a stream, those before its place too if it can go back."""
    if isinstance(stream, InMemoryAudio):
        return stream
    if stream.seekable():
        stream.seek(0)
    return InMemoryAudio(stream.read(), source_name(stream))


def _check(stream: BinaryIO, name: str) -> None:
    """AudioError when a stream has no bytes, is of no known format, or its end is missing; leaves it at its start."""
    stream.seek(0)
    if not stream.read(1):
        raise AudioError(f"{name} is empty: it has no bytes.", EMPTY)
    if not is_known(stream):
        raise AudioError(f"{name} is no audio file of a format that s2s reads: {FORMATS}.", UNREADABLE)
    if is_cut_short(stream):
        raise AudioError(
            f"{name} is damaged or was cut short: its end is missing, or another recording follows in the same file.",
            CUT_SHORT,
        )
    stream.seek(0)
