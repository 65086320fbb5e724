"""Pictures of a run as PNG: its curves, and where attention looks. Without matplotlib there are none."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

from s2s.files import write_bytes
from s2s.log import warn
from s2s.training.report import read_rows


@dataclass(frozen=True)
class Alignment:
    """What attention looked at (T, S) while it wrote these pieces (T) of a segment."""

    name: str
    pieces: Sequence[str]
    weights: Tensor


@cache
def _pyplot() -> ModuleType | None:
    """Matplotlib without a window; None, with a note that says how to get it, where it is missing."""
    try:
        import matplotlib as mpl
    except ImportError:
        warn("no pictures of the run: matplotlib is missing. Install it with: pip install 's2s[plot]'")
        return None
    mpl.use("agg")
    from matplotlib import pyplot

    return pyplot


def plot_curves(metrics: Path, picture: Path) -> None:
    """Curves of the losses and scores in a metrics file over the updates."""
    plots = _pyplot()
    if plots is None:
        return
    rows = read_rows(metrics)
    figure, left = plots.subplots(figsize=(8, 5))
    for kind, key in (("training", "loss"), ("validation", "loss")):
        points = [(row["update"], row[key]) for row in rows if row["kind"] == kind]
        left.plot(*zip(*points, strict=True), label=f"{kind} {key}") if points else None
    left.set_xlabel("update")
    left.set_ylabel("loss per token (nats)")
    left.legend(loc="center left")
    curves = {
        metric: points
        for metric in ("bleu", "wer", "cer")
        if (points := [(row["update"], row[metric]) for row in rows if row["kind"] == "validation" and metric in row])
    }
    if curves:
        right = left.twinx()
        for (metric, points), color in zip(curves.items(), ("tab:green", "tab:red"), strict=False):
            right.plot(*zip(*points, strict=True), color=color, label=f"{metric.upper()} on dev")
        right.set_ylabel(" and ".join(metric.upper() for metric in curves))
        right.legend(loc="center right")
    _write(figure, picture)


def plot_alignments(alignments: Sequence[Alignment], picture: Path) -> None:
    """One map for each segment: target tokens over source steps, dark where attention looks."""
    plots = _pyplot()
    if plots is None or not alignments:
        return
    figure, axes = plots.subplots(len(alignments), 1, figsize=(8, 4 * len(alignments)), squeeze=False)
    for axis, alignment in zip(axes[:, 0], alignments, strict=True):
        axis.imshow(alignment.weights.numpy(), aspect="auto", cmap="Greys", vmin=0.0, interpolation="nearest")
        pieces = [piece.replace("$", r"\$") for piece in alignment.pieces]
        axis.set_yticks(range(len(pieces)), pieces, fontsize=6)
        axis.set_xlabel("source step")
        axis.set_title(alignment.name.replace("$", "\\$"), fontsize=8)
    figure.tight_layout()
    _write(figure, picture)


def _write(figure: Any, picture: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120)
    write_bytes(picture, drawn.getvalue())
    plots = _pyplot()
    assert plots is not None, "it has drawn the figure"
    plots.close(figure)
