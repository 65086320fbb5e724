"""`--ensemble-with` as a process of its own: the command gives what the library gives, and refuses in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import torch

import s2s
from tests.tiny import TEXTS, write_model
from tests.tiny_speech import write_speech_model
from tests.tones import RATE

LINES = [*TEXTS[:5], "", "{name} sees a cat"]


def process(*arguments: object, data: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(command, input=data, capture_output=True, check=False, text=True, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of text (`a`, `b`, `c`) and of speech (`ctc`, `pyramid`, `attention`), and recordings."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate("abc", start=1):
        write_model(folder / name, seed=seed)
    write_speech_model(folder / "ctc", ctc=True)
    write_speech_model(folder / "pyramid", ctc=True, seed=4, frontend="pyramid")
    write_speech_model(folder / "attention", ctc=False, seed=5)
    for seed in range(3):
        noise = torch.randn(RATE * (seed + 1), generator=torch.Generator().manual_seed(seed))
        soundfile.write(folder / f"{seed}.wav", (0.1 * noise).numpy(), RATE)
    return folder


@pytest.mark.parametrize("processes", [1, 2])
def test_command_and_library_translate_the_same(folder: Path, processes: int) -> None:
    others = [folder / "b", folder / "c"]
    arguments = ["--ensemble-with", others[0], "--json", "--n-best", 2, "--processes", processes]
    done = process("translate", folder / "a", *arguments, "--ensemble-with", others[1], data="\n".join(LINES))
    assert (done.returncode, done.stderr) == (0, "")
    expected = s2s.load(folder / "a", ensemble_with=others).translate(LINES, n_best=2)
    for line, other in zip(done.stdout.splitlines(), expected, strict=True):
        one, two = json.loads(line), json.loads(other.to_json())
        for mine, theirs in zip([one, *one["n_best"]], [two, *two["n_best"]], strict=True):
            assert mine.pop("score") == pytest.approx(theirs.pop("score"), abs=1e-4)
        assert one == two
    alone = process("translate", folder / "a", data="\n".join(LINES)).stdout.splitlines()
    assert alone != [translation.text for translation in expected]


def test_command_and_library_transcribe_the_same(folder: Path) -> None:
    files = [folder / f"{seed}.wav" for seed in range(3)]
    done = process("transcribe", folder / "ctc", *files, "--ensemble-with", folder / "pyramid", "--format", "json")
    assert done.returncode == 0, done.stderr
    transcriber = s2s.load(folder / "ctc", ensemble_with=[folder / "pyramid"])
    for line, file in zip(done.stdout.splitlines(), files, strict=True):
        (passage,), expected = json.loads(line)["passages"], transcriber.transcribe(file).passages[0]
        assert passage["text"] == expected.text
        assert passage["score"] == pytest.approx(expected.score, abs=1e-4)
        assert [word["text"] for word in passage["words"]] == [word.text for word in expected.words]


@pytest.mark.parametrize(
    ("command", "model", "other", "options", "message", "code"),
    [
        ("translate", "a", "absent", [], "absent", 1),
        ("translate", "a", "a", [], "is named twice", 2),
        ("translate", "a", "ctc", [], "ctc audio: models of an ensemble read the same", 2),
        ("transcribe", "ctc", "a", [], "a text: models of an ensemble read the same", 2),
        ("transcribe", "ctc", "attention", [], "--ctc-weight 0", 2),
        ("transcribe", "ctc", "attention", ["--ctc-weight", "0", "--format", "srt"], "needs times", 2),
        ("transcribe", "ctc", "attention", ["--ctc-weight", "0"], "", 0),
    ],
)
def test_what_cannot_work_together_is_told(
    folder: Path, command: str, model: str, other: str, options: list[str], message: str, code: int
) -> None:
    files = [folder / "0.wav"] if command == "transcribe" else []
    done = process(command, folder / model, *files, "--ensemble-with", folder / other, *options, data="a cat\n")
    assert done.returncode == code, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert bool(done.stdout) == (code == 0)


def test_models_of_other_vocabularies_are_named_with_the_cure(folder: Path, project: Path) -> None:
    golden = project / "tests" / "golden" / "text"
    done = process("translate", folder / "a", "--ensemble-with", golden, data="a cat\n")
    assert (done.returncode, done.stdout) == (2, "")
    told = done.stderr.splitlines()[-1]
    assert f"{folder / 'a'} and {golden} are no ensemble: they do not have the same" in told
    assert "target vocabulary. Train all models on the same prepared data" in told
