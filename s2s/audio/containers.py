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


def is_known(stream: BinaryIO) -> bool:
    """Whether a file begins like one of the known formats."""
    stream.seek(0)
    head = stream.read(4)
    return head.startswith(STARTS) or (len(head) > 1 and head[0] == 0xFF and head[1] >= 0xE0)


def is_cut_short(stream: BinaryIO) -> bool:
    """Whether a WAV file has less data than it says, or an OGG file no last page.

    libsndfile reads what is left of them without a word; in other formats it finds out, or nobody can.
    """
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _wav_is_cut_short(stream)
    return head[:4] == b"OggS" and _ogg_is_cut_short(stream)


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
