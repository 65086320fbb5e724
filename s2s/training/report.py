"""What a run tells while it goes on: lines on standard error, and `metrics.jsonl`."""

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2s.files import NO_ROOM, write_text
from s2s.log import clock, say, warn

INTERVAL = 10.0
"""Seconds between two progress lines."""


class Meter:
    """Sums over the updates since the last progress line, and the speed since the start of this process.

    Without a file for the metrics it counts and reports nothing.
    """

    def __init__(self, metrics: Path | None, fraction: float) -> None:
        self.metrics = metrics
        self._first_fraction = fraction
        self._started = self._spoken = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self._sums: list[dict[str, Tensor]] = []
        self._tokens = 0
        self._updates = 0

    def add(self, sums: dict[str, Tensor], tokens: int) -> None:
        """One update: losses summed over its tokens, by name, and the norm of its gradient; see `Updater`."""
        self._sums.append(sums)
        self._tokens += tokens
        self._updates += 1

    def report(self, fraction: float, always: bool = False, **facts: Any) -> None:
        """A progress line and a row of metrics, when it is time for one."""
        now = time.monotonic()
        if self.metrics is None:
            self._clear()
            return
        if not self._updates or (now - self._spoken < INTERVAL and not always):
            return
        row = {**facts, **self._means(), "tokens_per_second": self._tokens / max(now - self._spoken, 1e-9)}
        append(self.metrics, {"kind": "training", **row})
        shown = {"ctc_loss": "CTC loss {:.3f}", "perplexity": "perplexity {:.2f}"}
        parts = "".join(f"{text.format(row[name])}, " for name, text in shown.items() if name in row)
        say(
            f"update {row['update']:,}, epoch {row['epoch'] + 1}: loss {row['loss']:.3f}, {parts}"
            f"gradient norm {row['gradient_norm']:.2f}, {row['tokens_per_second']:,.0f} tokens/s, "
            f"{self._left(fraction, now)} left"
        )
        self.resume()

    def _means(self) -> dict[str, float]:
        """Losses per token and the mean norm; a loss that only some of the updates had is left out."""
        names = set.intersection(*(set(sums) for sums in self._sums))
        total = {name: torch.stack([sums[name] for sums in self._sums]).sum().item() for name in sorted(names)}
        means = {"loss": total["loss"] / self._tokens, "gradient_norm": total["norm"] / self._updates}
        if "ctc" in total:
            means["ctc_loss"] = total["ctc"] / self._tokens
        if "likelihood" in total:
            means["perplexity"] = math.exp(min(total["likelihood"] / self._tokens, 100))
        return means

    def resume(self) -> None:
        """Start counting anew, for instance after a validation, whose time is not the training's."""
        self._clear()
        self._spoken = time.monotonic()

    def _left(self, fraction: float, now: float) -> str:
        done = fraction - self._first_fraction
        if done <= 0:
            return "unknown time"
        return clock((now - self._started) * max(0.0, 1 - fraction) / done)


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one row of JSON to a file of rows; where the disk is full it is lost, which is warned of."""
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        with suppress(OSError):
            os.truncate(path, before)  # half a row would spoil the next
        warn(f"{path} has no room for a row ({error.strerror}). Training goes on. Make room.")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics file; a last row that was cut off in the middle is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def drop_rows_after(path: Path, update: int) -> None:
    """Leave the rows up to an update, and no half row that a kill left."""
    if path.is_file():
        kept = [row for row in read_rows(path) if row["update"] <= update]
        write_text(path, "".join(json.dumps(row) + "\n" for row in kept))
