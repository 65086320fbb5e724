"""Classifiers, taggers and writers give the same alone, in any batch and place, whatever stands in the padding."""

from collections.abc import Callable, Sequence
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from s2s.config import OnlineTaggerConfig, ReaderConfig, RegularisationConfig, TaggerConfig, WriterConfig, parse
from s2s.config.model import Cell
from s2s.data.batches import pad
from s2s.model import NO_REGULARISATION
from s2s.search import SearchOptions
from s2s.shapes import build_online_tagger, build_reader, build_tagger, build_writer, write
from s2s.text.vocabulary import BOS
from s2s.training.shapes import StepModel

SIZE, OUTPUTS, WIDTH = 12, 5, 8
CELLS = get_args(Cell)
DROPPED = RegularisationConfig(
    embedding_dropout=0.5, layer_dropout=0.5, output_dropout=0.5, weight_dropout=0.5, source_word_dropout=0.5
)

Build = Callable[[str, RegularisationConfig], StepModel]


def reader(frontend: str, pooling: str) -> Build:
    """What builds a small classifier of a cell."""

    def build(cell: str, drop: RegularisationConfig) -> StepModel:
        encoder = {"cell": cell, "layers": 2, "width": WIDTH}
        shape = {"frontend": frontend, "frontend_width": WIDTH, "encoder": encoder, "pooling": pooling}
        return build_reader(parse(ReaderConfig, shape, "test"), SIZE, OUTPUTS, drop)

    return build


def tagger(frontend: str) -> Build:
    """What builds a small tagger of a cell."""

    def build(cell: str, drop: RegularisationConfig) -> StepModel:
        encoder = {"cell": cell, "layers": 2, "width": WIDTH}
        shape = {"frontend": frontend, "frontend_width": WIDTH, "encoder": encoder}
        return build_tagger(parse(TaggerConfig, shape, "test"), SIZE, OUTPUTS, drop)

    return build


def online(frontend: str) -> Build:
    """What builds a small tagger of a cell that reads ahead only."""

    def build(cell: str, drop: RegularisationConfig) -> StepModel:
        shape = {"frontend": frontend, "frontend_width": WIDTH, "cell": cell, "layers": 2, "width": WIDTH}
        return build_online_tagger(parse(OnlineTaggerConfig, shape, "test"), SIZE, OUTPUTS, drop)

    return build


MODELS = {
    **{f"reader, embedding, {pooling}": reader("embedding", pooling) for pooling in ("mean", "max", "last")},
    **{f"reader, {frontend}": reader(frontend, "mean") for frontend in ("vectors", "convolution", "pyramid")},
    **{f"tagger, {frontend}": tagger(frontend) for frontend in ("embedding", "vectors")},
    **{f"online tagger, {frontend}": online(frontend) for frontend in ("embedding", "vectors")},
}


def built(name: str, cell: str, drop: RegularisationConfig = DROPPED) -> StepModel:
    """A model with random weights, in evaluation."""
    torch.manual_seed(3)
    return MODELS[name](cell, drop).eval()


def rows_of(name: str, lengths: Sequence[int]) -> list[Tensor]:
    """Random sources, of ids or of vectors, as the model of that name wants them."""
    torch.manual_seed(sum(lengths))
    if "embedding" in name:
        return [torch.randint(4, SIZE, (length,)) for length in lengths]
    return [torch.randn(length, SIZE) for length in lengths]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=3)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    extra=st.integers(0, 5),
    garbage=st.sampled_from([3.0, float("nan"), float("inf")]),
)
def test_neighbours_place_and_padding_change_nothing(
    name: str, cell: str, lengths: list[int], extra: int, garbage: float
) -> None:
    """In evaluation dropout is off, too: a second pass would draw other masks."""
    model, rows = built(name, cell), rows_of(name, lengths)
    source, counted = pad(rows)
    source = torch.cat([source, source.new_zeros(len(rows), extra, *source.shape[2:])], dim=1)
    beyond = torch.arange(source.shape[1]) >= counted.unsqueeze(1)
    source[beyond] = garbage if source.is_floating_point() else 7
    found = model(source, counted)
    for row, outputs in zip(rows, found, strict=True):
        alone = model(row.unsqueeze(0), torch.tensor([len(row)]))[0]
        torch.testing.assert_close(outputs[: len(alone)], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_dropout_acts_in_training_alone(name: str) -> None:
    model, rows = built(name, "lstm"), rows_of(name, [9, 9])
    source, lengths = pad(rows)
    torch.testing.assert_close(model(source, lengths), model(source, lengths), rtol=0, atol=0)
    model.train()
    assert not torch.equal(model(source, lengths), model(source, lengths))
    plain = built(name, "lstm", NO_REGULARISATION)
    torch.testing.assert_close(plain.train()(source, lengths), model.eval()(source, lengths))


@pytest.mark.parametrize("key", ["embedding_dropout", "layer_dropout", "output_dropout", "weight_dropout"])
@pytest.mark.parametrize("name", MODELS)
def test_every_dropout_has_an_effect(name: str, key: str) -> None:
    model = built(name, "lstm", NO_REGULARISATION.model_copy(update={key: 0.5})).train()
    source, lengths = pad(rows_of(name, [9, 9]))
    assert not torch.equal(model(source, lengths), model(source, lengths))


@pytest.mark.parametrize("name", [name for name in MODELS if "embedding" in name])
def test_whole_words_are_dropped(name: str) -> None:
    model = built(name, "lstm", NO_REGULARISATION.model_copy(update={"source_word_dropout": 0.5})).train()
    source, lengths = pad(rows_of(name, [9, 9]))
    assert not torch.equal(model(source, lengths), model(source, lengths))


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_read_in_pieces_is_what_is_read_at_once(cell: str) -> None:
    """The state after one piece is given to the next."""
    model = built("online tagger, vectors", cell)
    assert hasattr(model, "read")
    source = torch.randn(3, 10, SIZE)
    lengths = torch.full((3,), 10)
    pieces, state = [], model.start(3)
    for piece in source.split([4, 1, 5], dim=1):
        outputs, state = model.read(piece, torch.full((3,), piece.shape[1]), state)
        pieces.append(outputs)
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(source, lengths), atol=1e-5, rtol=1e-4)
    forgotten = model.read(source[:, 4:], lengths - 4, model.start(3))[0]
    assert not torch.allclose(forgotten, model(source, lengths)[:, 4:], atol=1e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_written_depends_on_the_vector_alone(cell: str) -> None:
    torch.manual_seed(1)
    shape = {"embedding_width": WIDTH, "cell": cell, "layers": 2, "width": WIDTH}
    model = build_writer(parse(WriterConfig, shape, "test"), 6, SIZE).eval()
    with torch.no_grad():
        model.project.weight.mul_(4)
        model.decoder.output.bottleneck.weight.mul_(4)
    vectors = torch.randn(5, 6)
    together = write(model, vectors, 8, SearchOptions(beam_size=2))
    for vector, found in zip(vectors, together, strict=True):
        (alone,) = write(model, vector.unsqueeze(0), 8, SearchOptions(beam_size=2))
        assert found[0].tokens == alone[0].tokens
        assert found[0].log_prob == pytest.approx(alone[0].log_prob, abs=1e-4)
    assert len({tuple(found[0].tokens) for found in together}) > 1
    forced = _log_prob(model, vectors[:1], together[0][0].tokens)
    assert sum(together[0][0].log_probs[: len(together[0][0].tokens)]) == pytest.approx(forced, abs=1e-4)


def _log_prob(model: nn.Module, vectors: Tensor, tokens: list[int]) -> float:
    """What teacher forcing gives these tokens."""
    inputs = torch.tensor([[BOS, *tokens[:-1]]])
    scores = torch.log_softmax(model.decoder.logits(model.read(vectors, inputs)), dim=2)
    return scores[0].gather(1, torch.tensor(tokens).unsqueeze(1)).sum().item()
