"""prepare.py: from a folder of files to prepared data."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recipes.translation import prepare
from s2s.data.parallel_text import open_text
from s2s.errors import DataError, UsageError

NOUNS = {"dog": "Hund", "cat": "Kater", "man": "Mann", "boy": "Junge", "bird": "Vogel"}
VERBS = {"runs": "rennt", "sleeps": "schläft", "sings": "singt", "eats": "isst"}
Prepare = Callable[..., Path]


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """A folder of Multi30k's shape with sixty captions for training."""
    pairs = [
        (f"A {n} {v} in {y}.", f"Ein {m} {w} in {y}.")
        for n, m in NOUNS.items()
        for v, w in VERBS.items()
        for y in "123"
    ]
    parts = {"train": pairs[:48], "val": pairs[48:52], "test_2016_flickr": pairs[52:56], "test_2017_flickr": pairs[56:]}
    folder = tmp_path / "captions"
    folder.mkdir()
    for name, chosen in parts.items():
        for side, language in enumerate(("en", "de")):
            (folder / f"{name}.{language}").write_text("".join(f"{pair[side]}\n" for pair in chosen), encoding="utf-8")
    return folder


def run(*arguments: object) -> None:
    """The script's command in this process."""
    prepare.command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_a_corpus_becomes_prepared_data_with_its_origin(captions: Path, tmp_path: Path) -> None:
    """All parts, the further test too, with raw text; what the data is stands beside its manifest."""
    data = tmp_path / "data"
    run("multi30k", "--languages", "de-en", "--from-dir", captions, "--output", data)
    prepared = open_text(data)
    assert prepared.languages == ("de", "en")
    assert list(prepared.manifest["parts"]) == ["train", "dev", "test", "test_2017_flickr"]
    assert len(prepared.segments("train")) == 48
    assert prepared.segments("test_2017_flickr").column("source")[0] == "Ein Vogel singt in 3."
    origin = json.loads((data / "corpus.json").read_text(encoding="utf-8"))
    assert (origin["corpus"], origin["dropped"]) == ("multi30k", {})
    assert "research" in origin["licence"]


def test_nothing_is_fetched_when_the_output_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus is not even opened."""
    monkeypatch.setitem(prepare.CORPORA, "ui_strings", lambda languages, folder: pytest.fail("it was read"))
    with pytest.raises(UsageError, match="exists already"):
        run("ui_strings", "--output", tmp_path)


def test_a_failure_leaves_nothing_behind(captions: Path, tmp_path: Path) -> None:
    """Neither data nor an origin."""
    (captions / "val.de").unlink()
    with pytest.raises(DataError, match=r"lacks val\.de"):
        run("multi30k", "--from-dir", captions, "--output", tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["captions"]


def test_the_script_runs_from_anywhere_and_ends_with_the_codes_of_s2s(project: Path, tmp_path: Path) -> None:
    """It finds its modules by itself; a wrong use is 2, an error that is told 1."""
    script = str(project / "recipes/translation/prepare.py")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "ui_strings" in call("--help").stdout
    wrong = call("ui_string", "--output", "data")
    assert wrong.returncode == 2
    assert "ui_strings" in wrong.stderr
    missing = call("ui_strings", "--from-dir", ".", "--output", "data")
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
