"""A whole part of prepared data through a model, and the scores of what comes out."""

from dataclasses import replace
from pathlib import Path

from s2s.data.parallel_text import TextSegments
from s2s.data.segments import Segments
from s2s.data.speech import SpeechSegments
from s2s.errors import UsageError
from s2s.evaluation.error_rates import compare_systems, wer_and_cer
from s2s.evaluation.scores import Score, ScoreOptions, bleu, score_systems, tokenizer_for
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


def compare_part(found: Translator | Transcriber, segments: Segments, texts: list[str], others: list[str]) -> Score:
    """The same score of texts, with the p-value of its difference from that of others by paired bootstrap.

    Drawn are segments or, of transcripts, speakers, as in `s2s evaluate`. Of one segment nothing can be drawn: p is 1.
    """
    references = segments.references()
    if len(references) == 1:
        return replace(score_part(found, texts, references), p_value=1.0)
    systems = {"others": others, "texts": texts}
    if isinstance(found, Translator):
        options = ScoreOptions(tokenizer_for(found.languages[1]))
        return score_systems(systems, [references], options, ["bleu"])["texts"]["bleu"]
    speakers = segments.column("speaker") if isinstance(segments, SpeechSegments) else None
    rate = compare_systems(systems, references, speakers=speakers)["texts"]["wer"]
    return Score(rate.metric, rate.value, rate.signature, p_value=rate.p_value)
