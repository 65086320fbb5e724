"""`s2s transcribe` as a process of its own: formats, folders, standard input, what cannot be read."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
import torch

import s2s
from s2s.cli.main import main
from s2s.data.speech import open_speech
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from tests.tones import RATE, prepare_tones

pytestmark = pytest.mark.xdist_group("transcribe")

CONFIG = """
[model]
ctc = true
embedding_width = 16
tied_embeddings = "output"
frontend = { kind = "convolution", channels = 4 }
encoder = { layers = 1, width = 32 }
decoder = { width = 32 }
[regularisation]
embedding_dropout = 0.0
layer_dropout = 0.0
output_dropout = 0.0
[training]
max_updates = 200
batch_frames = 1200
learning_rate = 1e-2
warmup_updates = 20
validation_interval = 200
averaging = "none"
"""


@dataclass
class Done:
    """How a command ended and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def process(*arguments: object, data: bytes | None = None) -> Done:
    """A command as a process of its own."""
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


Run = Callable[..., Done]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Commands in this process, which saves the seconds of importing torch."""

    def command(*arguments: object) -> Done:
        code = main([*map(str, arguments)])
        return Done(code, *capfd.readouterr())

    return command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings in `audio`, prepared data, and a run that was trained on the command line."""
    folder = tmp_path_factory.mktemp("tones")
    prepare_tones(folder, {"train": 150, "dev": 10, "test": 20})
    (folder / "tones.toml").write_text(CONFIG)
    done = process(
        "train", folder / "tones.toml", "--data", folder / "data", "--output", folder / "run", "--threads", 1
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def texts(folder: Path) -> dict[str, str]:
    lines = (folder / "audio" / "test.jsonl").read_text().splitlines()
    return {record["audio"]: record["text"] for record in map(json.loads, lines)}


def test_it_has_learnt_to_hear(folder: Path, texts: dict[str, str]) -> None:
    files = [folder / "audio" / name for name in texts]
    done = process("transcribe", folder / "run", *files)
    assert done.returncode == 0, done.stderr
    heard = done.stdout.splitlines()
    words = [
        (one, other)
        for line, text in zip(heard, texts.values(), strict=True)
        for one, other in zip(line.split(), text.split(), strict=False)
    ]
    assert sum(one == other for one, other in words) > 0.8 * len(words)
    assert re.search(r"s of audio in .* s: real-time factor \d", done.stderr)


def test_command_and_library_give_the_same(run: Run, folder: Path, texts: dict[str, str]) -> None:
    files = [folder / "audio" / name for name in list(texts)[:4]]
    transcriber = s2s.load(folder / "run")
    assert isinstance(transcriber, Transcriber)
    lines = run("transcribe", folder / "run", *files, "--format", "json").stdout.splitlines()
    for line, file in zip(lines, files, strict=True):
        written, found = json.loads(line), transcriber.transcribe(file)
        assert written["text"] == found.text
        assert written["passages"][0]["score"] == pytest.approx(found.passages[0].score, abs=1e-4)
        for word, other in zip(written["passages"][0]["words"], found.words, strict=True):
            assert word["text"] == other.text
            assert 0 <= word["start"] < word["end"] <= written["seconds"] + 1e-3
            assert 0 <= word["confidence"] <= 1


def test_processes_share_the_recordings_and_keep_their_order(run: Run, folder: Path, tmp_path: Path) -> None:
    files = [folder / "audio" / f"test-{number}.wav" for number in range(7)]
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    files.insert(3, tmp_path / "bad.wav")
    alone = run("transcribe", folder / "run", *files)
    together = run("transcribe", folder / "run", *files, "--processes", 2)
    assert (together.returncode, together.stdout) == (alone.returncode, alone.stdout)
    assert together.returncode == 3
    assert together.stderr.count("bad.wav") == 1
    assert "real-time factor" in together.stderr
    written = tmp_path / "written"
    assert run("transcribe", folder / "run", *files, "--processes", 2, "--output-dir", written).returncode == 3
    assert {path.name for path in written.iterdir()} == {f"test-{number}.txt" for number in range(7)}
    refused = run("transcribe", folder / "run", "-", "--processes", 2)
    assert (refused.returncode, "name files" in refused.stderr) == (2, True)


def test_one_speaker_is_refused_where_it_has_no_effect(run: Run, folder: Path) -> None:
    done = run("transcribe", folder / "run", folder / "audio" / "test-0.wav", "--one-speaker")
    assert (done.returncode, "knows no speakers" in done.stderr) == (2, True)
    done = run("transcribe", folder / "run", "-", "--one-speaker")
    assert (done.returncode, "name files" in done.stderr) == (2, True)


def test_one_speaker_is_heard_as_evaluation_hears_a_known_one(run: Run, tmp_path: Path) -> None:
    data = prepare_tones(tmp_path, {"train": 60, "dev": 4, "test": 6}, normalisation="speaker")
    (tmp_path / "tones.toml").write_text(CONFIG.replace("= 200", "= 40"))
    assert run("train", tmp_path / "tones.toml", "--data", data, "--output", tmp_path / "run").returncode == 0
    part = open_speech(data).segments("test")
    records = [record for record in part.records() if record["speaker"] == "s1"]
    samples = ((part.samples(record), part.speaker(record)) for record in records)
    transcriber = Transcriber.load(tmp_path / "run")
    expected = list(transcriber.stream_samples(samples, TranscriptionOptions()))
    files = [tmp_path / "audio" / f"test-{number}.wav" for number in (1, 3, 5)]
    for more in ([], ["--processes", 2]):
        done = run("transcribe", tmp_path / "run", *files, "--one-speaker", "--format", "json", *more)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert [one["text"] for one in found] == [one.text for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert one["passages"][0]["score"] == pytest.approx(other.passages[0].score, abs=1e-3)
    alone = transcriber.transcribe(files[0]).passages[0].score
    assert abs(alone - expected[0].passages[0].score) > 0.01
    soundfile.write(tmp_path / "silence.wav", torch.zeros(RATE).numpy(), RATE)
    done = run("transcribe", tmp_path / "run", tmp_path / "silence.wav", "--one-speaker")
    assert (done.returncode, done.stdout, "Nothing can be heard" in done.stderr) == (1, "", True)


def test_what_is_written_can_be_scored(run: Run, folder: Path, tmp_path: Path) -> None:
    heard = run("transcribe", folder / "run", folder / "audio" / "test-0.wav", "--format", "json")
    (tmp_path / "heard.jsonl").write_text(heard.stdout)
    reference = {"id": "test-0", "text": json.loads(heard.stdout)["text"]}
    (tmp_path / "references.jsonl").write_text(json.dumps(reference) + "\n")
    done = run("evaluate", "wer", "--reference", tmp_path / "references.jsonl", tmp_path / "heard.jsonl")
    assert done.returncode == 0
    assert "WER   0.00" in done.stdout


def test_folders_are_sorted_and_files_written(run: Run, folder: Path, texts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for place, name in (("b.wav", "test-0.wav"), ("a.wav", "test-1.wav"), ("deep/c.WAV", "test-2.wav")):
        (tmp_path / "in" / place).write_bytes((folder / "audio" / name).read_bytes())
    (tmp_path / "in" / "deep" / "a.wav").write_bytes((folder / "audio" / "test-3.wav").read_bytes())
    (tmp_path / "in" / "notes.txt").write_text("no audio")
    by_name = run("transcribe", folder / "run", *(folder / "audio" / f"test-{n}.wav" for n in (1, 0, 3, 2)))
    assert run("transcribe", folder / "run", tmp_path / "in").stdout == by_name.stdout
    done = run("transcribe", folder / "run", tmp_path / "in", "--format", "srt", "--output-dir", tmp_path / "out")
    assert done.returncode == 0
    assert done.stdout == ""
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["a.srt", "b.srt", "deep/a.srt", "deep/c.srt"]
    shown = (tmp_path / "out" / "a.srt").read_text()
    assert re.fullmatch(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n[a-z ]+\n", shown)


def test_standard_input(run: Run, folder: Path) -> None:
    file = folder / "audio" / "test-3.wav"
    expected = run("transcribe", folder / "run", file).stdout
    assert process("transcribe", folder / "run", "-", data=file.read_bytes()).stdout == expected


def test_what_cannot_be_read_gives_an_empty_line(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is no audio")
    good = folder / "audio" / "test-4.wav"
    (tmp_path / "short.wav").write_bytes(good.read_bytes()[:1000])
    expected = run("transcribe", folder / "run", good).stdout
    names = ["empty.wav", "text.wav", "missing.wav", "short.wav"]
    done = run(
        "transcribe", folder / "run", tmp_path / "empty.wav", good, *(tmp_path / name for name in names[1:]), good
    )
    assert done.returncode == 3
    assert done.stdout == "\n" + expected + "\n\n\n" + expected
    told = done.stderr
    assert all(str(tmp_path / name) in told for name in names)
    assert "4 of 6 recordings could not be read, or not to their end" in told


def test_what_cannot_be_read_leaves_the_file_of_an_earlier_call(run: Run, folder: Path, tmp_path: Path) -> None:
    """Nor does a format that is not read go by without a word."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes((folder / "audio" / "test-0.wav").read_bytes())
    assert run("transcribe", folder / "run", tmp_path / "in", "--output-dir", tmp_path / "out").returncode == 0
    before = (tmp_path / "out" / "a.txt").read_text()
    (tmp_path / "in" / "a.wav").write_bytes(b"")
    (tmp_path / "in" / "b.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    done = run("transcribe", folder / "run", tmp_path / "in", "--output-dir", tmp_path / "out")
    assert done.returncode == 3
    assert f"{tmp_path / 'in' / 'b.m4a'} is no audio file of a format that s2s reads" in done.stderr
    assert [(path.name, path.read_text()) for path in (tmp_path / "out").iterdir()] == [("a.txt", before)]


def test_silence_and_noise_end(run: Run, folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", torch.zeros(RATE * 3).numpy(), RATE)
    noise = 0.1 * torch.randn(RATE * 12, generator=torch.Generator().manual_seed(1))
    soundfile.write(tmp_path / "noise.flac", torch.stack([noise, -0.5 * noise], 1).numpy(), 44_100)
    done = run("transcribe", folder / "run", tmp_path / "silence.wav", tmp_path / "noise.flac", "--ctc-weight", 0)
    assert done.returncode == 0
    lines = done.stdout.split("\n")
    assert len(lines) == 3
    assert lines[0] == ""
    assert len(lines[1]) < 30 * 12


def test_a_long_recording_is_heard_in_passages(run: Run, folder: Path, texts: dict[str, str], tmp_path: Path) -> None:
    pieces = [torch.from_numpy(soundfile.read(folder / "audio" / name, dtype="float32")[0]) for name in texts]
    pause = torch.zeros(RATE // 4)
    soundfile.write(
        tmp_path / "long.wav", torch.cat([part for piece in pieces for part in (piece, pause)]).numpy(), RATE
    )
    done = run("transcribe", folder / "run", tmp_path / "long.wav", "--format", "json", "--window", 1)
    passages = json.loads(done.stdout)["passages"]
    assert len(passages) > 3
    assert all(0 < passage["end"] - passage["start"] <= 1.001 for passage in passages)
    assert [passage["start"] for passage in passages[1:]] == [passage["end"] for passage in passages[:-1]]
    spoken = " ".join(texts.values()).split()
    heard = json.loads(done.stdout)["text"].split()
    assert 0.6 * len(spoken) < len(heard) < 1.4 * len(spoken)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n-best", 2], "--n-best needs --format json"),
        (["--format", "srt", "again"], "2 recordings need a file each as srt: add --output-dir"),
        (["--beam-size", 1, "--length-penalty", 1], "--length-penalty has no effect with a beam of 1"),
        (["--beam-size", 1, "--n-best", 2, "--format", "json"], "A beam of 1 cannot give 2 texts"),
        (["--output-dir", "out", "again"], "would both be written to out/test-0.txt: rename one"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(run: Run, folder: Path, options: list[object], message: str) -> None:
    file = folder / "audio" / "test-0.wav"
    arguments = [file if word == "again" else word for word in options]
    done = run("transcribe", folder / "run", file, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_each_command_wants_its_kind_of_model(run: Run, folder: Path) -> None:
    done = run("translate", folder / "run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "reads audio: use `s2s transcribe`" in done.stderr
