"""From a model and a batch to hypotheses or scores; validation and inference both come here."""

from collections.abc import Sequence

import torch
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import Batch, fill, pad, round_up
from s2s.model import Seq2Seq
from s2s.search import Hypothesis, SearchOptions, search
from s2s.text.vocabulary import BOS, EOS, PAD


def longest_targets(source_lengths: Tensor, max_length: int) -> Tensor:
    """How many tokens a hypothesis may have: three times the source and ten more, never above `max_length`."""
    return (3 * source_lengths + 10).clamp(max=max_length)


def cut(source: list[int], max_length: int) -> list[int]:
    """Source ids that end with EOS: the first `max_length` of them and EOS, if there are more."""
    return source if len(source) <= max_length + 1 else [*source[:max_length], EOS]


@torch.inference_mode()
def decode_batch(
    model: Seq2Seq, source: Tensor, source_lengths: Tensor, decoding: DecodingConfig, n_best: int = 1
) -> list[list[Hypothesis]]:
    """The `n_best` best hypotheses of each source (B, S) with its length (B), on the model's device; see `search`."""
    assert not model.training, "dropout would change what is found"
    state = model.start(model.encode(source, source_lengths))
    options = SearchOptions(decoding.beam_size, decoding.length_penalty, n_best)
    limits = longest_targets(source_lengths, decoding.max_length)
    return search(model.step, state, limits, options, BOS, EOS, never=(PAD, BOS))


def decode_all(
    model: Seq2Seq, sources: Sequence[Sequence[int]], decoding: DecodingConfig, batch_tokens: int
) -> list[Hypothesis]:
    """The best hypothesis of each source (ids that end with EOS), in order, searched in batches of like length."""
    device = next(model.parameters()).device
    lengths = [round_up(len(source)) for source in sources]
    found: dict[int, Hypothesis] = {}
    for chosen in fill(sorted(range(len(sources)), key=lengths.__getitem__), lengths, batch_tokens):
        source, source_lengths = pad([sources[n] for n in chosen])
        results = decode_batch(model, source.to(device), source_lengths.to(device), decoding)
        found.update((n, hypotheses[0]) for n, hypotheses in zip(chosen, results, strict=True))
    return [found[n] for n in range(len(sources))]


@torch.inference_mode()
def score_batch(model: Seq2Seq, batch: Batch) -> list[list[float]]:
    """The log-probability of each label of each segment, EOS last, under teacher forcing."""
    assert not model.training, "dropout would change the scores"
    decoded = model.decode(model.encode(batch.source, batch.source_lengths), batch.target[:, :-1])
    log_probs = torch.log_softmax(model.logits(decoded.features).float(), dim=2)
    chosen = log_probs.gather(2, batch.target[:, 1:].unsqueeze(2)).squeeze(2)
    return [row[:length] for row, length in zip(chosen.tolist(), batch.target_lengths.tolist(), strict=True)]
