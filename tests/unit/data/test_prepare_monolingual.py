"""Preparation reads a line of one language as a model in use will read it."""

from pathlib import Path

from s2s.data.monolingual import MonolingualData
from s2s.data.prepare_monolingual import PrepareMonolingualOptions, prepare_monolingual
from s2s.data.prepared import open_data
from s2s.text.readers import Side
from tests.tiny import tokenizers

LINES = ["the red\u2028house", "\0", "a\0{name}\x85cat", "\x1c \u2029", "the dog"]


def test_lines_are_cleaned_as_in_use_and_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes("\n".join(LINES).encode())
    parts = dict.fromkeys(("train", "dev", "test"), Side(str(tmp_path / "lines")))
    prepare_monolingual(PrepareMonolingualOptions(parts, "en", tmp_path / "data", tokenizers().target))
    data = open_data(tmp_path / "data")
    assert isinstance(data, MonolingualData)
    kept = [LINES[0], LINES[2], LINES[4]]
    for name in parts:
        segments = data.segments(name)
        assert segments.references() == kept
        drawn = segments.draw(range(3), None)
        plain = ["the red house", "a {name} cat", "the dog"]
        assert [drawn.target(n) for n in range(3)] == [data.codec.encode(line) for line in plain]
        assert [data.codec.encode(line) for line in kept] == [data.codec.encode(line) for line in plain]
    assert data.manifest["parts"]["dev"]["taken"] == {"empty": 2, "too long": 0}
