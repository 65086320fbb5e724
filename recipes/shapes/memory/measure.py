"""Train every cell on every delay, and measure what it remembers, what its gradients do, and what clipping does."""

import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any, get_args

import click
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from recipes import readmes
from recipes.results import Result, read_results
from recipes.running import run
from recipes.shapes.fitting import fingerprint, fit
from recipes.shapes.kinds import parse_shape
from recipes.shapes.memory.clipping import descend
from recipes.shapes.memory.copying import Config, Recaller, build, made
from recipes.shapes.memory.gradients import FAR, gradient_norms, mean_gate, reach
from recipes.shapes.memory.pictures import EVERY, draw
from recipes.shapes.task import Part
from s2s.checkpoint.record import read_json
from s2s.config import read_document
from s2s.config.model import Cell
from s2s.data.labelled import collate_labels
from s2s.errors import UsageError
from s2s.files import write_json
from s2s.hardware import open_device
from s2s.log import say
from s2s.training.manifest import describe_run

HERE = Path(__file__).resolve().parent
CONFIG, PICTURE = "memory.toml", "memory.png"
CELLS = get_args(Cell)
SET_HERE = ("seed", "data.delay", "model.cell", "model.gain")
"""Keys of the config that --set cannot change: --seed, --delays and the measurements do."""

DELAYS = (5, 10, 20, 40, 80)
EXPLAINED = 20
"""The delay at which gradients and gates are looked at after training."""

SEQUENCES = 50
"""Those that gradients are means of."""

GAINS = (0.5, 1.0, 1.5)
CLIPPED = {"clipped to 1": 1.0, "not clipped": None}
DESCENTS: tuple[tuple[Cell, float, int], ...] = (("elman", 1.0, 10), ("elman-relu", 1.5, 5))
RATE = 0.5
"""Of plain gradient descent: the largest of 0.1 and 0.5, with which both learn when they are clipped."""


@click.command()
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Of weights and order.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override of a key of memory.toml.")
@click.option("--delays", default=",".join(map(str, DELAYS)), show_default=True, help="Delays, with commas.")
@click.option("--record", "recorded", is_flag=True, help="Add the result to this recipe's results.json and README.")
def command(output: Path, seed: int, overrides: tuple[str, ...], delays: str, recorded: bool) -> None:
    """Train all cells on all delays, and write what they remember into OUTPUT as results.json and memory.png.

    With --record an OUTPUT that is there is recorded as it is.
    """
    written = output / readmes.RESULTS
    if recorded and written.is_file():
        record(read_json(written))
        return
    name = name_of(overrides, delays)
    if recorded:
        check_recordable(name)
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder, or remove it.")
    if not all(part.isdecimal() and int(part) for part in delays.split(",")):
        raise UsageError(f"--delays takes whole numbers from 1 on with commas between them (it is {delays!r}).")
    device = open_device("cpu", 1)
    started = time.monotonic()
    config = _config(overrides, f"seed={seed}")
    output.mkdir(parents=True)
    result = describe(config, name, device) | measure(config, [int(part) for part in delays.split(",")])
    result["minutes"] = round((time.monotonic() - started) / 60, 2)
    write_json(written, result)
    draw([result], output / PICTURE)
    if recorded:
        record(result)


def name_of(overrides: tuple[str, ...], delays: str) -> str:
    """The config with what differs from it; UsageError for an override that would have no effect."""
    idle = [override for override in overrides if override.partition("=")[0].strip() in SET_HERE]
    if idle:
        raise UsageError(f"--set {idle[0]} has no effect here: seeds come by --seed, delays by --delays, cells all.")
    others = [f"--delays {delays}"] if delays != ",".join(map(str, DELAYS)) else []
    return " ".join([CONFIG, *overrides, *others])


def check_recordable(name: str) -> None:
    """UsageError unless a result is of the recipe's own config: its tables and its picture are of nothing else."""
    if name != CONFIG:
        raise UsageError(f"Results of {CONFIG} as it is are recorded, not of {name}: leave --record out.")


def record(result: Result) -> None:
    """Add a result to the recipe's, and draw all of them; UsageError unless it is of the recipe's own config."""
    check_recordable(result["config"])
    readmes.record_result("shapes/memory", result)
    draw(read_results(HERE / readmes.RESULTS), HERE / PICTURE)


def _config(*overrides: Any) -> Config:
    """The config of this recipe with overrides, and lists of them."""
    flat = [one for part in overrides for one in ([part] if isinstance(part, str) else part)]
    _, config, _ = parse_shape(read_document(HERE / CONFIG, flat), CONFIG)
    assert isinstance(config, Config)
    return config


def describe(config: Config, name: str, device: torch.device) -> Result:
    """What was trained, where and from which commit."""
    manifest = describe_run(config, HERE, fingerprint(build(config, None)), device)
    kept = {key: manifest[key] for key in ("seed", "commit", "hardware", "threads", "versions")}
    return {"corpus": "copying", "languages": "all cells", "config": name, **kept}


def measure(config: Config, delays: list[int]) -> Result:
    """Accuracies by delay and cell, gradients, gates, and what clipping does."""
    parts: dict[str, Part] = {}
    for delay in delays:
        found = {cell: _trained(_changed(config, cell, delay))[1] for cell in CELLS}
        systems = {cell: {"accuracy": accuracy} for cell, accuracy in found.items()}
        parts[f"delay {delay}"] = Part(config.data.test, systems | {"chance": {"accuracy": 100 / config.data.symbols}})
        say(f"delay {delay}: " + ", ".join(f"{cell} {accuracy:.1f}" for cell, accuracy in found.items()))
    cells = {cell: explain(_changed(config, cell, EXPLAINED)) for cell in CELLS}
    over_all = {name: mean(part.systems[name]["accuracy"] for part in parts.values()) for name in (*CELLS, "chance")}
    return {
        "parameters": cells["lstm"]["weights"],
        "parts": {name: vars(part) for name, part in parts.items()},
        "cells": cells,
        "gains": gains(config),
        "clipping": clipping(config),
        "headline": {
            "metric": "accuracy of lstm",
            "score": over_all["lstm"],
            "signature": f"symbols that are recalled, in percent, mean over delays {', '.join(map(str, delays))}",
        },
        "beats": {name: over_all["lstm"] > over_all[name] for name in ("chance", "elman")},
    }


def _changed(config: Config, cell: Cell, delay: int, gain: float = 1.0) -> Config:
    """The config with another cell, delay and gain."""
    return config.model_copy(
        update={
            "data": config.data.model_copy(update={"delay": delay}),
            "model": config.model.model_copy(update={"cell": cell, "gain": gain}),
        }
    )


def _trained(config: Config) -> tuple[Recaller, float]:
    """A trained model, and its accuracy on test in percent."""
    task = build(config, None)
    with tempfile.TemporaryDirectory(prefix="s2s-") as name:
        model = fit(config, task, Path(name)).model
    assert isinstance(model, Recaller)
    return model, task.score(model)["test"].systems["model"]["accuracy"]


def explain(config: Config) -> Result:
    """The weights of a cell, its gradients before and after training, and the gate that keeps its state."""
    probe = made(config.data.model_copy(update={"delay": FAR}), "probe", SEQUENCES)
    batch = collate_labels(probe.pairs, range(SEQUENCES))
    source, labels = batch.source[:, : FAR + 2], batch.target[:, 0]
    torch.manual_seed(config.seed)
    found: Result = {}
    for name, model in (("before", Recaller(config.model, config.data.symbols)), ("after", _trained(config)[0])):
        norms = gradient_norms(model, source, labels)
        found[name] = {
            "gradients": [float(f"{norm:.4g}") for norm in norms[: FAR + 1 : EVERY]],
            "reach": reach(norms),
            "gate": mean_gate(model, source),
        }
        found["weights"] = sum(weight.numel() for weight in model.layer.weights())
    return found


def gains(config: Config) -> dict[str, list[float]]:
    """Gradients before training with recurrent matrices that shrink, keep and stretch."""
    found = {}
    for cell in ("elman", "elman-relu"):
        for gain in GAINS:
            changed = _changed(config, cell, FAR, gain)
            batch = collate_labels(made(changed.data, "probe", SEQUENCES).pairs, range(SEQUENCES))
            torch.manual_seed(config.seed)
            model = Recaller(changed.model, config.data.symbols)
            norms = gradient_norms(model, batch.source[:, : FAR + 2], batch.target[:, 0])
            found[f"{cell} times {gain}"] = [float(f"{norm:.4g}") for norm in norms[: FAR + 1 : EVERY]]
    return found


def clipping(config: Config) -> dict[str, dict[str, Result]]:
    """Plain gradient descent with and without clipping, for the cells whose gradients have no gate to go through."""
    return {
        f"{cell} times {gain}, delay {delay}": {
            name: descend(_changed(config, cell, delay, gain), RATE, clip_norm) for name, clip_norm in CLIPPED.items()
        }
        for cell, gain, delay in DESCENTS
    }


if __name__ == "__main__":
    run(command)
