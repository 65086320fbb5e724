"""Preparation of text: filter, learn the tokenizers, write Arrow; the corpus streams through and is never held."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import s2s
from s2s.data.arrow import count_rows, read_rows, save_part, text_columns, write_rows
from s2s.data.encoding import COLUMNS, encode_part
from s2s.data.learning import learn_tokenizer
from s2s.data.prepared import MANIFEST, describe_folder
from s2s.data.work import work_folder
from s2s.errors import DataError, UsageError
from s2s.files import commit_file, committed_folder, write_json
from s2s.log import progress, say
from s2s.text.cleaning import FILTERS, Cleaner, CleaningOptions
from s2s.text.placeholders import mask_source, mask_target
from s2s.text.readers import Side, read_pairs
from s2s.text.tokenizer import Units
from s2s.text.tokenizers import Tokenizers


@dataclass(frozen=True)
class PrepareTextOptions:
    """`parts` maps train, dev and test (and further test parts) to their sides; `vocabulary_size` None: chosen."""

    parts: Mapping[str, tuple[Side, Side]]
    languages: tuple[str, str]
    output: Path
    units: Units = "unigram"
    joint: bool = True
    vocabulary_size: int | None = None
    cleaning: CleaningOptions = field(default_factory=CleaningOptions)


@dataclass
class PartCounts:
    """How many segments a part had, kept and lost by filter."""

    read: int = 0
    kept: int = 0
    taken: dict[str, int] = field(default_factory=dict)

    def describe(self, name: str) -> str:
        """One line for people."""
        lost = ", ".join(f"{reason} {count:,}" for reason, count in self.taken.items() if count)
        return f"{name}: {self.kept:,} of {self.read:,} segments" + (f"; taken by filters: {lost}" if lost else "")


def prepare_text(options: PrepareTextOptions) -> dict[str, PartCounts]:
    """Write DATA (see `s2s.data.prepared`) and return the counts of each part.

    Only the training part is filtered; of others, segments with an empty side are left out, which cannot be scored.
    DataError: unreadable text, unequal sides, or a part of which nothing is left; UsageError: DATA exists, or the
    vocabulary does not fit. Nothing is written then.
    """
    _check(options)
    counts = {}
    with work_folder(options.output, _plan(options)) as (work, folder):
        for name, sides in options.parts.items():
            counts[name] = _filter(name, sides, options.cleaning, work / f"{name}.arrow")
            say(counts[name].describe(name))
        if not (work / "tokenizer").exists():
            with committed_folder(work / "tokenizer") as made:
                _learn(work / "train.arrow", options).save(made)
        for name in options.parts:
            save_part(encode_part(work / f"{name}.arrow", counts[name].kept, work / "tokenizer"), folder / name)
        shutil.copytree(work / "tokenizer", folder / "tokenizer")
        write_json(folder / MANIFEST, _manifest(options, counts, Tokenizers.load(folder / "tokenizer"), folder))
    say(f"wrote {options.output}")
    return counts


def _check(options: PrepareTextOptions) -> None:
    missing = [name for name in ("train", "dev", "test") if name not in options.parts]
    if missing:
        raise UsageError(f"The part {missing[0]} is missing.")
    if options.units == "characters" and options.vocabulary_size is not None:
        raise UsageError("A vocabulary size has no effect with characters as units: leave it out.")
    for sides in options.parts.values():
        for side in sides:
            side.check()


def _plan(options: PrepareTextOptions) -> dict[str, Any]:
    """What the result is a function of, in terms of JSON."""
    states = {name: [side.state() for side in sides] for name, sides in options.parts.items()}
    chosen = asdict(options) | {"output": None, "parts": states, "s2s": s2s.__version__}
    plan: dict[str, Any] = json.loads(json.dumps(chosen))
    return plan


def _filter(name: str, sides: tuple[Side, Side], cleaning: CleaningOptions, path: Path) -> PartCounts:
    """Write the pairs that stay to an Arrow file, and their counts beside it, unless these are there."""
    written = path.with_suffix(".json")
    if written.exists():
        before = PartCounts(**json.loads(written.read_bytes()))
        if count_rows(path) == before.kept:
            return before
    cleaner = Cleaner(cleaning)
    counts = PartCounts()

    def rows() -> Iterator[dict[str, Any]]:
        for source, target in progress(read_pairs(*sides), f"reading {name}"):
            counts.read += 1
            if name == "train":
                keep = cleaner.keeps(source, target)
            else:
                keep = bool(source.strip() and target.strip())
                cleaner.taken["empty"] += not keep
            if keep:
                counts.kept += 1
                yield {"id": str(counts.read), "source": source, "target": target}

    unfinished = path.with_suffix(".part")
    write_rows(unfinished, rows(), text_columns(*COLUMNS))
    counts.taken = {reason: cleaner.taken[reason] for reason in FILTERS}
    if counts.kept == 0:
        most, taken = cleaner.taken.most_common(1)[0] if cleaner.taken else ("", 0)
        why = f'the filter "{most}" took most of them, {taken:,}' if taken else "its files are empty"
        raise DataError(f"Nothing is left of {counts.read:,} segments of {name}: {why}. Nothing was written.")
    commit_file(unfinished, path)
    write_json(written, asdict(counts))
    return counts


def _masked(path: Path) -> Iterator[tuple[str, str]]:
    for row in read_rows(path):
        masked, masks = mask_source(row["source"])
        yield masked, mask_target(row["target"], masks)


def _learn(path: Path, options: PrepareTextOptions) -> Tokenizers:
    """Tokenizers of the training part."""
    chosen = options.units, options.vocabulary_size
    if options.joint:
        tokenizer = learn_tokenizer(lambda: (text for pair in _masked(path) for text in pair), "joint", *chosen)
        return Tokenizers(tokenizer, tokenizer, options.languages)
    source = learn_tokenizer(lambda: (pair[0] for pair in _masked(path)), "source", *chosen)
    target = learn_tokenizer(lambda: (pair[1] for pair in _masked(path)), "target", *chosen)
    return Tokenizers(source, target, options.languages)


def _manifest(
    options: PrepareTextOptions, counts: dict[str, PartCounts], tokenizers: Tokenizers, folder: Path
) -> dict[str, Any]:
    return {
        **describe_folder(folder, "text", ("sentencepiece", "datasets", "pyarrow")),
        "languages": list(options.languages),
        "parts": {name: asdict(count) for name, count in counts.items()},
        "cleaning": asdict(options.cleaning),
        "tokenizer": {
            "units": options.units,
            "joint": options.joint,
            "source_size": tokenizers.source.size,
            "target_size": tokenizers.target.size,
        },
    }
