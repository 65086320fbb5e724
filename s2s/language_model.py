"""LanguageModel: embedding, recurrent stack and output, which tell the next token of a text from those before it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2s.config import LanguageModelConfig, RegularisationConfig
from s2s.model import NO_REGULARISATION
from s2s.nn.frontends import TextFrontend
from s2s.nn.initialisation import initialise
from s2s.nn.output import Output
from s2s.nn.rnn import State
from s2s.nn.stack import RecurrentStack
from s2s.text.vocabulary import BOS, EOS


@dataclass(frozen=True)
class LanguageState:
    """What was read so far, for each row (N): one state of (N, H) tensors for each recurrent layer."""

    layers: tuple[State, ...]

    @property
    def attention(self) -> None:
        """There is no source to look at."""

    def reorder(self, index: Tensor) -> "LanguageState":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        return LanguageState(tuple(tuple(part[index] for part in layer) for layer in self.layers))


class LanguageModel(nn.Module):
    """A recurrent language model (Mikolov et al. 2010), regularised as in Merity et al. 2018, arXiv:1708.02182."""

    def __init__(self, frontend: TextFrontend, stack: RecurrentStack, output: Output) -> None:
        super().__init__()
        self.frontend = frontend
        self.stack = stack
        self.output = output

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def start(self, rows: int) -> LanguageState:
        """The state before the first token of so many texts."""
        return LanguageState(self.stack.start(self.frontend.embedding.weight.new_zeros(rows)))

    def read(self, inputs: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """Tokens (N, T) to what the vocabulary is compared with at each (N, T, E), and the state after them.

        An EOS that is read is the beginning of the next line, which BOS stands for where there is none before.
        """
        inputs = inputs.masked_fill(inputs == EOS, BOS)
        features, layers = self.stack(self.frontend.embed(inputs), state.layers)
        return self.output.narrow(features), LanguageState(layers)

    def logits(self, narrowed: Tensor) -> Tensor:
        """What `read` made (..., E) to logits (..., V) of the token that follows."""
        logits: Tensor = self.output(narrowed)
        return logits

    def step(self, state: LanguageState, tokens: Tensor) -> tuple[Tensor, LanguageState]:
        """One token per row (N) to log-probabilities of the next (N, V) and the state after it."""
        narrowed, state = self.read(tokens.unsqueeze(1), state)
        return torch.log_softmax(self.logits(narrowed[:, 0]).float(), dim=1), state


def build_language_model(
    config: LanguageModelConfig, size: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> LanguageModel:
    """A model of a vocabulary of `size` entries with fresh weights, drawn from torch's default generator."""
    drop = regularisation
    embedding = nn.Embedding(size, config.embedding_width)
    tied = config.tied_embeddings == "output"
    stack = RecurrentStack(
        config.cell, config.embedding_width, config.width, config.layers, drop.layer_dropout, drop.weight_dropout
    )
    model = LanguageModel(
        TextFrontend(embedding, drop.embedding_dropout, drop.target_word_dropout),
        stack,
        Output(
            stack.feature_width,
            embedding if tied else nn.Embedding(size, config.embedding_width),
            drop.output_dropout,
        ),
    )
    initialise(model)
    return model
