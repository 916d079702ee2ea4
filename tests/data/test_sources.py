"""Rows of files and of objects in memory, good ones and bad ones."""

import csv
import gzip
import json

import pytest

from keras_led.data.sources import read_rows
from keras_led.data.texts import read_texts
from tests.data.tokenizers import ROWS

FIELDS = ("document", "summary")


def texts(source, **options):
    return [texts for _, texts in read_texts(source, FIELDS, **options)]


def write_jsonl(path, rows=ROWS):
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_csv(path, delimiter=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["id", *FIELDS])
        for row in ROWS:
            writer.writerow([row["id"], row["document"], row["summary"]])
    return path


class Columns:
    """Iterates over dicts, like a `datasets.Dataset`."""

    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


def test_all_sources_give_the_same_rows(tmp_path):
    expected = [(row["document"], row["summary"]) for row in ROWS]
    plain = write_jsonl(tmp_path / "a.jsonl")
    zipped = tmp_path / "a.ndjson.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    sources = [
        plain,
        [str(plain)],
        zipped,
        write_csv(tmp_path / "a.csv"),
        write_csv(tmp_path / "a.tsv", "\t"),
        ROWS,
        Columns(ROWS),
        expected,
        iter(expected),
    ]
    for source in sources:
        assert texts(source) == expected
    # A pattern stands for its files in the order of their names.
    assert texts(str(tmp_path / "a.*")) == expected * 4


def test_byte_order_mark_and_line_separator_are_no_trouble(tmp_path):
    path = tmp_path / "a.jsonl"
    text = '{"document": "a\u2028b", "summary": "c"}\r\n\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert texts(path) == [("a\u2028b", "c")]


def test_csv_may_hold_line_ends_and_long_fields(tmp_path):
    path = tmp_path / "a.csv"
    document = "long\n" + "x" * 200_000
    path.write_text(f'document,summary\n"{document}",s\n', encoding="utf-8")
    assert texts(path) == [(document, "s")]


BAD_LINES = [
    (b'{"document": "d"', "a.jsonl:2, where JSON ends at column 17"),
    (b"[1]", "a.jsonl:2, a list, not an object"),
    (b'{"document": "d"}', "a.jsonl:2, nothing under `summary`, with the keys"),
    (b'{"document": 3, "summary": "s"}', "a.jsonl:2, a int under `document`"),
    (b'{"document": " ", "summary": "s"}', "2, an empty text under `document`"),
    (b'{"document": "\xff", "summary": "s"}', "2, whose byte 14 is not UTF-8"),
    (b'{"document": "\\ud800", "summary": "s"}', "2, a lone surrogate"),
    (b"[" * 100_000, "a.jsonl:2, which JSON cannot read"),
]


@pytest.mark.parametrize(("line", "problem"), BAD_LINES)
def test_a_bad_line_stops_the_run_or_is_skipped(tmp_path, line, problem):
    good = json.dumps(ROWS[0]).encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(good + b"\n" + line + b"\n" + good)
    with pytest.raises(ValueError, match="1 bad rows of 3.*--skip") as error:
        texts(path)
    assert problem in str(error.value)
    with pytest.warns(UserWarning, match="Skipped 1 bad rows of 3") as caught:
        assert len(texts(path, bad_rows="skip")) == 2
    assert problem in str(caught[0].message)


def test_bad_rows_of_csv_name_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"document,summary\n"
        b'"two\nlines",s\n'
        b"one value\n"
        b"\xff,s\n"
        b",s\n"
        b"good,s\n"
        b'"never closed,s\n'
    )
    with pytest.warns(UserWarning, match="Skipped 4 bad rows of 6") as caught:
        found = texts(path, bad_rows="skip")
    assert found == [("two\nlines", "s"), ("good", "s")]
    message = str(caught[0].message)
    assert "a.csv:4, 1 values for 2 columns" in message
    assert "a.csv:5, whose byte 0 is not UTF-8" in message
    assert "a.csv:6, an empty text under `document`" in message
    assert "a.csv:8, broken CSV" in message


def test_many_bad_rows_are_counted_and_the_first_shown():
    rows = [*ROWS, *[("only",)] * 7, {"document": "d"}]
    with pytest.raises(ValueError, match=r"8 bad rows of 19.*and 3 more"):
        texts(rows)


def test_a_message_quotes_no_more_than_a_few_lines():
    rows = [{f"key {n}": n for n in range(20000)}]
    with pytest.raises(ValueError, match=r"rows\[0\], nothing under") as caught:
        list(read_texts(rows, ("document",)))
    assert "'key 0'" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_rows_that_are_all_bad_stop_even_when_skipping():
    with pytest.raises(ValueError, match="2 bad rows of 2"):
        texts([{}, {}], bad_rows="skip")


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({"train": ROWS}, TypeError, r"a dict\. Choose one of \['train'\]"),
        (3, TypeError, "Received: a int"),
        ("a.parquet", ValueError, "must end in one of .* a.parquet"),
        ("nothing*.jsonl", ValueError, "a pattern that matches none"),
        ("absent.jsonl", OSError, "absent.jsonl"),
        ([], ValueError, "at least one row"),
    ],
)
def test_sources_of_no_use_are_refused(source, error, message):
    with pytest.raises(error, match=message):
        texts(source)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_empty_files_are_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"\n\n") if ".gz" in name else b"\n\n")
    with pytest.raises(ValueError, match=f"one row. Received: {path}, with no"):
        texts([path])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'"document,summary\nd,s\n', "where it is broken CSV"),
        (b"", "where there is none"),
        (b"document,\xff\nd,s\n", "where there is none"),
        (b"document,summary,document\nd,s,e\n", r"with \['document'\]"),
    ],
)
def test_a_header_of_no_use_is_named(tmp_path, content, why):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"header.*a.csv, {why}"):
        texts(path)


def test_columns_without_a_name_may_be_several(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("document,summary,,\nd,s,,\n")
    assert texts(path) == [("d", "s")]


def test_json_that_is_no_lines_is_refused_with_a_way(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ROWS))
    with pytest.raises(ValueError, match=r"a\.json\. Name it \.jsonl if"):
        texts(path)


class Frame:
    """Iterates over the names of its columns, like a `pandas.DataFrame`."""

    columns = ("document", "summary")

    def __iter__(self):
        return iter(self.columns)

    def itertuples(self, index, name):
        assert (index, name) == (False, None)
        return iter([("d", "s"), ("e", None)])


def test_a_frame_is_read_by_its_rows():
    with pytest.warns(UserWarning, match=r"rows\[1\], a NoneType"):
        assert texts(Frame(), bad_rows="skip") == [("d", "s")]


def test_a_data_frame_of_pandas_gives_its_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, index=range(7, 7 + len(ROWS)))
    rows = list(read_rows(frame))
    assert [row.record for row in rows] == ROWS
    assert rows[1].label() == "rows[1]"
    frame.loc[8, "summary"] = None
    with pytest.raises(ValueError, match=r"1 bad rows of 11: rows\[1\], a "):
        texts(frame)


def test_a_damaged_compressed_file_is_named(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ROWS[0]).encode() * 99)[:-20])
    with pytest.raises(ValueError, match="a.jsonl.gz, which is damaged"):
        list(read_rows(path))


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="Received: bad_rows='ignore'"):
        texts(ROWS, bad_rows="ignore")
