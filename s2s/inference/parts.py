"""A whole part of prepared data through a model, and the score of what comes out."""

from pathlib import Path

from s2s.data.parallel_text import TextSegments
from s2s.data.segments import Segments
from s2s.data.speech import SpeechSegments
from s2s.errors import UsageError
from s2s.evaluation.error_rates import wer_and_cer
from s2s.evaluation.scores import Score, ScoreOptions, bleu, tokenizer_for
from s2s.inference.transcriber import Transcriber, TranscriptionOptions
from s2s.inference.translator import TranslationOptions, Translator


def decode_part(
    found: Translator | Transcriber, segments: Segments, data: Path, settings: dict[str, float | int] | None = None
) -> list[str]:
    """The hypotheses for a part of the data in a folder, with these settings of the search or the model's own.

    UsageError: the model reads text and the data holds audio, or the other way round.
    """
    chosen = settings or {}
    if isinstance(found, Translator) and isinstance(segments, TextSegments):
        lines = segments.column("source")
        return [one.text for one in found.stream([lines], TranslationOptions(**chosen))]  # type: ignore[arg-type]
    if isinstance(found, Transcriber) and isinstance(segments, SpeechSegments):
        samples = ((segments.samples(record), segments.speaker(record)) for record in segments.records())
        options = TranscriptionOptions(**chosen)  # type: ignore[arg-type]
        return [transcript.text for transcript in found.stream_samples(samples, options)]
    raise UsageError(f"{data} holds other data than the model reads: name the prepared text or audio of its kind.")


def score_part(found: Translator | Transcriber, texts: list[str], references: list[str]) -> Score:
    """BLEU of translations, or the word error rate of transcripts."""
    if isinstance(found, Translator):
        return bleu(texts, [references], ScoreOptions(tokenizer_for(found.languages[1])))
    rate, _ = wer_and_cer(texts, references)
    return Score(rate.metric, rate.value, rate.signature)
