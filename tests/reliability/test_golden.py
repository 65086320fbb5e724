"""Models that an earlier version wrote: they must load for ever, and give what they gave.

`tests/golden` holds a translator (strings of digits to their reverse) and a transcriber (tones to words), trained by
s2s 0.1.0, an input of each, and what they made of it in `expected.json`. Neither is ever made anew: where a change of
the format is meant, the version of the format grows, and the models of older ones go on being read.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

import s2s
from s2s.cli.main import main
from s2s.errors import ModelError
from s2s.inference.transcriber import Transcriber
from s2s.inference.translator import Translator


@pytest.fixture(scope="module")
def golden(project: Path) -> Path:
    return project / "tests" / "golden"


@pytest.fixture(scope="module")
def expected(golden: Path) -> Any:
    return json.loads((golden / "expected.json").read_text())


def test_the_translator_gives_what_it_gave(golden: Path, expected: Any) -> None:
    translator = s2s.load(golden / "text")
    assert isinstance(translator, Translator)
    found = translator.translate([row["source"] for row in expected["text"]], n_best=2)
    for row, translation in zip(expected["text"], found, strict=True):
        assert [one.text for one in translation.n_best] == row["n_best"]
        assert translation.score == pytest.approx(row["score"], abs=1e-4)
        assert list(translation.alignment) == row["alignment"]
    assert sum(row["n_best"][0] == " ".join(reversed(row["source"].split())) for row in expected["text"]) >= 4


def test_the_transcriber_gives_what_it_gave(golden: Path, expected: Any) -> None:
    transcriber = s2s.load(golden / "audio")
    assert isinstance(transcriber, Transcriber)
    found = transcriber.transcribe(golden / "tones.flac")
    assert found.text == expected["audio"]["text"]
    assert found.passages[0].score == pytest.approx(expected["audio"]["score"], abs=1e-4)
    for word, row in zip(found.words, expected["audio"]["words"], strict=True):
        assert word.text == row["text"]
        assert (word.start, word.end) == pytest.approx((row["start"], row["end"]), abs=1e-3)
        assert word.confidence == pytest.approx(row["confidence"], abs=1e-3)
    assert math.isclose(found.seconds, expected["audio"]["seconds"])


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_a_version_that_is_not_known_is_told(golden: Path, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "model"
    shutil.copytree(golden / kind, copy)
    record = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(record | {"version": record["version"] + 1}))
    with pytest.raises(ModelError, match="version"):
        s2s.load(copy)


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_info_reads_them(golden: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(golden / kind)]) == 0
    assert "parameters" in capsys.readouterr().out
