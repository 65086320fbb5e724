"""Initial weights by role."""

import torch
from torch import nn

from s2s.nn.rnn import RecurrentLayer


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Set all weights below `module` from torch's default generator.

    Recurrent matrices are orthogonal gate by gate (Saxe et al. 2014), input and affine matrices Glorot uniform,
    convolutions before a ReLU uniform with variance 2 / inputs (He et al. 2015), embeddings normal with variance 1 / E,
    biases zero but for the forget gate's, which is one (Jozefowicz et al. 2015).
    """
    for part in module.modules():
        if isinstance(part, RecurrentLayer):
            _initialise_recurrent(part)
        elif isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Conv2d):
            nn.init.kaiming_uniform_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=part.embedding_dim**-0.5)


def _initialise_recurrent(layer: RecurrentLayer) -> None:
    for name, weight in layer.rnn.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weight)
            continue
        for gate in torch.split(weight, layer.width):
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(gate)
            else:
                nn.init.xavier_uniform_(gate)
    if layer.cell == "lstm":
        bias = layer.rnn.get_parameter("bias_ih_l0")
        bias[layer.width : 2 * layer.width] = 1.0
