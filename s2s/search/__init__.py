"""Search for the best token sequences under any model that offers a step function and a state that reorders itself."""

from s2s.search.alignment import Span, align
from s2s.search.beam import search
from s2s.search.ctc_prefix import joint_step
from s2s.search.fusion import fused_step
from s2s.search.hypothesis import Hypothesis, SearchOptions, State, Step
from s2s.search.repetition import without_loops
from s2s.search.sampling import SamplingOptions, sample

__all__ = [
    "Hypothesis",
    "SamplingOptions",
    "SearchOptions",
    "Span",
    "State",
    "Step",
    "align",
    "fused_step",
    "joint_step",
    "sample",
    "search",
    "without_loops",
]
