"""The whole run as frozen pydantic models, read from TOML."""

from s2s.config.model import AttentionConfig, Cell, DecoderConfig, EncoderConfig, FrontendConfig, ModelConfig
from s2s.config.reading import parse, read_config, to_document
from s2s.config.run import (
    AugmentationConfig,
    CtcConfig,
    DecodingConfig,
    RegularisationConfig,
    RunConfig,
    TrainingConfig,
)
from s2s.config.section import Count, Section

__all__ = [
    "AttentionConfig",
    "AugmentationConfig",
    "Cell",
    "Count",
    "CtcConfig",
    "DecoderConfig",
    "DecodingConfig",
    "EncoderConfig",
    "FrontendConfig",
    "ModelConfig",
    "RegularisationConfig",
    "RunConfig",
    "Section",
    "TrainingConfig",
    "parse",
    "read_config",
    "to_document",
]
