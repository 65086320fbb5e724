"""`s2s info`: what a model is, how it was trained and how good it is."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from s2s.checkpoint import ModelInfo
    from s2s.inference.precisions import PrecisionScore


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), help="Prepared data: decode its part dev in each precision, and compare."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of a page.")
def command(model: Path, data: Path | None, as_json: bool) -> None:
    """What MODEL is, how it was trained and how good it is.

    MODEL is a model directory, a run for its best checkpoint, or an exported folder.
    """
    import json

    from s2s.checkpoint import read_info, resolve, verify
    from s2s.config import to_document

    folder = resolve(model)
    info = read_info(folder)
    verify(folder, info)
    compared = []
    if data is not None:
        from s2s.inference.precisions import compare_precisions

        compared = compare_precisions(folder, data)
    if as_json:
        found = {"folder": str(folder), **to_document(info)}
        if compared:
            found["precisions"] = [asdict(row) for row in compared]
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo("\n".join([page(folder, info), *_precision_lines(compared)]))


def _precision_lines(compared: "Sequence[PrecisionScore]") -> Iterator[str]:
    if compared:
        yield f"\nprecisions, on the part dev ({compared[0].signature}):"
    for row in compared:
        change = "" if row is compared[0] else f" ({row.difference:+.2f}), {row.speed:.1f} x as fast"
        yield f"{row.precision:<10}{row.metric} {row.value:.2f}{change}"


def _tuned_lines(folder: Path) -> Iterator[str]:
    """What `s2s tune` found, which comes before the model's own settings."""
    from s2s.checkpoint.tuned import tuned_for

    tuned = tuned_for(folder)
    for found, where in ((tuned.alone, ""), *((one, " with a language model") for one in tuned.with_lm)):
        if found is not None:
            settings = found.decoding.model_dump(exclude_none=True, exclude={"max_length"})
            shown = ", ".join(f"{name} {value:g}" for name, value in settings.items())
            yield f"- tuned{where}: {shown}; {found.metric} {found.value:.2f} on {found.part}"


def page(folder: Path, info: "ModelInfo") -> str:
    """What is known of a model, for people."""
    from s2s.checkpoint.card import purpose, score_lines, shape_lines, size, training_lines

    megabytes = sum(record.size for record in info.files.values()) / 1e6
    return "\n".join(
        [
            f"{folder}: {purpose(info)}",
            f"{size(info)}, {megabytes:.1f} MB, by {info.written_by}; all files are as recorded",
            "",
            *shape_lines(info),
            *_tuned_lines(folder),
            "",
            *training_lines(info.training),
            "",
            *score_lines(info.training),
        ]
    )
