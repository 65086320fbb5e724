"""Multi30k: 29,000 image captions, the field's small benchmark (Elliott et al. 2016), from a folder or the hub.

A folder holds `train.de`, `val.de`, `test_2016_flickr.de`, perhaps `test_2017_flickr.de`, and the same in other
languages, plain or as .gz. Segments are used as they are: references must stay comparable.
"""

from collections.abc import Sequence
from pathlib import Path

from recipes.translation.corpora.corpus import Corpus, Pair
from s2s.errors import DataError, UsageError
from s2s.files import read_lines
from s2s.log import say

LICENCE = "Multi30k captions, research use; the images' owners keep their rights"
FILES = {"train": "train", "dev": "val", "test": "test_2016_flickr", "test_2017_flickr": "test_2017_flickr"}
OPTIONAL = "test_2017_flickr"
HUB_NAME = "bentrevett/multi30k"
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read(languages: tuple[str, str], from_dir: Path | None = None) -> Corpus:
    """The corpus in its official parts; DataError when files are missing or unequal, or the hub cannot be reached."""
    parts = _from_hub(languages) if from_dir is None else _from_folder(languages, from_dir)
    return Corpus(languages, LICENCE, parts)


def _from_folder(languages: tuple[str, str], folder: Path) -> dict[str, Sequence[Pair]]:
    parts: dict[str, Sequence[Pair]] = {}
    for part, name in FILES.items():
        files = [_find(folder, f"{name}.{language}") for language in languages]
        missing = [f"{name}.{language}" for language, file in zip(languages, files, strict=True) if file is None]
        if not missing:
            parts[part] = _read_pair(*[file for file in files if file is not None])
        elif name != OPTIONAL:
            raise DataError(f"{folder} lacks {' and '.join(missing)} (plain or .gz). {_present(folder)}")
    return parts


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _present(folder: Path) -> str:
    languages = sorted({path.name.split(".")[1] for path in folder.glob("train.*")})
    return f"Its languages are {', '.join(languages)}." if languages else "It holds no train files at all."


def _read_pair(source: Path, target: Path) -> list[Pair]:
    sources, targets = list(read_lines(source)), list(read_lines(target))
    if len(sources) != len(targets):
        raise DataError(f"{source} has {len(sources):,} lines but {target} has {len(targets):,}. Nothing was written.")
    return list(zip(sources, targets, strict=True))


def _from_hub(languages: tuple[str, str]) -> dict[str, Sequence[Pair]]:
    if set(languages) != {"de", "en"}:
        raise UsageError(f"The hub's copy of Multi30k has de and en only, not {'-'.join(languages)}: give --from-dir.")
    import datasets

    say(f"fetching {HUB_NAME} from the Hugging Face hub")
    try:
        loaded = datasets.load_dataset(HUB_NAME)
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise DataError(
            f"{HUB_NAME} cannot be fetched from the Hugging Face hub ({type(error).__name__}). "
            "Put Multi30k into a folder and give --from-dir."
        ) from error
    source, target = languages
    return {part: [(row[source], row[target]) for row in loaded[split]] for part, split in HUB_SPLITS.items()}
