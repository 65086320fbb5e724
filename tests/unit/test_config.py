"""The config: what it refuses and how it says so, overrides, and that writing and reading it changes nothing."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from s2s.config import (
    AttentionConfig,
    CtcConfig,
    DecoderConfig,
    DecodingConfig,
    EncoderConfig,
    ModelConfig,
    RegularisationConfig,
    RunConfig,
    TrainingConfig,
    parse,
    read_config,
    to_document,
)
from s2s.errors import ConfigError

LIMIT = {"training": {"max_updates": 10}}


def refusal(document: dict[str, Any]) -> str:
    """The text of the error that a document gets."""
    with pytest.raises(ConfigError) as caught:
        parse(RunConfig, document, "run.toml")
    return str(caught.value)


def write(folder: Path, document: dict[str, Any]) -> Path:
    """A TOML file with the document."""
    path = folder / "run.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    return path


def test_what_is_not_given_has_its_default() -> None:
    assert parse(RunConfig, LIMIT, "run.toml") == RunConfig(training=TrainingConfig(max_updates=10))


def test_an_unknown_key_is_refused_with_its_path_and_the_nearest_key() -> None:
    text = refusal({**LIMIT, "model": {"encoder": {"layer": 2}}})
    assert text == "run.toml: unknown key model.encoder.layer: did you mean layers?"


AUDIO = {"ctc": True, "tied_embeddings": "output", "frontend": {"kind": "convolution"}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"training": {"max_updates": 1, "batch_frames": 9}}, "batch_frames has no effect on text"),
        ({**LIMIT, "augmentation": {}}, "augmentation has no effect on text"),
        ({"training": {"max_updates": 1, "ctc": {}}}, "training.ctc has no effect without model.ctc = true"),
        ({**LIMIT, "decoding": {"ctc_weight": 0.5}}, "decoding.ctc_weight has no effect without model.ctc = true"),
        ({"training": {"max_updates": 1, "batch_tokens": 9}, "model": AUDIO}, "batch_tokens has no effect on audio"),
        ({**LIMIT, "model": AUDIO, "regularisation": {"source_word_dropout": 0.1}}, "have no effect on audio"),
        ({**LIMIT, "model": {**AUDIO, "tied_embeddings": "three-way"}}, 'set tied_embeddings = "output"'),
        ({**LIMIT, "model": {"frontend": {"channels": 3}}}, "channels has no effect on the embedding frontend"),
        ({**LIMIT, "model": {**AUDIO, "frontend": {"kind": "pyramid", "width": 33}}}, "width must be even"),
        ({**LIMIT, "model": {"frontend": {"width": 3}}}, "width has no effect on the embedding frontend"),
        ({**LIMIT, "model": {"attention": {"kind": "location-aware"}}}, 'set decoder.kind = "input-feeding"'),
        ({**LIMIT, "model": AUDIO, "augmentation": {"speeds": []}}, "speeds is empty"),
        ({**LIMIT, "model": AUDIO, "augmentation": {"time_masks": 0, "frequency_masks": 0}}, "no effect without masks"),
        (
            {**LIMIT, "model": AUDIO, "augmentation": {"speds": []}},
            "augmentation.speds: did you mean speeds?",
        ),
    ],
)
def test_what_has_no_effect_on_such_sources_is_refused(document: dict[str, Any], message: str) -> None:
    assert message in refusal(document)


def test_what_depends_on_the_sources_is_settled_and_stays() -> None:
    text, audio = (parse(RunConfig, {**LIMIT, "model": model}, "run.toml") for model in ({}, AUDIO))
    assert (text.training.budget, text.training.validation_metric, text.training.ctc) == (1536, "bleu", None)
    assert (audio.training.budget, audio.training.validation_metric) == (8000, "wer")
    assert (audio.training.ctc, audio.decoding.ctc_weight) == (CtcConfig(), 0.5)
    assert audio.decoding.max_length == 4096, "256 characters are 20 seconds of speech"
    assert parse(RunConfig, {**LIMIT, "model": AUDIO, "decoding": {"max_length": 9}}, "").decoding.max_length == 9
    for config in (text, audio):
        assert parse(RunConfig, to_document(config), "again") == config


def test_an_unknown_key_like_no_other_is_refused_with_all_keys_of_its_section() -> None:
    known = "beam_size, length_penalty, max_length, ctc_weight, lm_weight"
    text = refusal({**LIMIT, "decoding": {"zzz": 1}})
    assert text == f"run.toml: unknown key decoding.zzz: known keys here are {known}."


def test_an_unknown_section_is_refused_with_the_nearest_one() -> None:
    assert refusal({**LIMIT, "modle": {}}) == "run.toml: unknown key modle: did you mean model?"


def test_all_problems_are_reported_at_once() -> None:
    lines = refusal(
        {
            "sed": 3,
            "model": {"bridge": "first", "encoder": {"width": 0}},
            "training": {"max_updates": 1, "learning_rte": 1e-3},
        }
    ).splitlines()
    assert len(lines) == 4
    for part in ("sed: did you mean seed?", "learning_rate?", "model.bridge", "model.encoder.width"):
        assert any(part in line for line in lines), part
    assert all(line.startswith("run.toml: ") for line in lines)


def test_a_bad_value_is_named_with_its_place() -> None:
    text = refusal({**LIMIT, "regularisation": {"layer_dropout": 1.0}})
    assert text == "run.toml: regularisation.layer_dropout: Input should be less than 1 (it is 1.0)."


@pytest.mark.parametrize(
    "document",
    [
        {"training": {"max_updates": True}},
        {"training": {"max_updates": "10"}},
        {"training": {"max_updates": 10.0}},
        {**LIMIT, "seed": True},
        {**LIMIT, "regularisation": {"layer_dropout": False}},
        {"training": {"max_updates": 10, "learning_rate": "0.001"}},
        {"training": {"max_minutes": float("inf")}},
        {"training": {"max_updates": 10, "learning_rate": float("nan")}},
        {**LIMIT, "model": 3},
    ],
)
def test_a_value_of_another_type_is_no_number(document: dict[str, Any]) -> None:
    assert "run.toml: " in refusal(document)


def test_a_whole_number_will_do_for_a_fraction() -> None:
    config = parse(RunConfig, {"training": {"max_minutes": 2}, "regularisation": {"layer_dropout": 0}}, "run.toml")
    assert config.training.max_minutes == 2.0


def test_a_run_needs_a_limit() -> None:
    assert "training is missing" in refusal({})
    assert "training: give a limit: max_updates, max_epochs or max_minutes" in refusal({"training": {}})


LIGHT = {"encoder": {"cell": "min-gru"}, "decoder": {"cell": "min-gru"}}
DROPPED = {"regularisation": {"weight_dropout": 0.2}}


@pytest.mark.parametrize(
    ("document", "idle"),
    [
        ({"model": LIGHT, **DROPPED}, "weight_dropout has no effect on min-gru, which has no recurrent matrix"),
        ({"model": {"attention": {"kind": "additive", "heads": 2}}}, "heads has no effect on additive attention"),
        ({"model": {"attention": {"kind": "dot", "heads": 2}}}, "heads has no effect on dot attention"),
        ({"model": {"attention": {"kind": "dot", "width": 64}}}, "width has no effect on dot attention"),
        ({"model": {"attention": {"kind": "general", "width": 64}}}, "width has no effect on general attention"),
        (
            {"training": {"max_updates": 1, "averaging": "best", "ema_decay": 0.9}},
            'ema_decay has no effect with averaging = "best"',
        ),
        (
            {"training": {"max_updates": 1, "averaging": "none", "ema_decay": 0.9}},
            'ema_decay has no effect with averaging = "none"',
        ),
    ],
)
def test_an_option_without_effect_is_an_error(document: dict[str, Any], idle: str) -> None:
    assert idle in refusal({**LIMIT, **document})


@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_weight_dropout_will_do_where_one_side_has_recurrent_matrices(side: str) -> None:
    config = parse(RunConfig, {**LIMIT, **DROPPED, "model": {side: LIGHT[side]}}, "run.toml")
    assert config.regularisation.weight_dropout == 0.2
    assert parse(RunConfig, {**LIMIT, "model": LIGHT}, "run.toml").regularisation.weight_dropout == 0


def test_the_parallel_decoder_needs_a_second_layer() -> None:
    assert "layers = 2 or more" in refusal({**LIMIT, "model": {"decoder": {"layers": 1}}})
    assert DecoderConfig(kind="input-feeding", layers=1).layers == 1


def test_a_config_is_frozen() -> None:
    config = parse(RunConfig, LIMIT, "run.toml")
    with pytest.raises(ValidationError):
        config.model.encoder.width = 3


def test_overrides_reach_any_depth_and_the_last_one_wins(tmp_path: Path) -> None:
    path = write(tmp_path, {**LIMIT, "seed": 5})
    overrides = ["model.encoder.width = 8", "model.bridge=last", "training.max_updates=2", "training.max_updates=3"]
    config = read_config(path, overrides)
    expected = {"seed": 5, "model": {"encoder": {"width": 8}, "bridge": "last"}, "training": {"max_updates": 3}}
    assert config == parse(RunConfig, expected, "")


def test_an_override_may_be_any_toml_value(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, LIMIT), ["model={embedding_width = 4}", 'model.bridge="zeros"'])
    assert (config.model.embedding_width, config.model.bridge) == (4, "zeros")


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("seed", "'seed' is not of the form section.key=value"),
        ("=3", "'=3' is not of the form"),
        ("model..width=3", "is not of the form"),
        ("seed.x=3", "goes through seed, which is a value and no section"),
        ("model.bridgee=last", "unknown key model.bridgee: did you mean bridge?"),
        ("seed=", "seed: Input should be a valid integer"),
    ],
)
def test_a_bad_override_is_refused(tmp_path: Path, override: str, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(tmp_path, {**LIMIT, "seed": 1}), [override])
    assert part in str(caught.value)


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        read_config(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    for content in (b"seed = ", b"seed = 1 # \xff"):
        bad.write_bytes(content)
        with pytest.raises(ConfigError, match=r"bad\.toml is not TOML"):
            read_config(bad)


CELLS = st.sampled_from(["lstm", "gru", "elman", "elman-relu", "min-gru"])
COUNTS = st.integers(1, 10**6)
FRACTIONS = st.floats(0, 1, exclude_max=True)
POSITIVE = st.floats(0, 1e6, exclude_min=True)


def attentions() -> st.SearchStrategy[AttentionConfig]:
    """Every kind with the options that it has."""
    optional = st.none() | COUNTS
    return st.one_of(
        st.builds(AttentionConfig, kind=st.sampled_from(["dot", "general"]), heads=st.none(), width=st.none()),
        st.builds(AttentionConfig, kind=st.just("additive"), heads=st.none(), width=optional),
        st.builds(AttentionConfig, kind=st.just("multi-head"), heads=optional, width=optional),
    )


def decoders() -> st.SearchStrategy[DecoderConfig]:
    """Both kinds."""
    return st.builds(
        DecoderConfig,
        kind=st.sampled_from(["parallel", "input-feeding"]),
        cell=CELLS,
        layers=st.integers(2, 9),
        width=COUNTS,
    )


def trainings() -> st.SearchStrategy[TrainingConfig]:
    """With and without each limit, but for the last."""
    return st.builds(
        TrainingConfig,
        max_updates=st.none() | COUNTS,
        max_epochs=COUNTS,
        max_minutes=st.none() | POSITIVE,
        learning_rate=POSITIVE,
        averaging=st.just("ema"),
        ema_decay=st.none() | FRACTIONS,
    )


@given(
    st.builds(
        RunConfig,
        seed=st.integers(0, 2**40),
        model=st.builds(
            ModelConfig,
            encoder=st.builds(EncoderConfig, cell=CELLS, layers=COUNTS, width=COUNTS),
            decoder=decoders(),
            attention=attentions(),
            bridge=st.sampled_from(["zeros", "last", "mean"]),
        ),
        regularisation=st.builds(RegularisationConfig, layer_dropout=FRACTIONS, subword_sampling=POSITIVE),
        training=trainings(),
        decoding=st.builds(DecodingConfig, beam_size=st.integers(1, 1000), length_penalty=st.floats(0, 10)),
    )
)
def test_a_config_survives_being_written_and_read(config: RunConfig) -> None:
    document = to_document(config)
    assert parse(RunConfig, document, "") == config
    text = tomli_w.dumps(document)
    assert "None" not in text
    assert parse(RunConfig, tomllib.loads(text), "") == config
