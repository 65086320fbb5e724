"""What the recipes' scores have in common: outputs of a model in the order of its examples, and shares in percent."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2s.data.batches import validation_batches
from s2s.data.labelled import Examples, collate_labels

BUDGET = 8192


@torch.inference_mode()
def outputs_of(model: nn.Module, examples: Examples) -> list[Tensor]:
    """The outputs (T, O) of each example, T as long as its target."""
    assert not model.training, "dropout would change them"
    found: dict[int, Tensor] = {}
    for batch in validation_batches(examples, BUDGET, collation=collate_labels):
        outputs = model(batch.source, batch.source_lengths)
        for row, output, length in zip(batch.indices, outputs, batch.target_lengths.tolist(), strict=True):
            found[row] = output[:length]
    return [found[row] for row in range(len(examples))]


def labels_of(model: nn.Module, examples: Examples) -> list[list[int]]:
    """The likeliest labels of each example."""
    return [output.argmax(1).tolist() for output in outputs_of(model, examples)]


def percent_equal(found: Sequence[object], expected: Sequence[object]) -> float:
    """Of which share the found things are the expected ones."""
    return 100 * sum(one == other for one, other in zip(found, expected, strict=True)) / len(expected)
