"""Small models of every shape, with random weights that make up their mind and end their sentences."""

from functools import cache

import torch
from torch import Tensor

from s2s.config import DecodingConfig, ModelConfig
from s2s.data.batches import pad
from s2s.decoding import decode_batch
from s2s.model import Seq2Seq, build_model
from s2s.search import Hypothesis
from s2s.text.vocabulary import EOS
from tests.combinations import Combination, pairwise

SHAPES = {
    "cell": ["lstm", "gru", "elman", "elman-relu"],
    "decoder": ["parallel", "input-feeding"],
    "attention": ["dot", "general", "additive", "multi-head"],
    "bridge": ["zeros", "last", "mean"],
}
PAIRWISE = pairwise(SHAPES)


def config_of(shape: Combination, width: int = 16) -> ModelConfig:
    """The config of a shape; the decoder is as wide as the memory, as dot attention needs it."""
    layers = {"cell": shape["cell"], "layers": 2}
    return ModelConfig.model_validate(
        {
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
def small_model(label: str, size: int = 30, seed: int = 0) -> Seq2Seq:
    """A model of the shape with that label, for a vocabulary of `size`."""
    shape = next(shape for shape in PAIRWISE if "-".join(shape[name] for name in sorted(shape)) == label)
    torch.manual_seed(seed)
    return decided(build_model(config_of(shape), size, size), sharpness=2.0, end=1.5)


def decode(
    model: Seq2Seq, source: Tensor, lengths: Tensor, decoding: DecodingConfig, n_best: int = 1
) -> list[list[Hypothesis]]:
    """`decode_batch` with the bound that tokenizers of text set."""
    return decode_batch(model, source, lengths, 3 * lengths + 10, decoding, n_best)


def sources(lengths: list[int], size: int = 30, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random sources that end with EOS, padded, with their lengths."""
    draw = torch.Generator().manual_seed(seed)
    return pad([[*torch.randint(4, size, (length - 1,), generator=draw).tolist(), EOS] for length in lengths])
