"""`prepare_audio`: what is kept, what is left out and named, what is chosen from the corpus."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

from s2s.data.prepare_audio import PrepareAudioOptions, check_audio, prepare_audio
from s2s.data.speech import open_speech
from s2s.errors import ConfigError, DataError, UsageError
from tests.tones import RATE, SIZES, write_tones


@pytest.fixture
def options(tmp_path: Path) -> PrepareAudioOptions:
    manifests = write_tones(tmp_path / "audio")
    return PrepareAudioOptions({part: str(path) for part, path in manifests.items()}, "en", tmp_path / "data")


def test_parts_hold_what_the_manifests_say(options: PrepareAudioOptions) -> None:
    reports = prepare_audio(options)
    data = open_speech(options.output)
    for part, size in SIZES.items():
        lines = [json.loads(line) for line in Path(options.parts[part]).read_text().splitlines()]
        segments = data.segments(part)
        assert len(segments) == reports[part].kept == size
        assert segments.references() == [line["text"] for line in lines]
        assert segments.column("speaker") == [line["speaker"] for line in lines]
        for line, record in zip(lines, segments.records(), strict=True):
            written, rate = soundfile.read(Path(options.parts[part]).parent / line["audio"], dtype="float32")
            assert rate == RATE
            assert torch.equal(segments.samples(record), torch.from_numpy(written))
    assert data.codec.settings.rate == RATE
    assert data.codec.settings.bands == 40
    assert data.manifest["parts"]["train"]["kept"] == SIZES["train"]


def test_bad_recordings_are_left_out_and_named_up_to_the_tolerance(
    options: PrepareAudioOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(options.parts["train"]).parent
    (folder / "train-3.wav").write_bytes(b"")
    soundfile.write(folder / "train-5.wav", torch.zeros(8000).numpy(), RATE)
    with pytest.raises(DataError, match=r"2 of 60 recordings of train cannot be used, more than the tolerance of 1%"):
        prepare_audio(replace(options, tolerance=0.01))
    assert not options.output.exists()
    assert prepare_audio(replace(options, tolerance=0.05))["train"].problems == {"empty": 1, "silent": 1}
    told = capsys.readouterr().err
    assert "left out, silent: 1 (train-5.wav)" in told
    assert "train: 58 of 60 recordings" in told


def test_a_part_of_which_nothing_can_be_used_says_why_once(
    options: PrepareAudioOptions, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = Path(options.parts["train"]).parent
    for path in folder.glob("train-*.wav"):
        path.rename(tmp_path / path.name)
    for run in (check_audio, prepare_audio):
        with pytest.raises(DataError, match="None of the 60 recordings of train can be used"):
            run(replace(options, tolerance=1.0))
        assert capsys.readouterr().err.count("There is no audio file") == 1


def test_the_check_tells_each_reason_once(options: PrepareAudioOptions, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(options.parts["train"]).parent / "train-3.wav").write_bytes(b"")
    with pytest.raises(DataError, match="1 of 60 recordings of train cannot be used"):
        check_audio(replace(options, tolerance=0.0))
    assert capsys.readouterr().err.count("left out, empty: 1") == 1


def test_recordings_and_speakers_of_training_in_another_part_are_warned_of(
    options: PrepareAudioOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    same = replace(options, parts={**options.parts, "test": options.parts["train"]})
    for run in (check_audio, prepare_audio):
        run(same)
        told = capsys.readouterr().err
        assert f"{SIZES['train']} recordings of test are also in train: its scores would be those of training" in told
        assert "speakers of test are also heard in training" in told
        assert "recordings of dev are also" not in told


def test_the_check_writes_nothing(options: PrepareAudioOptions, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert check_audio(options)["dev"].kept == SIZES["dev"]
    assert sorted(tmp_path.rglob("*")) == before


def test_copied_audio_makes_the_folder_whole(options: PrepareAudioOptions, tmp_path: Path) -> None:
    prepare_audio(replace(options, copy_audio=True))
    shutil.rmtree(tmp_path / "audio")
    moved = tmp_path / "moved"
    options.output.rename(moved)
    segments = open_speech(moved).segments("train")
    assert len(segments.samples(next(segments.records()))) > 0


def test_global_statistics_are_those_of_the_training_part(options: PrepareAudioOptions) -> None:
    prepare_audio(replace(options, normalisation="global"))
    data = open_speech(options.output)
    train = data.segments("train")
    features = torch.cat([train.draw([row], None).pair(0)[0] for row in range(len(train))])
    torch.testing.assert_close(features.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(features.std(0), torch.ones(40), atol=1e-2, rtol=0)


def test_statistics_of_a_speaker_are_those_of_his_recordings(options: PrepareAudioOptions) -> None:
    prepare_audio(replace(options, normalisation="speaker"))
    data = open_speech(options.output)
    assert data.codec.by_speaker
    for name in ("train", "dev", "test"):
        part = data.segments(name)
        assert set(part.speakers) == set(part.column("speaker"))
        for rows in part.by_speaker.values():
            features = torch.cat([part.draw([row], None).pair(0)[0] for row in rows])
            torch.testing.assert_close(features.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
            torch.testing.assert_close(features.std(0), torch.ones(40), atol=2e-2, rtol=0)
    (options.output / "dev" / "speakers.json").write_text("{")
    with pytest.raises(DataError, match=r"dev/speakers\.json is damaged"):
        data.segments("dev")
    (options.output / "dev" / "speakers.json").unlink()
    with pytest.raises(ConfigError, match="Prepare the data with --normalisation speaker"):
        data.segments("dev")


def test_speakers_that_are_not_named_are_told(
    options: PrepareAudioOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_speakers(first: int) -> dict[str, str]:
        parts = {}
        for name, path in options.parts.items():
            rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
            for row in rows[first:]:
                del row["speaker"]
            parts[name] = f"{path}.{first}.jsonl"
            Path(parts[name]).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return parts

    with pytest.raises(DataError, match="No recording of train names its speaker"):
        prepare_audio(replace(options, parts=without_speakers(0), normalisation="speaker"))
    assert not options.output.exists()
    prepare_audio(replace(options, parts=without_speakers(2), normalisation="speaker"))
    assert "recordings of train name no speaker: each is normalised by itself" in capsys.readouterr().err
    part = open_speech(options.output).segments("train")
    assert part.draw([5], None).pair(0)[0].mean(0).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": {"train": "x", "dev": "x"}}, "The part test is missing"),
        ({"units": "characters", "vocabulary_size": 50}, "no effect with characters"),
        ({"rate": 100}, "rate must be a whole number from 4000 to 48000"),
    ],
)
def test_wrong_use_is_told(options: PrepareAudioOptions, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prepare_audio(replace(options, **changes))  # type: ignore[arg-type]
    assert not options.output.exists()
