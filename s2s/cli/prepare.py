"""`s2s prepare`: from a corpus to prepared data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from s2s.errors import UsageError

if TYPE_CHECKING:
    from s2s.text.tokenizer import SentencePieceTokenizer


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
    from s2s.data.prepare_text import PrepareTextOptions, prepare_text
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


@command.command()
@click.option("--train", required=True, metavar="LINES", help="The training part.")
@click.option("--dev", required=True, metavar="LINES", help="The development part.")
@click.option("--test", required=True, metavar="LINES", help="The test part.")
@click.option("--language", required=True, metavar="CODE", help="The language of the text, for instance en.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to write; it must not exist.")
@click.option(
    "--tokenizer",
    type=click.Path(path_type=Path),
    help="Prepared data or a model whose target vocabulary to take, as a model needs that this one shall help.",
)
@click.option("--units", type=click.Choice(["unigram", "bpe", "characters"]), help="Default: unigram subwords.")
@click.option("--vocabulary-size", type=click.IntRange(min=1), help="Entries (default: chosen from the corpus).")
@click.option("--max-length", type=click.IntRange(min=1), default=200, help="Words of a line at most (default: 200).")
def monolingual(train: str, dev: str, test: str, tokenizer: Path | None, **options: Any) -> None:
    """Prepare text of one language, for a language model.

    LINES is a plain file of one line each (also .gz), a column of a table (pairs.tsv#1), a field of JSON lines
    (pairs.jsonl#de), or a field of a data set on disk or on the hub (datasets:NAME@SPLIT#FIELD); of prepared data it is
    datasets:DATA/train#target. Lines stay in their order; those that are empty or, in training, too long are left out.
    """
    from s2s.data.prepare_monolingual import PrepareMonolingualOptions, prepare_monolingual
    from s2s.text.languages import parse_language
    from s2s.text.readers import Side

    parse_language(options["language"])
    parts = {"train": Side(train), "dev": Side(dev), "test": Side(test)}
    if tokenizer is not None and options["units"] is not None:
        raise UsageError("--units has no effect with --tokenizer, which has its own: leave one out.")
    given = None if tokenizer is None else _tokenizer(tokenizer)
    options["units"] = options["units"] or "unigram"
    prepare_monolingual(PrepareMonolingualOptions(parts, tokenizer=given, **options))


def _tokenizer(path: Path) -> "SentencePieceTokenizer":
    """The target's tokenizer in prepared data or a model, whose files are those that were written."""
    from s2s.checkpoint import codec_of, read_info, resolve, verify
    from s2s.data.prepared import MANIFEST, open_data

    if (path / MANIFEST).is_file() and not (path / "checkpoints").is_dir():
        return cast("SentencePieceTokenizer", open_data(path).codec.target)
    folder = resolve(path)
    info = read_info(folder)
    verify(folder, info)
    return cast("SentencePieceTokenizer", codec_of(folder, info).target)


@command.command()
@click.option("--train", required=True, metavar="MANIFEST", help="The training part.")
@click.option("--dev", required=True, metavar="MANIFEST", help="The development part.")
@click.option("--test", required=True, metavar="MANIFEST", help="The test part.")
@click.option("--language", required=True, metavar="CODE", help="The language that is spoken, for instance en.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write; it must not exist.")
@click.option("--check", "only_check", is_flag=True, help="Open every recording and report; write nothing.")
@click.option(
    "--units",
    type=click.Choice(["unigram", "bpe", "characters"]),
    help="Default: characters below 2 hours of training, unigram subwords above.",
)
@click.option("--vocabulary-size", type=click.IntRange(min=1), help="Entries (default: chosen from the corpus).")
@click.option("--rate", type=click.IntRange(4000, 48_000), help="Hz of the features (default: that of most files).")
@click.option(
    "--bands", type=click.IntRange(8, 256), help="Of the filter bank (default: 80 from 16,000 Hz on, else 40)."
)
@click.option(
    "--normalisation",
    type=click.Choice(["utterance", "speaker", "global"]),
    default="utterance",
    show_default=True,
    help="Mean and variance of features over each utterance, each speaker, or the training part.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share of a part's recordings that may be bad and are skipped.",
)
@click.option(
    "--max-seconds", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, help="Of a recording, at most."
)
@click.option("--copy-audio", is_flag=True, help="Copy all recordings into DATA, so that it needs nothing outside.")
def audio(train: str, dev: str, test: str, output: Path | None, only_check: bool, **options: Any) -> None:
    """Prepare transcribed recordings.

    A MANIFEST is a file of JSON lines, CSV or TSV with the columns id, audio, text and, if known, speaker, offset and
    duration (in seconds); a Kaldi data directory; a LibriSpeech tree; or a data set with audio, on disk or on the hub
    (datasets:NAME@SPLIT). Every recording is opened once; what is wrong with it is counted and named.
    """
    from s2s.data.prepare_audio import PrepareAudioOptions, check_audio, prepare_audio

    if only_check == (output is not None):
        raise UsageError("Give either --output, to write prepared data, or --check, to write nothing.")
    parts = {"train": train, "dev": dev, "test": test}
    if output is None:
        check_audio(PrepareAudioOptions(parts, output=Path(), **options))
    else:
        prepare_audio(PrepareAudioOptions(parts, output=output, **options))
