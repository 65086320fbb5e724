"""An exported folder: what is in it, that others can use it, what reads it, and what is refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import s2s
from s2s.checkpoint import average, load_model, read_info
from s2s.checkpoint.record import describe
from s2s.config import AttentionConfig, DecoderConfig, ModelConfig
from s2s.errors import ModelError, S2SError, UsageError
from s2s.export import export_onnx, folder, graphs, load_exported, packages
from s2s.export.ports import ports_of
from s2s.inference import runtime
from s2s.inference.translator import Translator
from s2s.model import build_model
from s2s.text.tokenizers import Tokenizers
from s2s.text.vocabulary import BOS, EOS, PAD
from tests.tiny import CONFIG, TEXTS, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("exported") / "new" / "tiny"
    export_onnx(model, output)
    return output


@pytest.fixture
def damaged(exported: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the folder in which a file holds other bytes, as its record says if `told`."""

    def copy(name: str, data: bytes, told: bool) -> Path:
        for path in exported.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / name).write_bytes(data)
        if told:
            record = json.loads((tmp_path / "model.json").read_bytes())
            record["files"][name] = describe(tmp_path, [name])[name].model_dump()
            (tmp_path / "model.json").write_text(json.dumps(record))
        return tmp_path

    return copy


def test_it_holds_graphs_and_the_files_of_the_codec(model: Path, exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    assert names == {"README.md", "encoder.onnx", "joint.model", "model.json", "step.onnx", "tokenizer.json"}
    info, original = read_info(exported), read_info(model)
    assert set(info.files) == names - {"README.md", "model.json"}
    other = {"format", "files", "written_by"}
    assert info.model_dump(exclude=other) == original.model_dump(exclude=other)
    assert info.written_by == f"{original.written_by}, exported by s2s {s2s.__version__}"


def test_both_pages_tell_what_the_folder_holds_and_needs(model: Path, exported: Path) -> None:
    page, original = ((path / "README.md").read_text(encoding="utf-8") for path in (exported, model))
    assert "parameters as two ONNX graphs, written by s2s" in page
    assert re.search(
        r"## How to use it\n\nWith the extra `onnx` .*`pip install 's2s\[onnx\]'`.*\n\n    s2s translate", page
    )
    assert "ONNX" not in original
    assert "onnx" not in original


@pytest.mark.parametrize(("beam", "penalty"), [(1, None), (3, 0.0), (5, 1.0)])
def test_it_translates_as_the_model_does(model: Path, exported: Path, beam: int, penalty: float | None) -> None:
    lines = [*TEXTS[:9], "", "a", "{name} sees <b>one</b> cat"]
    options = {"beam_size": beam, "n_best": min(beam, 2), "length_penalty": penalty, "batch_tokens": 40}
    mine, theirs = (s2s.load(path).translate(lines, **options) for path in (exported, model))
    assert any(one.text for one in theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert [candidate.text for candidate in one.n_best] == [candidate.text for candidate in other.n_best]
        assert (one.tokens, one.alignment) == (other.tokens, other.alignment)
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_the_page_is_enough_to_run_the_graphs_without_s2s(exported: Path, model: Path) -> None:
    """Greedy search over two lines, by names and rules that stand on the page."""
    page = (exported / "README.md").read_text(encoding="utf-8")
    sides = {name: re.findall(rf"^\| {name} \| `(\w+)` \|", page, re.MULTILINE) for name in ("in", "out")}
    encoder, step = (onnxruntime.InferenceSession(exported / name) for name in ("encoder.onnx", "step.onnx"))
    ports = [port.name for session in (encoder, step) for port in session.get_inputs()]
    assert sides["in"] == ports
    assert sides["out"] == [port.name for session in (encoder, step) for port in session.get_outputs()]
    tokenizers = Tokenizers.load(exported)
    lines = ["the old house", "a dog sees one small cat"]
    ids = [tokenizers.encode_source(line)[0] for line in lines]
    lengths = np.array([len(one) for one in ids])
    source = np.full((2, lengths.max()), PAD)
    for row, one in enumerate(ids):
        source[row, : len(one)] = one
    names = [port.name for port in encoder.get_outputs()]
    known = dict(zip(names, encoder.run(None, {"source": source, "lengths": lengths}), strict=True))
    known |= {"owner": np.arange(2), "tokens": np.full(2, BOS)}
    written: list[list[int]] = [[], []]
    for _ in range(12):
        found = step.run(None, {port.name: known[port.name] for port in step.get_inputs()})
        named = dict(zip([port.name for port in step.get_outputs()], found, strict=True))
        named["log_probs"][:, [PAD, BOS]] = -np.inf
        known |= {name.removeprefix("next_"): value for name, value in named.items()}
        known["tokens"] = named["log_probs"].argmax(1)
        for row in range(2):
            if EOS not in written[row]:
                written[row].append(int(known["tokens"][row]))
    expected = s2s.load(model).translate(lines, beam_size=1, max_length=12)
    for row, one in enumerate(expected):
        mine = tokenizers.target.pieces([token for token in written[row] if token != EOS])
        assert tuple(mine) == one.tokens.target[:12]


def test_threads_are_those_of_torch(exported: Path) -> None:
    before = torch.get_num_threads()
    try:
        translator = Translator.load(exported, threads=before + 1)
        options = translator._loaded.model.sessions["step.onnx"].get_session_options()
        assert options.intra_op_num_threads == torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("options", [{"device": "cuda"}, {"precision": "int8"}, {"precision": "bfloat16"}])
def test_other_devices_and_precisions_are_refused(
    exported: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that has the device."""
    monkeypatch.setattr(runtime, "open_device", lambda name, _: torch.device(name))
    with pytest.raises(UsageError, match=r"float32 on the CPU only, not in \w+ on \w+\. Leave out"):
        s2s.load(exported, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "abacus"}, "The device 'abacus' cannot be used here"),
        ({"precision": "fp16"}, "There is no precision 'fp16': it is one of float32"),
    ],
)
def test_unknown_devices_and_precisions_are_told_as_for_models(
    exported: Path, model: Path, options: dict[str, str], message: str
) -> None:
    for folder_of_either in (exported, model):
        with pytest.raises(UsageError, match=message):
            s2s.load(folder_of_either, **options)


def test_what_needs_weights_says_so(exported: Path, model: Path, tmp_path: Path) -> None:
    for use in (
        load_model,
        lambda path: export_onnx(path, tmp_path / "x"),
        lambda path: average([path, model], tmp_path / "y"),
    ):
        with pytest.raises(ModelError, match="holds graphs without weights"):
            use(exported)


def test_an_output_that_exists_is_refused_and_left_alone(model: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        export_onnx(model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_nothing_is_left_of_an_export_that_failed(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        export_onnx(tmp_path / "no-model", tmp_path / "new" / "x")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(folder, "write_text", fail)
    with pytest.raises(OSError, match="No space"):
        export_onnx(model, tmp_path / "new" / "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_missing_packages_are_named(
    exported: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda asked: None if asked == name else "there")
    with pytest.raises(S2SError, match=rf"{name} is not installed, .*: pip install 's2s\[onnx\]'"):
        s2s.load(exported) if name == "onnxruntime" else export_onnx(model, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_graph_that_was_changed_is_refused(damaged: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"step\.onnx has 5 bytes instead of"):
        load_exported(damaged("step.onnx", b"graph", told=False))


def test_what_is_no_graph_is_refused(damaged: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"encoder\.onnx is no graph that onnxruntime .* can run: "):
        load_exported(damaged("encoder.onnx", b"graph", told=True))


def test_a_graph_of_something_else_is_refused(damaged: Callable[..., Path], exported: Path) -> None:
    with pytest.raises(ModelError, match=r"step\.onnx lacks the inputs .*'source'.*\. Export the model again"):
        load_exported(damaged("step.onnx", (exported / "encoder.onnx").read_bytes(), told=True))


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("model", {"ctc": True}, r"encoder\.onnx lacks the outputs ctc_log_probs\."),
        ("decoder", {"layers": 3}, r"step\.onnx lacks the inputs hidden_2, cell_2; "),
        ("decoder", {"layers": 10**12}, "fewer inputs than the decoder layers"),
        (
            "decoder",
            {"width": 17},
            r"hidden_0 of step.onnx is float32 \(rows, 16\) and not float32 \(rows, 17\); .*; and 4 more\.",
        ),
        ("decoder", {"kind": "input-feeding"}, r"encoder\.onnx lacks the outputs context; "),
        ("decoder", {"cell": "gru"}, r"step\.onnx has the inputs 'cell_0', 'cell_1'; "),
    ],
)
def test_graphs_of_another_shape_than_the_record_are_refused(
    damaged: Callable[..., Path], exported: Path, section: str, change: dict[str, object], message: str
) -> None:
    record = json.loads((exported / "model.json").read_bytes())
    (record["model"] if section == "model" else record["model"][section]).update(change)
    with pytest.raises(ModelError, match=rf"are not those that its model\.json describes: .*{message}"):
        load_exported(damaged("model.json", json.dumps(record).encode(), told=False))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("tokens", lambda kind: setattr(kind.shape.dim[0], "dim_value", 1), r"int64 \(1\) and not int64 \(rows\)"),
        ("mask", lambda kind: kind.shape.dim.pop(), r"bool \(batch\) and not bool \(batch, steps\)"),
        ("owner", lambda kind: setattr(kind, "elem_type", onnx.TensorProto.INT32), r"tensor\(int32\) \(rows\) and not"),
    ],
)
def test_inputs_of_another_size_or_type_are_refused(
    damaged: Callable[..., Path], exported: Path, name: str, change: Callable[[Any], None], message: str
) -> None:
    graph = onnx.load(exported / "step.onnx")
    change(next(port.type.tensor_type for port in graph.graph.input if port.name == name))
    with pytest.raises(ModelError, match=rf"{name} of step\.onnx is {message}"):
        load_exported(damaged("step.onnx", graph.SerializeToString(), told=True))


@pytest.mark.parametrize(
    ("config", "size"), [(CONFIG.model_copy(update={"decoder": DecoderConfig(width=24)}), 1000), (CONFIG, 50)]
)
def test_what_ports_do_not_tell_is_tried(
    damaged: Callable[..., Path], tmp_path: Path, config: ModelConfig, size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The encoder of a decoder of another width, or of a source with a smaller vocabulary."""
    config = config.model_copy(update={"tied_embeddings": "output", "attention": AttentionConfig(width=16)})
    graphs.write_graphs(build_model(config, size, 90).eval(), ports_of(config, size, 90), tmp_path)
    with pytest.raises(ModelError, match=r"do not fit each other: .*\. Export the model again"):
        load_exported(damaged("encoder.onnx", (tmp_path / "encoder.onnx").read_bytes(), told=True))
    assert capfd.readouterr() == ("", "")


def test_a_record_without_graphs_is_refused(damaged: Callable[..., Path], exported: Path) -> None:
    record = json.loads((exported / "model.json").read_bytes())
    del record["files"]["step.onnx"]
    with pytest.raises(ModelError, match=r"does not name step\.onnx"):
        load_exported(damaged("model.json", json.dumps(record).encode(), told=False))
