"""Damaged and hostile files: a reader gives a result or one error of s2s that names the file, soon and in little room.

Files that are right are changed at random, by a seed: bytes flipped, cut, doubled, replaced by what headers consist of.
"""

import gzip
import io
import json
import random
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
import soundfile
import torch

from s2s.audio.manifests import read_manifest
from s2s.audio.reading import read
from s2s.checkpoint import load_model, resume, save_training_state
from s2s.config import read_config
from s2s.data.prepared import open_data
from s2s.errors import S2SError
from s2s.evaluation.transcripts import read_transcripts
from s2s.files import read_lines
from s2s.text.readers import Side, read_pairs
from tests.digits import prepare_digits
from tests.tones import prepare_tones

SECONDS = 5.0
"""The longest that a damaged file of a few kilobytes may take."""

MEMORY = 2 * 2**30
"""Bytes that reading one may take at most, beside what the process has already."""

TOKENS = [
    *(
        b"\x00",
        b"\xff" * 4,
        b"\xff" * 8,
        b"\x7f\xff\xff\xff",
        b"{",
        b"}",
        b"[" * 200,
        b'"',
        b"\\u0000",
        b"\xed\xa0\x80",
    ),
    *(b"99999999999999999999", b"-1", b"1e999", b"NaN", b"null", b"../../../etc/passwd", b"\r", b"\n", b"\t", b","),
    *(b"RIFF", b"data", b"fmt ", b"OggS", b"fLaC", b"ID3", b"\x1f\x8b", b"\xef\xbb\xbf", b"__metadata__", b"F64"),
]

Reader = Callable[[Path], object]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content after one to four changes."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        # headers are at the front: half of the changes are there
        place = draw.randrange(min(len(data), 256) if draw.random() < 0.5 else len(data)) if data else 0
        match draw.randrange(6):
            case 0:
                del data[place:]
            case 1 if data:
                data[place] ^= 1 << draw.randrange(8)
            case 2:
                data[place:place] = draw.choice(TOKENS)
            case 3:
                token = draw.choice(TOKENS)
                data[place : place + len(token)] = token
            case 4:
                length = draw.randrange(64)
                data[place:place] = data[place : place + length] * draw.randint(1, 3)
            case _:
                del data[place : place + draw.randrange(64)]
    return bytes(data)


@contextmanager
def limited() -> Iterator[None]:
    """Within it a reader that takes too long or too much memory fails."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"it takes more than {SECONDS} s")

    status = Path("/proc/self/statm").read_text().split()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(status[0]) * resource.getpagesize() + MEMORY, before[1]))
    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def fuzz(file: Path, read_it: Callable[[], object], times: int, seed: str, folder: Path | None = None) -> int:
    """Read that file damaged so many times; how often it was refused. It is whole again afterwards.

    Each refusal names it, or the folder that cannot be used for it.
    """
    read_it()
    named = [str(folder or file.parent)]
    content, refused = file.read_bytes(), 0
    for number in range(times):
        file.write_bytes(damaged(content, random.Random(f"{seed} {number}")))
        try:
            with limited():
                read_it()
        except S2SError as error:
            refused += 1
            assert any(part in str(error) for part in (file.name, *named)), f"{number}: {error}"
        except BaseException as error:
            pytest.fail(f"{file.name}, number {number}: {type(error).__name__}: {error}")
    file.write_bytes(content)
    return refused


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small right files of every kind."""
    folder = tmp_path_factory.mktemp("right")
    rows = [{"id": f"a{n}", "audio": "tones.wav", "text": "low high", "speaker": "s", "offset": 0.1} for n in range(5)]
    lines = ["the cat", "größer ✓ {name}", "", "a\tb"]
    (folder / "lines.txt").write_text("\n".join(lines))
    (folder / "lines.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "pairs.tsv").write_text("source\ttarget\na cat\teine katze\ntwo\tzwei\n")
    (folder / "pairs.jsonl").write_text("".join(json.dumps({"de": "zwei", "en": "two"}) + "\n" for _ in range(4)))
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "manifest.csv").write_text(
        "id,audio,text,speaker\n" + "".join(f'a{n},tones.wav,"low, high",s\n' for n in range(5))
    )
    (folder / "config.toml").write_text(
        '[model]\nembedding_width = 16\nencoder = { cell = "gru", width = 16 }\n[training]\nmax_updates = 3\n'
        "batch_tokens = 100\nlearning_rate = 1e-3\n"
    )
    samples = (0.3 * torch.sin(torch.arange(4000) / 5)).numpy()
    for name, kind in (("wav", "WAV"), ("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3"), ("aiff", "AIFF")):
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 8000, format=kind)
        (folder / f"tones.{name}").write_bytes(buffer.getvalue())
    return folder


def _all(items: Iterator[object]) -> None:
    for _ in items:
        pass


FILES: dict[str, Reader] = {
    "lines.txt": lambda path: _all(read_lines(path)),
    "lines.gz": lambda path: _all(read_lines(path)),
    "pairs.tsv": lambda path: _all(read_pairs(Side(f"{path}#1"), Side(f"{path}#2"))),
    "pairs.jsonl": lambda path: _all(read_pairs(Side(f"{path}#en"), Side(f"{path}#de"))),
    "manifest.jsonl": lambda path: _all(read_manifest(str(path))),
    "manifest.csv": lambda path: _all(read_manifest(str(path))),
    "config.toml": read_config,
    **{f"tones.{name}": read for name in ("wav", "flac", "ogg", "mp3", "aiff")},
}


@pytest.mark.parametrize("times", [60, pytest.param(600, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", FILES)
def test_files_that_users_bring(folder: Path, name: str, times: int) -> None:
    assert fuzz(folder / name, lambda: FILES[name](folder / name), times, name) > times / 20


@pytest.mark.parametrize("times", [60, pytest.param(600, marks=pytest.mark.long)])
def test_transcripts(folder: Path, times: int) -> None:
    path = folder / "manifest.jsonl"
    assert fuzz(path, lambda: read_transcripts(str(path)), times, "transcripts") > times / 20


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["text", "audio"])
def test_model_directories(project: Path, tmp_path: Path, kind: str, times: int) -> None:
    model = tmp_path / "model"
    shutil.copytree(project / "tests" / "golden" / kind, model)
    for file in sorted(model.iterdir()):
        if file.name != "README.md":
            refused = fuzz(file, lambda: load_model(model), times, f"{kind} {file.name}")
            assert refused > times / 2  # checksums see nearly all


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["text", "audio"])
def test_prepared_data(tmp_path: Path, kind: str, times: int) -> None:
    data = prepare_digits(tmp_path) if kind == "text" else prepare_tones(tmp_path)

    def read_data() -> None:
        opened = open_data(data)
        for name in ("train", "dev", "test"):
            segments = opened.segments(name)
            drawn = segments.draw(range(2), None)
            drawn.pair(0)

    for file in sorted(path for path in data.rglob("*") if path.is_file() and "audio" not in path.parts):
        assert fuzz(file, read_data, times, f"{kind} {file.relative_to(data)}") > times / 20, file


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
def test_runs(project: Path, tmp_path: Path, times: int) -> None:
    run = tmp_path / "run"
    checkpoint = run / "checkpoints" / "5"
    shutil.copytree(project / "tests" / "golden" / "text", checkpoint)
    save_training_state(checkpoint, {"update": torch.tensor([5])}, {"update": 5})
    for name in ("best.json", "last.json"):
        (run / name).write_text(json.dumps({"update": 5, "metric": "bleu", "value": 1.5}))
    for name in ("training.json", "training.safetensors"):
        fuzz(checkpoint / name, lambda: resume(run), times, name, run)  # a warning names the file
    for name in ("best.json", "last.json"):
        fuzz(run / name, lambda: load_model(run), times, name)
        fuzz(run / name, lambda: resume(run), times, name)
