"""Every kind of manifest gives the same utterances; what is wrong in one is named by file and line."""

import gzip
import json
from pathlib import Path

import pytest

from s2s.audio.manifests import Utterance, read_manifest
from s2s.errors import DataError, UsageError

ROWS: list[dict[str, object]] = [
    {"id": "a1", "audio": "wav/a1.wav", "text": "one, two", "speaker": "anna"},
    {"id": "a2", "audio": "/data/a2.flac", "text": 'say "so"', "speaker": "anna", "offset": 1.5, "duration": 2},
    {"id": "b1", "audio": "wav/b1.wav", "text": "", "speaker": None, "offset": 0},
]


def utterances(folder: Path) -> list[Utterance]:
    """What all forms of the rows describe."""
    return [
        Utterance("a1", folder / "wav/a1.wav", "one, two", "anna"),
        Utterance("a2", Path("/data/a2.flac"), 'say "so"', "anna", 1.5, 2.0),
        Utterance("b1", folder / "wav/b1.wav", "", None),
    ]


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path: Path | str, with_text: bool = True) -> list[Utterance]:
    return list(read_manifest(str(path), with_text))


class TestTables:
    """JSON Lines, CSV, TSV."""

    @pytest.mark.parametrize("name", ["m.jsonl", "m.jsonl.gz"])
    def test_json_lines(self, tmp_path: Path, name: str) -> None:
        assert read(write(tmp_path / name, *map(json.dumps, ROWS), "")) == utterances(tmp_path)

    @pytest.mark.parametrize("name", ["m.csv", "m.csv.gz"])
    def test_csv(self, tmp_path: Path, name: str) -> None:
        path = write(
            tmp_path / name,
            "\ufeffid, audio,speaker,text,duration,offset,age",
            'a1,wav/a1.wav,anna,"one, two",,,7',
            'a2,/data/a2.flac,anna,"say ""so""",2,1.5,',
            "",
            "b1,wav/b1.wav,,,,0,",
        )
        assert read(path) == utterances(tmp_path)

    def test_tsv(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "m.tsv",
            "id\taudio\ttext\tspeaker\toffset\tduration",
            "a1\twav/a1.wav\tone, two\tanna\t\t",
            'a2\t/data/a2.flac\tsay "so"\tanna\t1.5\t2.0',
            "b1\twav/b1.wav\t\t\t0\t",
        )
        assert read(path) == utterances(tmp_path)

    def test_a_text_over_several_lines_is_one_line(self, tmp_path: Path) -> None:
        rows = ["id,audio,text", 'a,a.wav,"one', 'two"', "b,b.wav,three"]
        assert [one.text for one in read(write(tmp_path / "m.csv", *rows))] == ["one two", "three"]
        assert read(write(tmp_path / "m.jsonl", json.dumps(ROWS[0] | {"text": "one\r\ntwo"})))[0].text == "one  two"

    def test_without_text(self, tmp_path: Path) -> None:
        jsonl = write(tmp_path / "m.jsonl", '{"id": 7, "audio": "a.wav"}')
        csv = write(tmp_path / "m.csv", "audio,id", "a.wav,7")
        for path in (jsonl, csv):
            assert read(path, with_text=False) == [Utterance("7", tmp_path / "a.wav", None)]
            with pytest.raises(DataError, match=r"line 1: .*text.* is missing"):
                read(path)

    def test_lines_come_as_they_are_read(self, tmp_path: Path) -> None:
        found = read_manifest(str(write(tmp_path / "m.jsonl", json.dumps(ROWS[0]), "broken")))
        assert next(found).id == "a1"
        with pytest.raises(DataError, match="line 2 is not JSON"):
            next(found)

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (["{"], "line 1 is not JSON"),
            (['{"a": ' * 50_000], "line 1 is not JSON"),
            ([json.dumps(ROWS[0]), "[1]"], "line 2 is no object. It must have id, audio, text"),
            ([json.dumps(ROWS[0]), '{"audio": "x"}'], "line 2: text is missing"),
            (['{"audio": "x", "text": ""}'], "line 1: id is missing or empty"),
            (['{"id": " ", "audio": "x", "text": ""}'], "line 1: id is missing or empty"),
            (['{"id": ["x"], "audio": "x", "text": ""}'], "line 1: id is no text"),
            (['{"id": "x", "text": ""}'], "line 1: audio is missing or empty"),
            (['{"id": "x", "audio": {"path": "x"}, "text": ""}'], "line 1: audio is no text"),
            (['{"id": "x", "audio": "a\\u0000", "text": ""}'], "holds a zero byte"),
            (['{"id": "x", "audio": "a", "text": 7}'], "line 1: text is no text"),
            (['{"id": "x", "audio": "a", "text": "\\ud800"}'], "line 1: text holds half a surrogate pair"),
            (['{"id": "x", "audio": "a", "text": "", "offset": -1}'], r"line 1: offset must be .*\(it is -1\)"),
            (['{"id": "x", "audio": "a", "text": "", "offset": "1"}'], "line 1: offset must be a number of seconds"),
            (['{"id": "x", "audio": "a", "text": "", "offset": NaN}'], "line 1: offset must be"),
            (['{"id": "x", "audio": "a", "text": "", "duration": 1' + "0" * 400 + "}"], "line 1: duration must be"),
            (['{"id": "x", "audio": "a", "text": "", "duration": 0}'], "line 1: duration must be more than 0"),
            ([json.dumps(ROWS[0]), json.dumps(ROWS[1]), json.dumps(ROWS[0])], "a1 stands there twice, .* 1 and 3"),
            ([], "describes no utterances"),
            ([""], "describes no utterances"),
        ],
    )
    def test_what_is_wrong_in_json_lines(self, tmp_path: Path, lines: list[str], message: str) -> None:
        with pytest.raises(DataError, match=rf"m\.jsonl.*{message}"):
            read(write(tmp_path / "m.jsonl", *lines))

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (["id,text", "a,b"], r"line 1: the column audio is missing \(there are: id, text\)"),
            (["path,sentence"], r"line 1: the column id is missing \(there are: path, sentence\)\. The columns are id"),
            (["id,audio,text,id"], "line 1: the column id stands twice"),
            ([], "line 1: the column id is missing .there are: none"),
            (["id,audio,text"], "describes no utterances"),
            (["id,audio,text", "a,b"], "line 2 has 2 columns, but line 1 has 3"),
            (["id,audio,text", "a,b,c", "", "d,e,f,g"], "line 4 has 4 columns, but line 1 has 3"),
            (["id,audio,text", 'a,b,"c'], "line 2 is no row of a table: unexpected end of data"),
            (["id,audio,text", 'a,b,"c"d'], "line 2 is no row of a table"),
            (["id,audio,text", "a,b," + "c" * 200_000], "line 2 is no row of a table: field larger"),
            (["id,audio,text,offset", "a,b,c,soon"], r"line 2: offset must be .*\(it is 'soon'\)"),
            (["id,audio,text,offset", "a,b,c,-0.1"], r"line 2: offset must be .*\(it is -0\.1\)"),
            (["id,audio,text,duration", "a,b,c,inf"], "line 2: duration must be"),
            (["id,audio,text", "a,,c"], "line 2: audio is missing or empty"),
        ],
    )
    def test_what_is_wrong_in_a_table(self, tmp_path: Path, lines: list[str], message: str) -> None:
        with pytest.raises(DataError, match=rf"m\.csv.*{message}"):
            read(write(tmp_path / "m.csv", *lines))
        if '"' not in "".join(lines) and "field larger" not in message:
            with pytest.raises(DataError, match=rf"m\.tsv.*{message}"):
                read(write(tmp_path / "m.tsv", *[line.replace(",", "\t") for line in lines]))

    @pytest.mark.parametrize("name", ["m.jsonl", "m.csv", "m.tsv"])
    def test_another_encoding(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(b"\xe4\n")
        with pytest.raises(DataError, match="line 1, byte 1: 0xe4 is not valid UTF-8"):
            read(tmp_path / name)


class TestKaldi:
    """A data directory of Kaldi's."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write(tmp_path / "wav.scp", "r1 wav/r 1.wav", "r2\t/data/r2.flac")
        write(tmp_path / "text", "u2 zwei drei", "u1 eins")
        return tmp_path

    @pytest.fixture
    def segmented(self, folder: Path) -> Path:
        write(folder / "segments", "u1 r1 0 1.5", "u2 r2 2.25 -1", "u3 r1 1.5 2")
        write(folder / "utt2spk", "u1 anna", "u2 bob")
        return folder

    def test_whole_recordings(self, folder: Path) -> None:
        write(folder / "text", "r1  eins ", "r2")
        assert read(folder) == [
            Utterance("r1", folder / "wav/r 1.wav", "eins"),
            Utterance("r2", Path("/data/r2.flac"), ""),
        ]

    def test_segments(self, segmented: Path) -> None:
        assert read(segmented) == [
            Utterance("u1", segmented / "wav/r 1.wav", "eins", "anna", 0.0, 1.5),
            Utterance("u2", Path("/data/r2.flac"), "zwei drei", "bob", 2.25, None),
            Utterance("u3", segmented / "wav/r 1.wav", None, None, 1.5, 0.5),
        ]

    def test_without_text(self, folder: Path) -> None:
        (folder / "text").unlink()
        assert [one.text for one in read(folder, with_text=False)] == [None, None]
        with pytest.raises(DataError, match="text cannot be read"):
            read(folder)

    @pytest.mark.parametrize(
        ("name", "lines", "message"),
        [
            ("wav.scp", ["r1 sph2pipe -f wav r1.sph |"], "line 1: 'sph2pipe .*is a command, and s2s runs no command"),
            ("wav.scp", ["r1 raw.ark:17"], "line 1: 'raw.ark:17' is a place in an archive"),
            ("wav.scp", ["r1 a.wav", "r1 b.wav"], "line 2: r1 stands there twice"),
            ("wav.scp", ["r1 a.wav", "", "r2 b.wav"], "line 2 is empty"),
            ("text", ["u1 x", "u9 y"], "text has u9, but segments does not"),
            ("text", ["u1 x", "u1 y"], "line 2: u1 stands there twice"),
            ("segments", ["u1 r1 0", "u2 r1 0 1"], "line 1 is no segment"),
            ("segments", ["u1 r1 0 1 A", "u2 r1 0 1"], "line 1 is no segment"),
            ("segments", ["u1 r1 zero 1", "u2 r1 0 1"], "line 1 is no segment"),
            ("segments", ["u1 r1 0 1", "u2 r7 0 1"], "line 2: there is no recording r7"),
            ("segments", ["u1 r1 2 1", "u2 r1 0 1"], "line 1: the segment ends at 1 s and starts at 2 s"),
            ("segments", ["u1 r1 -2 1", "u2 r1 0 1"], "line 1: offset must be"),
            ("segments", ["u1 r1 0 nan", "u2 r1 0 1"], "line 1: the segment ends at nan s"),
            ("segments", ["u1 r1 0 1", "u2 r1 1 2", "u1 r1 2 3"], "u1 stands there twice"),
        ],
    )
    def test_what_is_wrong(self, segmented: Path, name: str, lines: list[str], message: str) -> None:
        write(segmented / name, *lines)
        with pytest.raises(DataError, match=message):
            read(segmented)

    def test_a_recording_without_a_file(self, folder: Path) -> None:
        write(folder / "wav.scp", "u1 a.wav", "u2")
        with pytest.raises(DataError, match=r"wav\.scp, line 2: audio is missing"):
            read(folder)


def test_a_tree_like_that_of_librispeech(tmp_path: Path) -> None:
    write(tmp_path / "84" / "121" / "84-121.trans.txt", "84-121-0000 GO ON", "84-121-0001 I SEE")
    write(tmp_path / "19" / "198" / "19-198.trans.txt", "19-198-0000 YES")
    (tmp_path / "README").write_text("not a speaker")
    assert read(tmp_path) == [
        Utterance("19-198-0000", tmp_path / "19/198/19-198-0000.flac", "YES", "19"),
        Utterance("84-121-0000", tmp_path / "84/121/84-121-0000.flac", "GO ON", "84"),
        Utterance("84-121-0001", tmp_path / "84/121/84-121-0001.flac", "I SEE", "84"),
    ]


@pytest.mark.parametrize("name", ["m.txt", "folder"])
def test_an_unknown_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.txt").write_text("id")
    (tmp_path / "folder").mkdir()
    with pytest.raises(
        UsageError, match=rf"{name} is no manifest of a known kind: .*jsonl.*wav\.scp.*LibriSpeech.*datasets:"
    ):
        read_manifest(str(tmp_path / name))


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no manifest .*gone\.csv\. A manifest is FILE\.jsonl"):
        read_manifest(str(tmp_path / "gone.csv"))
