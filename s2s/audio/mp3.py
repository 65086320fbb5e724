"""How many samples an MP3 file holds, counted frame by frame.

libsndfile believes what the first frame tells of the stream, or guesses from the rate of its bits: of files joined end
to end, or of a variable rate that is not told, it reads a part without a word.
"""

import mmap
import struct
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

BITRATES = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Thousands of bits a second by their index, from 1 on, in version 1 and in the others (ISO 11172-3 and 13818-3)."""

RATES = (44_100, 48_000, 32_000)
"""Hz by their index in version 1; version 2 has half, version 2.5 a quarter."""

DESCRIPTION = (13, 21, 36)
"""Where the first frame can have its description of the stream: that depends on version and channels."""

ID3V1 = 128
"""Bytes of the tag that often ends a file."""

UNCOUNTED = 5
"""Frames that decoders leave out: the one with the description, delay and padding of the encoder."""

Data = bytes | mmap.mmap


class Frame(NamedTuple):
    """A frame's length in bytes, its number of samples, and what all frames of a stream share."""

    length: int
    samples: int
    stream: tuple[int, int]


def unread_samples(source: str | BytesIO, samples: int) -> int:
    """How many more samples an MP3 file (a name, or its bytes) holds than the `samples` that a decoder will read.

    0 where the difference can be what an encoder adds.
    """
    if isinstance(source, BytesIO):
        return _unread(source.getvalue(), samples)
    with Path(source).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _unread(data, samples)


def _unread(data: Data, samples: int) -> int:
    if _is_described(data):
        return 0
    total, longest = _count(data)
    return max(0, total - samples) if total - samples > UNCOUNTED * longest else 0


def _is_described(data: Data) -> bool:
    """Whether the first frame tells how many frames and bytes there are, and these bytes are all but a tag."""
    start = _after_tag(data, 0)
    for place in (start + offset for offset in DESCRIPTION):
        if data[place : place + 4] in (b"Xing", b"Info") and len(data) >= place + 16:
            flags, _, length = struct.unpack(">III", data[place + 4 : place + 16])
            return bool(flags & 3 == 3 and 0 <= len(data) - start - length <= ID3V1)
    return False


def _count(data: Data) -> tuple[int, int]:
    """The samples of all frames, and those of the longest. After anything else, two frames in a row begin a stream."""
    place, total, longest = 0, 0, 0
    stream = None
    while place >= 0:
        frame = frame_at(data, place)
        if frame is not None and stream != frame.stream:
            following = frame_at(data, place + frame.length)
            frame = frame if following is not None and following.stream == frame.stream else None
        if frame is None:
            after = _after_tag(data, place)
            place, stream = after if after > place else data.find(b"\xff", place + 1), None
        else:
            total, longest, stream = total + frame.samples, max(longest, frame.samples), frame.stream
            place += frame.length
    return total, longest


def frame_at(data: Data, place: int) -> Frame | None:
    """The frame of layer III whose header begins at a place, if there is one."""
    head = data[place : place + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    first = version == 3
    hertz = RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    length = (144_000 if first else 72_000) * BITRATES[first][bits - 1] // hertz + (head[2] >> 1 & 1)
    return Frame(length, 1_152 if first else 576, (version, rate))


def _after_tag(data: Data, place: int) -> int:
    """Where the ID3 tag ends that begins at a place, or that place where none does."""
    head = data[place : place + 10]
    if len(head) < 10 or head[:3] != b"ID3":
        return place
    first, second, third, fourth = head[6:]
    return place + 10 + (first << 21 | second << 14 | third << 7 | fourth)
