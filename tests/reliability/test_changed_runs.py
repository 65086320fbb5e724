"""Which keys of its config a run may go on without, and which not."""

from pathlib import Path

import pytest

from s2s.config import RunConfig, TrainingConfig, parse
from s2s.errors import ConfigError
from s2s.training import run as running
from s2s.training.run import TrainOptions, train
from tests.language import language_config, prepare_lines
from tests.reliability.runs import AUDIO, SMALL
from tests.reliability.runs import small_config as config


def test_another_config_for_the_same_folder_is_refused_with_the_difference(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    with pytest.raises(
        ConfigError, match=r"training\.clip_norm was 1\.0, is 2\.0, training\.ema_decay was None, is 0\.9"
    ):
        train(config(max_updates=3, clip_norm=2.0, ema_decay=0.9), TrainOptions(data, tmp_path / "run"))


OTHER: dict[str, object] = {
    "batch_tokens": 201,
    "batch_frames": 1201,
    "truncation": 7,
    "shortest_first": True,
    "accumulation": 2,
    "learning_rate": 0.001,
    "schedule": "inverse-sqrt",
    "warmup_updates": 4,
    "weight_decay": 0.02,
    "clip_norm": 2.0,
    "ctc": {"weight": 0.2},
    "precision": "bfloat16",
    "averaging": "best",
    "ema_decay": 0.9,
    "validation_interval": 6,
    "validation_metric": "loss",
}
"""A value that a run does not have, for each key of `training` with which it cannot go on."""


@pytest.fixture(scope="module")
def begun(data: Path, tones: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of text, one of audio, and one of running text, each of one update."""
    folder = tmp_path_factory.mktemp("begun")
    train(config(max_updates=1), TrainOptions(data, folder / "text"))
    audio = parse(RunConfig, {**AUDIO, "training": {**AUDIO["training"], "max_updates": 1}}, "test")
    train(audio, TrainOptions(tones, folder / "audio"))
    lines = prepare_lines(folder)
    train(language_config("text", max_updates=1), TrainOptions(lines, folder / "language"))
    return {"text": folder / "text", "audio": folder / "audio", "language": folder / "language", "lines": lines}


@pytest.mark.parametrize("key", sorted(OTHER))
def test_no_other_key_of_training_may_change(data: Path, tones: Path, begun: dict[str, Path], key: str) -> None:
    if key == "truncation":
        other = language_config("text", max_updates=1, truncation=OTHER[key])
        with pytest.raises(ConfigError, match=r"another config: training\.truncation was 64, is 7"):
            train(other, TrainOptions(begun["lines"], begun["language"]))
        return
    audio = key in ("batch_frames", "ctc")
    base = AUDIO if audio else SMALL
    changed = parse(RunConfig, {**base, "training": {**base["training"], "max_updates": 1, key: OTHER[key]}}, "test")
    with pytest.raises(ConfigError, match=rf"another config: training\.{key}[. ]"):
        train(changed, TrainOptions(tones if audio else data, begun["audio" if audio else "text"]))


def test_every_key_of_training_may_change_or_may_not() -> None:
    assert set(TrainingConfig.model_fields) == OTHER.keys() | set(running.MAY_CHANGE)
    assert OTHER.keys().isdisjoint(running.MAY_CHANGE)
