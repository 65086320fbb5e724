"""Preparation of audio: open every recording, report, learn the tokenizer, write Arrow; recordings stay as they are."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from s2s.audio.checking import CheckSettings, check
from s2s.audio.features import FeatureSettings, FilterBank, Statistics, StatisticsSum, default_bands
from s2s.audio.findings import Finding, Report, choose_rate
from s2s.audio.manifests import read_manifest
from s2s.audio.reading import read_at
from s2s.audio.resampling import resampled_length
from s2s.audio.utterances import Utterance
from s2s.data.arrow import Row, id_columns, number_columns, read_rows, save_part, text_columns, write_rows
from s2s.data.learning import learn_tokenizer
from s2s.data.prepared import MANIFEST, describe_folder
from s2s.data.speech import SPEAKERS
from s2s.data.speech_codec import SpeechCodec
from s2s.errors import DataError, UsageError
from s2s.files import committed_folder, write_json
from s2s.log import progress, say, warn
from s2s.text.tokenizer import Units

CHARACTERS_BELOW = 2 * 3600.0
"""Seconds of training below which characters are learned better than subwords, which each come too seldom."""

SHORTEST_WINDOW = 10.0
"""Seconds of a window in transcription, unless segments of training are longer."""

TEXTS, NUMBERS = ("id", "audio", "speaker", "target"), ("offset", "duration", "seconds", "samples")

Normalisation = Literal["utterance", "speaker", "global"]
"""Whose mean and variance features have taken away: each utterance's, each speaker's or the training part's."""

OF_A_SPEAKER = 200
"""Recordings of a speaker, the first of a part, of which his or her statistics are taken."""


@dataclass(frozen=True)
class PrepareAudioOptions:
    """`parts` maps train, dev and test (and further test parts) to manifests; see `s2s.audio.manifests.read_manifest`.

    None is chosen from the corpus: `units` (characters below two hours), `vocabulary_size`, `rate` in Hz (that of most
    training files, at most 16,000) and `bands` (80 from 16,000 Hz on, else 40). `tolerance` is the share of a part's
    utterances that may be bad; `max_seconds` bounds each.
    """

    parts: Mapping[str, str]
    language: str
    output: Path
    units: Units | None = None
    vocabulary_size: int | None = None
    rate: int | None = None
    bands: int | None = None
    normalisation: Normalisation = "utterance"
    tolerance: float = 0.05
    max_seconds: float = 30.0
    copy_audio: bool = False


@dataclass
class _Part:
    """What was found in one part, who speaks in it, and hashes of the places of its recordings."""

    report: Report = field(default_factory=Report)
    speakers: set[str] = field(default_factory=set)
    places: set[int] = field(default_factory=set)
    longest: float = 0.0


def prepare_audio(options: PrepareAudioOptions) -> dict[str, Report]:
    """Write DATA (see `s2s.data.prepared`) and return the report on each part.

    What is wrong with a recording leaves it out, with a line that counts and names; DataError when that happens to more
    than `tolerance` of a part, or a manifest cannot be used; UsageError: DATA exists. Nothing is written then.
    """
    _check_parts(options)
    with committed_folder(options.output) as folder:
        work = folder / "work"
        work.mkdir()
        shelf = _Shelf(folder / "audio", options.copy_audio)
        parts = {
            name: _read_part(name, manifest, options, work / f"{name}.arrow", shelf)
            for name, manifest in options.parts.items()
        }
        _check_speakers(options, parts["train"])
        settings = _settle(options, parts)
        _tell(parts, settings.rate)
        codec = _codec(options, settings, work / "train.arrow", parts["train"], folder)
        (folder / "tokenizer").mkdir()
        codec.save(folder / "tokenizer")
        for name in options.parts:
            _encode(work / f"{name}.arrow", folder / name, codec)
            if codec.by_speaker:
                speakers = _speakers(name, work / f"{name}.arrow", settings, folder)
                write_json(folder / name / SPEAKERS, speakers)
        shutil.rmtree(work)
        write_json(folder / MANIFEST, _manifest(options, parts, codec, folder))
    say(f"wrote {options.output}")
    return {name: part.report for name, part in parts.items()}


def check_audio(options: PrepareAudioOptions) -> dict[str, Report]:
    """The report alone, told; errors are those of `prepare_audio`."""
    _check_parts(options)
    parts = {}
    for name, manifest in options.parts.items():
        parts[name] = _Part()
        for _ in _kept(name, manifest, options, parts[name]):
            pass
        if not parts[name].report.kept:
            _check_tolerance(name, parts[name].report, options.tolerance)
    _tell(parts, _settle(options, parts).rate)
    for name, part in parts.items():
        _check_tolerance(name, part.report, options.tolerance, told=True)
    return {name: part.report for name, part in parts.items()}


def _check_parts(options: PrepareAudioOptions) -> None:
    missing = [name for name in ("train", "dev", "test") if name not in options.parts]
    if missing:
        raise UsageError(f"The part {missing[0]} is missing.")
    if options.units == "characters" and options.vocabulary_size is not None:
        raise UsageError("A vocabulary size has no effect with characters as units: leave it out.")


def _check_speakers(options: PrepareAudioOptions, train: _Part) -> None:
    if options.normalisation == "speaker" and not train.speakers:
        raise DataError(
            "No recording of train names its speaker, by which features shall be normalised. Add the column speaker, "
            "or choose another --normalisation. Nothing was written."
        )


class _Shelf:
    """Where recordings lie: each at its own place, or as a copy in DATA, which bytes without a file always get."""

    def __init__(self, folder: Path, copy: bool) -> None:
        self.folder = folder
        self.copy = copy
        self._names: dict[Path, str] = {}

    def place(self, utterance: Utterance) -> str:
        """The path of the utterance's recording, absolute or below DATA."""
        audio = utterance.audio
        if isinstance(audio, Path):
            audio = audio.resolve()
            if not self.copy:
                return str(audio)
            if audio not in self._names:
                self._names[audio] = self._name(audio.name)
                shutil.copyfile(audio, self.folder / self._names[audio])
            return f"{self.folder.name}/{self._names[audio]}"
        name = self._name(Path(audio.name).name)
        (self.folder / name).write_bytes(audio.getvalue())
        self._names[Path(name)] = name
        return f"{self.folder.name}/{name}"

    def _name(self, name: str) -> str:
        self.folder.mkdir(exist_ok=True)
        return f"{len(self._names):06}-{name}"


def _read_part(name: str, manifest: str, options: PrepareAudioOptions, path: Path, shelf: _Shelf) -> _Part:
    """Write the utterances that can be used to an Arrow file; `samples` are those at the file's own rate for now."""
    part = _Part()

    def rows() -> Iterator[Row]:
        for utterance, finding in _kept(name, manifest, options, part):
            part.longest = max(part.longest, finding.seconds)
            yield {
                "id": utterance.id,
                "audio": shelf.place(utterance),
                "speaker": utterance.speaker,
                "target": (utterance.text or "").strip(),
                "offset": utterance.offset,
                "duration": utterance.duration,
                "seconds": finding.seconds,
                "samples": finding.samples,
                "rate": finding.rate,
            }

    write_rows(path, rows(), text_columns(*TEXTS) | number_columns(*NUMBERS, "rate"))
    _check_tolerance(name, part.report, options.tolerance)
    return part


def _kept(name: str, manifest: str, options: PrepareAudioOptions, part: _Part) -> Iterator[tuple[Utterance, Finding]]:
    """The utterances that can be used; all are counted."""
    settings = CheckSettings(max_seconds=options.max_seconds)
    for utterance in progress(read_manifest(manifest), f"opening the recordings of {name}"):
        finding = check(utterance, settings)
        part.report.add(finding)
        if finding.problem is None:
            part.speakers |= {utterance.speaker} if utterance.speaker else set()
            if isinstance(utterance.audio, Path):
                part.places.add(hash((utterance.audio.resolve(), utterance.offset)))
            yield utterance, finding


def _check_tolerance(name: str, report: Report, tolerance: float, told: bool = False) -> None:
    """DataError when too much of a part cannot be used, after a line for each reason, unless that was `told`."""
    bad = report.total - report.kept
    if report.kept and bad <= tolerance * report.total:
        return
    for line in () if told else report.lines():
        say(f"{name}: {line}")
    if not report.kept:
        raise DataError(f"None of the {report.total:,} recordings of {name} can be used. Nothing was written.")
    raise DataError(
        f"{bad:,} of {report.total:,} recordings of {name} cannot be used, more than the tolerance of "
        f"{tolerance:.0%} allows. Mend them, or raise --tolerance. Nothing was written."
    )


def _tell(parts: Mapping[str, _Part], rate: int) -> None:
    """What was found, for people."""
    for name, part in parts.items():
        report = part.report
        say(f"{name}: {report.kept:,} of {report.total:,} recordings, {report.seconds / 60:.1f} minutes")
        for line in report.lines(rate):
            say(f"{name}: {line}")
    for name, part in parts.items():
        if name != "train" and (both := part.speakers & parts["train"].speakers):
            warn(f"{len(both):,} of {len(part.speakers):,} speakers of {name} are also heard in training.")
        if name != "train" and (same := part.places & parts["train"].places):
            warn(f"{len(same):,} recordings of {name} are also in train: its scores would be those of training.")


def _settle(options: PrepareAudioOptions, parts: Mapping[str, _Part]) -> FeatureSettings:
    rate = options.rate or choose_rate(parts["train"].report.rates)
    return FeatureSettings(rate, options.bands or default_bands(rate))


def _codec(
    options: PrepareAudioOptions, settings: FeatureSettings, path: Path, train: _Part, folder: Path
) -> SpeechCodec:
    units = options.units or ("characters" if train.report.seconds < CHARACTERS_BELOW else "unigram")
    tokenizer = learn_tokenizer(
        lambda: (row["target"] for row in read_rows(path)), "target", units, options.vocabulary_size, spoken=True
    )
    statistics = _statistics(path, settings, folder) if options.normalisation == "global" else None
    longest = max(SHORTEST_WINDOW, train.longest)
    by_speaker = options.normalisation == "speaker"
    return SpeechCodec(settings, tokenizer, options.language, longest, statistics, by_speaker)


def _statistics(path: Path, settings: FeatureSettings, folder: Path) -> Statistics:
    """Mean and standard deviation of the features of the training part."""
    sums, filter_bank = StatisticsSum(), FilterBank(settings)
    for row in progress(read_rows(path), "statistics of the features"):
        sums.add(filter_bank(read_at(folder / row["audio"], settings.rate, row["offset"], row["duration"])))
    return sums.result()


def _speakers(name: str, path: Path, settings: FeatureSettings, folder: Path) -> dict[str, dict[str, list[float]]]:
    """The statistics of each speaker of a part, for JSON."""
    sums: dict[str, StatisticsSum] = {}
    heard: Counter[str | None] = Counter()
    filter_bank = FilterBank(settings)
    for row in progress(read_rows(path), f"statistics of the speakers of {name}"):
        heard[row["speaker"]] += 1
        if row["speaker"] is not None and heard[row["speaker"]] <= OF_A_SPEAKER:
            samples = read_at(folder / row["audio"], settings.rate, row["offset"], row["duration"])
            sums.setdefault(row["speaker"], StatisticsSum()).add(filter_bank(samples))
    if heard[None]:
        warn(f"{heard[None]:,} recordings of {name} name no speaker: each is normalised by itself.")
    return {speaker: one.result().to_document() for speaker, one in sums.items()}


def _encode(path: Path, folder: Path, codec: SpeechCodec) -> None:
    """The part with token ids, and with the number of samples at the rate of the features."""
    rate = codec.settings.rate

    def rows() -> Iterator[Row]:
        for row in read_rows(path):
            samples = resampled_length(int(row["samples"]), int(row["rate"]), rate)
            yield {**row, "samples": samples, "target_ids": codec.target.encode(row["target"])}

    encoded = path.with_suffix(".encoded.arrow")
    write_rows(encoded, rows(), text_columns(*TEXTS) | number_columns(*NUMBERS) | id_columns("target_ids"))
    save_part([encoded], folder)


def _manifest(
    options: PrepareAudioOptions, parts: Mapping[str, _Part], codec: SpeechCodec, folder: Path
) -> dict[str, Any]:
    return {
        **describe_folder(folder, "audio", ("sentencepiece", "datasets", "pyarrow", "soundfile", "torchaudio")),
        "languages": [options.language],
        "parts": {
            name: {
                "read": part.report.total,
                "kept": part.report.kept,
                "seconds": round(part.report.seconds, 2),
                "taken": dict(part.report.problems),
                "remarks": dict(part.report.remarks),
            }
            for name, part in parts.items()
        },
        "checks": {"tolerance": options.tolerance, "max_seconds": options.max_seconds},
        "features": codec.settings.to_document() | {"normalisation": options.normalisation},
        "tokenizer": {"units": options.units, "target_size": codec.target.size},
    }
