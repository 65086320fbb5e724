"""Prepare one side of a translation corpus, or transcripts, for a language model that helps their model by fusion."""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.corpora import ORIGIN, dropped_line, write_origin
from recipes.running import run
from recipes.runs import corpus_name
from s2s.data.parallel_text import open_text
from s2s.data.prepare_monolingual import PrepareMonolingualOptions, prepare_monolingual
from s2s.data.prepared import PreparedData
from s2s.data.speech import open_speech
from s2s.errors import UsageError
from s2s.files import write_text
from s2s.log import say
from s2s.text.readers import Side
from s2s.text.tokenizer import SentencePieceTokenizer

Column = Literal["source", "target"]
HELD_OUT = "also in dev or test"


@click.command()
@click.argument("corpus", type=click.Choice(["translation", "transcription"]))
@click.option("--data", "folder", required=True, type=click.Path(path_type=Path), help="Data of that recipe.")
@click.option("--side", type=click.Choice(["source", "target"]), help="Of a translation corpus (default: target).")
@click.option(
    "--extra", multiple=True, metavar="LINES", help="More lines to train on, after those of DATA; repeatable."
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write.")
def command(corpus: str, folder: Path, side: Column | None, extra: tuple[str, ...], output: Path) -> None:
    """Take text, split and tokenizer from prepared data: a side of a translation corpus, or the transcripts of speech.

    LINES is a file, or whatever `s2s prepare monolingual --train` takes. Extra lines that are also in dev or test are
    left out.
    """
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder, or remove it.")
    if corpus == "transcription" and side is not None:
        raise UsageError("--side has no effect on transcripts, which have one: leave it out.")
    data = open_text(folder) if corpus == "translation" else open_speech(folder)
    column = side or "target"
    parts = {name: Side(f"datasets:{folder / name}#{column}") for name in data.manifest["parts"]}
    dropped: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="s2s-") as work:
        if extra:
            held_out = [line for name, part in parts.items() if name != "train" for line in part]
            parts["train"] = joined(parts["train"], map(Side, extra), held_out, Path(work) / "train.txt", dropped)
            say(f"extra lines: {dropped_line(dropped)}")
        tokenizer, language = side_of(data, column)
        prepare_monolingual(PrepareMonolingualOptions(parts, language, output, tokenizer))
    write_origin(output, " ".join([corpus_name(folder), *(["extra"] if extra else [])]), licence(folder), dropped)


def side_of(data: PreparedData, column: Column) -> tuple[SentencePieceTokenizer, str]:
    """The tokenizer and the language of a column of text."""
    tokenizer: SentencePieceTokenizer = getattr(data.codec, column)
    return tokenizer, data.languages[0 if column == "source" else -1]


def joined(train: Side, extra: Iterator[Side], held_out: Sequence[str], path: Path, dropped: Counter[str]) -> Side:
    """The lines of training, and after them those extra ones that are not held out, in a file."""
    known = set(map(bare, held_out))

    def lines() -> Iterator[str]:
        yield from train
        for line in (line for side in extra for line in side):
            if bare(line) in known:
                dropped[HELD_OUT] += 1
            else:
                yield line

    write_text(path, "".join(f"{line}\n" for line in lines()))
    return Side(str(path))


def bare(line: str) -> str:
    """What two lines share that are the same but for case, spaces and punctuation."""
    return "".join(filter(str.isalnum, line.casefold())) or line


def licence(folder: Path) -> str:
    """What the data says of its licence."""
    origin = folder / ORIGIN
    return str(json.loads(origin.read_text(encoding="utf-8"))["licence"]) if origin.is_file() else "as that of its data"


if __name__ == "__main__":
    run(command)
