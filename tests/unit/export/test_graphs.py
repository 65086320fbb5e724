"""Graphs of models of every shape find what the models find, at other sizes than those of their example."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from s2s.config import DecodingConfig, ModelConfig
from s2s.data.batches import pad
from s2s.decoding import Decodable, decode_batch
from s2s.export.fitting import differences
from s2s.export.graphs import write_graphs
from s2s.export.ports import Ports, ports_of
from s2s.export.runner import OnnxModel
from s2s.model import Seq2Seq, build_model
from s2s.search import Hypothesis
from tests.combinations import Combination, label, pairwise
from tests.small_models import BANDS, PARTS, SIZE, config_of, decided, sources

BESIDE = {"frontend": ["embedding", "convolution", "pyramid"], "ctc": ["ctc", "attention"]}
PLACES = {"decoder": "input-feeding", "attention": "location-aware"}
SHAPES = [
    *pairwise({**PARTS, **BESIDE}),
    *(shape | PLACES for shape in pairwise({"cell": PARTS["cell"], "bridge": PARTS["bridge"], **BESIDE})),
]
BATCHES = [[1], [9], [40], [2, 1], [7, 2, 30, 3, 12]]
PER_TOKEN = 1e-4
"""Rounding differs between kernels, and grows with the text; most differences are below 1e-6."""


def build(shape: Combination) -> tuple[Seq2Seq, dict[str, Ports]]:
    """A small model of the shape with random weights that make up their mind, and the ports of its graphs."""
    document = config_of(shape).model_dump()
    config = ModelConfig.model_validate({**document, "ctc": shape["ctc"] == "ctc"})
    size = BANDS if config.frontend.reads_frames else SIZE
    torch.manual_seed(2)
    return decided(build_model(config, size, SIZE), 2.0, 1.5), ports_of(config, size, SIZE)


def padded(model: Seq2Seq, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """A batch of random sources with more padding than it needs, which holds anything."""
    source, counts = pad(sources(model, lengths, seed=len(lengths)))
    source = torch.cat([source, source.new_zeros(len(lengths), 3, *source.shape[2:])], dim=1)
    source[torch.arange(source.shape[1]) >= counts.unsqueeze(1)] = 7
    return source, counts


def found_by(model: Decodable, batch: tuple[Tensor, Tensor], beam: int, weight: float | None) -> list[list[Hypothesis]]:
    decoding = DecodingConfig(beam_size=beam, length_penalty=0.8, max_length=14, ctc_weight=weight)
    return decode_batch(model, *batch, batch[1] + 8, decoding, n_best=beam)


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    """Equal tokens, alignments and ends, and log-probabilities within the tolerances."""
    assert [(one.tokens, one.alignment, one.finished) for one in found] == [
        (one.tokens, one.alignment, one.finished) for one in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=PER_TOKEN)
        assert one.score == pytest.approx(other.score, abs=PER_TOKEN)


@pytest.mark.parametrize("shape", SHAPES, ids=label)
def test_graphs_find_what_the_model_finds(shape: Combination, tmp_path: Path) -> None:
    model, told = build(shape)
    write_graphs(model, told, tmp_path)
    graphs = OnnxModel.load(tmp_path)
    assert not list(differences(told, graphs.sessions))
    long = 0
    for lengths in BATCHES:
        batch = padded(model, lengths)
        for beam, weight in [(1, None), (5, None)] + ([(1, 0.4), (5, 0.4)] if shape["ctc"] == "ctc" else []):
            expected = found_by(model, batch, beam, weight)
            for mine, theirs in zip(found_by(graphs, batch, beam, weight), expected, strict=True):
                assert_same(mine, theirs)
                long += sum(len(one.tokens) > 3 for one in mine)
    assert long > 5


def test_every_value_of_every_option_is_there() -> None:
    values = {(name, value) for shape in SHAPES for name, value in shape.items()}
    options = {**PARTS, **BESIDE, "attention": [*PARTS["attention"], "location-aware"]}
    assert values == {(name, value) for name, several in options.items() for value in several}


def test_a_model_stays_as_it_was(tmp_path: Path) -> None:
    model, told = build(SHAPES[0])
    parts = [(name, type(part)) for name, part in model.named_modules()]
    write_graphs(model, told, tmp_path)
    assert [(name, type(part)) for name, part in model.named_modules()] == parts
    assert all(weight.requires_grad for weight in model.parameters())


def test_inputs_and_outputs_are_as_they_are_told(tmp_path: Path) -> None:
    kinds = {"float32": "tensor(float)", "int64": "tensor(int64)", "bool": "tensor(bool)"}
    for number, shape in enumerate([SHAPES[0], SHAPES[-1]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        told = write_graphs(*build(shape), folder)
        for name, session in OnnxModel.load(folder).sessions.items():
            ports = told[name]
            for there, mine in ((session.get_inputs(), ports.inputs), (session.get_outputs(), ports.outputs)):
                assert [(one.name, one.type) for one in there] == [(one.name, kinds[one.dtype]) for one in mine]
            assert [one.shape for one in session.get_inputs()] == [one.shape for one in ports.inputs]


def test_nothing_is_said_on_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    for shape in [*SHAPES[:3], next(shape for shape in SHAPES if shape["cell"] == "min-gru"), *SHAPES[-3:]]:
        write_graphs(*build(shape), tmp_path)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
