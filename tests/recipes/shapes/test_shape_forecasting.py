"""Windows of a series, the series itself, and the baselines."""

from pathlib import Path

import pytest
import torch

from recipes.shapes.forecasting import series
from recipes.shapes.forecasting.series import cut, linear, mackey_glass, scored
from s2s.data.labelled import Examples
from s2s.errors import DataError
from tests.recipes.shapes.running import read_small, run_small, scores_of

SHORT = ("data.train=60", "data.dev=20", "data.test=30")


@pytest.mark.parametrize("window", [1, 3, 5])
def test_a_forecast_from_end_to_end(tmp_path: Path, window: int) -> None:
    result = run_small("forecasting/series.toml", tmp_path, *SHORT, f"data.window={window}")
    assert result["parts"]["test"]["segments"] == 30 - window
    assert result["languages"] == f"window {window}, 1 ahead"
    assert scores_of(result)["linear, by least squares"]["RMSE"] < scores_of(result)["last value"]["RMSE"]


def test_windows_end_before_the_value_that_is_told() -> None:
    sources, targets = cut(torch.arange(7.0), window=3, ahead=2)
    assert sources.squeeze(2).tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert targets.flatten().tolist() == [4, 5, 6]


def test_the_series_is_the_published_one() -> None:
    """Chaotic between 0.2 and 1.4; a step of a tenth of the size gives the same first values."""
    values = mackey_glass(300)
    assert len(values) == 300
    assert 0.2 < values.min() < 0.5
    assert 1.2 < values.max() < 1.4
    torch.testing.assert_close(mackey_glass(20), values[:20])


def test_the_delay_is_that_of_the_equation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to it, what comes in is constant, and the solution an exponential."""
    monkeypatch.setattr(series, "KEPT", 1)
    monkeypatch.setattr(series, "DROPPED", 0)
    values = mackey_glass(172)
    limit = 0.2 * 1.2 / (1 + 1.2**10) / 0.1
    expected = limit + (1.2 - limit) * torch.exp(-0.01 * torch.arange(1, 173))
    torch.testing.assert_close(values[:171], expected[:171], atol=1e-6, rtol=0)
    assert 1e-4 < values[171] - expected[171] < 3e-4


def values_of(examples: Examples) -> torch.Tensor:
    """The values that windows of one were cut from."""
    return torch.cat([*(torch.as_tensor(source)[0] for source, _ in examples.pairs), examples.pairs[-1][1][0]])


def test_values_are_normalised_by_training_alone() -> None:
    _, task = read_small("forecasting/series.toml", *SHORT, "data.window=1", "data.noise=0.0")
    train, whole = values_of(task.train), mackey_glass(110)
    torch.testing.assert_close(train, (whole[:60] - whole[:60].mean()) / whole[:60].std())
    _, noisy = read_small("forecasting/series.toml", *SHORT, "data.window=1", "data.noise=0.3")
    assert not torch.allclose(values_of(noisy.train), train, atol=0.1)


def test_the_line_is_fitted_to_training() -> None:
    _, task = read_small("forecasting/series.toml", *SHORT)
    found = task.score(task.model().eval())["test"].systems
    (train, _), (test, expected) = (
        [torch.stack([torch.as_tensor(pair[side]) for pair in part.pairs]) for side in (0, 1)]
        for part in (task.train, task.test)
    )
    targets = torch.stack([torch.as_tensor(target) for _, target in task.train.pairs])
    errors = linear((train, targets), test[:, :, 0]) - expected[:, 0]
    last = test[:, -1] - expected[:, 0]
    ratio = found["linear, by least squares"]["RMSE"] / found["last value"]["RMSE"]
    assert ratio == pytest.approx(errors.norm().item() / last.norm().item(), rel=1e-4)


def test_least_squares_finds_a_line() -> None:
    """Values that go on by their last difference."""
    rising = torch.arange(30.0)
    train, test = cut(rising[:20], 3, 1), cut(rising[20:], 3, 1)
    torch.testing.assert_close(linear(train, test[0][:, :, 0]), test[1][:, 0], atol=1e-3, rtol=0)
    scores = scored(test[1][:, 0], train, test, std=2.0).systems
    assert scores["model"]["RMSE"] == 0
    assert scores["last value"]["RMSE"] == pytest.approx(2.0)


def test_too_short_a_part_is_an_error() -> None:
    with pytest.raises(DataError, match="4 values is too short for a window of 4"):
        read_small("forecasting/series.toml", *SHORT, "data.dev=4", "data.window=4")
