"""`s2s info`: what a model is, how it was trained and how good it is."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from s2s.checkpoint import ModelInfo


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of a page.")
def command(model: Path, as_json: bool) -> None:
    """What MODEL is (a model directory, or a run for its best checkpoint), how it was trained and how good it is."""
    import json

    from s2s.checkpoint import read_info, resolve, verify
    from s2s.config import to_document

    folder = resolve(model)
    info = read_info(folder)
    verify(folder, info)
    if as_json:
        found = {"folder": str(folder), **to_document(info)}
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(page(folder, info))


def page(folder: Path, info: "ModelInfo") -> str:
    """What is known of a model, for people."""
    from s2s.checkpoint.card import purpose, score_lines, shape_lines, training_lines

    size = sum(record.size for record in info.files.values())
    return "\n".join(
        [
            f"{folder}: {purpose(info)}",
            f"{info.parameters:,} parameters, {size / 1e6:.1f} MB, by {info.written_by}; all files are as recorded",
            "",
            *shape_lines(info),
            "",
            *training_lines(info.training),
            "",
            *score_lines(info.training),
        ]
    )
