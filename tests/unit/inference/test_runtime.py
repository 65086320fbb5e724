"""Where a device's memory is too small for a batch."""

import pytest
import torch

from s2s.errors import S2SError
from s2s.inference.runtime import in_halves
from s2s.inference.translator import Translator
from tests.tiny import write_model


def search(items: list[int], room: int) -> list[int]:
    if len(items) > room:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return [item * item for item in items]


def test_a_batch_that_does_not_fit_is_halved(capsys: pytest.CaptureFixture[str]) -> None:
    found = in_halves(lambda items: search(items, 2), list(range(7)), "")
    assert found == [n * n for n in range(7)]
    said = capsys.readouterr().err
    assert "too small for 7 segments at once; going on with 3" in said
    assert said.count("warning:") == 3  # of 7, of the second half's 4, and no more


def test_a_segment_that_does_not_fit_is_an_error_with_its_cure() -> None:
    with pytest.raises(S2SError, match="too small for one segment: lower the beam"):
        in_halves(lambda items: search(items, 0), [1, 2], "lower the beam")


def test_translations_do_not_change_by_it(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    translator = Translator.load(write_model(Path(str(tmp_path)) / "tiny"))
    lines = ["the cat", "a red house", "one dog and two", "", "the tree"]
    expected = [translation.text for translation in translator.translate(lines)]
    original = Translator._search_at_once

    def small(self: Translator, segments: list[object], *rest: object) -> object:
        if len(segments) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(self, segments, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Translator, "_search_at_once", small)
    assert [translation.text for translation in translator.translate(lines)] == expected
