"""JoeyNMT (PyPI joeynmt) as a peer: a model of the same sizes, its training and its log.

Its decoder is Luong's, with his attention (which trains a quarter faster than Bahdanau's here) and input feeding, as is
its default: it loops over target positions. It does not sort segments by length, so that its batches hold more padding;
its budget, which counts padding, is raised until an update has as many real target tokens as one of s2s.
"""

import json
import random
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from boundary import BenchError
from ours import NEVER, environment
from watching import Training, Window

from s2s.config import RunConfig

ATTENTION = "luong"
LEARNING_RATE = 1e-3
LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*Epoch +(?P<epoch>\d+), Step: +(?P<step>\d+), .*"
    r"Tokens per Sec: +(?P<rate>[\d.]+), ",
    re.MULTILINE,
)


def training(
    python: str,
    config: RunConfig,
    joint: bool,
    data: Path,
    folder: Path,
    budget: int,
    threads: int,
    updates: int = NEVER,
) -> Training:
    """A training without validation in `folder`, which keeps its model at the end if it is given `updates`."""
    path = folder / "joeynmt.yaml"
    document = document_of(config, joint, data, folder / "joeynmt", budget)
    document["training"]["updates"] = updates
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    command = [python, "-m", "joeynmt", "train", str(path), "--skip-test"]
    output = folder / "joeynmt.txt"
    return Training(command, output, windows, output, environment(threads))


def translating(python: str, folder: Path) -> list[str]:
    """Its command that translates lines of tokens with the model that `training` left in `folder`."""
    document = json.loads((folder / "joeynmt.yaml").read_text(encoding="utf-8"))
    model = folder / "joeynmt"
    document |= {"model_dir": str(model), "testing": {"load_model": str(model / "latest.ckpt"), "beam_size": 5}}
    path = folder / "translate.yaml"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return [python, "-m", "joeynmt", "translate", str(path)]


def document_of(config: RunConfig, joint: bool, data: Path, folder: Path, budget: int) -> dict[str, Any]:
    """Its configuration (YAML, of which JSON is a part)."""
    sides = {
        side: {"lang": side, "level": "word", "voc_file": str(data / f"vocabulary.{side}.txt")}
        for side in ("src", "trg")
    }
    return {
        "name": "bench",
        "model_dir": str(folder),
        "use_cuda": False,
        "random_seed": config.seed,
        "data": {"train": str(data / "train"), "dev": str(data / "dev"), "dataset_type": "plain", **sides},
        "training": _training(config, budget),
        "testing": {},
        "model": _model(config, joint),
    }


def _training(config: RunConfig, budget: int) -> dict[str, Any]:
    return {
        "optimizer": "adamw",
        "scheduling": "exponential",  # without one it ends in an error
        "decrease_factor": 1.0,
        "learning_rate": LEARNING_RATE,
        "weight_decay": config.training.weight_decay,
        "clip_grad_norm": config.training.clip_norm,
        "label_smoothing": config.regularisation.label_smoothing,
        "normalization": "tokens",
        "batch_size": budget,
        "batch_type": "token",
        "batch_multiplier": config.training.accumulation,
        "epochs": NEVER,
        "logging_freq": 5,
        "validation_freq": NEVER,
        "overwrite": True,
    }


def _model(config: RunConfig, joint: bool) -> dict[str, Any]:
    """Tied as s2s ties, as far as it can: its output layer is as wide as the decoder."""
    model, drop = config.model, config.regularisation
    for part in (model.encoder, model.decoder):
        if part.cell not in ("lstm", "gru"):
            raise BenchError(f"JoeyNMT has no {part.cell} cells. Choose a config with lstm or gru.")
    embeddings = {"embedding_dim": model.embedding_width, "dropout": drop.embedding_dropout}
    tied = model.tied_embeddings != "none" and model.embedding_width == model.decoder.width
    return {
        "tied_embeddings": joint and model.tied_embeddings == "three-way",
        "tied_softmax": tied,
        "encoder": {
            "type": "recurrent",
            "rnn_type": model.encoder.cell,
            "bidirectional": True,
            "num_layers": model.encoder.layers,
            "hidden_size": model.encoder.width,
            "embeddings": embeddings,
            "dropout": drop.layer_dropout,
        },
        "decoder": {
            "type": "recurrent",
            "rnn_type": model.decoder.cell,
            "num_layers": model.decoder.layers,
            "hidden_size": model.decoder.width,
            "embeddings": embeddings,
            "dropout": drop.layer_dropout,
            "hidden_dropout": drop.output_dropout,
            "attention": ATTENTION,
            "init_hidden": "bridge",
            "input_feeding": True,
        },
    }


def windows(log: str) -> list[Window]:
    """Between two lines of one epoch: its own rate, of real target tokens with EOS, and the time by its clock."""
    found, lines = [], list(LINE.finditer(log))
    for before, line in pairwise(lines):
        if before["epoch"] == line["epoch"]:
            seconds = (_time(line) - _time(before)).total_seconds()
            found.append(Window(int(line["step"]) - int(before["step"]), seconds, float(line["rate"]) * seconds))
    return found


def _time(line: re.Match[str]) -> datetime:
    return datetime.strptime(line["time"], "%Y-%m-%d %H:%M:%S,%f")


def budget_for(lengths: Sequence[tuple[int, int]], tokens: float) -> int:
    """The budget with which an update has about so many real target tokens.

    `lengths` are those of sources with EOS and of targets without it. The order of segments is random, as its own.
    """
    order = list(lengths)
    random.Random(1).shuffle(order)
    total = sum(target + 1 for _, target in order)
    low, high = 1, max(2, int(8 * tokens))
    while high - low > max(1, low // 200):
        middle = (low + high) // 2
        low, high = (middle, high) if total / batches(order, middle) < tokens else (low, middle)
    return high


def batches(lengths: Sequence[tuple[int, int]], budget: int) -> int:
    """How many batches its TokenBatchSampler makes of segments in this order."""
    count, longest, size = 0, 0, 0
    for source, target in lengths:
        longest, size = max(longest, source, target + 1), size + 1
        if longest * size >= budget:
            count, longest, size = count + 1, 0, 0
    return count + (size > 0)
