"""Language models: what they tell does not depend on how a text is cut, and training them can be interrupted."""

import math
from pathlib import Path
from signal import SIGTERM

import pytest
import torch

from s2s.checkpoint import load_language_model, load_model
from s2s.config import BaseRunConfig, parse_run
from s2s.data.batches import Batch, collate
from s2s.data.monolingual import MonolingualData
from s2s.data.prepared import open_data
from s2s.data.running import RunningBatches
from s2s.errors import ConfigError, NonFiniteError, Stopped, UsageError
from s2s.text.vocabulary import BOS, EOS
from s2s.training import run as running
from s2s.training.building import TrainOptions, build_trainer
from s2s.training.check import check_run
from s2s.training.language_validation import LanguageValidator
from s2s.training.objectives import LanguageObjective
from s2s.training.run import train
from tests.digits import prepare_digits
from tests.language import language_config, prepare_lines, small_language_model
from tests.reliability.runs import SMALL, assert_same

CELLS = ["lstm", "gru", "elman", "min-gru"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_lines(tmp_path_factory.mktemp("lines"))


@pytest.fixture(scope="module")
def data(lines: Path) -> MonolingualData:
    found = open_data(lines)
    assert isinstance(found, MonolingualData)
    return found


def batch_of(data: MonolingualData, rows: list[int]) -> Batch:
    drawn = data.segments("dev").draw(rows, None)
    return collate([drawn.pair(n) for n in range(len(rows))], rows)


@pytest.mark.parametrize("cell", CELLS)
@torch.inference_mode()
def test_steps_tell_what_reading_tells(data: MonolingualData, cell: str) -> None:
    model = small_language_model(cell)
    batch = batch_of(data, [0, 1, 2])
    inputs, labels = batch.target[:, :-1], batch.target[:, 1:]
    narrowed, _ = model.read(inputs, model.start(3))
    told = torch.log_softmax(model.logits(narrowed), dim=2)
    state = model.start(3)
    for time, tokens in enumerate(inputs.unbind(1)):
        log_probs, state = model.step(state, tokens)
        torch.testing.assert_close(log_probs, told[:, time], atol=1e-5, rtol=0)
    expected = torch.nn.functional.cross_entropy(told.flatten(0, 1), labels.flatten(), ignore_index=0, reduction="sum")
    losses = LanguageObjective(model, 0.0)(batch, 0.0)
    torch.testing.assert_close(losses["likelihood"].float(), expected)
    alone = [LanguageObjective(model, 0.0)(batch_of(data, [row]), 0.0)["loss"].item() for row in range(3)]
    assert losses["loss"].item() == pytest.approx(sum(alone), abs=1e-3)


def test_the_end_of_a_line_is_read_as_the_beginning_of_the_next() -> None:
    model = small_language_model()
    state = model.start(1)
    after = [model.step(state, torch.tensor([token]))[0] for token in (BOS, EOS)]
    assert torch.equal(*after)


@pytest.mark.parametrize("cell", CELLS)
@torch.inference_mode()
def test_states_go_on_through_running_text(data: MonolingualData, cell: str) -> None:
    """Cut into many batches or read in one, a text has the same probability."""
    model = small_language_model(cell)
    found = []
    for steps in (7, 10**6):
        rows = RunningBatches(data.segments("dev"), 1, steps, seed=1)
        objective = LanguageObjective(model, 0.0)
        batches = [rows.batch(0, number) for number in range(rows.count())]
        found.append(sum(objective(batch, 0.0)["likelihood"].item() for batch in batches))
        assert sum(int(batch.target_lengths.sum()) for batch in batches) == len(rows.text)
    assert found[0] == pytest.approx(found[1], abs=1e-2)
    forgetful = LanguageObjective(model, 0.0)
    rows = RunningBatches(data.segments("dev"), 1, 7, seed=1)
    cut = 0.0
    for number in range(rows.count()):
        forgetful.carry({})
        cut += forgetful(rows.batch(0, number), 0.0)["likelihood"].item()
    assert abs(cut - found[0]) > 0.5


def test_errors_do_not_go_back_into_the_batch_before(data: MonolingualData) -> None:
    model = small_language_model()
    rows = RunningBatches(data.segments("dev"), 40, 10, seed=1)
    objective = LanguageObjective(model, 0.0)
    objective(rows.batch(0, 0), 0.0)
    assert objective.carried()
    assert not any(part.requires_grad for part in objective.carried().values())
    objective(rows.batch(0, 1), 0.0)["loss"].backward()  # the graph of the batch before is gone, and not asked for


@pytest.mark.parametrize(("context", "cell"), [("line", "lstm"), ("text", "lstm"), ("text", "min-gru")])
def test_resumed_equals_uninterrupted(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str, cell: str
) -> None:
    config = language_config(context, cell, **({"truncation": 10} if context == "text" else {}))
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(config, TrainOptions(lines, straight))
    calls = iter(range(1, 1000))
    with monkeypatch.context() as patched:

        class Context:
            def __enter__(self) -> object:
                return lambda: SIGTERM if next(calls) >= 7 else None

            def __exit__(self, *error: object) -> None:
                pass

        patched.setattr(running, "polite_stop", Context)
        with pytest.raises(Stopped):
            train(config, TrainOptions(lines, broken))
    train(config, TrainOptions(lines, broken, workers=1))
    assert_same(straight, broken)


def test_windows_of_running_text_are_not_called_segments(
    lines: Path, data: MonolingualData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = language_config("text", truncation=10, max_updates=1)
    check_run(config, TrainOptions(lines, tmp_path / "run"))
    assert f"{len(data.segments('train'))} training segments" in capsys.readouterr().err
    trainer = build_trainer(config, TrainOptions(lines, tmp_path / "run"), torch.device("cpu"), data)
    batch = next(trainer.batches.epoch(0))
    trainer.model.output.bias.data[5] = float("inf")
    rows = ", ".join(map(str, sorted(set(batch.indices))))
    with pytest.raises(NonFiniteError, match=f"windows of running text that begin in the rows {rows} of the training"):
        trainer.update([batch])
    assert "20 windows of running text, of 10 tokens. Lower" in trainer.update._too_large(batch)


def test_training_lowers_the_perplexity(lines: Path, data: MonolingualData, tmp_path: Path) -> None:
    config = language_config("line", max_updates=60, learning_rate=1e-2)
    train(config, TrainOptions(lines, tmp_path / "run"))
    loaded = load_language_model(tmp_path / "run")
    validator = LanguageValidator(data, config, torch.device("cpu"))
    uniform = loaded.codec.target.size
    assert validator(loaded.model).scores["perplexity"].value < uniform / 10
    assert loaded.info.training.dev[0].metric == "perplexity"
    assert math.log(loaded.info.training.dev[0].value) == pytest.approx(loaded.info.training.dev[1].value)


def test_models_and_data_are_not_mistaken_for_each_other(lines: Path, tmp_path: Path) -> None:
    train(language_config("line"), TrainOptions(lines, tmp_path / "run"))
    with pytest.raises(UsageError, match=r"is a language model.*s2s generate"):
        load_model(tmp_path / "run")
    pairs = prepare_digits(tmp_path / "digits")
    with pytest.raises(ConfigError, match=r"parallel text.*language model"):
        train(language_config("line"), TrainOptions(pairs, tmp_path / "other"))
    translation = parse_run(SMALL, "test")
    with pytest.raises(ConfigError, match=r'only a language model learns.*"language-model"'):
        train(translation, TrainOptions(lines, tmp_path / "other"))
    train(translation, TrainOptions(pairs, tmp_path / "translator"))
    with pytest.raises(UsageError, match="translates and is no language model"):
        load_language_model(tmp_path / "translator")


@pytest.mark.parametrize(
    ("model", "training", "message"),
    [
        ({}, {"truncation": 5}, "truncation has no effect on lines"),
        ({"context": "text"}, {"shortest_first": True}, "shortest_first has no effect on running text"),
        ({"context": "text"}, {"truncation": 65, "batch_tokens": 64}, "batch_tokens = 64 has no room for a row"),
        ({"context": "text"}, {"batch_tokens": 32}, "training.truncation = 64 tokens long: raise the one"),
        ({"context": "text"}, {"truncation": 10**6}, "has no room for a row of running text"),
        ({}, {"validation_metric": "bleu"}, "needs references"),
        ({}, {"batch_frames": 5}, "batch_frames has no effect"),
        ({"kind": "language-modle"}, {}, 'model.kind is "language-model", or left out'),
        ({"encoder": {}}, {}, "unknown key model.encoder"),
    ],
)
def test_what_has_no_effect_is_an_error(model: dict[str, object], training: dict[str, object], message: str) -> None:
    document = {"model": {"kind": "language-model", **model}, "training": {"max_updates": 1, **training}}
    with pytest.raises(ConfigError, match=message):
        parse_run(document, "test")


def test_a_batch_may_be_one_row_of_running_text() -> None:
    config = language_config("text", batch_tokens=30, truncation=30)
    assert (config.training.budget, config.training.truncation) == (30, 30)


def test_weight_dropout_needs_a_recurrent_matrix() -> None:
    document = {"training": {"max_updates": 1}, "regularisation": {"weight_dropout": 0.1}}
    parse_run({**document, "model": {"kind": "language-model"}}, "test")
    with pytest.raises(ConfigError, match="weight_dropout has no effect on min-gru"):
        parse_run({**document, "model": {"kind": "language-model", "cell": "min-gru"}}, "test")


def test_configs_go_to_a_file_and_back() -> None:
    from s2s.config import to_document

    for config in (language_config("text"), language_config("line"), parse_run(SMALL, "test")):
        again: BaseRunConfig = parse_run(to_document(config), "test")
        assert again == config


def test_running_text_goes_on_with_another_number_of_processes(data: MonolingualData) -> None:
    """Rows are dealt otherwise then, so that the states of the batch before are nobody's."""
    from s2s.group import Group
    from s2s.training.optimiser import build_optimiser
    from s2s.training.state import Progress, apply, collect

    model = small_language_model().train()
    config = language_config("text")
    optimiser = build_optimiser(model, config.training)
    objective = LanguageObjective(model, 0.0)
    objective(RunningBatches(data.segments("dev"), 40, 10, seed=1).batch(0, 0), 0.0)
    tensors, record = collect(model, objective, optimiser, None, Progress(), Group())
    again = LanguageObjective(model, 0.0)
    apply(tensors, record, model, again, optimiser, None, Group())
    assert again.carried().keys() == objective.carried().keys() != set()
    more = {**tensors, "generator.cpu.1": tensors["generator.cpu.0"]}
    apply(more, record, model, again, optimiser, None, Group())
    assert not again.carried()
