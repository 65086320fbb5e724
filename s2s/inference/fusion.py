"""A language model beside a translator or a transcriber of the same vocabulary."""

from pathlib import Path

from s2s.checkpoint import Loaded, LoadedLanguageModel
from s2s.checkpoint.tuned import identity
from s2s.config import DecodingConfig
from s2s.data.speech_codec import SpeechCodec
from s2s.decoding import Fusion
from s2s.errors import UsageError
from s2s.inference.runtime import make_language_model_ready
from s2s.text.tokenizers import Tokenizers


def language_model_for(loaded: Loaded, path: Path | str, device: str, precision: str) -> LoadedLanguageModel:
    """The language model in a folder, ready to search with a model.

    UsageError: it is none, or its vocabulary is not that of the model's target.
    """
    found = make_language_model_ready(path, device, precision, None, by_steps=True)
    codec = loaded.codec
    assert isinstance(codec, Tokenizers | SpeechCodec)
    if found.codec.target.model != codec.target.model:
        raise UsageError(
            f"{found.folder} has another vocabulary than {loaded.folder}, which it therefore cannot help. Prepare its "
            f"text with `s2s prepare monolingual --tokenizer {loaded.folder}`, and train it anew."
        )
    if found.codec.language != codec.languages[-1]:
        raise UsageError(
            f"{found.folder} is a model of {found.codec.language}, and {loaded.folder} writes {codec.languages[-1]}: "
            "name a language model of that language."
        )
    return found


def own_decoding(loaded: Loaded, model: LoadedLanguageModel | None) -> DecodingConfig:
    """A model's own settings of the search: with a language model those that were tuned with it, else those without.

    The latter have no weight for it, or that of 0 where it was tuned and gains nothing.
    """
    tuned = None if model is None else loaded.tuned.found_with(identity(model.folder))
    if tuned is not None and tuned.decoding.lm_weight:
        return tuned.decoding
    return loaded.decoding if tuned is None else loaded.decoding.model_copy(update={"lm_weight": 0.0})


def with_weight(decoding: DecodingConfig, given: float | None, model: LoadedLanguageModel | None) -> DecodingConfig:
    """The settings with the weight that was given for a language model, or else their own; none without a model.

    UsageError: a weight without a model, or a model without a weight.
    """
    if model is None:
        if given is not None:
            raise UsageError("A weight of the language model (lm_weight) has no effect without one (lm): leave it out.")
        return decoding.model_copy(update={"lm_weight": None})
    if given is None and decoding.lm_weight is None:
        raise UsageError(
            f"How much should {model.folder} count? No weight was tuned with it: give one (--lm-weight, lm_weight), "
            f"such as 0.1, or find the best one with `s2s tune --lm {model.folder}`."
        )
    return decoding


def fusion(decoding: DecodingConfig, model: LoadedLanguageModel | None) -> Fusion | None:
    """What the search is to take into account; nothing where it has no weight."""
    return Fusion(model.model, decoding.lm_weight) if model is not None and decoding.lm_weight else None
