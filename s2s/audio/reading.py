"""Recordings in memory as mono samples: WAV, FLAC, OGG, Opus, MP3 and a few more."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from s2s.audio.mp3 import unread_samples
from s2s.audio.resampling import resample
from s2s.audio.sources import CUT_SHORT, EMPTY, UNREADABLE, InMemoryAudio, open_source
from s2s.errors import AudioError, UsageError

RATES = range(1_000, 1_000_001)
"""Hz; what a header says beyond it is damage."""

OVERSHOOT = 0.5
"""Seconds that a segment may end after its recording and is cut there, as in Kaldi's `extract-segments`."""

PIECE = 2**20
"""Samples of all channels that are decoded at once."""

LOUDEST = 2.0**31
"""The largest sample; full scale is 1, but some write floating-point numbers with the scale of integers."""

MP3_SLACK = 0.05
"""The share of an MP3 file that may be missing, since its length is an estimate where the file does not tell it."""

STREAMED = 2**63 - 1
"""libsndfile's number of samples for FLAC that was written as a stream and does not say how many it has."""

NOT_FINITE, OUTSIDE = "samples that are no numbers", "segment outside of its recording"

Source = Path | BinaryIO
"""A file, or a stream, which is read into memory as a whole, from its start where it can go back there."""


@dataclass(frozen=True)
class AudioFormat:
    """What the header of a recording says: rate in Hz, channels, and samples of each channel."""

    rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """The length of the recording."""
        return self.frames / self.rate


@dataclass(frozen=True)
class Recording:
    """Mono samples (N,) in float32, full scale 1, at `rate` Hz; the mean of so many channels."""

    samples: Tensor
    rate: int
    channels: int

    @property
    def seconds(self) -> float:
        """The length of the recording."""
        return len(self.samples) / self.rate


class AudioFile:
    """One open recording, to be read once: in a few codecs, such as GSM, there is no way back. A context manager.

    AudioError, here and in reading: it is missing, no file, empty, of no known format, damaged or cut short, or has
    samples that are no numbers; `problem` says which.
    """

    def __init__(self, source: Source) -> None:
        import soundfile

        self.name, opened = open_source(source)
        with self._problems("cannot be read as audio", UNREADABLE):
            self._file = soundfile.SoundFile(opened)
        self._seekable = self._file.seekable()
        # It would seek to where it is after each read, which breaks MP3's next frame and the end of streamed FLAC.
        self._file.seekable = lambda: False
        self.format = AudioFormat(self._file.samplerate, self._file.channels, self._file.frames)
        try:
            self._check()
            self._check_all_is_read(opened)
        except AudioError:
            self.close()
            raise

    def __enter__(self) -> "AudioFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self, offset: float = 0.0, duration: float | None = None) -> Recording:
        """`duration` seconds from `offset` on, or all that follows.

        A segment that ends up to half a second after the recording is cut there; AudioError for others. UsageError: a
        negative offset, a duration that is not positive.
        """
        start, count = self._span(offset, duration)
        self._go_to(start)
        samples = self._decode(count)
        self._check_length(len(samples), count)
        return self._recording(samples)

    def blocks(self, seconds: float) -> Iterator[Recording]:
        """The whole recording in blocks of so many seconds, the last one shorter, with one of them in memory."""
        size = max(1, round(seconds * self.format.rate))
        self._go_to(0)
        done = 0
        while done < self.format.frames:
            count = min(size, self.format.frames - done)
            samples = self._decode(count)
            self._check_length(done + len(samples), done + count)
            yield self._recording(samples)
            if len(samples) < count:
                return
            done += count

    def _check(self) -> None:
        """AudioError unless the header can be true; counts the samples of what was written as a stream."""
        if self.format.rate not in RATES:
            raise AudioError(f"{self.name} is damaged: it has a rate of {self.format.rate:,} Hz.", CUT_SHORT)
        if self.format.frames == STREAMED:
            self.format = replace(self.format, frames=sum(map(len, self._pieces(STREAMED))))
        if self.format.frames < 1:
            raise AudioError(f"{self.name} holds no samples.", EMPTY)

    def _check_all_is_read(self, opened: str | InMemoryAudio) -> None:
        """AudioError where libsndfile would leave out what follows in an MP3 file."""
        unread = unread_samples(opened, self.format.frames) if self._file.format == "MP3" else 0
        if unread:
            raise AudioError(
                f"{self.name} would lose its end, {unread / self.format.rate:.1f} of "
                f"{(self.format.frames + unread) / self.format.rate:.1f} s: its first frame does not tell of it, as in "
                "MP3 files that were joined. Convert it to WAV or FLAC.",
                UNREADABLE,
            )

    def _span(self, offset: float, duration: float | None) -> tuple[int, int]:
        """The first sample of a segment, and how many there are."""
        if not 0 <= offset < math.inf or (duration is not None and not 0 < duration < math.inf):
            raise UsageError(f"{self.name}: there is no segment of {duration} seconds from {offset} seconds on.")
        rate, frames, length = self.format.rate, self.format.frames, self.format.seconds
        start = round(offset * rate)
        if start >= frames:
            raise AudioError(f"{self.name} ends at {length:.2f} s, before a segment from {offset:.2f} s on.", OUTSIDE)
        if duration is None:
            return start, frames - start
        if offset + duration > length + OVERSHOOT:
            end = offset + duration
            raise AudioError(f"{self.name} ends at {length:.2f} s, within a segment up to {end:.2f} s.", OUTSIDE)
        return start, max(1, min(round(duration * rate), frames - start))

    def _go_to(self, start: int) -> None:
        if self._seekable:
            with self._problems("is damaged or was cut short", CUT_SHORT):
                self._file.seek(start)
        else:
            self._decode(start)

    def _decode(self, count: int) -> Tensor:
        """The next so many samples (N,), or as many as there are."""
        pieces = list(self._pieces(count))
        if len(pieces) == 1:
            return pieces[0]
        return torch.cat(pieces) if pieces else torch.empty(0)

    def _pieces(self, count: int) -> Iterator[Tensor]:
        """The next so many samples in pieces (N,)."""
        largest = max(1, PIECE // self.format.channels)
        while count > 0:
            with self._problems("is damaged or was cut short", CUT_SHORT):
                piece = self._file.read(min(count, largest), dtype="float32", always_2d=True)
            if len(piece) == 0:
                return
            samples = torch.from_numpy(piece)
            yield samples[:, 0] if self.format.channels == 1 else samples.mean(dim=1)
            count -= len(piece)

    def _check_length(self, samples: int, wanted: int) -> None:
        """AudioError when fewer samples came than the header promised."""
        slack = MP3_SLACK * wanted if self._file.format == "MP3" else 0
        if samples < wanted - slack or samples == 0:
            raise AudioError(
                f"{self.name} is damaged or was cut short: {wanted - samples:,} of {wanted:,} samples are missing.",
                CUT_SHORT,
            )

    def _recording(self, samples: Tensor) -> Recording:
        low, high = (value.item() for value in samples.aminmax())
        if not -LOUDEST <= low <= high <= LOUDEST:
            what = "NaN" if math.isnan(low) else "infinite or absurdly large"
            raise AudioError(f"{self.name} has samples that are {what}.", NOT_FINITE)
        return Recording(samples, self.format.rate, self.format.channels)

    @contextmanager
    def _problems(self, what: str, problem: str) -> Iterator[None]:
        """Whatever libsndfile and its bindings raise, as AudioError."""
        try:
            yield
        except (RuntimeError, OSError, TypeError) as error:
            reason = str(getattr(error, "error_string", None) or error or type(error).__name__)
            raise AudioError(f"{self.name} {what}: {reason.removeprefix('Error : ').rstrip('.')}.", problem) from error


def probe(source: Source) -> AudioFormat:
    """What the header says, with nothing decoded but FLAC that was streamed; errors as in `AudioFile`."""
    with AudioFile(source) as file:
        return file.format


def read(source: Source, offset: float = 0.0, duration: float | None = None) -> Recording:
    """A recording, or a segment of it, in seconds; errors as in `AudioFile` and `AudioFile.read`."""
    with AudioFile(source) as file:
        return file.read(offset, duration)


def read_at(source: Source, rate: int, offset: float = 0.0, duration: float | None = None) -> Tensor:
    """The samples (N,) of `read` at another rate in Hz."""
    recording = read(source, offset, duration)
    return resample(recording.samples, recording.rate, rate)


def blocks(source: Source, seconds: float) -> Iterator[Recording]:
    """A long recording in blocks of so many seconds; errors as in `AudioFile`, those of a block when it is reached."""
    with AudioFile(source) as file:
        yield from file.blocks(seconds)
