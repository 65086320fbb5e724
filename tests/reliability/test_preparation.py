"""An interrupted preparation goes on: the same data, no step made twice; what fails or changes begins anew."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from s2s.data import encoding, prepare_text
from s2s.data.parallel_text import open_text
from s2s.data.prepare_text import PrepareTextOptions
from s2s.errors import DataError, S2SError, UsageError
from s2s.files import locked
from s2s.text.learning import learn
from s2s.text.readers import Side
from tests.unit.data.conftest import PARTS, write_parts
from tests.unit.data.test_prepare_text import contents


@pytest.fixture
def options(tmp_path: Path) -> PrepareTextOptions:
    return PrepareTextOptions(write_parts(tmp_path / "text", PARTS), ("en", "de"), tmp_path / "data")


def columns(folder: Path) -> dict[str, Any]:
    data = open_text(folder)
    return {part: data.table(part).to_dict() for part in PARTS}


def test_shards_by_several_processes_are_as_one(
    options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare_text.prepare_text(options)
    monkeypatch.setattr(encoding, "SHARD_ROWS", 37)
    monkeypatch.setattr(encoding, "cores", lambda: 3)
    prepare_text.prepare_text(PrepareTextOptions(options.parts, options.languages, tmp_path / "sharded"))
    assert columns(tmp_path / "sharded") == columns(options.output)
    assert len(open_text(options.output).segments("train")) > 5 * 37


def test_a_process_that_fails_ends_it(options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "SHARD_ROWS", 300)
    monkeypatch.setattr(encoding, "__name__", "s2s.data.absent")
    with pytest.raises(S2SError, match="A process that encodes text failed with exit code 1"):
        prepare_text.prepare_text(options)
    assert sorted(path.name for path in options.output.parent.iterdir()) == [".data.work", "text"]


@pytest.mark.parametrize(
    ("step", "call", "read_again"),
    [("_filter", 2, 4), ("_learn", 1, 0), ("encode_part", 2, 0), ("_manifest", 1, 0)],
)
def test_each_step_is_made_once(
    options: PrepareTextOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: str,
    call: int,
    read_again: int,
) -> None:
    output = options.output
    prepare_text.prepare_text(options)
    straight = contents(output)
    output.rename(output.with_name("straight"))
    original, calls = getattr(prepare_text, step), iter(range(1, 100))

    def interrupted(*arguments: Any) -> Any:
        return interrupt() if next(calls) == call else original(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare_text, step, interrupted)
        prepare_text.prepare_text(options)
    assert not output.exists()
    assert "the same command goes on from there" in capsys.readouterr().err
    read: list[str] = []
    monkeypatch.setattr(Side, "__iter__", counting(read))
    if step in ("encode_part", "_manifest"):
        monkeypatch.setattr(prepare_text, "_learn", lambda *_: pytest.fail("it has learnt twice"))
    prepare_text.prepare_text(options)
    assert contents(output) == straight
    assert len(read) == read_again
    assert not output.with_name(".data.work").exists()


def counting(read: list[str]) -> Any:
    original = Side.__iter__

    def iterate(self: Side) -> Iterator[str]:
        read.append(self.spec)
        return original(self)

    return iterate


def test_a_changed_corpus_or_option_begins_anew(
    options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare_text, "save_part", interrupt)
        prepare_text.prepare_text(options)
    write_parts(tmp_path / "text", PARTS | {"dev": PARTS["dev"][:7]})
    prepare_text.prepare_text(options)
    assert len(open_text(options.output).segments("dev")) == 7


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_changed_data_set_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"
    folder.mkdir()

    def write(name: str, count: int) -> tuple[Side, Side]:
        rows = ({"de": f"Haus {number}", "en": f"house {number}"} for number in range(count))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        split = {"dev": "validation"}.get(name, name)
        return Side(f"datasets:{folder}@{split}#en"), Side(f"datasets:{folder}@{split}#de")

    parts = {name: write(name, count) for name, count in (("train", 200), ("dev", 20), ("test", 5))}
    options = PrepareTextOptions(parts, ("en", "de"), tmp_path / "data", units="characters")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare_text, "save_part", interrupt)
        prepare_text.prepare_text(options)
    write("dev", 7)
    prepare_text.prepare_text(options)
    assert len(open_text(options.output).segments("dev")) == 7


@pytest.mark.parametrize("name", ["train.arrow", "train.0.arrow"])
@pytest.mark.parametrize("size", [0, 5000])
def test_a_file_that_lost_its_end_is_made_again(
    options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, size: int
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare_text, "_manifest", interrupt)
        prepare_text.prepare_text(options)
    os.truncate(tmp_path / ".data.work" / name, size)
    prepare_text.prepare_text(options)
    prepare_text.prepare_text(replace(options, output=tmp_path / "straight"))
    assert contents(options.output) == contents(tmp_path / "straight")


@pytest.mark.parametrize("place", ["s2s.data.prepare_text.save_part", "s2s.data.work.commit_folder"])
def test_what_is_done_outlives_a_full_disk(
    options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(place, full)
        prepare_text.prepare_text(options)
    assert {path.name for path in tmp_path.iterdir()} == {"text", ".data.work"}
    monkeypatch.setattr(prepare_text, "_learn", lambda *_: pytest.fail("it has learnt twice"))
    prepare_text.prepare_text(options)
    assert {path.name for path in tmp_path.iterdir()} == {"text", "data"}


def test_a_folder_of_someone_else_is_left_alone(options: PrepareTextOptions, tmp_path: Path) -> None:
    thesis = tmp_path / ".data.work" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.write_text("all my work")
    with pytest.raises(UsageError, match="is in the way"):
        prepare_text.prepare_text(options)
    assert thesis.read_text() == "all my work"


@pytest.mark.parametrize("left", [["plan.json", "train.arrow"], [".lock", ".plan.json.x1y2"]])
def test_what_a_kill_left_at_the_start_is_no_hindrance(
    options: PrepareTextOptions, tmp_path: Path, left: list[str]
) -> None:
    (tmp_path / ".data.work").mkdir()
    for name in left:
        (tmp_path / ".data.work" / name).write_text("{")
    prepare_text.prepare_text(options)
    assert {path.name for path in tmp_path.iterdir()} == {"text", "data"}


def test_a_kill_while_the_old_work_goes_leaves_its_plan(
    options: PrepareTextOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / ".data.work"
    old.mkdir()
    for name in ("plan.json", "train.arrow", "train.json"):
        (old / name).write_text("{}")
    removed: list[str] = []
    original = Path.unlink

    def unlink(self: Path, *arguments: Any, **named: Any) -> None:
        removed.append(self.name)
        original(self, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        prepare_text.prepare_text(options)
    assert {"train.arrow", "train.json"} <= set(removed)
    assert "plan.json" not in removed


def test_an_interruption_that_feeds_the_learner_stays_one() -> None:
    def endless() -> Iterator[str]:
        for number in range(10**6):
            yield f"line {number} of a corpus " * 50
            if number == 5000:
                raise SystemExit(143)

    for _ in range(3):
        with pytest.raises(SystemExit):
            learn(endless(), {"model_type": "unigram", "vocab_size": 100, "minloglevel": 2})


def test_what_fails_leaves_nothing(options: PrepareTextOptions, tmp_path: Path) -> None:
    (tmp_path / "text" / "dev.target").write_bytes(b"\xff\n" * 30)
    with pytest.raises(DataError, match="not valid UTF-8"):
        prepare_text.prepare_text(options)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_two_cannot_prepare_the_same(options: PrepareTextOptions, tmp_path: Path) -> None:
    (tmp_path / ".data.work").mkdir()
    with locked(tmp_path / ".data.work", ""), pytest.raises(UsageError, match="Another process prepares"):
        prepare_text.prepare_text(options)


COMMAND = """
import sys
from pathlib import Path
from s2s.data import encoding, prepare_text
from s2s.text.readers import Side

encoding.SHARD_ROWS = 1000
parts = {part: (Side(f"text/{part}.source"), Side(f"text/{part}.target")) for part in ("train", "dev", "test")}
prepare_text.prepare_text(prepare_text.PrepareTextOptions(parts, ("en", "de"), Path("killed")))
"""


def test_killed_while_it_encodes_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [(f"{source} {number}", f"{target} {number}") for number in range(30) for source, target in PARTS["train"]]
    write_parts(tmp_path / "text", PARTS | {"train": many})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(encoding, "SHARD_ROWS", 1000)
    parts = {name: (Side(f"text/{name}.source"), Side(f"text/{name}.target")) for name in PARTS}
    work = tmp_path / ".killed.work"
    with subprocess.Popen([sys.executable, "-c", COMMAND], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(work.glob("train.*.arrow")) and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()
    assert list(work.glob("train.*.arrow"))
    assert not Path("killed").exists()
    prepare_text.prepare_text(PrepareTextOptions(parts, ("en", "de"), Path("killed")))
    assert "going on with what an interrupted preparation left" in capsys.readouterr().err
    prepare_text.prepare_text(PrepareTextOptions(parts, ("en", "de"), Path("straight")))
    assert contents(Path("killed")) == contents(Path("straight"))
    assert not work.exists()
