import torch
from torch import nn

from s2s.training.averaging import MovingAverage


def test_average_follows_the_formula_and_leaves_the_weights_alone() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(1.0)
    average = MovingAverage(layer, decay=0.9)
    expected = 1.0
    for update, value in enumerate((2.0, 5.0, -1.0), start=1):
        layer.weight.data.fill_(value)
        average.update(update)
        decay = min(0.9, update / (update + 10))
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(average.averages[0], torch.tensor([[expected]]))
    assert layer.weight.item() == -1.0
    with average.in_place():
        assert layer.weight.item() == average.averages[0].item()
    assert layer.weight.item() == -1.0


def test_late_updates_use_the_full_decay() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(0.0)
    average = MovingAverage(layer, decay=0.9)
    layer.weight.data.fill_(1.0)
    average.update(1000)
    torch.testing.assert_close(average.averages[0], torch.tensor([[0.1]]))
