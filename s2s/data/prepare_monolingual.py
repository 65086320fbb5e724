"""Preparation of text of one language, for language models; the corpus streams through and is never held."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from s2s.data.arrow import id_columns, save_part, text_columns, write_rows
from s2s.data.learning import learn_tokenizer
from s2s.data.prepared import MANIFEST, describe_folder
from s2s.errors import DataError, UsageError
from s2s.files import committed_folder, write_json
from s2s.log import progress, say
from s2s.text.cleaning import length
from s2s.text.lines import clean
from s2s.text.monolingual import MonolingualCodec
from s2s.text.placeholders import mask_source
from s2s.text.readers import Side
from s2s.text.tokenizer import SentencePieceTokenizer, Units
from s2s.text.vocabulary import EOS


@dataclass(frozen=True)
class PrepareMonolingualOptions:
    """`parts` maps train, dev and test to their lines; `tokenizer` is one that is there already, None: learn one.

    Training lines of more than `max_length` words are left out; `vocabulary_size` None: chosen.
    """

    parts: Mapping[str, Side]
    language: str
    output: Path
    tokenizer: SentencePieceTokenizer | None = None
    units: Units = "unigram"
    vocabulary_size: int | None = None
    max_length: int = 200


@dataclass
class _Counts:
    """How many lines a part had, kept and lost by filter."""

    read: int = 0
    kept: int = 0
    taken: dict[str, int] = field(default_factory=lambda: {"empty": 0, "too long": 0})

    def describe(self, name: str) -> str:
        """One line for people."""
        lost = ", ".join(f"{reason} {count:,}" for reason, count in self.taken.items() if count)
        return f"{name}: {self.kept:,} of {self.read:,} lines" + (f"; left out: {lost}" if lost else "")


def prepare_monolingual(options: PrepareMonolingualOptions) -> None:
    """Write DATA (see `s2s.data.prepared`): lines in their order, of which empty ones are left out.

    They are kept as they are, and read as a model in use reads them, see `s2s.text.lines.clean`.

    DataError: unreadable text, or a part of which nothing is left; UsageError: DATA exists, or the vocabulary does not
    fit. Nothing is written then.
    """
    if options.tokenizer is not None and options.vocabulary_size is not None:
        raise UsageError("A vocabulary size has no effect with a tokenizer that is there already: leave one out.")
    if options.units == "characters" and options.vocabulary_size is not None:
        raise UsageError("A vocabulary size has no effect with characters as units: leave it out.")
    for side in options.parts.values():
        side.check()
    with committed_folder(options.output) as folder:
        codec = MonolingualCodec(options.tokenizer or _learn(options), options.language)
        counts = {}
        for name in options.parts:
            counts[name] = _Counts()
            arrow = folder / f"{name}.arrow"
            rows = _rows(progress(_lines(name, options, counts[name]), f"encoding {name}"), codec)
            write_rows(arrow, rows, text_columns("id", "target") | id_columns("target_ids"))
            if not counts[name].kept:
                raise DataError(f"Nothing is left of {counts[name].read:,} lines of {name}. Nothing was written.")
            save_part([arrow], folder / name)
            arrow.unlink()
            say(counts[name].describe(name))
        (folder / "tokenizer").mkdir()
        codec.save(folder / "tokenizer")
        write_json(folder / MANIFEST, _manifest(options, counts, codec, folder))
    say(f"wrote {options.output}")


def _lines(name: str, options: PrepareMonolingualOptions, counts: _Counts) -> Iterator[tuple[int, str]]:
    """The lines of a part that stay, with their numbers from 1."""
    for line in options.parts[name]:
        counts.read += 1
        reason = _reason(line, options.max_length if name == "train" else None)
        if reason is None:
            counts.kept += 1
            yield counts.read, line
        else:
            counts.taken[reason] += 1


def _reason(line: str, max_length: int | None) -> str | None:
    """Why a line is left out, if it is."""
    if not clean(line).strip():
        return "empty"
    return "too long" if max_length is not None and length(line) > max_length else None


def _rows(lines: Iterator[tuple[int, str]], codec: MonolingualCodec) -> Iterator[dict[str, Any]]:
    for number, line in lines:
        yield {"id": str(number), "target": line, "target_ids": [*codec.encode(line), EOS]}


def _learn(options: PrepareMonolingualOptions) -> SentencePieceTokenizer:
    def texts() -> Iterator[str]:
        return (mask_source(clean(line))[0] for _, line in _lines("train", options, _Counts()))

    return learn_tokenizer(texts, options.language, options.units, options.vocabulary_size)


def _manifest(
    options: PrepareMonolingualOptions, counts: Mapping[str, _Counts], codec: MonolingualCodec, folder: Path
) -> dict[str, Any]:
    return {
        **describe_folder(folder, "monolingual", ("sentencepiece", "datasets", "pyarrow")),
        "language": options.language,
        "parts": {name: asdict(count) for name, count in counts.items()},
        "max_length": options.max_length,
        "tokenizer": {
            "units": options.units if options.tokenizer is None else "given",
            "target_size": codec.target.size,
        },
    }
