"""The next value of a chaotic series from a window of the last few: the equation of Mackey and Glass.

dx/dt = 0.2 x(t - 17) / (1 + x(t - 17) ** 10) - 0.1 x(t), the production of blood cells (Mackey & Glass, Science 197,
1977), integrated by the fourth order of Runge and Kutta with the delayed value held fixed within a step of 0.1, from
x = 1.2 on. One value is kept of every six units of time, as is usual; the first 100 are dropped. All is by formula, the
same on every machine. Measured values are never exact, so that noise is added, drawn by a fixed seed.

The series is cut in time: it trains on its first part, dev follows, and the test is its end. Values are normalised
by the mean and the standard deviation of training.
"""

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from recipes.shapes.scoring import outputs_of
from recipes.shapes.task import Headline, Part, ShapeRunConfig, System, Task, refuse_folder
from s2s.config import Count, ReaderConfig, Section
from s2s.data.labelled import Examples
from s2s.errors import DataError
from s2s.rng import generator
from s2s.shapes import build_reader
from s2s.training.shapes import ValueObjective

DELAY, STEP, KEPT, DROPPED = 17, 0.1, 60, 100
"""Of the equation, in units of time; of the integration, in the same; steps for each value that is kept; values."""


class Data(Section):
    """Values of each part, the size of a window, how many values ahead is told, and the noise's standard deviation."""

    kind: Literal["series"]
    window: Count = 3
    ahead: Count = 1
    train: Count = 3000
    dev: Count = 500
    test: Count = 1000
    noise: Annotated[float, Field(ge=0, strict=True)] = 0.01


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: ReaderConfig

    @model_validator(mode="after")
    def _values_are_not_smoothed(self) -> "Config":
        if self.regularisation.label_smoothing:
            raise ValueError("regularisation.label_smoothing has no effect on values: set it to 0")
        return self


def build(config: Config, from_dir: Path | None) -> Task:
    """The task, made by formula."""
    refuse_folder(from_dir)
    data = config.data
    values = mackey_glass(data.train + data.dev + data.test)
    values = values + data.noise * torch.randn(len(values), generator=generator(1, "noise"))
    mean, std = values[: data.train].mean(), values[: data.train].std()
    parts = dict(zip(("train", "dev", "test"), torch.split(values, [data.train, data.dev, data.test]), strict=True))
    windows = {name: cut((part - mean) / std, data.window, data.ahead) for name, part in parts.items()}
    sets = {name: Examples(list(zip(sources, targets, strict=True)), 1) for name, (sources, targets) in windows.items()}

    def score(model: nn.Module) -> dict[str, Part]:
        found = torch.cat(outputs_of(model, sets["test"]))
        return {"test": scored(found, windows["train"], windows["test"], std.item())}

    return Task(
        "Mackey-Glass",
        f"window {data.window}, {data.ahead} ahead",
        sets["train"],
        sets["dev"],
        sets["test"],
        model=lambda: build_reader(config.model, 1, 1, config.regularisation),
        objective=ValueObjective,
        score=score,
        headline=Headline(
            "RMSE",
            "root of the mean squared error, in the units of the series",
            "lower",
            ("last value", "linear, by least squares"),
        ),
    )


def mackey_glass(count: int) -> Tensor:
    """So many values (N) of the series."""
    lag = round(DELAY / STEP)
    history = [1.2] * (lag + 1)
    for _ in range((count + DROPPED) * KEPT):
        now, late = history[-1], history[-1 - lag]
        made = 0.2 * late / (1 + late**10)
        first = made - 0.1 * now
        second = made - 0.1 * (now + STEP * first / 2)
        third = made - 0.1 * (now + STEP * second / 2)
        fourth = made - 0.1 * (now + STEP * third)
        history.append(now + STEP * (first + 2 * second + 2 * third + fourth) / 6)
    return torch.tensor(history[lag + 1 :][::KEPT][DROPPED:])


def cut(values: Tensor, window: int, ahead: int) -> tuple[Tensor, Tensor]:
    """Every window (N, W, 1) of values, and the value (N, 1, 1) that comes so many steps after its end.

    DataError when there is none.
    """
    if len(values) < window + ahead:
        raise DataError(
            f"A part of {len(values):,} values is too short for a window of {window:,} and a value {ahead:,} after it: "
            "lower data.window, or make the part longer."
        )
    sources = values[: len(values) - ahead].unfold(0, window, 1)
    return sources.unsqueeze(2), values[window + ahead - 1 :].reshape(-1, 1, 1)


def scored(found: Tensor, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], std: float) -> Part:
    """The errors of found values (N, 1), and of the baselines, in the units of the series."""
    sources, expected = test[0][:, :, 0], test[1][:, 0]
    answers = {"model": found, "last value": sources[:, -1:], "linear, by least squares": linear(train, sources)}
    return Part(len(expected), {name: _errors(one, expected, std) for name, one in answers.items()})


def _errors(found: Tensor, expected: Tensor, std: float) -> System:
    return {"RMSE": std * (found - expected).double().square().mean().sqrt().item()}


def linear(train: tuple[Tensor, Tensor], sources: Tensor) -> Tensor:
    """Values (N, 1) for windows (N, W): an affine map of the window, fitted to training by least squares."""
    fitted = torch.linalg.lstsq(_with_one(train[0][:, :, 0]), train[1][:, 0].double()).solution
    found: Tensor = (_with_one(sources) @ fitted).float()
    return found


def _with_one(windows: Tensor) -> Tensor:
    return torch.cat([windows, torch.ones(len(windows), 1)], dim=1).double()
