"""`s2s translate` and `s2s score` as their users meet them: lines in, lines out, whatever the lines hold."""

import gzip
import io
import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2s.cli.main import main
from tests.tiny import WORDS, write_model

AWKWARD = st.lists(
    st.sampled_from(
        [b"a cat", b"\n", b"\n", b"\r", b"\0", "\u2028".encode(), b"\xef\xbb\xbf", b"\xff", b"\xe2", b"{x}"]
    ),
    max_size=12,
).map(b"".join)
Translate = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def translate(model: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Translate:
    """Exit code, lines of standard output and the text of standard error, for arguments and standard input."""

    def run(*arguments: str | Path, data: bytes = b"") -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capfdbinary.readouterr()
        status = main(["translate", str(model), *map(str, arguments)])
        written = capfdbinary.readouterr()
        lines = written.out.decode().split("\n")
        assert lines.pop() == ""
        return status, lines, written.err.decode()

    return run


def _process(*arguments: str | Path, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "s2s", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, **options)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(AWKWARD)
def test_as_many_lines_come_out_as_go_in(translate: Translate, data: bytes) -> None:
    status, lines, errors = translate("--beam-size", "1", "--max-length", "4", data=data)
    assert status == (3 if "lost the rest" in errors else 0)
    assert len(lines) == data.count(b"\n") + (data != b"" and not data.endswith(b"\n"))


def test_an_empty_line_stays_empty_and_others_do_not(translate: Translate) -> None:
    status, lines, errors = translate(data=b"a cat\n\n \r\nthe old house\n")
    assert (status, errors) == (0, "")
    assert [bool(line) for line in lines] == [True, False, False, True]


def test_files_are_read_in_order_and_like_standard_input(translate: Translate, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a cat\nthe dog")
    (tmp_path / "two.gz").write_bytes(gzip.compress("\ufeffone house\r\n".encode()))
    _, expected, _ = translate(data=b"a cat\nthe dog\none house\n")
    assert translate(tmp_path / "one", tmp_path / "two.gz") == (0, expected, "")


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_the_lines_and_keep_their_order(translate: Translate, tmp_path: Path, processes: int) -> None:
    lines = [" ".join(WORDS[(n * step) % len(WORDS)] for step in range(n % 7)) for n in range(40)]
    (tmp_path / "one").write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "two").write_text("the cat\n")
    for options in (["--json"], ["--beam-size", "1", "--max-length", "3"]):
        alone = translate(tmp_path / "one", tmp_path / "two", *options)
        together = translate(tmp_path / "one", tmp_path / "two", *options, "--processes", str(processes))
        if options == ["--json"]:
            rows, others = ([json.loads(line) for line in lines] for _, lines, _ in (alone, together))
            for row, other in zip(rows, others, strict=True):
                assert other.pop("score") == pytest.approx(row.pop("score"), abs=1e-4)
                assert [one.pop("score") for one in other["n_best"]] == pytest.approx(
                    [one.pop("score") for one in row["n_best"]], abs=1e-4
                )
                assert row == other
        else:
            assert alone[0] == 3
            assert together == alone
    assert translate("--processes", "2", data=b"a cat\n\nthe dog\n") == translate(data=b"a cat\n\nthe dog\n")


def test_what_no_process_can_do_is_told_once(translate: Translate, tmp_path: Path, model: Path) -> None:
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b broken")
    status, lines, errors = translate(tmp_path / "bad.gz", "--processes", "2")
    assert (status, lines, errors.count("error:")) == (1, [], 1)
    assert "is not sound gzip" in errors
    status, _, errors = translate("--beam-size", "2", "--n-best", "3", "--json", "--processes", "2")
    assert (status, errors.count("error:")) == (2, 1)


def test_json_lines_have_frozen_keys_and_count_over_all_files(translate: Translate, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("a cat\n\n")
    (tmp_path / "two").write_text("the {dog}\n")
    _, lines, _ = translate("--json", "--n-best", "2", tmp_path / "one", tmp_path / "two")
    found = [json.loads(line) for line in lines]
    assert all(list(one) == ["id", "source", "text", "score", "tokens", "alignment", "n_best"] for one in found)
    assert [(one["id"], one["source"]) for one in found] == [(1, "a cat"), (2, ""), (3, "the {dog}")]
    assert [len(one["n_best"]) for one in found] == [2, 1, 2]
    assert all(one["n_best"][0] == {"text": one["text"], "score": one["score"]} for one in found)
    assert all(len(one["alignment"]) == len(one["tokens"]["target"]) for one in found)
    assert all(place < len(one["tokens"]["source"]) for one in found for place in one["alignment"])


def test_options_change_what_they_are_for(translate: Translate) -> None:
    data = b"the old house sees a dog near the tree\n"
    plain = translate("--json", data=data)[1]
    for options in (["--beam-size", "1"], ["--length-penalty", "0"], ["--max-length", "2"], ["--n-best", "3"]):
        assert translate("--json", *options, data=data)[1] != plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n-best", "2"], "--n-best needs --json"),
        (["--n-best", "4", "--json"], "A beam of 3 cannot give 4 translations"),
        (["--beam-size", "1", "--length-penalty", "1"], "--length-penalty has no effect with a beam of 1"),
        (["--beam-size", "0"], "--beam-size"),
        (["--beam-size", "5000"], "--beam-size"),
        (["--length-penalty", "inf"], "--length-penalty"),
        (["--length-penalty", "nan"], "length_penalty"),
        (["--device", "gpu"], "The device 'gpu' cannot be used here"),
        (["--precision", "int4"], "--precision"),
        (["--threads", "0"], "--threads"),
        (["absent.txt"], "absent.txt"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(translate: Translate, options: list[str], message: str) -> None:
    status, lines, errors = translate(*options, data=b"a cat\n")
    assert (status, lines) == (2, [])
    assert message in errors.splitlines()[-1]


def test_what_is_no_model_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", str(tmp_path)]) == 1
    assert "model.json is missing" in capsys.readouterr().err


def test_repaired_and_cut_lines_are_counted(translate: Translate) -> None:
    status, lines, errors = translate(data=b"a \xff\ncat\n\xc3\n" + b"house " * 30 + b"\n")
    assert (status, len(lines)) == (3, 4)
    assert "warning: 2 lines were not valid UTF-8" in errors
    assert "warning: 1 line was longer than 24 tokens" in errors


def test_damaged_gzip_is_told(translate: Translate, tmp_path: Path) -> None:
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"a cat\n" * 1000)[:-20])
    status, _, errors = translate(tmp_path / "text.gz")
    assert status == 1
    assert "text.gz is not sound gzip" in errors


def test_threads_and_precision_are_taken(translate: Translate) -> None:
    before = torch.get_num_threads()
    try:
        status, lines, _ = translate("--threads", "1", "--precision", "bfloat16", data=b"a cat\n")
    finally:
        torch.set_num_threads(before)
    assert (status, len(lines)) == (0, 1)


def test_a_line_is_answered_before_the_next_is_sent_and_a_reader_may_leave(model: Path) -> None:
    with _process("translate", model, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        too_late = threading.Timer(60, process.kill)
        too_late.start()
        for line in (b"a cat\n", b"\n", b"the dog\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().endswith(b"\n")
        too_late.cancel()
        process.stdout.close()
        process.stdin.write(b"a cat\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_on_a_terminal_it_asks_for_lines(model: Path) -> None:
    ours, theirs = pty.openpty()
    with _process("translate", model, stdin=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.read(4) == b"en> "
        os.write(ours, b"a cat\n")
        assert process.stdout.readline().strip()
        assert process.stderr.read(4) == b"en> "
        os.write(ours, b"\x04")
        assert (process.stderr.read(), process.wait()) == (b"\n", 0)
        os.close(ours)


def test_translating_imports_no_package_that_takes_long(model: Path) -> None:
    code = (
        "import sys; from s2s.cli.main import main; status = main(sys.argv[1:]); "
        "print(status, {name for name in ('datasets', 'pyarrow', 'pandas', 'sacrebleu', 'matplotlib', 'torchaudio') "
        "if name in sys.modules})"
    )
    command = [sys.executable, "-c", code, "translate", str(model)]
    result = subprocess.run(command, input=b"a cat\n", capture_output=True, check=True)
    assert result.stdout.split(b"\n")[1] == b"0 set()"


def test_scores_are_one_number_per_line(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "source").write_bytes(b"a cat\n\n\nthe dog")
    (tmp_path / "target").write_bytes(b"the tree\n\nx\nthe \xff\n")
    arguments = ["score", str(model), str(tmp_path / "source"), str(tmp_path / "target")]
    assert main(arguments) == 0
    written = capsys.readouterr()
    numbers = [float(line) for line in written.out.splitlines()]
    assert numbers[0] < 0
    assert numbers[1:3] == [0.0, float("-inf")]
    assert "warning: 1 line was not valid UTF-8" in written.err
    assert main([*arguments, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(list(one) == ["id", "source", "target", "log_prob", "tokens", "token_log_probs"] for one in found)
    assert found[0]["log_prob"] == pytest.approx(numbers[0], abs=1e-6)
    assert found[2]["log_prob"] is None


def test_files_of_unequal_length_are_not_scored(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "source").write_text("a\nb\n")
    (tmp_path / "target").write_text("a\n")
    assert main(["score", str(model), str(tmp_path / "source"), str(tmp_path / "target")]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert "source has 2 lines but" in written.err
