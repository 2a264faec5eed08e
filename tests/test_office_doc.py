"""The guide to the office's file says what the definitions say, and no more."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from kiosk import office_doc, office_keys, toml_lines
from kiosk.office_checks import BUNDLE_PARTS
from kiosk.office_faults import NUMBER_PARTS
from kiosk.office_file import OFFICES
from kiosk.service import FieldKind
from kiosk.wording_check import MEANINGS

ROOT = Path(__file__).resolve().parent.parent
LISTS = {"kinds", "parts", "number_parts", "bundle_parts"}


def test_the_guide_is_fresh() -> None:
    """Where this fails: loket15 office docs > docs/office-file.md"""
    assert (ROOT / office_keys.DOCUMENT).read_text() == office_doc.document()


def test_every_key_has_a_meaning_and_no_meaning_is_left_over() -> None:
    tables = office_keys.tables()
    silent = [f"{t.name}.{key.name}" for t in tables for key in t.keys if not key.meaning]
    assert not silent
    keys = {(table.name, key.name) for table in tables for key in table.keys}
    shared = {key.name for table in tables if table.name.endswith("Service") for key in table.keys}
    left = [
        f"{table}.{key}"
        for table, meanings in office_keys.meanings().items()
        for key in meanings
        if table not in {*LISTS, "Named"}
        and (table, key) not in keys
        and not (table == "Service" and key in shared)
    ]
    assert not left


def test_the_lists_beside_the_tables_are_whole() -> None:
    said = office_keys.meanings()
    assert set(said["kinds"]) == set(get_args(FieldKind))
    assert set(said["parts"]) == set(MEANINGS)
    assert set(said["number_parts"]) == set(NUMBER_PARTS)
    assert set(said["bundle_parts"]) == set(BUNDLE_PARTS)


def test_the_guide_speaks_of_each_table_once_and_its_links_lead_somewhere() -> None:
    page = office_doc.document()
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page, flags=re.S), re.M)
    anchors = [re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= set(anchors)
    assert "{{" not in page


def test_every_example_of_the_guide_is_toml() -> None:
    examples = re.findall(r"```toml\n(.*?)```", office_doc.document(), re.S)
    assert len(examples) > 25
    for example in examples:
        tomllib.loads(example)


def test_each_key_of_a_file_is_found_in_its_line() -> None:
    for file in OFFICES.glob("*.toml"):
        text = file.read_text()
        lines = text.splitlines()
        found = toml_lines.lines_of(text)
        assert len(found) > 200
        for path, line in found.items():
            key = re.split(r"[.\[]", path.removesuffix("]"))[-1]
            if not key.isdigit():
                assert re.match(rf"\[*[\w.]*{key}\]*", lines[line - 1].strip()), path


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('a = """\nx = 1\n"""\nb = 2', "b", 4),
        ("a = '''\nx = ] , [\n'''\nb = 2", "b", 4),
        ("a = [ # [\n  1, # ,\n  2,\n]\nb = 3", "a[1]", 3),
        ('a = [\n  { b = "x, y", c = [1, 2] },\n  { b = "z" },\n]', "a[1].b", 3),
        ("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\n[[a.b]]\nc = 1", "a[1].b[1].c", 6),
        ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", "a[1].b.c", 6),
        ('"a b" = 1\n[t]\nc.d = 2', "t.c.d", 3),
        ("[t]\na = 1", "t.missing", 1),
    ],
)
def test_lines_are_counted_past_strings_lists_and_remarks(text: str, path: str, line: int) -> None:
    tomllib.loads(text)
    assert toml_lines.line_of(path, toml_lines.lines_of(text)) == line


def test_what_stands_nowhere_has_no_line() -> None:
    assert toml_lines.line_of("x.y", toml_lines.lines_of("a = 1")) is None
