"""What the bytes of a file tell before libsndfile sees them: the format, and whether the end is missing."""

import os
import struct
from typing import BinaryIO

FORMATS = "WAV (also W64, RF64), FLAC, OGG, Opus, MP3, AIFF, AU, CAF and NIST"

STARTS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"OggS", b"ID3", b"FORM", b".snd", b"caff", b"NIST")
"""Of these formats, beside MP3 without tags. Of others that libsndfile knows, some make it write to standard output."""

STREAMED = 0x7FFF0000
"""Bytes of a WAV file's data from which on the number means that the writer did not know it."""

MOST_CHUNKS = 100
LONGEST_PAGE = 65_307
"""Bytes that a page of an OGG file has at most."""

LAST_PAGE = 4
"""The flag of the last page of an OGG stream."""

SERIAL = slice(14, 18)
"""Where an OGG page has the number of its stream."""

XING = (13, 21, 36)
"""Where, in the first frame of an MP3 stream, its own description can be: that depends on its version and channels."""

LONGEST_FRAME = 1_441
"""Bytes that a frame of an MP3 stream has at most. Some descriptions do not count the frame which they are in."""


def is_known(stream: BinaryIO) -> bool:
    """Whether a file begins like one of the known formats."""
    stream.seek(0)
    head = stream.read(4)
    return head.startswith(STARTS) or _is_frame(head)


def is_cut_short(stream: BinaryIO) -> bool:
    """Whether a WAV file has less data than it says, an OGG file no last page, or an MP3 file another stream behind.

    libsndfile reads what is left of them, or the first stream, without a word; in other formats it finds out, or nobody
    can.
    """
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _wav_is_cut_short(stream)
    if head[:4] == b"OggS":
        return _ogg_is_cut_short(stream)
    return _mp3_goes_on(stream)


def _wav_is_cut_short(stream: BinaryIO) -> bool:
    end = stream.seek(0, os.SEEK_END)
    place = 12
    for _ in range(MOST_CHUNKS):
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        if kind == b"data":
            return bool(length < STREAMED and place + 8 + length > end)
        place += 8 + length + length % 2
    return False


def _ogg_is_cut_short(stream: BinaryIO) -> bool:
    """Whether the last page is not the last of the stream that begins the file, of which alone libsndfile reads."""
    stream.seek(SERIAL.start)
    serial = stream.read(SERIAL.stop - SERIAL.start)
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - LONGEST_PAGE))
    tail = stream.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27 or not page[5] & LAST_PAGE or page[SERIAL] != serial:
        return True
    lengths = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(lengths)


def _mp3_goes_on(stream: BinaryIO) -> bool:
    """Whether MP3 frames follow the stream that begins the file, where that says how many bytes it has."""
    start = _after_tag(stream, 0)
    stream.seek(start)
    frame = stream.read(max(XING) + 16)
    for place in XING:
        if frame[place : place + 4] in (b"Xing", b"Info") and _is_frame(frame):
            flags, _, length = struct.unpack(">III", frame[place + 4 : place + 16])
            stream.seek(_after_tag(stream, start + length))
            rest = stream.read(LONGEST_FRAME + 1)
            return flags & 3 == 3 and len(rest) > LONGEST_FRAME and _is_frame(rest)
    return False


def _after_tag(stream: BinaryIO, place: int) -> int:
    """Where the ID3 tag ends that begins at a place, or that place where none does."""
    stream.seek(place)
    head = stream.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return place
    first, second, third, fourth = head[6:]
    return place + 10 + (first << 21 | second << 14 | third << 7 | fourth)


def _is_frame(data: bytes) -> bool:
    """Whether bytes begin as a frame of an MP3 stream does."""
    return len(data) > 1 and data[0] == 0xFF and data[1] >= 0xE0
