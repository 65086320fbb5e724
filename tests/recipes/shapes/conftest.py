"""What these recipes share with those of transcription: tiny recordings."""

from tests.recipes.transcription.conftest import record

__all__ = ["record"]
