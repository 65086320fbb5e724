"""`s2s prepare text` as its users meet it: a real process, from files to prepared data or to one clear sentence."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.cli.main import main
from s2s.data.parallel_text import open_text
from tests.cli.processes import unmeasured
from tests.digits import write_pairs

Prepare = Callable[..., tuple[int, str]]
S2S = Path(sys.executable).with_name("s2s")
SIZES = {"train": 60, "dev": 8, "test": 8}


def arguments(folder: Path, output: str | Path, **replaced: tuple[str | Path, str | Path]) -> list[str]:
    """`prepare text` of the files in `folder`, some parts taken from elsewhere."""
    parts: dict[str, tuple[str | Path, str | Path]] = {
        part: (folder / f"{part}.ahead", folder / f"{part}.back") for part in SIZES
    }
    words = ["prepare", "text", "--languages", "en-de", "--output", str(output)]
    for part, sides in (parts | replaced).items():
        words += [f"--{part}", *map(str, sides)]
    return words


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of plain text files, two for each part."""
    write_pairs(tmp_path / "text", SIZES)
    return tmp_path / "text"


@pytest.fixture
def prepare(tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> Prepare:
    """Exit code and standard error for parts and further options; the data would be `made/data`."""

    def run(*options: str, **replaced: tuple[str | Path, str | Path]) -> tuple[int, str]:
        status = main([*arguments(corpus, tmp_path / "made" / "data", **replaced), *options])
        written = capsys.readouterr()
        assert written.out == ""
        return status, written.err

    return run


@pytest.fixture
def refused(prepare: Prepare, tmp_path: Path) -> Prepare:
    """Like `prepare`, for what must fail with one sentence and write nothing, not even a folder on the way."""

    def run(*options: str, **replaced: tuple[str | Path, str | Path]) -> tuple[int, str]:
        before = sorted(tmp_path.rglob("*"))
        status, errors = prepare(*options, **replaced)
        assert sorted(tmp_path.rglob("*")) == before
        return status, errors.splitlines()[-1]

    return run


def test_a_process_writes_data_and_tells_on_standard_error(corpus: Path, tmp_path: Path) -> None:
    with (corpus / "train.ahead").open("a") as ahead, (corpus / "train.back").open("a") as back:
        ahead.write("\n1 2\n1 2\n7 7\n" + "1 " * 40 + "\n")
        back.write("3\n2 1\n2 1\n7 7\n4\n")
    done = subprocess.run(
        [str(S2S), *arguments(corpus, "new/data"), "--units", "characters"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    manifest = json.loads((tmp_path / "new" / "data" / "manifest.json").read_text())
    train = manifest["parts"]["train"]
    assert done.stdout == ""
    assert f"train: {train['kept']} of 65 segments; taken by filters: empty 1, length ratio 1" in done.stderr
    assert "dev: 8 of 8 segments\n" in done.stderr
    assert done.stderr.splitlines()[-1] == "wrote new/data"
    assert train["kept"] + sum(train["taken"].values()) == train["read"] == 65
    data = open_text(tmp_path / "new" / "data")
    assert data.languages == ("en", "de")
    assert data.segments("dev").column("source") == (corpus / "dev.ahead").read_text().split("\n")[:-1]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["data"]


def test_a_process_that_is_stopped_while_it_reads_leaves_nothing_behind(corpus: Path, tmp_path: Path) -> None:
    endless = corpus / "endless"
    endless.write_bytes(b"1 2 3\n" * 3_000_000)
    before = sorted(tmp_path.rglob("*"))
    command = [str(S2S), *arguments(corpus, tmp_path / "new" / "data", train=(endless, endless))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=unmeasured()) as process:
        while process.poll() is None and not list(tmp_path.glob("new/.data.work/train.part")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    assert sorted(tmp_path.rglob("*")) == before


def test_a_process_that_is_stopped_while_it_learns_ends_at_once(corpus: Path, tmp_path: Path) -> None:
    draw = random.Random(1)
    syllables = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
    lines = [" ".join("".join(draw.choices(syllables, k=4)) for _ in range(8)) for _ in range(20_000)]
    slow = corpus / "takes.minutes", corpus / "to.learn"
    slow[0].write_text("\n".join(lines))
    slow[1].write_text("\n".join(lines).upper())
    before = sorted(tmp_path.rglob("*"))
    command = [str(S2S), *arguments(corpus, tmp_path / "data", train=slow)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=unmeasured()) as process:
        assert process.stderr is not None
        while process.poll() is None and not process.stderr.readline().startswith(b"learning"):
            pass
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 143, said.decode()
    assert b".data.work keeps what is done; the same command goes on from there." in said
    shutil.rmtree(tmp_path / ".data.work")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_existing_output_is_not_touched(prepare: Prepare, tmp_path: Path) -> None:
    (tmp_path / "made" / "data").mkdir(parents=True)
    (tmp_path / "made" / "data" / "mine").write_text("precious")
    status, errors = prepare()
    assert status == 2
    assert errors == f"error: {tmp_path}/made/data exists already. Name another folder, or remove it.\n"
    assert (tmp_path / "made" / "data" / "mine").read_text() == "precious"


def test_bad_bytes_name_file_line_and_byte(refused: Prepare, corpus: Path) -> None:
    bad = corpus / "bad"
    bad.write_bytes(b"1 2\n3 \xe2\x28\n4\n")
    for part in ("train", "dev"):
        status, error = refused(**{part: (bad, bad)})
        assert (status, error.split(": ", 2)[1]) == (1, f"{bad}, line 2, byte 3")
        assert "0xe2" in error


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_unequal_counts_name_both_files_and_their_lines(refused: Prepare, corpus: Path, part: str) -> None:
    longer, shorter = corpus / f"{part}.ahead", corpus / f"{part}.back"
    shorter.write_text("\n".join(shorter.read_text().split("\n")[:5]))
    for sides, counts in (((longer, shorter), (SIZES[part], 5)), ((shorter, longer), (5, SIZES[part]))):
        expected = f"{sides[0]} has {counts[0]} lines but {sides[1]} has {counts[1]}. Nothing was written."
        assert refused(**{part: sides}) == (1, f"error: {expected}")


def test_a_corpus_of_which_nothing_is_left_names_the_filter_that_took_most(refused: Prepare, corpus: Path) -> None:
    (corpus / "none").write_text("")
    (corpus / "blank").write_text(" \n" * 5 + "1\n")
    assert refused(train=(corpus / "none", corpus / "none"))[1].startswith(
        "error: Nothing is left of 0 segments of train: its files are empty."
    )
    status, error = refused(train=(corpus / "blank", corpus / "blank"))
    assert status == 1
    assert 'of 6 segments of train: the filter "empty" took most of them, 5.' in error
    status, error = refused(train=(corpus / "train.ahead", corpus / "train.ahead"))
    assert 'the filter "copy of the source" took most of them, 60.' in error


def test_a_missing_file_is_found_before_anything_is_read(refused: Prepare, prepare: Prepare, corpus: Path) -> None:
    status, error = refused(test=(corpus / "test.ahead", corpus / "nothing.back"))
    assert status == 2
    assert error.startswith(f"error: There is no file {corpus}/nothing.back.")
    assert "train:" not in prepare(test=(corpus / "test.ahead", corpus))[1]


def test_a_data_set_that_cannot_be_loaded_is_one_sentence(refused: Prepare, corpus: Path) -> None:
    status, error = refused(train=("datasets:some/corpus@train#en", corpus / "train.back"))
    assert status == 1
    assert error.startswith("error: The data set some/corpus cannot be loaded: ")
    assert error.endswith("Without a network, download it elsewhere and give its folder.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--languages", "de"], "--languages de is not of the form SOURCE-TARGET"),
        (["--units", "characters", "--vocabulary-size", "300"], "no effect"),
        (["--vocabulary-size", "40"], "A vocabulary of 40 does not fit this corpus: it must have more than"),
        (["--vocabulary-size", "4000"], "A vocabulary of 4,000 does not fit this corpus: it must have at most"),
        (["--units", "bpe", "--vocabulary-size", "40"], "A vocabulary of 40 does not fit"),
        (["--units", "bpe", "--vocabulary-size", "9000"], "A vocabulary of 9,000 does not fit"),
        (["--max-length", "0"], "--max-length"),
    ],
)
def test_wrong_use_is_exit_code_2_and_says_the_cure(refused: Prepare, options: list[str], message: str) -> None:
    status, error = refused(*options)
    assert status == 2
    assert message in error


def test_the_bound_that_an_error_names_works(prepare: Prepare) -> None:
    _, errors = prepare("--vocabulary-size", "4000")
    most = errors.rpartition("at most ")[2].split()[0]
    status, errors = prepare("--vocabulary-size", most)
    assert status == 0
    assert f"joint vocabulary: {most} unigram\n" in errors


@pytest.mark.long
def test_a_hub_that_cannot_be_reached_is_given_up_in_time(corpus: Path, tmp_path: Path) -> None:
    command = [str(S2S), *arguments(corpus, "data", train=("datasets:some/corpus@train#en", corpus / "train.back"))]
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"},
    )
    assert time.monotonic() - began < 60
    assert done.returncode == 1
    assert "Retrying" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: The data set some/corpus cannot be loaded: ")
    assert not (tmp_path / "data").exists()
