"""The picture of this recipe: what is recalled over delays, and how gradients fade or grow over distances."""

import io
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from recipes.results import Result
from recipes.shapes.memory.tables import cells_of
from s2s.files import write_bytes

EVERY = 5
"""Steps between two recorded gradients."""


def draw(results: Sequence[Result], picture: Path) -> None:
    """Means over the results, which are those of several seeds, as PNG."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.5))
    _accuracies(axes[0], results)
    _gradients(axes[1], results, "before")
    _gradients(axes[1], results, "after")
    _gains(axes[2], results)
    figure.tight_layout()
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=80, format="png", metadata={"Software": None})
    write_bytes(picture, drawn.getvalue())
    pyplot.close(figure)


def _accuracies(axis: Any, results: Sequence[Result]) -> None:
    names = list(results[0]["parts"])
    delays = [int(name.rpartition(" ")[2]) for name in names]
    for cell in (*cells_of(results), "chance"):
        own = [one["parts"] for one in results if cell == "chance" or cell in one["cells"]]
        values = [mean(one[name]["systems"][cell]["accuracy"] for one in own) for name in names]
        axis.plot(delays, values, "k:" if cell == "chance" else "o-", label=cell)
    axis.set(xscale="log", xlabel="delay (steps)", ylabel="recalled (%)", title="What is recalled")
    axis.set_xticks(delays, map(str, delays))
    axis.minorticks_off()
    axis.legend()


def _gradients(axis: Any, results: Sequence[Result], when: str) -> None:
    for number, cell in enumerate(cells_of(results)):
        curves = [one["cells"][cell][when]["gradients"] for one in results if cell in one["cells"]]
        style = "--" if when == "before" else "-"
        _curve(axis, curves, f"C{number}{style}", f"{cell}, {when} training")
    axis.set(title="Gradients by the state of each cell")
    axis.legend(fontsize=7)


def _gains(axis: Any, results: Sequence[Result]) -> None:
    for number, name in enumerate(results[0]["gains"]):
        curves = [one["gains"][name] for one in results]
        _curve(axis, curves, f"C{number}-", name)
    axis.set(title="Recurrent matrices that shrink and stretch")
    axis.legend(fontsize=7)


def _curve(axis: Any, curves: Sequence[Sequence[float]], style: str, label: str) -> None:
    """The mean curve; what is too small for a logarithm stands at the floor."""
    means = [max(mean(values), 1e-12) for values in zip(*curves, strict=True)]
    axis.plot([EVERY * number for number in range(len(means))], means, style, label=label)
    axis.set(yscale="log", ylim=(1e-12, 1e12), xlabel="steps back", ylabel="gradient, over that of the last step")
