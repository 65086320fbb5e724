"""What is wrong or odd with a recording, found with one look, and the report of all of them."""

from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor

from s2s.audio.checking import CheckSettings, check, is_silent
from s2s.audio.findings import Finding, Report, choose_rate
from s2s.audio.manifests import Utterance
from s2s.audio.reading import read_at
from s2s.audio.resampling import resampled_length
from s2s.errors import DataError
from tests.unit.audio.sounds import encoded, noise, tone, write

SETTINGS = CheckSettings()


def finding(path: Path, text: str | None = "hello", offset: float = 0.0, duration: float | None = None) -> Finding:
    return check(Utterance("u", path, text, None, offset, duration), SETTINGS)


def test_a_good_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(2.0, 44_100), 44_100)
    found = finding(path)
    assert found == Finding("u", None, "", (), 44_100, 88_200)
    assert found.seconds == 2.0
    assert resampled_length(found.samples, found.rate, 16_000) == len(read_at(path, 16_000)) == 32_000


def test_a_segment(tmp_path: Path) -> None:
    found = finding(write(tmp_path / "a.wav", noise(2.0)), offset=0.5, duration=1.0)
    assert (found.problem, found.samples, found.seconds) == (None, 16_000, 1.0)


@pytest.mark.parametrize(
    ("samples", "text", "problem", "detail"),
    [
        (noise(), None, "no text", "u has no text"),
        (noise(), " \t", "no text", "u has no text"),
        (noise(0.02), "a", "shorter than a frame", "u has 20.0 ms, less than a frame of 25 ms"),
        (noise(30.1), "x" * 50, "too long", "u has 30.1 s, more than 30 s"),
        (tone(size=0.0009), "hello", "silent", "u has no sample above -60 dB"),
        (tone(size=0.0009) + 0.2, "hello", "silent", "u has no sample above -60 dB"),
        (noise(), "x" * 41, "too short for the text", "u has 41 characters of text in 1.00 s, more than 40 a second"),
        (noise(10.5), "abc", "too long for the text", "u has 3 characters of text in 10.50 s, fewer than 0.3 a second"),
        (torch.zeros(0), "hello", "empty", "holds no samples"),
    ],
)
def test_problems(tmp_path: Path, samples: Tensor, text: str | None, problem: str, detail: str) -> None:
    found = finding(write(tmp_path / "a.wav", samples), text)
    assert found.problem == problem
    assert detail in found.detail


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        (noise(0.025), "a"),
        (noise(30.0), "x" * 50),
        (tone(size=0.0011), "hello"),
        (noise(), "x" * 40),
        (noise(10.5), "abcd"),
        (noise(9.9), "a"),
    ],
)
def test_what_is_just_good_enough(tmp_path: Path, samples: Tensor, text: str) -> None:
    assert finding(write(tmp_path / "a.wav", samples), text).problem is None


def test_problems_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise())
    bad = noise()
    bad[5] = float("nan")
    cut = tmp_path / "cut.flac"
    cut.write_bytes(encoded(noise(), kind="flac")[:5_000])
    (tmp_path / "empty.wav").touch()
    assert {
        finding(tmp_path / "none.wav").problem,
        finding(tmp_path).problem,
        finding(tmp_path / "empty.wav").problem,
        finding(write(tmp_path / "nan.float.wav", bad)).problem,
        finding(cut).problem,
        finding(path, offset=2.0).problem,
        finding(path, offset=0.5, duration=2.0).problem,
    } == {
        "missing",
        "unreadable",
        "empty",
        "samples that are no numbers",
        "damaged or cut short",
        "segment outside of its recording",
    }
    assert "There is no audio file" in finding(tmp_path / "none.wav").detail


def test_a_file_is_opened_once_and_a_long_one_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    class Counted(soundfile.SoundFile):  # type: ignore[misc]
        def __init__(self, *arguments: object) -> None:
            did.append("open")
            super().__init__(*arguments)

        def read(self, *arguments: object, **options: object) -> object:
            did.append("read")
            return super().read(*arguments, **options)

    path = write(tmp_path / "a.wav", noise())
    monkeypatch.setattr(soundfile, "SoundFile", Counted)
    assert check(Utterance("u", path, "hello"), SETTINGS).problem is None
    assert did == ["open", "read"]
    assert check(Utterance("u", path, "hello"), CheckSettings(max_seconds=0.5)).problem == "too long"
    assert did == ["open", "read", "open"]


def test_remarks(tmp_path: Path) -> None:
    both = torch.stack([noise(), noise()], dim=1)
    assert finding(write(tmp_path / "a.wav", both)).remarks == ("several channels, mixed down",)
    clipped = noise()
    clipped[:17] = 1.0
    assert finding(write(tmp_path / "b.wav", clipped)).remarks == ("clipped",)
    assert finding(write(tmp_path / "c.flac", -clipped)).remarks == ("clipped",)
    clipped[:2] = 0.0
    assert finding(write(tmp_path / "d.wav", clipped)).remarks == ()


def test_the_report() -> None:
    report = Report()
    for n in range(5):
        report.add(Finding(f"s{n}", "silent", f"s{n} has no sample above -60 dB of full scale."))
    report.add(Finding("m", "missing", "There is no audio file m.wav."))
    for n, rate in enumerate([16_000, 16_000, 8_000, 44_100, 44_100]):
        report.add(Finding(f"u{n}", None, "", ("clipped",) if n == 2 else (), rate, 2 * rate))
    assert (report.total, report.kept, report.seconds) == (11, 5, 10.0)
    assert report.problems == {"silent": 5, "missing": 1}
    assert report.remarks == {"clipped": 1}
    assert report.rates == {16_000: 2, 8_000: 1, 44_100: 2}
    assert list(report.lines(16_000)) == [
        "left out, silent: 5 (s0, s1, s2, ...). s0 has no sample above -60 dB of full scale.",
        "left out, missing: 1 (m). There is no audio file m.wav.",
        "kept, clipped: 1 (u2)",
        "kept, resampled from 44,100 Hz: 2 (u3, u4)",
        "kept, resampled from 8,000 Hz, which is below 16,000 Hz: the upper bands are empty: 1 (u2)",
    ]
    assert len(list(report.lines())) == 3


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ({16_000: 5, 8_000: 4}, 16_000),
        ({16_000: 4, 8_000: 5}, 8_000),
        ({8_000: 3, 11_025: 3}, 11_025),
        ({44_100: 9, 8_000: 1}, 16_000),
    ],
)
def test_the_most_frequent_rate_is_chosen(rates: dict[int, int], chosen: int) -> None:
    assert choose_rate(rates) == chosen


def test_no_rate_for_no_files() -> None:
    with pytest.raises(DataError, match="no rate can be chosen"):
        choose_rate(Report().rates)


def test_silence() -> None:
    assert is_silent(torch.zeros(100))
    assert is_silent(tone(size=0.0009))
    assert not is_silent(tone(size=0.0011))
