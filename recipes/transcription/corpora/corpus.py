"""What every corpus module returns."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipes.corpora import dropped_line
from s2s.data.prepare_audio import Normalisation
from s2s.errors import DataError, UsageError
from s2s.files import write_text
from s2s.text.tokenizer import Units


@dataclass(frozen=True)
class Utterance:
    """One recording and what is said in it, in words as they are spoken."""

    id: str
    audio: Path
    text: str
    speaker: str
    seconds: float


@dataclass(frozen=True)
class Corpus:
    """A corpus of speech, split; `dropped` counts what cleaning took, by reason.

    `units` and `normalisation` are those that serve it best; None leaves the choice of units to the library.
    """

    language: str
    licence: str
    parts: Mapping[str, Sequence[Utterance]]
    dropped: Counter[str] = field(default_factory=Counter)
    units: Units | None = None
    normalisation: Normalisation = "utterance"

    def describe(self) -> str:
        """Counts for people, a line for each part."""
        sizes = [f"  {name}: {_size(utterances)}" for name, utterances in self.parts.items()]
        return "\n".join([f"{self.language} ({self.licence})", *sizes, dropped_line(self.dropped)])

    def write(self, folder: Path) -> dict[str, Path]:
        """Each part as a manifest in `folder`, one JSON object a line; returns their paths by part."""
        paths = {name: folder / f"{name}.jsonl" for name in self.parts}
        for name, path in paths.items():
            write_text(path, "".join(f"{_line(utterance)}\n" for utterance in self.parts[name]))
        return paths


def _size(utterances: Sequence[Utterance]) -> str:
    minutes = sum(utterance.seconds for utterance in utterances) / 60
    single = sum(" " not in utterance.text for utterance in utterances)
    speakers = len({utterance.speaker for utterance in utterances})
    return (
        f"{len(utterances):,} utterances ({single:,} of one word), {minutes:.1f} min, "
        f"{speakers} speaker{'s' if speakers > 1 else ''}"
    )


def _line(utterance: Utterance) -> str:
    audio = str(utterance.audio.resolve())
    row = {"id": utterance.id, "audio": audio, "text": utterance.text, "speaker": utterance.speaker}
    return json.dumps(row, ensure_ascii=False)


def seconds_of(audio: Path) -> float:
    """The length of a recording by its header; DataError when it is none."""
    import soundfile

    try:
        return float(soundfile.info(str(audio)).duration)
    except soundfile.SoundFileError as error:
        raise DataError(f"{audio} is not a recording that can be read ({error}).") from error


def check_english(language: str, corpus: str) -> None:
    """UsageError for another language than that of an English corpus."""
    if language != "en":
        raise UsageError(f"{corpus} is English speech: there is no {language} in it. Leave --language out.")


def check_folder(from_dir: Path | None, corpus: str, source: str) -> Path:
    """The folder of a corpus that is not fetched; UsageError says where it comes from when none is given."""
    if from_dir is None:
        raise UsageError(f"{corpus} is not fetched: get it from {source} and give its folder with --from-dir.")
    return from_dir
