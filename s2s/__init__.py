"""Train, evaluate and run recurrent sequence-to-sequence models."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s.inference import load
    from s2s.inference.language import TextGenerator
    from s2s.inference.transcriber import Transcriber
    from s2s.inference.translator import Translator

__version__ = "0.1.0"
__all__ = ["TextGenerator", "Transcriber", "Translator", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import what the names in `__all__` stand for when they are used, so that `import s2s` stays fast."""
    if name == "load":
        from s2s.inference import load

        return load
    if name == "Translator":
        from s2s.inference.translator import Translator

        return Translator
    if name == "Transcriber":
        from s2s.inference.transcriber import Transcriber

        return Transcriber
    if name == "TextGenerator":
        from s2s.inference.language import TextGenerator

        return TextGenerator
    raise AttributeError(f"module 's2s' has no attribute {name!r}")
