"""Building models: what is tied, what is refused, and that parts of a model belong together."""

import pytest
import torch

from s2s.config import AttentionConfig, DecoderConfig, EncoderConfig, ModelConfig, RegularisationConfig
from s2s.errors import ConfigError
from s2s.model import Seq2Seq, build_model

V = 20
SMALL = ModelConfig(embedding_width=6, encoder=EncoderConfig(width=4), decoder=DecoderConfig(width=8))


def small(**changes: object) -> ModelConfig:
    """The small config with changes."""
    return SMALL.model_copy(update=changes)


def build(config: ModelConfig, regularisation: RegularisationConfig | None = None) -> Seq2Seq:
    """A model with one vocabulary of V entries."""
    torch.manual_seed(0)
    return build_model(config, V, V, *([] if regularisation is None else [regularisation]))


def run(model: Seq2Seq) -> torch.Tensor:
    """Logits (2, 3, V) of a fixed batch."""
    source, target = torch.tensor([[5, 6, 7, 2], [8, 2, 0, 0]]), torch.tensor([[1, 9, 10], [1, 11, 12]])
    memory = model.encode(source, torch.tensor([4, 2]))
    return model.logits(model.decode(memory, target).features)


def test_three_way_tied_embeddings_are_one_tensor() -> None:
    model = build(small(tied_embeddings="three-way"))
    embedding = model.frontend.embedding
    assert embedding is model.target_frontend.embedding
    assert embedding is model.output.embedding
    with torch.no_grad():
        before = run(model)
        model.output.embedding.weight[5] += 1
        assert not torch.allclose(run(model)[0], before[0])


def test_output_tied_embeddings_share_the_target_side() -> None:
    model = build_model(small(tied_embeddings="output"), V, V + 1)
    assert model.target_frontend.embedding is model.output.embedding
    assert model.frontend.embedding is not model.output.embedding
    assert model.frontend.embedding.num_embeddings == V
    assert model.output.embedding.num_embeddings == V + 1


def test_untied_embeddings_are_three_tensors() -> None:
    model = build_model(small(tied_embeddings="none"), V, V + 1)
    tables = (model.frontend.embedding, model.target_frontend.embedding, model.output.embedding)
    assert len({id(table.weight) for table in tables}) == 3


def test_tying_takes_weights_away() -> None:
    sizes = {
        tied: sum(weight.numel() for weight in build(small(tied_embeddings=tied)).parameters())
        for tied in ("none", "output", "three-way")
    }
    assert sizes["none"] - sizes["output"] == sizes["output"] - sizes["three-way"] == V * 6


@pytest.mark.parametrize(
    ("config", "sizes", "part"),
    [
        (small(tied_embeddings="three-way"), (V, 21), "the source has 20 entries and the target 21"),
        (small(attention=AttentionConfig(kind="dot"), decoder=DecoderConfig(width=9)), (V, V), "width (9)"),
        (small(attention=AttentionConfig(heads=3)), (V, V), "width (8) must be a multiple of model.attention.heads"),
    ],
)
def test_parts_that_do_not_fit_are_refused(config: ModelConfig, sizes: tuple[int, int], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_model(config, *sizes)
    assert part in str(caught.value)


def test_the_width_of_attention_is_its_own() -> None:
    model = build(small(attention=AttentionConfig(width=10, heads=5)))
    assert model.decoder.attention.context_width == 10
    assert run(model).shape == (2, 3, V)


def test_without_regularisation_training_computes_what_inference_does() -> None:
    model = build(SMALL)
    torch.testing.assert_close(run(model.train()), run(model.eval()))


@pytest.mark.parametrize(
    "name",
    [
        "embedding_dropout",
        "layer_dropout",
        "output_dropout",
        "weight_dropout",
        "source_word_dropout",
        "target_word_dropout",
    ],
)
def test_every_kind_of_dropout_acts_in_training_and_in_training_only(name: str) -> None:
    zeros = dict.fromkeys(RegularisationConfig.model_fields, 0.0)
    model = build(SMALL, RegularisationConfig(**{**zeros, name: 0.5}))
    plain = run(build(SMALL).eval())
    assert torch.equal(run(model.eval()), plain)
    assert not torch.allclose(run(model.train()), plain)


def test_word_dropout_has_a_rate_for_each_side() -> None:
    zeros = dict.fromkeys(RegularisationConfig.model_fields, 0.0)
    model = build(SMALL, RegularisationConfig(**{**zeros, "source_word_dropout": 0.25, "target_word_dropout": 0.5}))
    assert model.frontend.words.rate == 0.25
    assert model.target_frontend.words.rate == 0.5


def test_nothing_is_kept_between_calls() -> None:
    """A second batch in between leaves the first one's state as it was."""
    model = build(SMALL).eval()
    one = model.start(model.encode(torch.tensor([[5, 6, 2]]), torch.tensor([3])))
    two = model.start(model.encode(torch.tensor([[7, 2]]), torch.tensor([2])))
    expected, after = model.step(one, torch.tensor([1]))
    model.step(two, torch.tensor([1]))
    assert torch.equal(model.step(one, torch.tensor([1]))[0], expected)
    tensors = {id(tensor) for tensor in [*model.parameters(), *model.buffers()]}
    held = [value for part in model.modules() for value in vars(part).values() if isinstance(value, torch.Tensor)]
    assert all(id(value) in tensors for value in held)
    assert after.attention is not None


def test_a_step_gives_log_probabilities() -> None:
    model = build(SMALL).eval()
    state = model.start(model.encode(torch.tensor([[5, 6, 2], [4, 2, 0]]), torch.tensor([3, 2])))
    log_probs, _ = model.step(state, torch.tensor([1, 1]))
    torch.testing.assert_close(log_probs.exp().sum(1), torch.ones(2))
