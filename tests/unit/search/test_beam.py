"""The search against slow searches that are plain enough to be believed, on a tiny recurrent model."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.search import Hypothesis, SearchOptions, search
from tests.unit.search.toy import BOS, EOS, PAD, Toy, ToyState, enumerate_all, greedy, patient_beam, run

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=30)
PENALTIES = st.sampled_from([0.0, 0.6, 1.0, 2.0])


def both(found: list[Hypothesis]) -> list[tuple[float, list[int]]]:
    return [(pytest.approx(one.score, abs=1e-5), one.tokens) for one in found]


@FEW
@given(SEEDS, st.integers(4, 5), st.integers(0, 3), PENALTIES)
def test_full_beam_equals_enumeration(seed: int, vocabulary: int, limit: int, penalty: float) -> None:
    """All sequences, in the order of their scores."""
    toy = Toy(vocabulary, seed)
    expected = enumerate_all(toy, 3, limit, penalty)
    beam = (vocabulary - 2) ** (limit + 1)
    found = run(toy, [3], [limit], SearchOptions(beam, penalty, n_best=len(expected)))[0]
    assert expected == both(found)
    assert all(one.finished for one in found)


@FEW
@given(SEEDS, st.integers(2, 5), PENALTIES, st.integers(1, 2))
def test_stopping_is_exact(seed: int, beam: int, penalty: float, n_best: int) -> None:
    """The best of a search that stops early are those of one that never does."""
    options = SearchOptions(beam, penalty, n_best)
    toy = Toy(12, seed, ending=1.0)
    expected = patient_beam(toy, 0, 12, options)[:n_best]
    found = [one for one in run(toy, [0], [12], options)[0] if one.finished]
    assert expected == both(found)


@FEW
@given(SEEDS, st.integers(0, 6))
def test_beam_of_one_is_greedy(seed: int, limit: int) -> None:
    """Token by token, with the flag that tells whether EOS came."""
    toy = Toy(9, seed)
    found = run(toy, range(4), [limit] * 4, SearchOptions(1))
    assert [(one.tokens, one.finished) for (one,) in found] == [greedy(toy, segment, limit) for segment in range(4)]


@FEW
@given(SEEDS, st.lists(st.tuples(st.integers(0, 15), st.integers(0, 9)), min_size=2, max_size=6), st.integers(1, 4))
def test_neighbours_change_nothing(seed: int, batch: list[tuple[int, int]], beam: int) -> None:
    """A segment alone, and the same one at any place among others with bounds of their own."""
    toy = Toy(9, seed)
    options = SearchOptions(beam, 1.0, beam)
    together = run(toy, *zip(*batch, strict=True), options)
    for (segment, limit), found in zip(batch, together, strict=True):
        alone = run(toy, [segment], [limit], options)[0]
        assert [one.tokens for one in found] == [one.tokens for one in alone]
        assert [one.finished for one in found] == [one.finished for one in alone]
        for one, other in zip(found, alone, strict=True):
            assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


@FEW
@given(SEEDS, st.integers(1, 4), st.integers(0, 5), PENALTIES)
def test_what_a_hypothesis_says_of_itself(seed: int, beam: int, limit: int, penalty: float) -> None:
    """Log-probabilities are the model's own, the score is theirs over the length, the alignment is the attention's."""
    toy = Toy(7, seed)
    for segment, found in enumerate(run(toy, range(3), [limit] * 3, SearchOptions(beam, penalty, beam))):
        for one in found:
            given_tokens = [*one.tokens, EOS] if one.finished else one.tokens
            assert one.log_probs == pytest.approx(toy.log_probs(segment, given_tokens), abs=1e-5)
            assert one.score == pytest.approx(one.log_prob / max(len(one.log_probs), 1) ** penalty, abs=1e-5)
            assert one.alignment == toy.alignment(segment, one.tokens)
            assert len(one.tokens) <= limit
            assert not {PAD, BOS, EOS} & set(one.tokens)


@FEW
@given(SEEDS, st.integers(1, 6), st.integers(2, 5))
def test_as_many_as_asked_for(seed: int, n_best: int, limit: int) -> None:
    """Exactly n, all different, finished ones first and best first."""
    toy = Toy(8, seed)
    for found in run(toy, range(5), [limit] * 5, SearchOptions(6, 1.0, n_best)):
        assert len(found) == n_best
        assert len({tuple(one.tokens) for one in found}) == n_best
        assert found == sorted(found, key=lambda one: (not one.finished, -one.score))


class Scripted:
    """A model that says the same at each step, whatever came before: a list of rows (V) of probabilities."""

    def __init__(self, *rows: list[float]) -> None:
        self.rows = torch.tensor(rows).log()
        self.time = 0
        self.asked: list[int] = []

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        self.asked.append(len(tokens))
        row = self.rows[min(self.time, len(self.rows) - 1)]
        self.time += 1
        return row.repeat(len(tokens), 1), state

    def search(self, limits: list[int], options: SearchOptions) -> list[list[Hypothesis]]:
        state = ToyState(torch.zeros(len(limits), 1))
        return search(self.step, state, torch.tensor(limits), options, BOS, EOS, never=(PAD, BOS))


def test_score_by_hand() -> None:
    """(ln 0.6 + ln 0.9) / 2 ** 0.5; a model without attention gives no alignment."""
    (found,) = Scripted([0, 0, 0.4, 0.6], [0, 0, 0.9, 0.1]).search([5], SearchOptions(2, 0.5))[0]
    assert found.tokens == [3]
    assert found.log_probs == pytest.approx([-0.510826, -0.105361], abs=1e-6)
    assert found.score == pytest.approx(-0.435709, abs=1e-6)
    assert found.log_prob == pytest.approx(-0.616186, abs=1e-6)
    assert found.alignment == []


def test_without_an_end_the_best_open_hypothesis_comes_back() -> None:
    """It has as many tokens as it may have, and says that it is not finished."""
    found = Scripted([0.5, 0.2, 0, 0.1, 0.2]).search([3, 0, 1], SearchOptions(2, 1.0))
    assert [(one.tokens, one.finished, len(one.log_probs)) for (one,) in found] == [
        ([4, 4, 4], False, 3),
        ([], False, 0),
        ([4], False, 1),
    ]


def test_end_right_at_the_bound_counts() -> None:
    """EOS is not a token of the hypothesis: three tokens and EOS fit into a bound of three."""
    (found,) = Scripted(*[[0, 0, 0.1, 0.9]] * 3, [0, 0, 0.9, 0.1]).search([3], SearchOptions(1))[0]
    assert (found.tokens, found.finished) == ([3, 3, 3], True)


@pytest.mark.parametrize("nothing", [0.0, float("nan")])
@pytest.mark.parametrize("beam", [1, 3])
def test_a_model_that_has_nothing_to_say(nothing: float, beam: int) -> None:
    """No probability above zero anywhere: the hypothesis stays as it is, unfinished, and there always is one."""
    (found,) = Scripted([0, 0, 0, 0.9, 0.1], [nothing] * 5).search([7], SearchOptions(beam, 1.0))[0]
    assert (found.tokens, found.finished) == ([3], False)
    assert found.score == pytest.approx(-0.105361, abs=1e-6)


def test_no_segments() -> None:
    """Nothing in, nothing out, and the model is left alone."""
    scripted = Scripted([0, 0, 0.5, 0.5])
    assert scripted.search([], SearchOptions(2)) == []
    assert scripted.asked == []


def test_finished_rows_leave_the_batch() -> None:
    """Greedy: the second segment's bound is 1, the others' is 3; rows are asked about as long as they are open."""
    scripted = Scripted([0, 0, 0.1, 0.9])
    scripted.search([3, 1, 3], SearchOptions(1))
    assert scripted.asked == [3, 3, 2, 2]


def test_a_finished_hypothesis_takes_a_place_of_the_beam() -> None:
    """A beam of 3 that finishes one hypothesis goes on with two rows, then with one."""
    scripted = Scripted([0, 0, 0.4, 0.4, 0.2], [0, 0, 0.55, 0.45, 0], [0, 0, 0.9, 0.1, 0])
    found = scripted.search([9], SearchOptions(3, 0.0, 3))[0]
    assert scripted.asked == [1, 2, 1]
    assert [one.tokens for one in found] == [[], [3], [3, 3]]


def test_search_stops_when_nothing_can_win() -> None:
    """0.9 for the empty hypothesis: what is left cannot come above ln 0.1 / 4 with three tokens and EOS."""
    scripted = Scripted([0, 0, 0.9, 0.1])
    assert scripted.search([3], SearchOptions(5, 1.0))[0][0].tokens == []
    assert scripted.asked == [1]


def test_search_goes_on_while_something_could_win() -> None:
    """As before, but over 31 steps ln 0.1 / 31 is above ln 0.9, and the open hypothesis does win."""
    scripted = Scripted([0, 0, 0.9, 0.1], *[[0, 0, 0.0, 1.0]] * 29, [0, 0, 1.0, 0.0])
    assert scripted.search([30], SearchOptions(5, 1.0))[0][0].tokens == [3] * 30


def test_equals_are_ranked_the_same_way_always() -> None:
    """Where all tokens are as likely, whatever the batch."""
    options = SearchOptions(4, 1.0, 4)
    alone = Scripted([0.0, 0.0, *[0.1] * 10]).search([4], options)
    together = Scripted([0.0, 0.0, *[0.1] * 10]).search([4] * 7, options)
    assert together == alone * 7


def test_of_equals_the_one_found_first_wins() -> None:
    """0.25 at once, and 0.5 times 0.5 a step later."""
    found = Scripted([0, 0, 0.25, 0.5, 0.25], [0, 0, 0.5, 0.25, 0.25]).search([5], SearchOptions(3, 0.0, 2))[0]
    assert [one.tokens for one in found] == [[], [3]]


def test_of_equals_the_one_with_the_better_beginning_wins() -> None:
    """0.5 times 0.25, and 0.25 times 0.5."""
    rows = [0, 0, 0.05, 0.5, 0.25, 0.2], [0, 0, 0.05, 0.5, 0.25, 0.2], [0, 0, 0, 1.0, 0, 0]
    found = Scripted(*rows).search([2], SearchOptions(3, 0.0, 3))[0]
    assert [one.tokens for one in found] == [[3, 3], [3, 4], [4, 3]]


def test_greedy_moves_no_state_until_a_row_ends() -> None:
    """Reordering copies the memory of the source: it is done for a reason only."""
    moves: list[int] = []

    class Watched(ToyState):
        def reorder(self, index: Tensor) -> "Watched":
            moves.append(len(index))
            return Watched(self.hidden[index])

    scripted = Scripted([0, 0, 0.1, 0.9])
    state = Watched(torch.zeros(3, 1))
    search(scripted.step, state, torch.tensor([4, 2, 4]), SearchOptions(1), BOS, EOS, never=(PAD, BOS))
    assert moves == [2]


@pytest.mark.parametrize("options", [(0, 1.0, 1), (2, 1.0, 3), (2, -0.5, 1)])
def test_options_that_cannot_be_kept(options: tuple[int, float, int]) -> None:
    """A beam holds at least one and at least n; the stopping rule needs a penalty that is not negative."""
    with pytest.raises(AssertionError):
        SearchOptions(*options)
