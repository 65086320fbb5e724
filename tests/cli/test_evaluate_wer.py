"""`s2s evaluate wer`: plain lines, JSON Lines and standard input, in text and in JSON."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from s2s.cli.main import main
from s2s.evaluation.error_rates import ErrorRateOptions, compare_systems

REFERENCES = ["the cat sat on the mat", "turn off the lights", "Good night", "yes"]
GOOD = ["the cat sat on a mat", "turn off the lights", "good night", "yes"]
BAD = ["a cat on mat", "turn of the light please", "night", "no"]
SPEAKERS = ["anna", "bob", "bob", "carl"]


def json_lines(texts: list[str], speakers: list[str] | None = None, reverse: bool = False) -> str:
    """One object for each text, its id made of its number."""
    rows = [
        {"id": f"u{number}", "text": text, **({"speaker": speakers[number]} if speakers else {})}
        for number, text in enumerate(texts)
    ]
    return "".join(f"{json.dumps(row)}\n" for row in (rows[::-1] if reverse else rows))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with plain lines and JSON Lines of references, of a good system and of a bad one."""
    monkeypatch.chdir(tmp_path)
    for name, lines in {"ref": REFERENCES, "good": GOOD, "bad": BAD, "short": GOOD[1:], "none": [""] * 4}.items():
        (tmp_path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "ref.jsonl").write_text(json_lines(REFERENCES, SPEAKERS), encoding="utf-8")
    (tmp_path / "good.jsonl.gz").write_bytes(gzip.compress(json_lines(GOOD, reverse=True).encode()))
    (tmp_path / "short.jsonl").write_text(json_lines(GOOD[:2]), encoding="utf-8")
    (tmp_path / "twice.jsonl").write_text(json_lines(GOOD) + json_lines(GOOD), encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text("{\n", encoding="utf-8")
    (tmp_path / "textless.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes(b"\xe9\n")
    return tmp_path


def test_rates_of_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six lines below the file's name: two words of thirteen are wrong, in two segments of four."""
    assert main(["evaluate", "wer", "--reference", "ref.txt", "good.txt"]) == 0
    name, wer, cer, ser, words, characters, segments = capsys.readouterr().out.splitlines()
    assert name == "good.txt"
    assert wer.split()[:2] == ["WER", "15.38"]
    assert "  wer|normaliser:none|level:words|resampled:segments|bs:1000|seed:12345|jiwer:" in wer
    assert " to " in wer
    assert cer.split()[:2] == ["CER", "7.41"]
    assert "cer|normaliser:none|level:characters|spaces:counted|" in cer
    assert ser.split()[:2] == ["SER", "50.00"]
    assert words == "  words: 13 in the references; 2 substituted, 0 deleted, 0 inserted"
    assert characters == "  characters: 54 in the references; 2 substituted, 2 deleted, 0 inserted"
    assert segments == "  segments: 4, 2 of them wrong"


def test_json_lines_are_matched_by_id_and_speakers_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hypotheses stand in another order; the values are the library's."""
    options = ["--normalise", "lower", "--json"]
    assert main(["evaluate", "wer", "--reference", "ref.jsonl", "good.jsonl.gz", "bad.txt", *options]) == 0
    result = json.loads(capsys.readouterr().out)
    good, bad = result["systems"]
    systems = {"good": GOOD, "bad": BAD}
    expected = compare_systems(systems, REFERENCES, ErrorRateOptions("lower"), SPEAKERS)
    assert result["segments"] == 4
    assert list(good) == ["name", "wer", "cer", "ser"]
    for name, found in (("good", good), ("bad", bad)):
        for metric, rate in expected[name].items():
            assert found[metric]["score"] == round(rate.value, 2)
            assert found[metric]["signature"] == rate.signature
            assert found[metric]["interval_95"] == [round(rate.lower or 0, 2), round(rate.upper or 0, 2)]
            assert found[metric].get("p_value") == (None if name == "good" else round(rate.p_value or 0, 4))
    assert "|normaliser:lower|level:words|resampled:speakers|" in good["wer"]["signature"]


def test_standard_input_and_details(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are matched with JSON Lines by place; segments are named by the ids of the references."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(BAD).encode())))
    assert main(["evaluate", "wer", "--reference", "ref.jsonl", "--details"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "standard input"
    assert [line.split()[0] for line in lines[9:12]] == ["anna", "bob", "carl"]
    assert lines[lines.index("  u3") + 1 :][:3] == ["    REF  yes", "    HYP  no", "         S"]
    assert "        1  off -> of" in lines


def test_details_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, wrong segments and confusions of each system."""
    assert main(["evaluate", "wer", "--reference", "ref.txt", "good.txt", "bad.txt", "--details", "--json"]) == 0
    good, bad = json.loads(capsys.readouterr().out)["systems"]
    assert list(good["details"]) == ["speakers", "lengths", "wrong", "confusions"]
    assert good["details"]["speakers"] == []
    assert [segment["number"] for segment in bad["details"]["wrong"]] == [1, 2, 3, 4]
    assert bad["details"]["wrong"][2]["pairs"] == [["Good", None], ["night", "night"]]
    assert {"reference": "the", "hypothesis": "a", "count": 1} in good["details"]["confusions"]


@pytest.mark.parametrize(("name", "wrong"), [("none", 2), ("lower", 1), ("words", 1)])
def test_each_normaliser(folder: Path, capsys: pytest.CaptureFixture[str], name: str, wrong: int) -> None:
    """The good system differs in one word, and in case in another."""
    assert main(["evaluate", "wer", "--reference", "ref.txt", "good.txt", "--normalise", name, "--json"]) == 0
    (system,) = json.loads(capsys.readouterr().out)["systems"]
    assert system["wer"]["substitutions"] == wrong
    assert system["wer"]["signature"].startswith(f"wer|normaliser:{name}|")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--reference", "ref.txt", "short.txt"], 1, "short.txt has 3, ref.txt has 4. Nothing was scored."),
        (["--reference", "ref.txt", "empty.txt"], 1, "empty.txt has 0, ref.txt has 4. Nothing was scored."),
        (["--reference", "empty.txt", "empty.txt"], 1, "There are no lines in empty.txt. Nothing was scored."),
        (["--reference", "none.txt", "good.txt"], 1, "no reference has any (normaliser: none). Nothing was scored."),
        (["--reference", "ref.txt", "good.txt", "good.txt"], 2, "given twice"),
        (["--reference", "ref.txt", "--reference", "good.txt", "bad.txt"], 2, "give --reference once"),
        (["--reference", "no.txt", "good.txt"], 1, "no.txt cannot be read: No such file or directory."),
        (["--reference", "ref.txt", "no.jsonl"], 1, "no.jsonl cannot be read: No such file or directory."),
        (["--reference", "ref.txt", "."], 1, ". cannot be read: Is a directory."),
        (["--reference", "ref.txt", "latin.txt"], 1, "latin.txt, line 1, byte 1: 0xe9 is not valid UTF-8."),
        (["--reference", "ref.txt", "bad.jsonl"], 1, "bad.jsonl, line 1 is not JSON"),
        (["--reference", "textless.jsonl", "good.txt"], 1, "textless.jsonl, line 1: the field text is missing"),
        (["--reference", "ref.jsonl", "twice.jsonl"], 1, "twice.jsonl, line 5: the id 'u0' stands on line 1 already."),
        (["--reference", "ref.jsonl", "short.jsonl"], 1, "short.jsonl lacks 2 ids: 'u2', 'u3', which ref.jsonl has."),
        (["--reference", "ref.txt", "good.txt", "--normalise", "whisper"], 2, "'whisper'"),
        (["good.txt"], 2, "--reference"),
    ],
)
def test_wrong_use_of_wer(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int, message: str
) -> None:
    """An error that names what is wrong, and nothing on standard output."""
    assert main(["evaluate", "wer", *arguments]) == exit_code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "bug" not in captured.err
    assert captured.out == ""


def test_the_command_as_a_process(folder: Path) -> None:
    """A pipe in and a pipe out, with bad bytes and without."""
    command = [sys.executable, "-m", "s2s", "evaluate", "wer", "--reference", "ref.txt", "-", "--json"]
    done = subprocess.run(command, input=(folder / "bad.txt").read_bytes(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    (system,) = json.loads(done.stdout)["systems"]
    assert (system["name"], system["wer"]["errors"], system["wer"]["reference_length"]) == ("standard input", 8, 13)
    done = subprocess.run(command, input=b"good\n\xff\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"error: standard input, line 2: it is not valid UTF-8.\n"
