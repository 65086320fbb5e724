"""The keys of what s2s writes, in files and with --json, are those of surface.json: growth is a decision."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors import safe_open

from s2s.checkpoint.tuned import Comparison, Tuned, TunedSearch
from s2s.cli.main import main
from s2s.config import DecodingConfig, to_document
from s2s.data.parallel_text import open_text

pytestmark = pytest.mark.xdist_group("worked_example")

Frozen = Callable[[str, object], None]
NAMED_BY_DATA = {"files", "parts", "taken", "versions", "tensors"}
CONFIGS = {"config", "model", "decoding"}


def keys(value: object, path: str = "") -> Iterator[str]:
    """The dotted keys of a JSON value; of a list its members', of an object named by data `*`, configs not opened."""
    if isinstance(value, list) and any(isinstance(member, dict) for member in value):
        for member in value:
            yield from keys(member, f"{path}[]")
    elif isinstance(value, dict) and path not in CONFIGS:
        for name, member in value.items():
            shown = "*" if path.rpartition(".")[2] in NAMED_BY_DATA else name
            yield from keys(member, f"{path}.{shown}".lstrip("."))
    else:
        yield path


def keys_in(path: Path) -> list[str]:
    """The keys of a JSON file, or of the objects of a JSON Lines file."""
    lines = (
        path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text(encoding="utf-8")]
    )
    return sorted({key for line in lines for key in keys(json.loads(line))})


def tensors(path: Path) -> list[str]:
    """The names of the tensors in a file; what training keeps for each of the model's own is one name."""
    with safe_open(path, framework="pt") as file:
        names = file.keys()
    return sorted({re.sub(r"^(average|optimiser)\.\d+|^(weight)\..*", r"\1\2.*", name) for name in names})


@pytest.fixture
def run(worked_example: Path) -> Path:
    """The run of the worked example."""
    return worked_example / "runs" / "mine"


def test_the_worked_example_translates_line_by_line(worked_example: Path) -> None:
    translated = (worked_example / "hypotheses.de").read_text(encoding="utf-8")
    assert translated.count("\n") == 20


def test_prepared_data(worked_example: Path, frozen: Frozen) -> None:
    data = open_text(worked_example / "data" / "mine")
    frozen("DATA/manifest.json", keys_in(worked_example / "data" / "mine" / "manifest.json"))
    frozen("DATA columns", sorted(data.segments("train").table.column_names))


def test_a_run(run: Path, frozen: Frozen) -> None:
    names = [path for path in sorted(run.iterdir()) if path.suffix in {".json", ".jsonl"}]
    frozen("RUN", sorted(path.name for path in run.iterdir() if not path.name.startswith(".")))
    frozen("RUN keys", {path.name: keys_in(path) for path in names})


def test_a_checkpoint(run: Path, frozen: Frozen) -> None:
    checkpoint = run / "checkpoints" / "4"
    frozen("checkpoint", sorted(path.name for path in checkpoint.iterdir()))
    frozen("checkpoint keys", {path.name: keys_in(path) for path in sorted(checkpoint.glob("*.json"))})
    frozen("checkpoint tensors", {path.name: tensors(path) for path in sorted(checkpoint.glob("*.safetensors"))})


def test_an_exported_folder(run: Path, tmp_path: Path, frozen: Frozen) -> None:
    assert main(["export", str(run), "--format", "onnx", "--output", str(tmp_path / "x")]) == 0
    frozen("exported", sorted(path.name for path in (tmp_path / "x").iterdir()))
    frozen("exported keys", {path.name: keys_in(path) for path in sorted((tmp_path / "x").glob("*.json"))})
    rows = re.findall(r"^\| (in|out) \| `(\w+)`", (tmp_path / "x" / "README.md").read_text(), re.MULTILINE)
    frozen("exported inputs and outputs", [" ".join(row) for row in rows])


def test_tuned_settings(frozen: Frozen) -> None:
    compared = Comparison(lm_weight=0.1, value=2, without=1, p_value=0.01, signature="none")
    found = TunedSearch(
        decoding=DecodingConfig(), metric="BLEU", value=2, before=1, signature="none", part="dev", data="0"
    )
    beside = found.model_copy(update={"lm": "0", "comparison": compared})
    frozen("decoding.json", sorted({*keys(to_document(Tuned(model="0", alone=found, with_lm=(beside,))))}))
    frozen("s2s tune --json", sorted({*keys(to_document(beside))}))


@pytest.mark.parametrize(
    "arguments",
    [
        ["translate", "MODEL", "test.en", "--n-best", "2"],
        ["score", "MODEL", "test.en", "test.de"],
        ["evaluate", "bleu", "--reference", "test.de", "hypotheses.de", "test.en"],
        ["info", "MODEL"],
        ["doctor"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_json_output(
    arguments: list[str],
    run: Path,
    frozen: Frozen,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(run.parents[1])
    assert main([str(run) if word == "MODEL" else word for word in arguments] + ["--json"]) == 0
    printed = capsys.readouterr().out.splitlines()
    frozen(f"s2s {arguments[0]} --json", sorted({key for line in printed for key in keys(json.loads(line))}))
