"""Averages of weights: one model from several of the same shape, usually the best checkpoints of a run."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from s2s.checkpoint.model_directory import Loaded, load_any, save_model
from s2s.checkpoint.record import TrainingSummary
from s2s.checkpoint.run_directory import resolve
from s2s.checkpoint.tensors import unique
from s2s.checkpoint.tuned import FILE
from s2s.errors import UsageError
from s2s.files import committed_folder
from s2s.log import say


def average(paths: Sequence[Path], output: Path) -> None:
    """Write the model whose weights are the mean of those of the given models, summed in float64.

    It searches as their config says: what was tuned for one of them is not taken over, which is told.

    UsageError: fewer than two models, two with unequal configs or tokenizers, or an output that exists.
    """
    if len(paths) < 2:
        raise UsageError(
            f"An average needs two models or more, and here are {len(paths)}. Name the checkpoints: RUN/checkpoints/*. "
            "A run keeps more of them with a smaller training.validation_interval or a larger training.keep_best."
        )
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder or remove it.")
    first = load_any(paths[0])
    total: dict[str, Tensor] = {}
    names = []
    updates = 0
    for path in paths:
        other = load_any(path)
        _check_equal(first, other)
        names.append(other.folder.name)
        updates = max(updates, other.info.training.updates)
        for name, tensor in unique(other.model).items():
            total[name] = total.get(name, 0) + tensor.double()
    summary = first.info.training
    averaged = TrainingSummary(
        updates=updates,
        seed=summary.seed,
        data=summary.data,
        segments=summary.segments,
        averaged=tuple(names),
    )
    mean = {name: (total[name] / len(paths)).to(tensor.dtype) for name, tensor in unique(first.model).items()}
    with committed_folder(output) as folder:
        save_model(folder, first.model, first.codec, first.info.model, first.info.decoding, averaged, mean)
    if any((resolve(path) / FILE).is_file() for path in paths):
        say(f"What `s2s tune` found for the models does not hold for their average: run `s2s tune {output}`.")


def _check_equal(first: Loaded, other: Loaded) -> None:
    """UsageError unless config, languages and tokenizer files are the same."""
    if other.info.model != first.info.model:
        raise UsageError(f"{first.folder} and {other.folder} have unequal configs and cannot be averaged.")
    tokenizers = [
        {name: record for name, record in model.info.files.items() if name != "model.safetensors"}
        for model in (first, other)
    ]
    if tokenizers[0] != tokenizers[1] or other.info.languages != first.info.languages:
        raise UsageError(f"{first.folder} and {other.folder} have unequal tokenizers and cannot be averaged.")
