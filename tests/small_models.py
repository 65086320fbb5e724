"""Small models of every shape, of text and audio, with random weights that make up their mind and end a sentence."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from s2s.config import DecodingConfig, ModelConfig
from s2s.decoding import decode_batch
from s2s.model import Seq2Seq, build_model
from s2s.nn.frontends import TextFrontend
from s2s.search import Hypothesis
from s2s.text.vocabulary import EOS
from tests.combinations import Combination, label, pairwise

PARTS = {
    "cell": ["lstm", "gru", "elman", "elman-relu", "min-gru"],
    "decoder": ["parallel", "input-feeding"],
    "attention": ["dot", "general", "additive", "multi-head"],
    "bridge": ["zeros", "last", "mean"],
}
SHAPES = pairwise({**PARTS, "frontend": ["embedding", "convolution", "pyramid"]})
LABELS = [label(shape) for shape in SHAPES]
TEXT = next(label(shape) for shape in SHAPES if shape["frontend"] == "embedding")

SIZE = 30
"""Entries of the vocabularies."""

FRAMES, BANDS = 3, 8
"""An id of a source of text is so many frames of so many bands in one of audio. Frontends take frames by fours."""


def config_of(shape: Combination, width: int = 16) -> ModelConfig:
    """The config of a shape, of text if it names no frontend; the decoder is as wide as dot attention needs it."""
    frontend = shape.get("frontend", "embedding")
    sources = {} if frontend == "embedding" else {"frontend": {"kind": frontend}, "tied_embeddings": "output"}
    layers = {"cell": shape["cell"], "layers": 2}
    return ModelConfig.model_validate(
        {
            **sources,
            "embedding_width": width,
            "encoder": {**layers, "width": width // 2},
            "decoder": {**layers, "width": width, "kind": shape["decoder"]},
            "attention": {"kind": shape["attention"]},
            "bridge": shape["bridge"],
        }
    )


def decided(model: Seq2Seq, sharpness: float, end: float) -> Seq2Seq:
    """The model in inference, with scores that differ more and an EOS that is likelier."""
    with torch.no_grad():
        model.output.bottleneck.weight.mul_(sharpness)
        model.output.bias.normal_()
        model.output.bias[EOS] = end
    return model.eval()


@cache
def small_model(name: str, size: int = SIZE, seed: int = 0) -> Seq2Seq:
    """A model of the shape with that name, one of LABELS, for a vocabulary of `size`."""
    config = config_of(SHAPES[LABELS.index(name)])
    torch.manual_seed(seed)
    model = build_model(config, BANDS if config.frontend.reads_frames else size, size)
    return decided(model, sharpness=2.0, end=1.5)


def decode(
    model: Seq2Seq, source: Tensor, lengths: Tensor, decoding: DecodingConfig, n_best: int = 1
) -> list[list[Hypothesis]]:
    """`decode_batch` with a bound that no source here needs."""
    return decode_batch(model, source, lengths, 3 * lengths + 10, decoding, n_best)


def as_source(model: Seq2Seq, ids: Sequence[int]) -> Tensor:
    """Ids as a source of the model: the ids (S,), or frames (FRAMES * S, BANDS) that stand for them."""
    if isinstance(model.frontend, TextFrontend):
        return torch.tensor(ids)
    frames = torch.randn(SIZE, FRAMES, BANDS, generator=torch.Generator().manual_seed(1))
    return frames[ids].flatten(0, 1)


def sources(model: Seq2Seq, lengths: Sequence[int], size: int = SIZE, seed: int = 0) -> list[Tensor]:
    """Random sources of so many ids, the last of which is EOS."""
    draw = torch.Generator().manual_seed(seed)
    rows = ([*torch.randint(4, size, (length - 1,), generator=draw).tolist(), EOS] for length in lengths)
    return [as_source(model, row) for row in rows]
