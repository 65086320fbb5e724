"""The text generator: what it writes is a function of the seed, and what it scores agrees with what it writes."""

from pathlib import Path

import pytest
import torch

import s2s
from s2s.errors import S2SError, UsageError
from s2s.inference.language import TextGenerator
from s2s.language_model import LanguageState
from s2s.text.vocabulary import BOS, EOS
from tests.language import save_language_model
from tests.tiny import TEXTS, tokenizers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_language_model(tmp_path_factory.mktemp("model") / "line")


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_language_model(tmp_path_factory.mktemp("model") / "text", "text")


@pytest.fixture(scope="module")
def writer(model: Path) -> TextGenerator:
    found = s2s.load(model)
    assert isinstance(found, TextGenerator)
    return found


def test_the_same_seed_writes_the_same(writer: TextGenerator) -> None:
    first = writer.generate("the red", samples=70, seed=5)
    assert first == writer.generate("the red", samples=70, seed=5)
    few = writer.generate("the red", samples=3, seed=5)
    assert [sample.text for sample in few] == [sample.text for sample in first[:3]]  # whatever is written beside
    assert first != writer.generate("the red", samples=70, seed=6)
    assert len({sample.text for sample in first}) > 10
    assert all(sample.text.startswith("the red") for sample in first)
    assert [sample.id for sample in first] == list(range(1, 71))


def test_what_is_written_has_the_log_probability_of_teacher_forcing(writer: TextGenerator) -> None:
    for sample in writer.generate(samples=20, temperature=0.8, top_k=50, top_p=0.9, max_length=30):
        ids = [tokenizers().target.processor.piece_to_id(piece) for piece in sample.tokens]
        told, _ = writer._tell(torch.tensor([[BOS, *ids]]), writer._model.start(1), 100)
        assert told[0] == pytest.approx(sample.token_log_probs, abs=1e-5)
        assert sample.log_prob == pytest.approx(sum(sample.token_log_probs))


def test_a_prompt_is_gone_on_with(writer: TextGenerator) -> None:
    (sample,) = writer.generate("the red house", seed=3)
    whole = writer._codec.encode("the red house")
    state = writer._model.start(1)
    with torch.inference_mode():
        for token in (BOS, *whole):
            log_probs, state = writer._model.step(state, torch.tensor([token]))
    written = [tokenizers().target.processor.piece_to_id(piece) for piece in sample.tokens]
    assert log_probs[0, written[0]].item() == pytest.approx(sample.token_log_probs[0], abs=1e-5)


def test_a_line_ends_before_the_text_to_stop_at(writer: TextGenerator) -> None:
    whole = writer.generate("the", samples=30, seed=2)
    stopped = writer.generate("the", samples=30, seed=2, stop=["e", "o"])
    for one, other in zip(whole, stopped, strict=True):
        rest = one.text.removeprefix("the")
        ends = [rest.find(mark) for mark in "eo" if mark in rest]
        assert other.text == "the" + (rest[: min(ends)] if ends else rest)
    assert any(one.text != other.text for one, other in zip(whole, stopped, strict=True))


def test_length_is_bounded(writer: TextGenerator) -> None:
    found = writer.generate(samples=20, max_length=3)
    assert all(len(sample.tokens) - sample.finished <= 3 for sample in found)
    assert any(not sample.finished for sample in found)


def test_scores_do_not_depend_on_the_batch(writer: TextGenerator) -> None:
    lines = [*TEXTS[:5], "", "the {name} house", TEXTS[7] * 3]
    together = writer.score(lines)
    for line, score in zip(lines, together, strict=True):
        (alone,) = writer.score([line])
        assert alone.token_log_probs == pytest.approx(score.token_log_probs, abs=1e-5)
        assert score.log_prob == pytest.approx(sum(score.token_log_probs))
        assert score.text == line
    assert len(together[5].tokens) == 1


def test_a_long_line_is_read_in_windows(writer: TextGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [" ".join(TEXTS[:20]), "a cat", ""]
    whole = writer.score(lines)
    widths = []
    logits = writer._model.logits
    monkeypatch.setattr(writer._model, "logits", lambda told: widths.append(told.shape[:2].numel()) or logits(told))
    for expected, found in zip(whole, writer.score(lines, batch_tokens=7), strict=True):
        assert found.token_log_probs == pytest.approx(expected.token_log_probs, abs=1e-5)
    assert max(widths) <= 7


def test_lines_that_do_not_fit_together_are_scored_in_halves(
    writer: TextGenerator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = TEXTS[:5]
    expected = writer.score(lines)
    room, read = 2, writer._model.read

    def small(inputs: torch.Tensor, state: LanguageState) -> tuple[torch.Tensor, LanguageState]:
        if len(inputs) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return read(inputs, state)

    monkeypatch.setattr(writer._model, "read", small)
    for one, other in zip(expected, writer.score(lines), strict=True):
        assert other.token_log_probs == pytest.approx(one.token_log_probs, abs=1e-5)
    assert "going on with 2" in capsys.readouterr().err
    room = 0
    for context in ("line", "text"):
        monkeypatch.setattr(TextGenerator, "context", context)
        with pytest.raises(S2SError, match=r"too small for one segment: lower batch_tokens"):
            writer.score(lines)


def test_a_model_of_running_text_remembers_the_line_before(text_model: Path) -> None:
    found = TextGenerator.load(text_model)
    one, two = TEXTS[0], TEXTS[5]
    after_one, after_two = found.score([one, two])[1], found.score([two, two])[1]
    assert after_one.log_prob != pytest.approx(after_two.log_prob, abs=1e-3)
    in_pieces = [score.log_prob for score in found.score([one, two, one], batch_tokens=3)]
    assert in_pieces == pytest.approx([score.log_prob for score in found.score([one, two, one])], abs=1e-4)
    ids = [token for line in (one, two) for token in (*found._codec.encode(line), EOS)]
    state, total = found._model.start(1), []
    with torch.inference_mode():
        for before, token in zip([EOS, *ids], ids, strict=False):
            log_probs, state = found._model.step(state, torch.tensor([before]))
            total.append(log_probs[0, token].item())
    assert [value for score in found.score([one, two]) for value in score.token_log_probs] == pytest.approx(
        total, abs=1e-4
    )


def test_what_costs_nothing_does_not_count(writer: TextGenerator) -> None:
    """Of lines that are the same to the model, perplexity is the same."""
    lines = ["the {name} house", "the  {a_longer_name}   house  "]
    one, other = writer.score(lines)
    assert one.token_log_probs == pytest.approx(other.token_log_probs, abs=1e-5)
    assert writer.counted(lines[0]) == writer.counted(lines[1])
    assert len(writer.counted(lines[0])) == len("the x house")


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_other_precisions_score_nearly_the_same(writer: TextGenerator, model: Path, precision: str) -> None:
    low = TextGenerator.load(model, precision=precision)
    for exact, found in zip(writer.score(TEXTS[:4]), low.score(TEXTS[:4]), strict=True):
        assert found.log_prob == pytest.approx(exact.log_prob, rel=0.03)
    assert low.generate(samples=2, seed=1) == low.generate(samples=2, seed=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature must be a number of 0.001 or more"),
        ({"temperature": float("nan")}, "temperature must be"),
        ({"temperature": "1"}, "temperature must be .* \\(it is '1'\\)"),
        ({"top_p": 0.0}, "top_p must be a number above 0"),
        ({"top_p": None}, "top_p must be a number above 0"),
        ({"top_k": 0}, "top_k must be a whole number of 1 or more"),
        ({"top_k": 2.5}, "top_k must be a whole number"),
        ({"seed": "x"}, "seed must be a whole number of 0 or more"),
        ({"prompt": None}, "prompt must be a text \\(it is None\\)"),
        ({"samples": 0}, "samples must be a whole number"),
        ({"max_length": 10**9}, "max_length must be a whole number from 1 to 100,000"),
        ({"stop": [""]}, "must not be empty"),
        ({"stop": "ab"}, "a list of texts, not one string"),
        ({"stop": None}, "a list of texts, not None"),
        ({"stop": [1]}, "a list of texts, not \\[1\\]"),
    ],
)
def test_options_out_of_range_are_errors(writer: TextGenerator, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        writer.generate(**options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not one string"):
        writer.score("one line")


@pytest.mark.parametrize("batch_tokens", [0, 2.5, None])
def test_batches_of_no_tokens_are_an_error(writer: TextGenerator, batch_tokens: int) -> None:
    with pytest.raises(UsageError, match=r"batch_tokens must be a whole number of 1 or more"):
        writer.score(["a cat"], batch_tokens=batch_tokens)


def test_a_line_that_is_no_text_is_an_error(writer: TextGenerator) -> None:
    with pytest.raises(UsageError, match=r"A line must be a text \(one is None\)"):
        writer.score(["a cat", None])  # type: ignore[list-item]
