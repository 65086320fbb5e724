"""`s2s tune`: the settings of the search that are best on a part of prepared data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2s.cli.options import device_options

if TYPE_CHECKING:
    from s2s.checkpoint.tuned import Comparison, TunedSearch


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Prepared data: what `s2s prepare` wrote.")
@click.option("--part", default="dev", show_default=True, help="Of the data, to tune on; never what you report.")
@click.option("--lm", type=click.Path(path_type=Path), help="Language model that takes part.")
@click.option(
    "--beam-size",
    "beam_sizes",
    type=click.IntRange(1, 1000),
    multiple=True,
    help="One to try, and no others; repeatable.",
)
@device_options
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(model: Path, as_json: bool, **options: Any) -> None:
    """Find beam size, length penalty, and weights of CTC and a language model for MODEL, and make them its defaults.

    They have the best BLEU, or word error rate, on the part of the data, and are written into the file decoding.json of
    the model directory. They hold for that model alone: when the best checkpoint of a run changes, and for an average,
    a line says that tuning must be repeated. Those found with a language model hold where the same one is given; with
    another the weight must be given, and all else is as without. An option of a command comes before them; remove the
    file to have the model's own again.

    A language model has a weight only if its gain over the best settings without it is beyond chance (p < 0.05 by
    paired bootstrap over segments, or over speakers where they are known). Else its weight is 0, and what was found
    without it holds with it and without.
    """
    from s2s.checkpoint import resolve
    from s2s.checkpoint.tuned import keep_tuned
    from s2s.config import to_document
    from s2s.inference.tuning import TuningOptions, tune
    from s2s.log import say, warn

    folder = resolve(model)  # once, as the best checkpoint of a run that trains may change
    found = tune(folder, TuningOptions(**options))
    path = keep_tuned(folder, found)
    click.echo(json.dumps(to_document(found)) if as_json else _page(found))
    say(f"wrote {path}")
    if resolve(model) != folder:
        warn(f"{folder} is no longer the best checkpoint of {model}: repeat `s2s tune` when training has ended.")


def _page(found: "TunedSearch") -> str:
    names = ("beam_size", "length_penalty", "ctc_weight", "lm_weight")
    chosen = [(name, value) for name in names if (value := getattr(found.decoding, name)) is not None]
    return "\n".join(
        [
            *(f"{name:<16}{value:g}" for name, value in chosen),
            f"{found.metric:<16}{found.value:.2f} on {found.part}, {found.before:.2f} before  {found.signature}",
            *([] if found.comparison is None else [_compared(found.comparison)]),
        ]
    )


def _compared(found: "Comparison") -> str:
    scores = f"{found.value:.2f} with a weight of {found.lm_weight:g}, {found.without:.2f} without"
    return f"{'language model':<16}{scores}, p = {found.p_value:.3f}  {found.signature}"
