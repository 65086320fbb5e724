"""`s2s evaluate bleu`: files and standard input, in text and in JSON."""

import gzip
import io
import json
from pathlib import Path

import pytest

from s2s.cli.main import main

REFERENCES = [f"Set the value of {{name}} to {number} in the kitchen" for number in range(12)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with references, a good system, a worse one and one that is a line short; it is the current one."""
    monkeypatch.chdir(tmp_path)
    good = [line.replace("kitchen", "kitchens") if number % 4 == 0 else line for number, line in enumerate(REFERENCES)]
    bad = [line.replace("{name}", "name").replace("value", "worth") for line in good]
    for name, lines in {"test.en": REFERENCES, "good": good, "bad": bad, "short": good[1:]}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return tmp_path


def test_scores_of_a_file_with_signatures_and_placeholders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four lines below the file's name, on standard output."""
    assert main(["evaluate", "bleu", "--reference", "test.en", "bad"]) == 0
    name, bleu, chrf, ter, placeholders = capsys.readouterr().out.splitlines()
    assert name == "bad"
    assert bleu.split()[0] == "BLEU"
    assert "|tok:13a|" in bleu
    assert chrf.split()[0] == "chrF2"
    assert ter.split()[0] == "TER"
    assert "12 expected, 12 lost, 0 invented" in placeholders


def test_json_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object; the references are gzip-compressed, and their suffix names the language."""
    (folder / "test.ja.gz").write_bytes(gzip.compress("設定を変更します\r\n接続できません".encode()))
    text = io.TextIOWrapper(io.BytesIO("設定を変更します\n接続できます\n".encode()))
    monkeypatch.setattr("sys.stdin", text)
    assert main(["evaluate", "bleu", "--reference", "test.ja.gz", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["segments"] == 2
    (system,) = result["systems"]
    assert list(system) == ["name", "bleu", "chrf", "ter", "placeholders"]
    assert list(system["bleu"]) == ["score", "confidence_95", "signature"]
    assert "|tok:char|" in system["bleu"]["signature"]
    assert 50 < system["bleu"]["score"] < 100


def test_several_files_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only those after the first have a p-value; a named tokenizer and lower case are in the signature."""
    options = ["--tokenize", "intl", "--lowercase", "--json"]
    assert main(["evaluate", "bleu", "--reference", "test.en", "good", "bad", *options]) == 0
    good, bad = json.loads(capsys.readouterr().out)["systems"]
    assert "p_value" not in good["bleu"]
    assert bad["bleu"]["p_value"] < 0.05
    assert "case:lc" in bad["bleu"]["signature"]
    assert "tok:intl" in bad["bleu"]["signature"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--reference", "test.en", "short"], 1, "short has 11, test.en has 12. Nothing was scored."),
        (["--reference", "test.en", "good", "good"], 2, "given twice"),
        (["--reference", "none.en", "good"], 1, "none.en cannot be read"),
        (["--reference", "test.en", "good", "--tokenize", "moses"], 2, "'moses'"),
        (["good"], 2, "--reference"),
    ],
)
def test_wrong_use(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int, message: str
) -> None:
    """An error that names what is wrong, and nothing on standard output."""
    assert main(["evaluate", "bleu", *arguments]) == exit_code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_bad_bytes_on_standard_input_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the number of the line."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"good\n\xff\n")))
    assert main(["evaluate", "bleu", "--reference", "test.en"]) == 1
    assert "standard input, line 2" in capsys.readouterr().err
