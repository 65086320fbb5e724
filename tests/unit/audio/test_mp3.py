"""MP3 files of which libsndfile would read a part are refused; those that it reads whole are not."""

import io
import random
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from s2s.audio.mp3 import frame_at, unread_samples
from s2s.audio.reading import read
from s2s.errors import AudioError
from tests.unit.audio.sounds import noise, tone

ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + random.Random(1).randbytes(2_000)
PICTURE = b"ID3\4\0\0" + bytes([0, 0, 40, 0]) + random.Random(2).randbytes(40 << 7)


def mp3(samples: Tensor, rate: int = 16_000, mode: str = "VARIABLE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.asarray(samples), rate, format="MP3", bitrate_mode=mode, compression_level=0.5)
    return file.getvalue()


def undescribed(data: bytes) -> bytes:
    """The stream without its first frame, as encoders that write to a pipe leave it."""
    first = frame_at(data, 0)
    assert first is not None
    return data[first.length :]


SOUNDS = {rate: mp3(noise(4, rate).cumsum(0) * tone(4, rate), rate) for rate in (8_000, 16_000, 44_100)}
"""Of a loudness that changes, so that the rate of bits does."""


@pytest.mark.parametrize("rate", SOUNDS)
@pytest.mark.parametrize("before", [b"", PICTURE], ids=["plain", "tagged"])
@pytest.mark.parametrize("behind", [b"", ID3V1, APE + ID3V1], ids=["nothing", "ID3v1", "APE"])
def test_a_file_with_tags_is_read_whole(tmp_path: Path, rate: int, before: bytes, behind: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(before + SOUNDS[rate] + behind)
    assert len(read(path).samples) == 4 * rate


@pytest.mark.parametrize("between", [b"", ID3V1, ID3V1 + PICTURE, APE], ids=["nothing", "ID3v1", "both", "APE"])
@pytest.mark.parametrize("before", [b"", PICTURE], ids=["plain", "tagged"])
def test_joined_files_are_refused(tmp_path: Path, before: bytes, between: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(before + SOUNDS[16_000] + between + SOUNDS[16_000])
    with pytest.raises(AudioError, match=r"a\.mp3 would lose its end, 4\.[0-3] of 8\.[0-3] s: .* Convert it to WAV"):
        read(path)


@pytest.mark.parametrize("rate", SOUNDS)
def test_a_variable_rate_that_is_not_told_is_refused(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(undescribed(SOUNDS[rate]))
    with pytest.raises(AudioError, match=r"a\.mp3 would lose its end, .* of 4\.. s"):
        read(path)


@pytest.mark.parametrize("rate", SOUNDS)
def test_a_constant_rate_needs_no_description(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(undescribed(mp3(tone(4, rate), rate, "CONSTANT")))
    assert 4 * rate <= len(read(path).samples) <= 4.3 * rate


@pytest.mark.parametrize("rate", SOUNDS)
def test_frames_are_counted(rate: int) -> None:
    stream = io.BytesIO(undescribed(SOUNDS[rate]))
    assert 4 * rate - 1 <= unread_samples(stream, 1) <= 4.3 * rate
    assert unread_samples(stream, 4 * rate) == 0


@pytest.mark.parametrize("before", [b"", PICTURE], ids=["plain", "tagged"])
def test_every_beginning_of_a_file_is_read_or_refused(before: bytes) -> None:
    for data, length in product(SOUNDS.values(), range(1, 70)):
        stream = io.BytesIO(before + data[:length])
        stream.name = "short"  # type: ignore[attr-defined]
        with pytest.raises(AudioError):
            read(stream)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_frames_count_nothing(data: bytes) -> None:
    for samples, start in product((0, 10**6), (b"", b"\xff\xfb\x90\x64")):
        assert unread_samples(io.BytesIO(start + data), samples) >= 0
