"""What the corpora of all recipes share: where they are fetched to, and what prepared data says of its origin."""

from collections import Counter
from pathlib import Path

from s2s.files import write_json

DOWNLOADS = Path(__file__).resolve().parents[1] / "data" / "downloads"
"""Where corpora are fetched to, once."""

ORIGIN = "corpus.json"
"""In prepared data: the corpus that it was made of, its licence, and what cleaning took."""


def write_origin(data: Path, corpus: str, licence: str, dropped: Counter[str]) -> None:
    """Say in a folder of prepared data where it comes from."""
    write_json(data / ORIGIN, {"corpus": corpus, "licence": licence, "dropped": dict(dropped.most_common())})


def dropped_line(dropped: Counter[str]) -> str:
    """What cleaning took, by reason, the most frequent first; for people."""
    return "dropped: " + (", ".join(f"{reason} {count:,}" for reason, count in dropped.most_common()) or "nothing")
