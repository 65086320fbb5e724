"""Cells and their memory: parameters, gradients, gates, clipping, states, padding."""

import json
from pathlib import Path
from typing import get_args

import pytest
import torch

from recipes.results import read_results
from recipes.shapes import evaluate
from recipes.shapes.memory import measure
from recipes.shapes.memory.clipping import descend
from recipes.shapes.memory.copying import CellConfig, Data, Recaller, made
from recipes.shapes.memory.gradients import gradient_norms, mean_gate, reach
from recipes.shapes.memory.pictures import draw
from recipes.shapes.memory.tables import tables
from s2s.config.model import Cell
from s2s.data.batches import pad
from s2s.data.labelled import collate_labels
from s2s.errors import UsageError
from s2s.nn.rnn import RecurrentLayer
from tests.recipes.shapes.running import run_small, scores_of

CELLS = get_args(Cell)
QUICK = [
    f"--set={one}"
    for one in (
        "training.max_updates=3",
        "training.validation_interval=3",
        "data.train=40",
        "data.dev=4",
        "data.test=8",
    )
]


def recaller(cell: Cell, gain: float = 1.0) -> Recaller:
    """A model with the same weights each time."""
    torch.manual_seed(0)
    return Recaller(CellConfig(cell=cell, width=8, gain=gain), 3)


@pytest.mark.parametrize(("width", "inputs"), [(32, 17), (5, 3)])
def test_cells_have_parameters_in_the_ratio_one_three_four(width: int, inputs: int) -> None:
    counts = {
        cell: sum(weight.numel() for weight in RecurrentLayer(cell, inputs, width).parameters()) for cell in CELLS
    }
    one = width * (inputs + width + 2)
    light = 2 * width * (inputs + 1)  # nothing recurs in it but the state itself
    assert counts == {"elman": one, "elman-relu": one, "gru": 3 * one, "lstm": 4 * one, "min-gru": light}


def test_one_cell_from_end_to_end(tmp_path: Path) -> None:
    result = run_small("memory/memory.toml", tmp_path, "data.train=40", "data.dev=8", "data.test=16", "data.delay=4")
    assert scores_of(result)["chance"] == {"accuracy": 12.5}


def test_one_cell_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables are of all cells and delays."""
    monkeypatch.setattr(evaluate, "record_result", lambda *_: pytest.fail("recorded"))
    run_small("memory/memory.toml", tmp_path, "data.train=40", "data.dev=8", "data.test=16", "data.delay=4")
    with pytest.raises(UsageError, match=r"measure\.py records: leave --record out"):
        evaluate.command.main([str(tmp_path / "run"), "--record"], standalone_mode=False)


def test_all_cells_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    measure.command.main(["--output", str(run), "--delays", "2,3", "--seed", "5", *QUICK], standalone_mode=False)
    result = json.loads((run / "results.json").read_text())
    assert result["seed"] == 5
    assert list(result["parts"]) == ["delay 2", "delay 3"]
    assert set(result["parts"]["delay 2"]["systems"]) == {*CELLS, "chance"}
    assert (run / "memory.png").read_bytes().startswith(b"\x89PNG")
    found = tables([result, result], [])
    assert {"results", "runs", "cells", "clipping"} == set(found)
    assert f"| gru | {result['cells']['gru']['weights']:,} |" in found["cells"]
    assert result["config"] == " ".join(["memory.toml", *(one.removeprefix("--set=") for one in QUICK), "--delays 2,3"])
    monkeypatch.setattr(measure.readmes, "record_result", lambda *_: pytest.fail("recorded"))
    with pytest.raises(UsageError, match=r"not of memory\.toml training.*: leave --record out"):
        measure.command.main(["--output", str(run), "--record"], standalone_mode=False)
    with pytest.raises(UsageError, match="exists already"):
        measure.command.main(["--output", str(run)], standalone_mode=False)
    with pytest.raises(UsageError, match=r"whole numbers from 1 on.*'3,0'"):
        measure.command.main(["--output", str(tmp_path / "other"), "--delays", "3,0"], standalone_mode=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "seed=2"], "--set seed=2 has no effect here: seeds come by --seed"),
        (["--set", "model.cell=gru"], "has no effect here"),
        (["--set", "model.gain=2.0"], "has no effect here"),
        (["--delays", "2", "--record"], r"not of memory\.toml --delays 2: leave --record out"),
        (["--set", "model.width=8", "--record"], r"not of memory\.toml model\.width=8"),
    ],
)
def test_options_without_effect_and_other_results_are_refused(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "measure", lambda *_: pytest.fail("measured"))
    with pytest.raises(UsageError, match=message):
        measure.command.main(["--output", str(tmp_path / "run"), *options], standalone_mode=False)
    assert not (tmp_path / "run").exists()


def test_a_seed_with_another_cell_joins_those_before(tmp_path: Path) -> None:
    """What is recorded is from before the light cell; a gradient may be no number from the first update on."""
    results = read_results(measure.HERE / "results.json")
    later = json.loads(json.dumps(results[0]))
    later["cells"]["new"] = {**later["cells"]["gru"], "weights": 1234}
    for part in later["parts"].values():
        part["systems"]["new"] = {"accuracy": 43.21}
    next(iter(later["clipping"].values()))["not clipped"] = {"accuracy": None, "largest norm": None, "updates": 0}
    for joined in ([later, *results[1:]], [*results, later]):
        found = tables(joined, [])
        assert "| new | 43.2 | 43.2 |" in found["results"]
        assert "| chance | 12.5 | 12.5 |" in found["results"]
        assert "| new | 1,234 |" in found["cells"]
        assert "no number" in found["clipping"]
        draw(joined, tmp_path / "picture.png")


@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_nothing_and_gets_no_gradient(cell: Cell) -> None:
    model, rows = recaller(cell), [torch.randn(length, 7) for length in (3, 6)]
    source, lengths = pad(rows, multiple=8)
    source.requires_grad_()
    found = model(source, lengths)
    for row, outputs in zip(rows, found, strict=True):
        alone = model(row.unsqueeze(0), torch.tensor([len(row)]))[0]
        torch.testing.assert_close(outputs, alone, atol=1e-5, rtol=1e-4)
    found.sum().backward()
    assert source.grad is not None
    for gradient, length in zip(source.grad, (3, 6), strict=True):
        assert gradient[length:].abs().sum() == 0
        assert gradient[:length].abs().sum() > 0


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_goes_on_from_a_given_state(cell: Cell) -> None:
    model, source = recaller(cell), torch.randn(2, 9, 7)
    whole = model(source, torch.tensor([9, 9]))
    state = model.layer(source[:, :4])[1]
    rest = model(source[:, 4:], torch.tensor([5, 5]), state)
    torch.testing.assert_close(rest, whole, atol=1e-5, rtol=1e-4)
    zeros = model(source[:, 4:], torch.tensor([5, 5]))
    torch.testing.assert_close(zeros, model(source[:, 4:], torch.tensor([5, 5]), model.layer.zeros(source)))
    assert not torch.allclose(zeros, whole, atol=1e-3)


def test_delays_of_training_differ_and_those_of_the_test_do_not() -> None:
    data = Data(kind="memory", delay=8, symbols=3)
    lengths = {name: {len(source) for source, _ in made(data, name, 60).pairs} for name in ("train", "test")}
    assert lengths == {"train": set(range(6, 11)), "test": {10}}
    for source, target in made(data, "train", 20).pairs:
        assert source[0].argmax() == target[0]
        assert source[-1].argmax() == 6
        assert all(3 <= step < 6 for step in source[1:-1].argmax(1).tolist())


def test_gradients_are_those_of_finite_differences() -> None:
    """Of the loss by the first state, which is the one farthest back."""
    model = recaller("gru").double()
    source, labels = torch.randn(1, 5, 7, dtype=torch.float64), torch.tensor([1])
    norms = gradient_norms(model, source, labels)

    def loss(state: torch.Tensor) -> float:
        logits = model(source, torch.tensor([5]), (state,))[:, 0]
        return torch.nn.functional.cross_entropy(logits, labels).item()

    step = 1e-6
    slopes = [(loss(step * unit) - loss(-step * unit)) / (2 * step) for unit in torch.eye(8).double().split(1)]
    after = model.layer(source)[1][0].detach().requires_grad_()
    last = torch.autograd.grad(torch.nn.functional.cross_entropy(model.project(after), labels), after)[0]
    assert norms[0] == 1.0
    assert norms[-1] == pytest.approx(torch.tensor(slopes).norm().item() / last.norm().item(), rel=1e-5)


def test_gradients_vanish_and_explode_with_the_recurrent_matrix() -> None:
    examples = made(Data(kind="memory", delay=40, symbols=3), "test", 20)
    batch = collate_labels(examples.pairs, range(20))
    source, labels = batch.source[:, :42], batch.target[:, 0]
    shrunk, stretched = (gradient_norms(recaller("elman-relu", gain), source, labels) for gain in (0.5, 4.0))
    assert shrunk[40] < 1e-9
    assert stretched[40] > 1e3
    assert reach([1.0, 0.5, 0.009, 0.5]) == 2
    assert reach([1.0, 0.5]) == 2


def test_gates_keep_what_their_biases_say() -> None:
    """An LSTM's forget gate begins near sigmoid(1), that of the GRUs near a half; an Elman cell has none."""
    source = torch.zeros(2, 6, 7)
    for cell, expected in (("lstm", 0.73), ("gru", 0.5), ("min-gru", 0.5)):
        assert mean_gate(recaller(cell), source) == pytest.approx(expected, abs=0.03)  # type: ignore[arg-type]
    assert mean_gate(recaller("elman"), source) is None
    model = recaller("gru")
    with torch.no_grad():
        model.layer.weights()[2][8:16] = 20.0  # the update gate is open: the state stays as it is, at zero
    assert mean_gate(model, source) == pytest.approx(1.0, abs=1e-5)
    assert model.layer(source)[0].abs().max() < 1e-4


def test_what_a_light_cell_keeps_is_what_its_states_fade_by() -> None:
    model = recaller("min-gru")
    with torch.no_grad():
        model.layer.weights()[1][:8] = -2.0  # the gate lets little in, and the contents are zero
        model.layer.weights()[0].zero_()
    after = model.layer(torch.zeros(1, 3, 7), (torch.ones(1, 8),))[1][0]
    kept = mean_gate(model, torch.zeros(1, 3, 7))
    assert kept is not None
    torch.testing.assert_close(after, torch.full((1, 8), kept**3))


def test_descent_is_clipped_or_not() -> None:
    config = measure._config("training.max_updates=30", "data.train=100", "data.dev=4", "data.test=8", "data.delay=5")
    config = measure._changed(config, "elman-relu", 5, 3.0)
    clipped, free = (descend(config, 0.5, norm) for norm in (1.0, None))
    assert clipped["updates"] == 30
    assert clipped["accuracy"] is not None
    assert free["largest norm"] > 100 * 1.0
