"""`s2s export` as a process of its own, on the golden models: the folder gives what the model gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import s2s
from s2s.cli.main import main

LINES = ["1 2 3", "", "7 0 0 4", "{name} 5", "9 8 7 6 5 4"]


def process(*arguments: object, data: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(command, input=data, capture_output=True, check=False, text=True, env=environment)


@pytest.fixture(scope="module")
def golden(project: Path) -> Path:
    return project / "tests" / "golden"


def test_an_exported_model_translates_as_before(golden: Path, tmp_path: Path) -> None:
    done = process("export", golden / "text", "--format", "onnx", "--output", tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{tmp_path / 'out'} holds the graphs and all that belongs to them.\n"
    done = process("translate", tmp_path / "out", "--json", "--n-best", "2", data="\n".join(LINES))
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for one, expected in zip(found, s2s.load(golden / "text").translate(LINES, n_best=2), strict=True):
        theirs = json.loads(expected.to_json())
        assert one["score"] == pytest.approx(theirs["score"], abs=1e-5)
        assert [each.pop("text") for each in one["n_best"]] == [each.pop("text") for each in theirs["n_best"]]
        assert {**one, "score": 0, "n_best": 0} == {**theirs, "score": 0, "n_best": 0}


def test_an_exported_model_transcribes_as_before(golden: Path, tmp_path: Path) -> None:
    assert process("export", golden / "audio", "--format", "onnx", "--output", tmp_path / "out").returncode == 0
    done = process("transcribe", tmp_path / "out", golden / "tones.flac", "--format", "srt")
    original = process("transcribe", golden / "audio", golden / "tones.flac", "--format", "srt")
    assert (done.returncode, done.stdout) == (0, original.stdout)
    expected = json.loads((golden / "expected.json").read_text(encoding="utf-8"))["audio"]
    transcript = s2s.load(tmp_path / "out").transcribe(golden / "tones.flac")
    assert transcript.text == expected["text"]
    assert transcript.passages[0].score == pytest.approx(expected["score"], abs=1e-4)
    assert [word.start for word in transcript.words] == pytest.approx([word["start"] for word in expected["words"]])
    assert " parameters as two ONNX graphs, " in process("info", tmp_path / "out").stdout


def test_starting_needs_no_onnxruntime(golden: Path) -> None:
    code = "import s2s, sys; s2s.load(sys.argv[1]); print({'onnx', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, golden / "text"], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["MODEL", "--format", "onnx", "--output", "TMP"], 2, "exists already. Name another folder, or remove it."),
        (["TMP", "--format", "onnx", "--output", "TMP/x"], 1, "is not a model directory: model.json is missing"),
        (["MODEL", "--format", "onnx", "--output", "TMP/file/x"], 1, "TMP/file"),
        pytest.param(
            ["MODEL", "--format", "onnx", "--output", "/proc/x"],
            1,
            "error: /proc/x: cannot be made (No such file or directory); name another folder.",
            marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place without folders of others"),
        ),
        (["MODEL", "--format", "tflite", "--output", "TMP/x"], 2, "'tflite' is not 'onnx'"),
        (["MODEL", "--output", "TMP/x"], 2, "Missing option '--format'"),
    ],
    ids=["exists", "no model", "no folder", "cannot be written", "format", "no format"],
)
def test_what_cannot_be_exported_is_told(
    arguments: list[str], code: int, message: str, golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    given = [word.replace("MODEL", str(golden / "text")).replace("TMP", str(tmp_path)) for word in arguments]
    assert main(["export", *given]) == code
    shown = capsys.readouterr()
    assert message.replace("TMP", str(tmp_path)) in shown.err
    assert shown.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
