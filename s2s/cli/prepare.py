"""`s2s prepare`: from a corpus to prepared data."""

from pathlib import Path
from typing import Any

import click


@click.group()
def command() -> None:
    """Filter a corpus, train its tokenizer and write prepared data."""


PART = "SOURCE TARGET"


@command.command()
@click.option("--train", nargs=2, required=True, metavar=PART, help="Both sides of the training part.")
@click.option("--dev", nargs=2, required=True, metavar=PART, help="Both sides of the development part.")
@click.option("--test", nargs=2, required=True, metavar=PART, help="Both sides of the test part.")
@click.option("--languages", required=True, metavar="SOURCE-TARGET", help="Language codes, for instance en-de.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to write; it must not exist.")
@click.option(
    "--units", type=click.Choice(["unigram", "bpe", "characters"]), default="unigram", help="Default: unigram subwords."
)
@click.option("--joint/--separate", default=True, help="One vocabulary for both languages (default), or one for each.")
@click.option("--vocabulary-size", type=click.IntRange(min=1), help="Entries (default: chosen from the corpus).")
@click.option("--max-length", type=click.IntRange(min=1), default=200, help="Words of a side at most (default: 200).")
@click.option("--max-ratio", type=click.FloatRange(min=1), default=3.0, help="Of the sides' lengths (default: 3).")
@click.option("--keep-copies", is_flag=True, help="Keep training segments whose target is their source.")
def text(train: tuple[str, str], dev: tuple[str, str], test: tuple[str, str], **options: Any) -> None:
    """Prepare parallel text.

    A side is a plain file of one segment a line (also .gz), a column of a table (pairs.tsv#1), a field of JSON lines
    (pairs.jsonl#de), or a field of a data set on disk or on the hub (datasets:NAME@SPLIT#FIELD). Training segments
    that are empty, too long, of unequal length, copies of their source or duplicates are left out and counted; in
    scripts without spaces, lengths are counted in characters.
    """
    from s2s.data.prepare import PrepareTextOptions, prepare_text
    from s2s.text.cleaning import CleaningOptions
    from s2s.text.languages import parse_languages
    from s2s.text.readers import Side

    prepare_text(
        PrepareTextOptions(
            parts={
                name: (Side(sides[0]), Side(sides[1]))
                for name, sides in (("train", train), ("dev", dev), ("test", test))
            },
            languages=parse_languages(options["languages"]),
            output=options["output"],
            units=options["units"],
            joint=options["joint"],
            vocabulary_size=options["vocabulary_size"],
            cleaning=CleaningOptions(options["max_length"], options["max_ratio"], options["keep_copies"]),
        )
    )
