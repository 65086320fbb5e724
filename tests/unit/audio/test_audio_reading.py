"""Real files of all formats: what is read, and what is wrong with those that cannot be."""

import io
import os
import struct
import threading
from pathlib import Path

import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from s2s.audio.reading import AudioFile, AudioFormat, blocks, probe, read, read_at
from s2s.audio.sources import InMemoryAudio
from s2s.errors import AudioError, UsageError
from tests.unit.audio.sounds import FORMATS, LOSSLESS, encoded, noise, tone, write

SHORT = noise(0.05)
WAV_HEADER = 44
PAGES = encoded(tone(9), kind="ogg")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format(tmp_path: Path, kind: str) -> None:
    samples = tone()
    path = write(tmp_path / f"a.{kind}", samples)
    assert probe(path) == AudioFormat(16_000, 1, 16_000)
    assert probe(path).seconds == 1.0
    recording = read(path)
    assert (recording.rate, recording.channels, recording.samples.dtype) == (16_000, 1, torch.float32)
    assert recording.seconds == 1.0
    middle = slice(2_000, 14_000)  # codecs that lose something lose most at the ends
    assert_close(recording.samples[middle], samples[middle], rtol=0, atol=LOSSLESS.get(kind, 0.05))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_segment_is_that_part_of_the_whole(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"a.{kind}", noise(3.0))
    whole = read(path).samples
    assert_close(read(path, 1.25, 0.5).samples, whole[20_000:28_000], rtol=0, atol=1e-6)
    assert_close(read(path, 2.5).samples, whole[40_000:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", FORMATS)
def test_blocks_are_the_whole_in_pieces(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"a.{kind}", noise(1.0))
    pieces = list(blocks(path, 0.3))
    assert [len(piece.samples) for piece in pieces] == [4_800, 4_800, 4_800, 1_600]
    assert_close(torch.cat([piece.samples for piece in pieces]), read(path).samples, rtol=0, atol=1e-6)
    assert {(piece.rate, piece.channels) for piece in pieces} == {(16_000, 1)}


def test_blocks_do_not_wait_for_the_rest(tmp_path: Path) -> None:
    data = encoded(noise(2.0), kind="flac")
    path = tmp_path / "a.flac"
    path.write_bytes(data[: len(data) * 3 // 4])
    found = blocks(path, 0.5)
    assert len(next(found).samples) == 8_000
    with pytest.raises(AudioError, match=r"a\.flac is damaged or was cut short"):
        list(found)


def test_channels_are_mixed_down_by_their_mean(tmp_path: Path) -> None:
    both = torch.stack([tone(rate=96_000), torch.zeros(96_000), noise(rate=96_000)], dim=1)
    path = write(tmp_path / "a.float.wav", both, 96_000)
    recording = read(path)
    assert (recording.rate, recording.channels) == (96_000, 3)
    assert_close(recording.samples, both.mean(dim=1))
    assert len(read_at(path, 16_000)) == 16_000


def test_another_rate_is_resampled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(rate=8_000), 8_000)
    found = read_at(path, 16_000, 0.25, 0.5)
    assert_close(found[500:-500], tone()[4_000:12_000][500:-500], rtol=0, atol=2e-3)
    assert len(found) == 8_000


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(tone(), kind="flac"))
    assert len(read(path).samples) == 16_000


def test_flac_that_was_streamed_does_not_say_how_long_it_is() -> None:
    samples = noise(1.0)
    data = bytearray(encoded(samples, kind="flac"))
    data[21] &= 0xF0  # the number of samples in its first block
    data[22:26] = bytes(4)
    assert probe(io.BytesIO(data)).frames == 16_000
    assert_close(read(io.BytesIO(data)).samples, samples, rtol=0, atol=2**-15)
    assert_close(read(io.BytesIO(data), 0.5).samples, samples[8_000:], rtol=0, atol=2**-15)
    assert len(list(blocks(io.BytesIO(data), 0.4))) == 3
    with pytest.raises(AudioError, match="damaged or was cut short"):
        probe(io.BytesIO(data[:-2_000]))


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF])
def test_wav_that_was_streamed_goes_to_the_end_of_the_file(length: int) -> None:
    data = bytearray(encoded(tone()))
    data[40:44] = struct.pack("<I", length)
    assert len(read(io.BytesIO(data)).samples) == 16_000


def test_a_piece_is_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", torch.stack([noise(1.0)] * 2, dim=1))
    whole = read(path).samples
    monkeypatch.setattr("s2s.audio.reading.PIECE", 1_001)
    assert torch.equal(read(path).samples, whole)


def test_formats_that_libsndfile_chats_about_are_not_opened(capfd: pytest.CaptureFixture[str]) -> None:
    file = io.BytesIO()
    soundfile.write(file, SHORT.numpy(), 16_000, format="SDS")
    data = file.getvalue()
    with pytest.raises(AudioError, match="is no audio file of a format that s2s reads"):
        read(io.BytesIO(data[:-40]))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "W64", "RF64", "NIST"])
def test_formats_beside(form: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, SHORT.numpy(), 16_000, format=form)
    assert_close(read(file).samples, SHORT, rtol=0, atol=2**-15)


class TestStreams:
    """What is no file."""

    def test_a_stream_is_read_from_its_start(self) -> None:
        stream = io.BytesIO(encoded(tone()))
        for _ in range(2):
            assert len(read(stream).samples) == 16_000
        assert probe(InMemoryAudio(encoded(tone()), "x")).frames == 16_000

    def test_a_pipe(self, tmp_path: Path) -> None:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(encoded(noise(0.1), kind="flac"),))
        writer.start()
        assert len(read(path).samples) == 1_600
        writer.join()

    def test_a_stream_that_cannot_go_back(self) -> None:
        reader, writer = os.pipe()
        os.write(writer, encoded(SHORT))
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            assert len(read(stream).samples) == 800

    def test_damaged_headers_cannot_point_before_its_start(self) -> None:
        stream = InMemoryAudio(b"abcd", "x")
        assert [stream.seek(-9, os.SEEK_END), stream.seek(-1), stream.seek(-1, os.SEEK_CUR)] == [0, 0, 0]
        assert [stream.seek(3), stream.seek(-1, os.SEEK_CUR), stream.seek(-1, os.SEEK_END)] == [3, 2, 3]

    def test_errors_call_it_by_its_name(self) -> None:
        with pytest.raises(AudioError, match=r"^row 7 is no audio file"):
            read(InMemoryAudio(b"no audio at all", "row 7"))
        with pytest.raises(AudioError, match=r"^the audio is empty"):
            read(io.BytesIO())


class TestWhatIsWrong:
    """Errors name the file and why, and `problem` the kind."""

    @pytest.mark.parametrize("name", ["missing.wav", "a\0b", "x" * 300])
    def test_no_such_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(AudioError, match=r"There is no audio file|cannot be read: File name too long") as caught:
            read(tmp_path / name)
        assert caught.value.problem in ("missing", "unreadable")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(AudioError, match=f"{tmp_path} is a folder and no audio file"):
            probe(tmp_path)

    @pytest.mark.parametrize(
        ("data", "message", "problem"),
        [
            (b"", "is empty: it has no bytes", "empty"),
            (encoded(torch.zeros(0)), "holds no samples", "empty"),
            (b"just some text\n" * 99, "is no audio file of a format that s2s reads: WAV", "unreadable"),
            (b"RIFF just some text\n" * 99, "cannot be read as audio: Format not recognised", "unreadable"),
            (encoded(tone())[:-1], "its end is missing", "damaged or cut short"),
            (encoded(tone())[:WAV_HEADER], "its end is missing", "damaged or cut short"),
            (encoded(tone(), kind="flac")[:9_000], "flac decoder lost sync", "damaged or cut short"),
            (encoded(tone(9), kind="ogg")[:-9], "its end is missing", "damaged or cut short"),
            (PAGES[: PAGES.rindex(b"OggS")], "its end is missing", "damaged or cut short"),
            (PAGES + encoded(tone(5), kind="ogg"), "or another recording follows", "damaged or cut short"),
            (encoded(tone(9), kind="opus")[:9_000], "its end is missing", "damaged or cut short"),
            (encoded(tone(9), kind="mp3")[:9_000], "of 144,000 samples are missing", "damaged or cut short"),
        ],
        ids=["nothing", "no-samples", "text", "riff", "wav", "header", "flac", "ogg", "page", "chained", "opus", "mp3"],
    )
    def test_a_file_that_is_not_whole(self, tmp_path: Path, data: bytes, message: str, problem: str) -> None:
        path = tmp_path / "a.wav"
        path.write_bytes(data)
        with pytest.raises(AudioError, match=rf"a\.wav .*{message}") as caught:
            read(path)
        assert caught.value.problem == problem

    @pytest.mark.parametrize(
        ("value", "message"), [(float("nan"), "NaN"), (float("-inf"), "infinite"), (1e30, "large")]
    )
    def test_samples_that_are_no_numbers(self, tmp_path: Path, value: float, message: str) -> None:
        samples = tone()
        samples[12_345] = value
        path = write(tmp_path / "a.float.wav", samples)
        assert probe(path).frames == 16_000
        assert len(read(path, 0.0, 0.5).samples) == 8_000
        for reading in (lambda: read(path), lambda: list(blocks(path, 0.4))):
            with pytest.raises(AudioError, match=rf"float\.wav has samples that are .*{message}") as caught:
                reading()
            assert caught.value.problem == "samples that are no numbers"

    @pytest.mark.parametrize("rate", [999, 2**30])
    def test_an_absurd_rate(self, rate: int) -> None:
        data = bytearray(encoded(tone()))
        data[24:28] = struct.pack("<I", rate)
        with pytest.raises(AudioError, match=f"it has a rate of {rate:,} Hz"):
            read(io.BytesIO(data))

    @pytest.mark.parametrize(
        ("offset", "duration", "message"),
        [
            (1.0, None, r"ends at 1\.00 s, before a segment from 1\.00 s on"),
            (7.0, 1.0, "before a segment from 7.00 s on"),
            (0.5, 1.01, r"ends at 1\.00 s, within a segment up to 1\.51 s"),
        ],
    )
    def test_a_segment_outside_of_the_recording(self, offset: float, duration: float | None, message: str) -> None:
        with pytest.raises(AudioError, match=message) as caught:
            read(io.BytesIO(encoded(tone())), offset, duration)
        assert caught.value.problem == "segment outside of its recording"

    def test_a_segment_that_ends_a_little_late_is_cut(self) -> None:
        assert len(read(io.BytesIO(encoded(tone())), 0.5, 1.0).samples) == 8_000

    @pytest.mark.parametrize(("offset", "duration"), [(-0.1, None), (0.0, 0.0), (0.0, -1.0), (float("nan"), None)])
    def test_no_segment_at_all(self, offset: float, duration: float | None) -> None:
        with pytest.raises(UsageError, match="there is no segment"):
            read(io.BytesIO(encoded(tone())), offset, duration)

    def test_a_name_that_stands_for_no_header(self, tmp_path: Path) -> None:
        path = tmp_path / "a.raw"
        path.write_bytes(encoded(tone()))
        with pytest.raises(AudioError, match=r"a\.raw cannot be read as audio: samplerate must be specified"):
            read(path)

    def test_files_are_closed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.wav", tone())
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            read(path)
            with pytest.raises(AudioError):
                read(path, 2.0)
        with AudioFile(path) as file:
            assert len(file.read(0.5).samples) == 8_000
        with pytest.raises(AudioError) as held:
            AudioFile(write(tmp_path / "empty.wav", torch.zeros(0)))
        assert held.value.problem == "empty"
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestFuzz:
    """Whatever the bytes are: samples, or AudioError."""

    def read(self, data: bytes) -> None:
        for in_blocks in (False, True):
            stream = io.BytesIO(data)
            try:
                recordings = list(blocks(stream, 0.02)) if in_blocks else [read(stream)]
            except AudioError as error:
                assert str(error).startswith("the audio ")
            else:
                assert all(
                    len(recording.samples) and torch.isfinite(recording.samples).all() for recording in recordings
                )

    @settings(max_examples=100)
    @given(
        st.sampled_from(
            [b"", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", b"fLaC\0\0\0\x22", b"OggS\0\2", b"\xff\xfb\x90\0", b"ID3"]
        ),
        st.binary(max_size=300),
    )
    def test_headers(self, start: bytes, rest: bytes) -> None:
        self.read(start + rest)

    @settings(max_examples=200)
    @given(
        st.sampled_from([encoded(SHORT, kind=kind) for kind in FORMATS]),
        st.lists(st.tuples(st.one_of(st.integers(0, 60), st.integers(0, 5_000)), st.integers(0, 255)), max_size=5),
        st.integers(0, 6_000),
    )
    def test_damage(self, data: bytes, changes: list[tuple[int, int]], length: int) -> None:
        damaged = bytearray(data)
        for place, value in changes:
            damaged[place % len(damaged)] = value
        self.read(bytes(damaged[:length]))
