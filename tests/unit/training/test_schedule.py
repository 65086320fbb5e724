import pytest

from s2s.config import TrainingConfig
from s2s.training.schedule import Position, fraction_done, learning_rate


def test_linear_schedule_rises_to_the_peak_and_falls_to_nothing() -> None:
    config = TrainingConfig(max_updates=100, warmup_updates=10, learning_rate=0.5)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.05)
    assert learning_rate(config, 4, 0.04) == pytest.approx(0.25)
    assert learning_rate(config, 59, 0.6) == pytest.approx(0.2)
    assert learning_rate(config, 99, 1.0) == 0.0


def test_inverse_square_root_meets_the_warm_up_at_the_peak() -> None:
    config = TrainingConfig(max_updates=100, warmup_updates=16, learning_rate=0.5, schedule="inverse-sqrt")
    assert learning_rate(config, 15, 0.15) == pytest.approx(0.5)
    assert learning_rate(config, 7, 0.07) == pytest.approx(0.25)
    assert learning_rate(config, 63, 0.63) == pytest.approx(0.25)


def test_without_warm_up_the_first_update_has_the_full_rate() -> None:
    config = TrainingConfig(max_updates=100, warmup_updates=0, learning_rate=0.5)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("limits", "fraction"),
    [
        ({"max_updates": 40}, 0.25),
        ({"max_epochs": 4}, 0.375),
        ({"max_minutes": 2.0}, 0.5),
        ({"max_updates": 40, "max_epochs": 4, "max_minutes": 2.0}, 0.5),
    ],
)
def test_the_limit_that_is_nearest_to_its_end_counts(limits: dict[str, float], fraction: float) -> None:
    position = Position(update=10, epoch=1, batches=3, segments=50, seconds=60.0)
    assert fraction_done(TrainingConfig(**limits), position, segments_per_epoch=100) == pytest.approx(fraction)
