"""What a run tells while it goes on: lines on standard error, `metrics.jsonl`, and at the end a picture of both."""

import io
import json
import math
import time
from pathlib import Path
from typing import Any

from torch import Tensor

from s2s.files import write_bytes, write_text
from s2s.log import say, warn

INTERVAL = 10.0
"""Seconds between two progress lines."""


class Meter:
    """Sums over the updates since the last progress line, and the speed since the start of this process."""

    def __init__(self, metrics: Path, fraction: float) -> None:
        self.metrics = metrics
        self._first_fraction = fraction
        self._started = self._spoken = time.monotonic()
        self._clear()

    def _clear(self) -> None:
        self._losses: list[Tensor] = []
        self._tokens = 0
        self._updates = 0

    def add(self, sums: Tensor, tokens: int) -> None:
        """One update: `sums` (3) are loss, negative log-likelihood (both over its tokens) and gradient norm."""
        self._losses.append(sums)
        self._tokens += tokens
        self._updates += 1

    def report(self, fraction: float, always: bool = False, **facts: Any) -> None:
        """A progress line and a row of metrics, when it is time for one."""
        now = time.monotonic()
        if not self._updates or (now - self._spoken < INTERVAL and not always):
            return
        loss, likelihood, norm = (sum(row).item() for row in zip(*self._losses, strict=True))
        row = {
            **facts,
            "loss": loss / self._tokens,
            "perplexity": math.exp(min(likelihood / self._tokens, 100)),
            "gradient_norm": norm / self._updates,
            "tokens_per_second": self._tokens / max(now - self._spoken, 1e-9),
        }
        append(self.metrics, {"kind": "training", **row})
        say(
            f"update {row['update']:,}, epoch {row['epoch'] + 1}: loss {row['loss']:.3f}, "
            f"perplexity {row['perplexity']:.2f}, gradient norm {row['gradient_norm']:.2f}, "
            f"{row['tokens_per_second']:,.0f} tokens/s, {self._left(fraction, now)} left"
        )
        self.resume()

    def resume(self) -> None:
        """Start counting anew, for instance after a validation, whose time is not the training's."""
        self._clear()
        self._spoken = time.monotonic()

    def _left(self, fraction: float, now: float) -> str:
        done = fraction - self._first_fraction
        if done <= 0:
            return "unknown time"
        return clock((now - self._started) * max(0.0, 1 - fraction) / done)


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one row of JSON to a file of rows."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


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


def plot(metrics: Path, picture: Path) -> None:
    """Curves of loss and BLEU over the updates as PNG; without matplotlib a note says how to get it."""
    try:
        import matplotlib as mpl
    except ImportError:
        warn("no picture of the curves: matplotlib is missing. Install it with: pip install 's2s[plot]'")
        return
    mpl.use("agg")
    from matplotlib import pyplot

    rows = read_rows(metrics)
    figure, left = pyplot.subplots(figsize=(8, 5))
    for kind, key in (("training", "loss"), ("validation", "loss")):
        points = [(row["update"], row[key]) for row in rows if row["kind"] == kind]
        left.plot(*zip(*points, strict=True), label=f"{kind} {key}") if points else None
    left.set_xlabel("update")
    left.set_ylabel("loss per token (nats)")
    left.legend(loc="center left")
    scores = [(row["update"], row["bleu"]) for row in rows if row["kind"] == "validation" and "bleu" in row]
    if scores:
        right = left.twinx()
        right.plot(*zip(*scores, strict=True), color="tab:green", label="BLEU on dev")
        right.set_ylabel("BLEU")
        right.legend(loc="center right")
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120)
    write_bytes(picture, drawn.getvalue())
    pyplot.close(figure)
