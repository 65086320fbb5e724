"""The whole run as frozen pydantic models, read from TOML; an unknown key is an error that names the nearest one."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from s2s.errors import ConfigError

Cell = Literal["lstm", "gru", "elman", "elman-relu"]
Fraction = Annotated[float, Field(ge=0, lt=1, strict=True)]
Natural = Annotated[int, Field(ge=0, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
NonNegative = Annotated[float, Field(ge=0, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True)]

Kind = TypeVar("Kind", bound="Section")


class Section(BaseModel):
    """One table of the config: frozen, no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class EncoderConfig(Section):
    """A bidirectional stack; `width` is the recurrent width H of each direction."""

    cell: Cell = "lstm"
    layers: Count = 2
    width: Count = 128


class DecoderConfig(Section):
    """The parallel decoder runs its first layer over the whole target; input feeding loops over time."""

    kind: Literal["parallel", "input-feeding"] = "parallel"
    cell: Cell = "lstm"
    layers: Count = 2
    width: Count = 256

    @model_validator(mode="after")
    def _parallel_needs_two_layers(self) -> "DecoderConfig":
        if self.kind == "parallel" and self.layers < 2:
            raise ValueError("the parallel decoder needs layers = 2 or more: its context enters from layer 2 up")
        return self


class AttentionConfig(Section):
    """`width` is that of the space in which queries meet keys; dot attention takes the memory as it is and has none."""

    kind: Literal["dot", "general", "additive", "multi-head"] = "multi-head"
    heads: Count | None = None
    width: Count | None = None

    @model_validator(mode="after")
    def _no_idle_options(self) -> "AttentionConfig":
        if self.kind != "multi-head" and self.heads is not None:
            raise ValueError(f"heads has no effect on {self.kind} attention: remove it")
        if self.kind in ("dot", "general") and self.width is not None:
            raise ValueError(f"width has no effect on {self.kind} attention: remove it")
        return self


class ModelConfig(Section):
    """The shape of a model: all that is needed, beside vocabulary sizes, to build it again."""

    embedding_width: Count = 256
    tied_embeddings: Literal["none", "output", "three-way"] = "three-way"
    encoder: EncoderConfig = EncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    attention: AttentionConfig = AttentionConfig()
    bridge: Literal["zeros", "last", "mean"] = "mean"


class RegularisationConfig(Section):
    """What keeps a model from learning its training data by heart; nothing here acts in inference."""

    embedding_dropout: Fraction = 0.1
    layer_dropout: Fraction = 0.2
    output_dropout: Fraction = 0.2
    weight_dropout: Fraction = 0.0
    source_word_dropout: Fraction = 0.0
    target_word_dropout: Fraction = 0.0
    subword_sampling: NonNegative = 0.0
    label_smoothing: Fraction = 0.1


class TrainingConfig(Section):
    """The loop. At least one of the three limits must be given; the schedule runs to the first of them."""

    max_updates: Count | None = None
    max_epochs: Count | None = None
    max_minutes: Positive | None = None
    batch_tokens: Count = 1536
    accumulation: Count = 1
    learning_rate: Positive = 2e-3
    schedule: Literal["linear", "inverse-sqrt"] = "linear"
    warmup_updates: Natural = 300
    weight_decay: NonNegative = 0.01
    clip_norm: Positive = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    averaging: Literal["none", "ema", "best"] = "ema"
    ema_decay: Fraction | None = None
    keep_best: Count = 3
    validation_interval: Count = 500
    validation_metric: Literal["bleu", "loss"] = "bleu"
    patience: Count | None = None

    @model_validator(mode="after")
    def _limits_and_idle_options(self) -> "TrainingConfig":
        if self.max_updates is None and self.max_epochs is None and self.max_minutes is None:
            raise ValueError("give a limit: max_updates, max_epochs or max_minutes")
        if self.averaging != "ema" and self.ema_decay is not None:
            raise ValueError(f'ema_decay has no effect with averaging = "{self.averaging}": remove it')
        return self


class DecodingConfig(Section):
    """How hypotheses are searched unless translation is told otherwise; validation is greedy, up to `max_length`."""

    beam_size: Annotated[int, Field(ge=1, le=1000, strict=True)] = 5
    length_penalty: Annotated[float, Field(ge=0, le=10, strict=True)] = 1.0
    max_length: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 256


class RunConfig(Section):
    """One training run."""

    seed: Natural = 1
    model: ModelConfig = ModelConfig()
    regularisation: RegularisationConfig = RegularisationConfig()
    training: TrainingConfig
    decoding: DecodingConfig = DecodingConfig()


def read_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The run described by a TOML file and `section.key=value` overrides; ConfigError lists all problems at once."""
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    for override in overrides:
        _override(document, override)
    return parse(RunConfig, document, str(path))


def parse(kind: type[Kind], document: Mapping[str, Any], place: str) -> Kind:
    """`document` checked against `kind`; `place` names its origin in errors."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        sentences = [f"{place}: {_sentence(kind, problem)}" for problem in error.errors()]
        raise ConfigError("\n".join(sentences)) from error


def to_document(config: Section) -> dict[str, Any]:
    """The config as plain dictionaries, without the keys that are not set; `parse` reads it back."""
    return config.model_dump(mode="json", exclude_none=True)


def _override(document: dict[str, Any], override: str) -> None:
    """Set one dotted key to a TOML value; a bare word counts as a string."""
    path, separator, text = override.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not separator or not all(keys):
        raise ConfigError(f"The override {override!r} is not of the form section.key=value.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = document
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"The override {override!r} goes through {key}, which is a value and no section.")
    table[keys[-1]] = value


def _sentence(kind: type[Section], problem: Mapping[str, Any]) -> str:
    """One problem that pydantic found, as a sentence with its dotted path, value and cure."""
    path = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        known = _keys(kind, path[:-1])
        nearest = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        cure = f"did you mean {nearest[0]}?" if nearest else f"known keys here are {', '.join(known)}."
        return f"unknown key {'.'.join(path)}: {cure}"
    where = ".".join(path) or "the config"
    if problem["type"] == "missing":
        return f"{where} is missing."
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f" (it is {problem['input']!r})"
    return f"{where}: {message}{shown}."


def _keys(kind: type[Section], path: Sequence[str]) -> list[str]:
    """The keys that the section at `path` below `kind` knows."""
    for name in path:
        annotation = kind.model_fields[name].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, Section)
        kind = annotation
    return list(kind.model_fields)
