"""Fetch a corpus, split it into train, dev and test, and prepare it for training."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.corpora import write_origin
from recipes.running import run
from recipes.transcription.corpora import an4, asterisk, digits
from recipes.transcription.corpora.corpus import Corpus
from recipes.transcription.held_out import copy_held_out
from s2s.data.prepare_audio import Normalisation, PrepareAudioOptions, prepare_audio
from s2s.errors import UsageError
from s2s.log import say
from s2s.text.tokenizer import Units

CORPORA: dict[str, Callable[[str, Path | None, Path], Corpus]] = {
    "asterisk": asterisk.read,
    "digits": digits.read,
    "an4": an4.read,
}


@click.command()
@click.argument("corpus", type=click.Choice(list(CORPORA)))
@click.option("--language", default="en", show_default=True, help="The language that is spoken.")
@click.option(
    "--from-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that holds the packages (asterisk, which is fetched without it) or the files of the corpus.",
)
@click.option(
    "--units",
    type=click.Choice(get_args(Units)),
    help="What texts are made of (default: what serves the corpus best).",
)
@click.option(
    "--normalisation",
    type=click.Choice(get_args(Normalisation)),
    help="Of features, over the utterance, the speaker or the training part (default: what serves the corpus best).",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
def command(
    corpus: str,
    language: str,
    from_dir: Path | None,
    units: Units | None,
    normalisation: Normalisation | None,
    output: Path,
) -> None:
    """Fetch, split and prepare CORPUS: asterisk (CC BY-SA), digits (CC BY-SA) or an4 (free use).

    The recordings are copied into the output, which needs nothing outside of it.
    """
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder, or remove it.")
    with tempfile.TemporaryDirectory(prefix="s2s-") as name:
        work = Path(name)
        found = CORPORA[corpus](language, from_dir, work)
        say(found.describe())
        manifests = {part: str(path) for part, path in found.write(work).items()}
        options = PrepareAudioOptions(
            manifests,
            found.language,
            output,
            units=units or found.units,
            normalisation=normalisation or found.normalisation,
            copy_audio=True,
        )
        prepare_audio(options)
    copy_held_out(output)
    name = " ".join(filter(None, [corpus, units, normalisation]))
    write_origin(output, name, found.licence, found.dropped)


if __name__ == "__main__":
    run(command)
