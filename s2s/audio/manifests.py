"""The utterances of a corpus, one after the other, from whatever kind of manifest describes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from s2s.audio.hub import read_dataset
from s2s.audio.tables import read_json_lines, read_table
from s2s.audio.trees import TRANSCRIPTS, read_kaldi, read_librispeech
from s2s.audio.utterances import Utterance
from s2s.errors import DataError, UsageError
from s2s.hub import PREFIX

__all__ = ["KINDS", "Utterance", "read_manifest"]

KINDS = (
    "FILE.jsonl, FILE.csv or FILE.tsv (columns id, audio, text), a Kaldi data directory (wav.scp), "
    "a tree like LibriSpeech's (SPEAKER/CHAPTER/*.trans.txt) or datasets:NAME@SPLIT"
)


def read_manifest(name: str, with_text: bool = True) -> Iterator[Utterance]:
    """The utterances that a manifest describes, in its order; with_text=False does without texts.

    - `FILE.jsonl`, `FILE.csv`, `FILE.tsv`, also with `.gz`: fields or columns id, audio, text and optionally speaker,
      offset, duration (in seconds);
    - a folder with `wav.scp`: a Kaldi data directory;
    - a folder with `SPEAKER/CHAPTER/*.trans.txt`: a tree like that of LibriSpeech;
    - `datasets:NAME@SPLIT`: a data set with a column audio, see `s2s.audio.hub.read_dataset`.

    Relative paths of audio count from the manifest's folder; whether there is such a file is not looked at. UsageError:
    there is no such manifest, or it is of no known kind. DataError: it is empty, has an id twice, or a line cannot be
    used; the text names file and line.
    """
    return _checked(_open(name, with_text), name)


def _open(name: str, with_text: bool) -> Iterator[Utterance]:
    if name.startswith(PREFIX):
        return read_dataset(name, with_text)
    path, kind = Path(name), name.removesuffix(".gz")
    if not path.exists():
        raise UsageError(f"There is no manifest {name}. A manifest is {KINDS}.")
    if path.is_dir():
        if (path / "wav.scp").is_file():
            return read_kaldi(path, with_text)
        if any(path.glob(TRANSCRIPTS)):
            return read_librispeech(path)
    elif kind.endswith(".jsonl"):
        return read_json_lines(path, with_text)
    elif kind.endswith((".csv", ".tsv")):
        return read_table(path, with_text)
    raise UsageError(f"{name} is no manifest of a known kind: {KINDS}.")


def _checked(utterances: Iterable[Utterance], name: str) -> Iterator[Utterance]:
    """The utterances; DataError when there are none, or two have the same id."""
    seen: dict[str, int] = {}
    for number, utterance in enumerate(utterances, start=1):
        first = seen.setdefault(utterance.id, number)
        if first != number:
            raise DataError(
                f"{name}: the id {utterance.id} stands there twice, for utterances {first:,} and {number:,}. "
                "Each needs an id of its own."
            )
        yield utterance
    if not seen:
        raise DataError(f"{name} describes no utterances.")
