"""Search for the best token sequences under any model that offers a step function and a state that reorders itself."""

from s2s.search.beam import search
from s2s.search.hypothesis import Hypothesis, SearchOptions, State, Step

__all__ = ["Hypothesis", "SearchOptions", "State", "Step", "search"]
