"""What the search takes and gives: options, a step function over states, hypotheses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

Self = TypeVar("Self", bound="State")


class State(Protocol):
    """Whatever a model carries from step to step, one row per hypothesis."""

    def reorder(self: Self, index: Tensor) -> Self:
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""

    @property
    def attention(self) -> Tensor | None:
        """Weights (N, S) over the source at the last step, if the model has any."""


AnyState = TypeVar("AnyState", bound=State)
Step = Callable[[AnyState, Tensor], tuple[Tensor, AnyState]]
"""`step(state, tokens)`: the last token of each row (N) to log-probabilities of the next (N, V), and the new state.

The search writes into the log-probabilities, so that they must not be a view of anything that lives on.
"""


@dataclass(frozen=True)
class SearchOptions:
    """`length_penalty` is the exponent of the length in scores; `n_best` hypotheses are kept of each segment."""

    beam_size: int = 5
    length_penalty: float = 1.0
    n_best: int = 1

    def __post_init__(self) -> None:
        assert 1 <= self.n_best <= self.beam_size
        assert self.length_penalty >= 0, "the rule by which the search stops needs scores that rise with the length"


@dataclass(frozen=True)
class Hypothesis:
    """One found sequence.

    `tokens` are without BOS and EOS; `log_probs` has one entry per token and, if `finished`, one for EOS. `score` is
    their sum over their count to the power of the length penalty (Murray & Chiang 2018, arXiv:1808.10006, section 5).
    `alignment` gives each token the source position that it paid most attention to; it is empty without attention. A
    hypothesis that came to the longest allowed length without an end is not `finished`.
    """

    tokens: list[int]
    log_probs: list[float]
    score: float
    alignment: list[int]
    finished: bool = True

    @property
    def log_prob(self) -> float:
        """The log-probability of the whole."""
        return sum(self.log_probs)
