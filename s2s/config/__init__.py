"""The whole run as frozen pydantic models, read from TOML."""

from s2s.config.language import AnyModelConfig, LanguageModelConfig, LanguageRunConfig
from s2s.config.model import AttentionConfig, Cell, DecoderConfig, EncoderConfig, FrontendConfig, ModelConfig
from s2s.config.reading import parse, parse_run, read_config, read_document, to_document
from s2s.config.run import (
    AugmentationConfig,
    BaseRunConfig,
    CtcConfig,
    DecodingConfig,
    RegularisationConfig,
    RunConfig,
    TrainingConfig,
)
from s2s.config.section import Count, Section
from s2s.config.shapes import OnlineTaggerConfig, ReaderConfig, TaggerConfig, WriterConfig

__all__ = [
    "AnyModelConfig",
    "AttentionConfig",
    "AugmentationConfig",
    "BaseRunConfig",
    "Cell",
    "Count",
    "CtcConfig",
    "DecoderConfig",
    "DecodingConfig",
    "EncoderConfig",
    "FrontendConfig",
    "LanguageModelConfig",
    "LanguageRunConfig",
    "ModelConfig",
    "OnlineTaggerConfig",
    "ReaderConfig",
    "RegularisationConfig",
    "RunConfig",
    "Section",
    "TaggerConfig",
    "TrainingConfig",
    "WriterConfig",
    "parse",
    "parse_run",
    "read_config",
    "read_document",
    "to_document",
]
