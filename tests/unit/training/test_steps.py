import copy

import pytest
import torch

from s2s.config import DecoderConfig, EncoderConfig, ModelConfig, TrainingConfig
from s2s.data.batches import Batch, collate
from s2s.errors import ConfigError, NonFiniteError
from s2s.model import Seq2Seq, build_model
from s2s.training.objectives import Seq2SeqObjective, batch_losses
from s2s.training.optimiser import build_optimiser
from s2s.training.steps import Updater, check_precision

SIZE = 12
SHAPE = ModelConfig(embedding_width=8, encoder=EncoderConfig(width=8), decoder=DecoderConfig(width=8))
PAIRS = [([5, 6, 7, 2], [7, 6, 5]), ([4, 2], [4]), ([9, 8, 2], [8, 9]), ([10, 11, 4, 5, 6, 2], [6, 5, 4, 11, 10])]


def model() -> Seq2Seq:
    torch.manual_seed(3)
    return build_model(SHAPE, SIZE, SIZE)


def updater(net: Seq2Seq, clip_norm: float = 1e9, smoothing: float = 0.1) -> Updater:
    training = TrainingConfig(max_updates=1, clip_norm=clip_norm, learning_rate=0.01)
    objective = Seq2SeqObjective(net, smoothing, None)
    return Updater(net, objective, build_optimiser(net, training), training, torch.device("cpu"))


def batch(rows: list[int]) -> Batch:
    return collate([PAIRS[row] for row in rows], rows)


def test_loss_is_that_of_torch_over_real_positions() -> None:
    net = model().eval()
    together = batch([0, 1, 2, 3])
    losses = batch_losses(net, together, smoothing=0.1)
    decoded = net.decode(net.encode(together.source, together.source_lengths), together.target[:, :-1])
    logits, labels = net.logits(decoded.features).flatten(0, 1), together.target[:, 1:].flatten()
    arguments = {"ignore_index": 0, "reduction": "sum"}
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1, **arguments)
    assert "ctc" not in losses
    torch.testing.assert_close(losses["loss"].float(), expected)
    torch.testing.assert_close(
        losses["likelihood"].float(), torch.nn.functional.cross_entropy(logits, labels, **arguments)
    )


def test_accumulated_batches_make_the_update_of_one_large_batch() -> None:
    one, several = model(), model()
    sums, tokens = updater(one)([batch([0, 1, 2, 3])])
    parts, counted = updater(several)([batch([0]), batch([1, 2]), batch([3])])
    assert tokens == counted == 15
    assert sums.keys() == parts.keys() == {"loss", "likelihood", "norm"}
    for name, value in sums.items():
        torch.testing.assert_close(value, parts[name], rtol=1e-5, atol=1e-5)
    for mine, other in zip(one.parameters(), several.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_gradient_is_clipped_by_its_norm_and_the_norm_before_is_reported() -> None:
    free, clipped = model(), model()
    norm = updater(free)([batch([0, 1])])[0]["norm"]
    gradients = [weight.grad.clone() for weight in free.parameters() if weight.grad is not None]
    reported = updater(clipped, clip_norm=norm.item() / 4)([batch([0, 1])])[0]["norm"]
    assert reported == pytest.approx(norm.item())
    shrunk = [weight.grad for weight in clipped.parameters() if weight.grad is not None]
    for gradient, small in zip(gradients, shrunk, strict=True):
        torch.testing.assert_close(small, gradient / 4, rtol=1e-4, atol=1e-7)


def test_a_gradient_that_is_not_finite_changes_nothing_and_names_the_rows() -> None:
    net = model()
    net.output.bias.data[5] = float("inf")
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(NonFiniteError, match=r"rows 0, 2 of the training part"):
        updater(net)([batch([2, 0])])
    for name, weight in net.state_dict().items():
        assert torch.equal(weight, before[name]), name


def test_biases_and_norms_do_not_decay() -> None:
    net = model()
    decaying, fixed = build_optimiser(net, TrainingConfig(max_updates=1, weight_decay=0.3)).param_groups
    assert (decaying["weight_decay"], fixed["weight_decay"]) == (0.3, 0.0)
    assert {weight.ndim for weight in decaying["params"]} == {2}
    assert {weight.ndim for weight in fixed["params"]} == {1}
    assert len(decaying["params"]) + len(fixed["params"]) == len(list(net.parameters()))


def test_bfloat16_is_refused_where_the_processor_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2s.training.steps.has_bfloat16", lambda device: False)
    check_precision(torch.device("cpu"), "float32")
    with pytest.raises(ConfigError, match=r'Set training.precision = "float32"'):
        check_precision(torch.device("cpu"), "bfloat16")
    monkeypatch.setattr("s2s.training.steps.has_bfloat16", lambda device: True)
    check_precision(torch.device("cpu"), "bfloat16")


def test_bfloat16_update_is_near_that_of_float32() -> None:
    single, half = model(), model()
    exact = updater(single)([batch([0, 1, 2, 3])])[0]
    rounded = updater(half)
    rounded.precision = "bfloat16"
    torch.testing.assert_close(rounded([batch([0, 1, 2, 3])])[0], exact, rtol=0.03, atol=0.1)
