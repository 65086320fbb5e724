"""Every cell, attention, decoder and bridge learns to copy and to reverse strings of digits."""

import random
from collections.abc import Iterator
from itertools import product

import pytest
import torch

from s2s.config import DecodingConfig, ModelConfig, RegularisationConfig, RunConfig, TrainingConfig
from s2s.data.batches import Batch, collate, pad
from s2s.model import Seq2Seq, build_model
from s2s.text.vocabulary import EOS
from s2s.training.objectives import Seq2SeqObjective
from s2s.training.optimiser import build_optimiser, set_learning_rate
from s2s.training.schedule import learning_rate
from s2s.training.steps import Updater
from tests.combinations import Combination, label, pairwise
from tests.small_models import PARTS, config_of, decode

pytestmark = pytest.mark.usefixtures("uncovered")

DIGITS = range(4, 14)
LONGEST = 3
UPDATES = 700
BATCH = 64
TASKS = {"task": ["copy", "reverse"]}
PAIRWISE = pairwise({**PARTS, **TASKS})
EVERY_CELL_AND_ATTENTION = [
    dict(zip(("cell", "attention", "decoder", "task", "bridge"), values, strict=True))
    for values in product(PARTS["cell"], PARTS["attention"], PARTS["decoder"], TASKS["task"], ["mean"])
]

Pair = tuple[list[int], list[int]]


def draw_pairs(task: str, count: int, seed: int) -> list[Pair]:
    """Strings of 1 to LONGEST digits and what the task makes of them."""
    draw = random.Random(seed)
    strings = [[draw.choice(DIGITS) for _ in range(draw.randint(1, LONGEST))] for _ in range(count)]
    return [([*string, EOS], string if task == "copy" else string[::-1]) for string in strings]


def batches(task: str, held_out: list[Pair]) -> Iterator[Batch]:
    """Training batches in which no held-out string comes."""
    hidden = {tuple(source) for source, _ in held_out}
    for seed in range(1, UPDATES + 1):
        pairs = [pair for pair in draw_pairs(task, BATCH, seed) if tuple(pair[0]) not in hidden]
        yield collate(pairs, range(len(pairs)))


def small(combination: Combination) -> ModelConfig:
    """The config of a shape with one layer in the encoder."""
    config = config_of(combination, width=32)
    return config.model_copy(update={"encoder": config.encoder.model_copy(update={"layers": 1})})


def exact(model: Seq2Seq, held_out: list[Pair]) -> float:
    """The fraction of strings that greedy search gets wholly right."""
    found = decode(model.eval(), *pad([source for source, _ in held_out]), DecodingConfig(beam_size=1))
    return sum(one.tokens == target for (one,), (_, target) in zip(found, held_out, strict=True)) / len(held_out)


def learn(combination: Combination) -> float:
    """Train until nearly all held-out strings come out right or UPDATES are made; the fraction that does."""
    torch.manual_seed(1)
    nothing_dropped = RegularisationConfig(**dict.fromkeys(RegularisationConfig.model_fields, 0.0))
    training = TrainingConfig(max_updates=UPDATES, learning_rate=1e-2, warmup_updates=30, weight_decay=0.0)
    config = RunConfig(model=small(combination), regularisation=nothing_dropped, training=training)
    model = build_model(config.model, DIGITS.stop, DIGITS.stop, config.regularisation)
    optimiser = build_optimiser(model, training)
    update = Updater(model, Seq2SeqObjective(model, 0.0, None), optimiser, training, torch.device("cpu"))
    held_out = [pair for pair in draw_pairs(combination["task"], 200, seed=0) if len(pair[1]) >= 3]
    learnt = 0.0
    for number, batch in enumerate(batches(combination["task"], held_out)):
        set_learning_rate(optimiser, learning_rate(training, number, number / UPDATES))
        update([batch])
        if number % 50 == 49:
            learnt = exact(model, held_out)
        if learnt > 0.97:
            break
    return learnt


@pytest.mark.parametrize("combination", PAIRWISE, ids=label)
def test_every_pair_of_parts_learns_to_copy_or_reverse_digits(combination: Combination) -> None:
    assert learn(combination) > 0.95


@pytest.mark.long
@pytest.mark.parametrize("combination", EVERY_CELL_AND_ATTENTION, ids=label)
def test_every_cell_with_every_attention_learns_to_copy_and_to_reverse_digits(combination: Combination) -> None:
    assert learn(combination) > 0.95
