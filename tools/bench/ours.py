"""s2s itself as a system to measure: its training, and its drivers."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
import torch
from watching import Training, Window

from s2s.config import RunConfig, read_config, to_document
from s2s.errors import ConfigError
from s2s.hardware import has_bfloat16

NEVER = 1_000_000_000
LIMITS = ("max_updates", "max_epochs", "max_minutes", "patience")


def config_of(path: Path, overrides: Sequence[str]) -> RunConfig:
    """The config of an encoder-decoder, which peers have too; ConfigError when it is of something else."""
    config = read_config(path, overrides)
    if not isinstance(config, RunConfig):
        raise ConfigError(f"{path} describes a language model: name the config of an encoder-decoder.")
    return config


def precisions() -> list[str]:
    """float32, and bfloat16 where this processor computes in it by itself."""
    return ["float32", *(["bfloat16"] if has_bfloat16(torch.device("cpu")) else [])]


def environment(threads: int) -> dict[str, str]:
    """The environment of every process that is measured: so many threads for whatever library it uses."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    return {**kept, **dict.fromkeys(names, str(threads)), "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}


def training(config: RunConfig, data: Path, precision: str, folder: Path, threads: int) -> Training:
    """A training without limit, validation and checkpoint, in an empty folder."""
    document = to_document(config)
    kept = {name: value for name, value in document["training"].items() if name not in LIMITS}
    endless = {"max_updates": NEVER, "validation_interval": NEVER, "precision": precision}
    path = folder / "bench.toml"
    path.write_text(tomli_w.dumps(document | {"training": kept | endless}), encoding="utf-8")
    run = folder / "run"
    command = [sys.executable, "-m", "s2s", "train", str(path), "--data", str(data), "--output", str(run)]
    command += ["--threads", str(threads)]
    return Training(command, run / "metrics.jsonl", windows, folder / "output.txt", environment(threads))


def windows(log: str) -> list[Window]:
    """What metrics.jsonl tells: a row every ten seconds, whose `seconds` count from the start of training."""
    found, update, seconds = [], 0, 0.0
    for row in _rows(log):
        if row["kind"] == "training":
            passed = row["seconds"] - seconds
            found.append(Window(row["update"] - update, passed, row["tokens_per_second"] * passed))
            update, seconds = row["update"], row["seconds"]
    return found


def _rows(log: str) -> list[Mapping[str, Any]]:
    """All rows; the last line may still be half written."""
    return [json.loads(line) for line in log.split("\n")[:-1]]
