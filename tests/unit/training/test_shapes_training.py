"""Objectives of labels, values and written sequences: masked, clipped, validated and learnt by the trainer."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s.checkpoint import TrainingSummary
from s2s.config import (
    BaseRunConfig,
    EncoderConfig,
    OnlineTaggerConfig,
    ReaderConfig,
    RegularisationConfig,
    TaggerConfig,
    TrainingConfig,
    WriterConfig,
    parse,
)
from s2s.data.batches import Batch, TrainingBatches, collate
from s2s.data.labelled import Examples, collate_labels
from s2s.errors import ConfigError, NonFiniteError
from s2s.nn.rnn import RecurrentLayer
from s2s.shapes import build_online_tagger, build_reader, build_tagger, build_writer
from s2s.training.optimiser import build_optimiser
from s2s.training.shapes import LabelObjective, ShapeValidator, ValueObjective, WriterObjective, real_steps
from s2s.training.steps import Updater
from s2s.training.trainer import Trainer

CPU = torch.device("cpu")
SMALL = EncoderConfig(cell="gru", layers=1, width=8)
TAGS = Examples([([4, 5, 6], [0, 1, 2]), ([7], [2]), ([5, 4], [1, 0]), ([6, 6, 5, 7, 4], [2, 2, 1, 2, 0])])


def small_tagger() -> nn.Module:
    """A tagger with the same weights each time."""
    torch.manual_seed(0)
    return build_tagger(TaggerConfig(frontend="embedding", frontend_width=8, encoder=SMALL), 8, 3)


def batch_of(examples: Examples, *rows: int) -> Batch:
    """A batch of the given rows."""
    return collate_labels([examples.pairs[row] for row in rows], rows, examples.multiple)


def test_labels_are_collated_as_they_are() -> None:
    batch = batch_of(TAGS, 0, 1)
    assert batch.target.tolist() == [[0, 1, 2], [2, 0, 0]]
    assert batch.target_lengths.tolist() == [3, 1]
    assert batch.source.shape == (2, 4)  # a multiple of two


def test_values_are_collated_with_their_features() -> None:
    examples = Examples([(torch.ones(3, 2), torch.full((1, 1), 4.0)), (torch.ones(2, 2), torch.full((2, 1), 5.0))], 1)
    batch = batch_of(examples, 0, 1)
    assert batch.source.shape == (2, 3, 2)
    assert batch.target.squeeze(2).tolist() == [[4.0, 0.0], [5.0, 5.0]]


def test_the_loss_of_a_batch_is_that_of_its_rows() -> None:
    """Padded labels, which are zeros and so the first tag, have no part in it."""
    model = small_tagger()
    objective = LabelObjective(model, smoothing=0.1)
    together = objective(batch_of(TAGS, 0, 1, 2, 3), 0.0)
    alone = [objective(batch_of(TAGS, row), 0.0) for row in range(4)]
    for name in objective.names(0.0):
        assert together[name].item() == pytest.approx(sum(one[name].item() for one in alone), rel=1e-5)
    together["loss"].backward()
    masked = batch_of(TAGS, 0, 1, 2, 3)
    masked.target[torch.arange(5) >= masked.target_lengths.unsqueeze(1)] = 2
    assert objective(masked, 0.0)["loss"].item() == pytest.approx(together["loss"].item(), rel=1e-6)


def test_real_steps_come_in_the_order_of_their_labels() -> None:
    batch = batch_of(TAGS, 1, 3)
    outputs = torch.arange(12.0).reshape(2, 6, 1)
    found, labels = real_steps(outputs, batch)
    assert found.flatten().tolist() == [0, 6, 7, 8, 9, 10]
    assert labels.tolist() == [2, 2, 2, 1, 2, 0]


def test_right_labels_are_counted() -> None:
    model = small_tagger()
    batch = batch_of(TAGS, 0, 1, 2, 3)
    found = model(batch.source, batch.source_lengths).argmax(2)
    right = sum(
        int(found[row, step] == label)
        for row, (_, labels) in enumerate(TAGS.pairs)
        for step, label in enumerate(labels)
    )
    assert LabelObjective(model, 0.0)(batch, 0.0)["right"].item() == right


def test_values_have_the_mean_of_squared_errors() -> None:
    torch.manual_seed(0)
    model = build_reader(ReaderConfig(frontend="vectors", frontend_width=4, encoder=SMALL, pooling="last"), 2, 3)
    pairs = [(torch.randn(length, 2), torch.randn(1, 3)) for length in (2, 5)]
    batch = collate_labels(pairs, [0, 1], 1)
    errors = model(batch.source, batch.source_lengths)[:, 0] - torch.cat([target for _, target in pairs])
    expected = errors.square().mean(1).sum().item()
    assert ValueObjective(model)(batch, 0.0)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_a_writers_loss_is_that_of_its_rows() -> None:
    torch.manual_seed(0)
    model = build_writer(WriterConfig(embedding_width=8, width=8), 3, 9)
    pairs = [(torch.randn(1, 3), [4, 5, 6]), (torch.randn(1, 3), [7])]
    objective = WriterObjective(model, 0.0)
    together = objective(collate(pairs, [0, 1], 1), 0.0)["loss"].item()
    alone = sum(objective(collate([pair], [0], 1), 0.0)["loss"].item() for pair in pairs)
    assert together == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("clip_norm", [1e-3, 1e9])
def test_gradients_are_clipped_and_their_norm_is_told(clip_norm: float) -> None:
    model = small_tagger()
    config = TrainingConfig(max_updates=1, batch_tokens=100, clip_norm=clip_norm)
    update = Updater(model, LabelObjective(model, 0.0), build_optimiser(model, config), config, CPU)
    sums, tokens = update([batch_of(TAGS, 0, 1, 2, 3)])
    assert tokens == 11
    after = torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None]).norm().item()
    assert after == pytest.approx(min(clip_norm, sums["norm"].item()), rel=1e-3)
    assert sums["norm"].item() > 0.01


def save(folder: Path, summary: TrainingSummary, weights: Mapping[str, Tensor]) -> None:
    """A model without a tokenizer is its weights."""
    (folder / "weights").write_text(",".join(weights))


def test_the_trainer_trains_what_has_no_tokenizer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = OnlineTaggerConfig(frontend="embedding", frontend_width=8, cell="gru", width=8)
    model = build_online_tagger(shape, 8, 3)
    training = {"max_updates": 60, "batch_tokens": 8, "learning_rate": 2e-2, "warmup_updates": 5}
    settings = parse(TrainingConfig, {**training, "validation_interval": 20, "validation_metric": "loss"}, "test")
    config = BaseRunConfig(seed=1, model=shape, training=settings)
    objective = LabelObjective(model, 0.0)
    batches = TrainingBatches(TAGS, 8, 1, collation=collate_labels)
    validator = ShapeValidator(TAGS, 8, collate_labels, objective, CPU)
    before = validator(model)
    summary = TrainingSummary(updates=0, seed=1, data="0")
    trainer = Trainer(config, model, objective, batches, validator, save, summary, tmp_path, CPU)
    trainer.train(lambda: None, batches.epoch)
    after = validator(model)
    assert after.loss < before.loss / 3
    assert after.scores["accuracy"].value == 100.0
    assert (tmp_path / "checkpoints/60/weights").is_file()
    assert validator.alignments(model) == []


def test_validation_is_without_dropout_and_smoothing() -> None:
    """The model goes on as it was before, in training or not."""
    torch.manual_seed(0)
    shape = TaggerConfig(frontend="embedding", frontend_width=8, encoder=SMALL)
    model = build_tagger(shape, 8, 3, RegularisationConfig(output_dropout=0.9, layer_dropout=0.9))
    logits = model.eval()(batch_of(TAGS, 3).source, batch_of(TAGS, 3).source_lengths)[0, :5]
    expected = functional.cross_entropy(logits, torch.tensor(TAGS.pairs[3][1])).item()
    validator = ShapeValidator(Examples([TAGS.pairs[3]]), 8, collate_labels, LabelObjective(model, 0.5), CPU)
    for training in (True, False):
        assert validator(model.train(training)).loss == pytest.approx(expected, rel=1e-5)
        assert model.training == training


def test_a_loss_that_is_no_number_is_an_error() -> None:
    model = small_tagger()
    with torch.no_grad():
        model.get_parameter("project.bias").fill_(float("nan"))
    with pytest.raises(NonFiniteError):
        ShapeValidator(TAGS, 8, collate_labels, LabelObjective(model, 0.0), CPU)(model)


def test_first_states_are_zeros_or_bounded() -> None:
    online = build_online_tagger(OnlineTaggerConfig(frontend="vectors", cell="lstm", layers=2, width=8), 3, 2)
    assert [[part.tolist() for part in state] for state in online.start(2)] == 2 * [2 * [2 * [8 * [0.0]]]]
    writer = build_writer(WriterConfig(embedding_width=8, layers=2, width=8), 3, 9)
    states = writer.start(1000 * torch.randn(2, 3)).layers
    assert [[part.shape for part in state] for state in states] == 2 * [2 * [(2, 8)]]
    assert all(part.abs().max() <= 1 for state in states for part in state)


@pytest.mark.parametrize(
    "model",
    [
        build_reader(ReaderConfig(frontend="vectors"), 3, 2),
        build_tagger(TaggerConfig(frontend="vectors"), 3, 2),
        build_online_tagger(OnlineTaggerConfig(frontend="vectors"), 3, 2),
        build_writer(WriterConfig(), 3, 9),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_begin_with_weights_by_role(model: nn.Module) -> None:
    layers = [part for part in model.modules() if isinstance(part, RecurrentLayer)]
    affine = [part for part in model.modules() if isinstance(part, nn.Linear) and part.bias is not None]
    assert layers
    assert affine
    for layer in layers:
        _, _, bias, other = layer.weights()
        assert bias.view(4, -1).mean(1).tolist() == [0, 1, 0, 0]
        assert not other.any()
    assert not any(part.bias.any() for part in affine)


def test_a_writers_config_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="even for the pyramid"):
        parse(ReaderConfig, {"frontend": "pyramid", "frontend_width": 3}, "test")
    with pytest.raises(ConfigError, match=r"unknown key poling: did you mean pooling\?"):
        parse(ReaderConfig, {"frontend": "embedding", "poling": "max"}, "test")
