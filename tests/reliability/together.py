"""What trainings by several processes are tested with: small data and configs of both kinds, and their losses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.digits import prepare_digits
from tests.tones import prepare_tones

TEXT: dict[str, Any] = {
    "model": {"embedding_width": 16, "encoder": {"width": 16}, "decoder": {"width": 16}},
    "training": {"batch_tokens": 120, "validation_interval": 10, "warmup_updates": 5},
}
AUDIO: dict[str, Any] = {
    "model": TEXT["model"]
    | {"ctc": True, "tied_embeddings": "output", "frontend": {"kind": "convolution", "channels": 4}},
    "training": {"batch_frames": 400, "validation_interval": 10, "warmup_updates": 5, "learning_rate": 0.005},
}

Folders = dict[str, Path]


def prepare_both(folder: Path) -> Folders:
    """Prepared data by its kind."""
    return {"text": prepare_digits(folder / "digits"), "audio": prepare_tones(folder / "tones")}


def with_training(config: dict[str, Any], **training: object) -> dict[str, Any]:
    """The config with other keys of training."""
    return config | {"training": config["training"] | training}


def losses(run: Path) -> Iterator[tuple[str, int, float]]:
    """Each loss of a run: its name, its update, its value."""
    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield from ((name, row["update"], row[name]) for name in ("loss", "ctc_loss", "gradient_norm") if name in row)
