import csv
import fcntl
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pysqlite3 as sqlite3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk import register_file
from kiosk.errors import Unusable
from kiosk.register import Person, Register, Report, import_file, restore_previous
from kiosk.register_columns import columns_of, tidied, tidy
from kiosk.register_row import iso_date
from kiosk.vault import Vault

NOW = 1_783_000_000
AS_OF = date(2026, 6, 30)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

HEADER = "NIK|NOKK|NAMA|ALAMAT|RT|RW|TANGGAL LAHIR|JENIS KELAMIN|BANSOS PKH|PBI JKN"
SITI = "3602014708900001|3602111111118111|SITI AMINAH|KP. CIKUMPAY|010|007|07/08/1990|P|YA|YA"
ASEP = "3602010101800001|3602111111118112|ASEP SURYANA|KP. NAGRAK|001|002|01/01/1980|L|TIDAK|YA"
DEWI = "3602014101800001|3602111111118112|DEWI SURYANA|KP. NAGRAK|001|002|01/01/1980|P|TIDAK|YA"

Import = Callable[..., Report]


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return Vault.create(tmp_path_factory.mktemp("keys") / "vault.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "register"


@pytest.fixture
def register(folder: Path, vault: Vault) -> Iterator[Register]:
    register = Register(folder, vault)
    yield register
    register.close()


@pytest.fixture
def take_in(tmp_path: Path, folder: Path, vault: Vault) -> Import:
    """Import text, bytes or lines as a file."""

    def take_in(data: str | bytes | Sequence[str], **more: Any) -> Report:
        text = data if isinstance(data, str | bytes) else "\n".join(data) + "\n"
        path = tmp_path / "export.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return import_file(path, folder, vault, AS_OF, NOW, rejects=tmp_path / "r.csv", **more)

    return take_in


@pytest.fixture
def rejects(tmp_path: Path) -> Callable[[], list[dict[str, str]]]:
    def read() -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text())))

    return read


def sheet(*sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        page = book.create_sheet()
        for row in rows:
            page.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# --- the four files as offices get them ---------------------------------------------------


def shared_cases() -> list[tuple[str, dict[str, Any]]]:
    if not SHARED.is_dir():
        return []
    return list(json.loads((SHARED / "expected.json").read_text()).items())


@pytest.mark.parametrize(("name", "expected"), shared_cases() or [("", {})])
def test_figures_of_the_exports_of_the_field(
    name: str, expected: dict[str, Any], folder: Path, vault: Vault, tmp_path: Path
) -> None:
    if not name:
        assert not SHARED.exists()  # else the files must be read
        return
    rejects = tmp_path / "rejects.csv"
    report = import_file(SHARED / name, folder, vault, AS_OF, NOW, rejects=rejects).as_dict()
    assert report == {
        "rows": expected["rows"],
        "accepted": expected["accepted"],
        "rejected": expected["rejected"],
        "as_of": "2026-06-30",
    }
    assert rejects.read_text().count("\n") == 1 + report["rows"] - report["accepted"]


# --- reasons --------------------------------------------------------------------------------

FAULTY = {
    "nik_form": [
        SITI.replace("3602014708900001", nik)
        for nik in ("", "123", "36020147089000011", "360201470890000A", "3602014708900000")
    ],
    "nik_number": [
        SITI.replace("3602014708900001", nik)
        for nik in ("3,60201E+15", "3.60201e+15", "3602014708900001.0", "3.602.014.708.900.001")
    ],
    "kk_form": [SITI.replace("3602111111118111", kk) for kk in ("", "36021", "360211111111811X")],
    "kk_number": [SITI.replace("3602111111118111", "3,60211E+15")],
    "name_missing": [SITI.replace("SITI AMINAH", name) for name in ("", "   ", "-", "NULL", "123")],
    "row_width": [SITI + "|lagi", SITI.rpartition("|")[0], "rusak"],
}
COLUMN = {"nik": "NIK", "kk": "NOKK", "name": "NAMA", "row": ""}


@pytest.mark.parametrize(
    ("reason", "row"), [(reason, row) for reason, rows in FAULTY.items() for row in rows]
)
def test_a_faulty_row_is_held_out_with_its_reason(
    reason: str, row: str, take_in: Import, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    report = take_in([HEADER, ASEP, row, DEWI])
    assert (report.rows, report.accepted, report.rejected) == (3, 2, {reason: 1})
    (reject,) = rejects()
    assert (reject["baris"], reject["alasan"]) == ("3", reason)
    assert reject["kolom"] == COLUMN[reason.partition("_")[0]]
    assert reject["penjelasan"]


def test_identical_repeats_leave_the_first(
    take_in: Import, register: Register, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    report = take_in([HEADER, SITI, ASEP, SITI.replace("SITI AMINAH", " SITI  AMINAH "), SITI])
    assert report.as_dict() == {
        "rows": 4,
        "accepted": 2,
        "rejected": {"duplicate": 2},
        "as_of": "2026-06-30",
    }
    assert [reject["baris"] for reject in rejects()] == ["4", "5"]
    assert "baris 2;" in rejects()[0]["penjelasan"]
    assert register.find_pair("3602014708900001", "3602111111118111")


def test_same_nik_with_other_data_holds_all_its_rows_out(
    take_in: Import, register: Register, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    report = take_in([HEADER, SITI, SITI.replace("8111", "8119"), ASEP, SITI])
    assert (report.accepted, report.rejected) == (1, {"conflict": 3})
    assert register.find_nik("3602014708900001") is None
    assert [reject["baris"] for reject in rejects()] == ["2", "3", "5"]


def test_running_number_does_not_make_a_repeat_a_conflict(take_in: Import) -> None:
    report = take_in(["No.|" + HEADER, "1|" + SITI, "2|" + SITI])
    assert report.rejected == {"duplicate": 1}


def test_rows_that_are_no_people_are_no_fault(take_in: Import) -> None:
    rows = [
        "DAFTAR PENERIMA BANTUAN SOSIAL",
        "KABUPATEN LEBAK|TAHUN 2026",
        "",
        "No|" + HEADER,
        "(1)|(2)|(3)|(4)|(5)|(6)|(7)|(8)|(9)|(10)|(11)",
        "1|" + SITI,
        "|" * 10,
        "No|" + HEADER,
        "2|" + ASEP,
        "3" + "|" * 10,
        "JUMLAH|2" + "|" * 9,
        "|TOTAL PENERIMA: 2" + "|" * 9,
        "Jumlah seluruhnya|2",
    ]
    report = take_in(rows)
    assert (report.rows, report.accepted, report.rejected) == (2, 2, {})


def test_person_named_jumlah_is_a_person(take_in: Import) -> None:
    report = take_in(["NAMA|NIK|NOKK", "JUMLAH|3602014708900001|3602111111118111"])
    assert (report.rows, report.accepted) == (1, 1)


def test_rejects_hold_nothing_personal_and_no_live_formula(take_in: Import, tmp_path: Path) -> None:
    header = HEADER.replace("NOKK", "no.kk").replace("NIK", "=NIK").replace("NAMA", "@nama")
    rows = [row for rows in FAULTY.values() for row in rows]
    take_in([header, ASEP, SITI, SITI.replace("KP.", "KAMPUNG"), *rows])
    text = (tmp_path / "r.csv").read_text()
    assert not any(word in text for word in ("SITI", "AMINAH", "36020147", "36021111", "CIKUMPAY"))
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_quote_left_open_costs_its_own_row_only(
    take_in: Import, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    broken = ASEP.replace("KP. NAGRAK", '"KP. NAGRAK')
    report = take_in([HEADER, SITI, broken, DEWI, *["rusak"] * 30])
    assert (report.accepted, report.rejected) == (2, {"row_width": 31})
    assert [reject["baris"] for reject in rejects()][:2] == ["3", "5"]


def test_row_numbers_are_those_of_the_file(
    take_in: Import, register: Register, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    two_lines = SITI.replace("KP. CIKUMPAY", '"KP. CIKUMPAY\nTENGAH"')
    take_in(["judul", HEADER, two_lines, "", "rusak", ASEP])
    assert [reject["baris"] for reject in rejects()] == ["6"]
    person = register.find_nik("3602014708900001")
    assert person
    assert person.address == "KP. CIKUMPAY TENGAH"


# --- what is found out ------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", "|;\t,")
@pytest.mark.parametrize(
    ("encoding", "end"),
    [
        ("utf-8", "\n"),
        ("utf-8-sig", "\r\n"),
        ("cp1252", "\r\n"),
        ("utf-16", "\n"),
        ("utf-16-le", "\r\n"),
        ("utf-16-be", "\n"),
        ("utf-8", "\r"),
    ],
)
def test_delimiter_and_encoding_are_found_out(
    delimiter: str, encoding: str, end: str, take_in: Import, register: Register
) -> None:
    rows = [HEADER, ASEP, SITI.replace("SITI AMINAH", "JOSÉ MARÍA")]
    text = end.join(rows).replace("|", delimiter) + end
    report = take_in(text.encode(encoding))
    assert (report.accepted, report.rejected) == (2, {})
    person = register.find_pair("3602014708900001", "3602111111118111")
    assert person
    assert (person.name, person.rt) == ("JOSÉ MARÍA", "010")


def test_letter_beyond_ascii_on_the_last_line_of_a_long_file_counts(
    take_in: Import, register: Register
) -> None:
    filler = [
        f"36020101018{n:05}"[:12] + f"{n:04}|" + ASEP.partition("|")[2] for n in range(1, 9_999)
    ]
    text = "\n".join([HEADER, *filler, SITI.replace("SITI", "JOSÉ")])
    assert len(text) > 1 << 19
    take_in(text.encode("cp1252"))
    person = register.find_nik("3602014708900001")
    assert person
    assert person.name == "JOSÉ AMINAH"


@pytest.mark.parametrize(
    "header",
    [
        ("no. kk", "Nomor Induk Kependudukan", "Nama Lengkap"),
        ("NOMOR_KARTU_KELUARGA", "nomor_induk_kependudukan", "NM_PENERIMA"),
        ("NO KK", "NIK KTP", "NAMA PENERIMA"),
        ("Nomor KK", "NOMOR NIK", "nama_kepala_keluarga"),
        ("'NOKK", "'N.I.K.", " NAMA "),
    ],
)
def test_headings_are_known_by_many_names(
    header: Sequence[str], take_in: Import, register: Register
) -> None:
    take_in([",".join(header), "3602111111118111,3602014708900001,SITI AMINAH"])
    assert register.find_pair("3602014708900001", "3602111111118111")


def test_an_office_can_add_its_own_headings(take_in: Import, register: Register) -> None:
    rows = ["nik,nokk,nama,sebutan", "3602014708900001,3602111111118111,X,SITI"]
    take_in(rows, own_headings={"name": ["Sebutan"]})
    person = register.find_nik("3602014708900001")
    assert person
    assert person.name == "SITI"


def test_all_that_an_export_says_is_read(take_in: Import, register: Register) -> None:
    header = (
        "ID DTKS;KECAMATAN;DESA/KELUARAHAN;ALAMAT;RT/RW;NOKK;NIK;NAMA;Tempat, Tanggal Lahir;"
        "L/P;HUB KELUARGA;KETERANGAN PADAN;BANSOS BPNT;BANSOS PKH;PBI JKN;bst;Bansos;Desil Nasional"
    )
    row = (
        '77;MALINGPING;SUKARAJA;KP. CIKUMPAY;010/007;\'3602111111118111;="3602014708900001";'
        'SITI AMINAH;"LEBAK, 7 Agustus 1990";Perempuan;ISTRI;Belum padan;YA;ya;TIDAK;1;'
        "PKH, Sembako + PBI JKN;Desil 3"
    )
    take_in([header, row])
    assert register.find_nik("3602014708900001") == Person(
        nik="3602014708900001",
        kk="3602111111118111",
        name="SITI AMINAH",
        birth_place="LEBAK",
        birth_date="1990-08-07",
        sex="P",
        address="KP. CIKUMPAY",
        rt="010",
        rw="007",
        village="SUKARAJA",
        district="MALINGPING",
        register_id="77",
        rank=3,
        programmes=("BPNT", "PKH", "BST", "SEMBAKO", "PBI-JK"),
        match="TIDAK PADAN",
        relation="ISTRI",
    )


def test_a_rank_that_is_no_desil_is_not_taken_for_one(take_in: Import, register: Register) -> None:
    row = "3602014708900001,3602111111118111,SITI,5,57"
    take_in(["nik,no_kk,nama,peringkat,desil", row])
    person = register.find_nik("3602014708900001")
    assert person
    assert person.rank is None


def test_person_comes_back_from_a_dict() -> None:
    person = Person("1", "2", "SITI", programmes=("PKH",), rank=4)
    assert Person.from_dict(json.loads(json.dumps(person.as_dict()))) == person


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("07/08/1990", "1990-08-07"),
        ("7-8-1990", "1990-08-07"),
        ("07.08.1990", "1990-08-07"),
        ("1990-08-07", "1990-08-07"),
        ("1990/8/7", "1990-08-07"),
        ("1990-08-07 00:00:00", "1990-08-07"),
        ("1990-08-07T00:00:00.000Z", "1990-08-07"),
        ("19900807", "1990-08-07"),
        ("7 Agustus 1990", "1990-08-07"),
        ("07-Agu-1990", "1990-08-07"),
        ("7 Pebruari 1990", "1990-02-07"),
        ("01 Desember 1990", "1990-12-01"),
        ("17-Aug-1990", "1990-08-17"),
        ("17 Nop 1990", "1990-11-17"),
        ("07/08/90", "1990-08-07"),
        (datetime(1990, 8, 7, 12), "1990-08-07"),  # noqa: DTZ001 - a spreadsheet's
        (date(1990, 8, 7), "1990-08-07"),
        (33092, "1990-08-07"),
        (33092.0, "1990-08-07"),
        ("07/08/20", ""),  # 1920 or 2020
        ("08/17/1990", ""),
        ("30/02/1990", ""),
        ("7 Sesuatu 1990", ""),
        ("1990", ""),
        ("", ""),
        (None, ""),
        (1e15, ""),
        (float("nan"), ""),
    ],
)
def test_dates_are_read_in_many_forms_and_never_guessed(cell: object, expected: str) -> None:
    assert iso_date(cell, 2026) == expected


@given(st.lists(st.text(alphabet=st.sampled_from("A 1|'=-\\N#/\t\u00e9\u200b"), max_size=8)))
def test_the_quick_way_of_tidying_a_row_is_the_slow_one(cells: list[str]) -> None:
    assert list(tidied(cells)) == [tidy(cell) for cell in cells]


def test_long_cells_are_cut() -> None:
    assert [len(text) for text in tidied(["A" * 5_000, "B"])] == [200, 1]


# --- XLSX -------------------------------------------------------------------------------------

SHEET_HEADER = ("No", "NAMA PENERIMA", "NIK KTP", "NOMOR KK", "TANGGAL LAHIR")
SHEET_SITI = (1, "SITI AMINAH", "3602014708900001", "3602111111118111", date(1990, 8, 7))


def test_sheet_with_the_nik_is_found_under_its_titles(take_in: Import, register: Register) -> None:
    notes = [("Catatan", "x"), ("nama", "petugas")]
    rows = [
        ("DAFTAR PENERIMA",),
        (),
        SHEET_HEADER,
        SHEET_SITI,
        (2, "ASEP", 3602010101800001, "3602111111118112"),
        (3, "DEWI", "3602014101800001", 3602111111118112.0),
        (4, "EKO", "3602010101810001", "3602111111118113", None, "catatan di pinggir"),
        (),
        ("JUMLAH", 4),
    ]
    report = take_in(sheet(notes, rows))
    assert (report.rows, report.accepted) == (4, 2)
    assert report.rejected == {"nik_number": 1, "kk_number": 1}
    person = register.find_pair("3602014708900001", "3602111111118111")
    assert person
    assert person.birth_date == "1990-08-07"


def test_row_numbers_of_a_sheet_are_those_the_clerk_sees(
    take_in: Import, rejects: Callable[[], list[dict[str, str]]]
) -> None:
    take_in(sheet([(), ("JUDUL",), SHEET_HEADER, SHEET_SITI, (), (2, "ASEP", "12", "34")]))
    assert [reject["baris"] for reject in rejects()] == ["6"]


def rewritten(data: bytes, **parts: bytes) -> bytes:
    """A spreadsheet with other parts in it: `__` stands for `/`, `_xml` for `.xml`."""
    named = {name.replace("__", "/").replace("_xml", ".xml"): part for name, part in parts.items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", 8) as new:
        for name in {*old.namelist(), *named}:
            new.writestr(name, named.get(name) or old.read(name))
    return stream.getvalue()


def test_wrongly_declared_size_of_a_sheet_is_not_believed(take_in: Import) -> None:
    data = sheet([SHEET_HEADER, SHEET_SITI])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    changed = xml.replace(b'<dimension ref="A1:E2"', b'<dimension ref="A1"')
    assert changed != xml
    assert take_in(rewritten(data, xl__worksheets__sheet1_xml=changed)).accepted == 1


def test_a_bomb_is_refused_before_it_is_unpacked(take_in: Import) -> None:
    bomb = b"<worksheet>" + b" " * 30_000_000
    data = rewritten(sheet([SHEET_HEADER, SHEET_SITI]), xl__worksheets__sheet1_xml=bomb)
    assert len(data) < 100_000
    with pytest.raises(Unusable, match="terlalu besar"):
        take_in(data)


@pytest.mark.parametrize(
    "limit", ["XLSX_PARTS_MAX", "XLSX_UNPACKED_MAX", "XLSX_HELD_MAX", "XLSX_BYTES_MAX"]
)
def test_spreadsheet_past_a_limit_is_refused(
    limit: str, take_in: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_file, limit, 3)
    with pytest.raises(Unusable, match="terlalu besar"):
        take_in(sheet([SHEET_HEADER, SHEET_SITI]))


@pytest.mark.parametrize("start", [b"", b'<?xml version="1.0"?>', b"<!-- x -->"])
def test_a_spreadsheet_with_entities_of_its_own_is_refused(take_in: Import, start: bytes) -> None:
    part = start + b'<!DOCTYPE sst [<!ENTITY x SYSTEM "file:///etc/hostname">]><sst>&x;</sst>'
    data = rewritten(sheet([SHEET_HEADER, SHEET_SITI]), xl__sharedStrings_xml=part)
    with pytest.raises(Unusable, match="rusak"):
        take_in(data)


# --- files that cannot be used ------------------------------------------------------------------


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


def unusable() -> dict[str, tuple[bytes, str]]:
    good = sheet([SHEET_HEADER, SHEET_SITI])
    rows = "\n".join([HEADER, SITI, ASEP]).encode()
    return {
        "empty": (b"", "kosong"),
        "blank": (b" \n\r\n", "kosong"),
        "no nik": (b"nama,nokk\nSITI,1\n", "kolom NIK"),
        "no kk": (b"nama,nik\nSITI,3602014708900001\n", "nomor KK"),
        "no name": (b"nokk,nik\n3602111111118111,3602014708900001\n", "kolom nama"),
        "prose": (b"Yang bertanda tangan di bawah ini\nKepala Dinas Sosial\n", "bukan tabel"),
        "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Length 3>> stream\nx\x00y", "rusak"),
        "html": (b"<html><body>\n<p>Sesi berakhir</p>\n</body></html>", "bukan tabel"),
        "noise": (bytes(range(1, 256)) * 40, "bukan tabel"),
        "zeros in the middle": (rows + b"\0" * 512 + rows, "rusak"),
        "one endless line": (b"nik,nokk,nama " * 50_000, "bukan tabel"),
        "endless line below": (rows + b"\n" + b"x" * 300_000, "bukan tabel"),
        "header only": (HEADER.encode(), "satu baris pun"),
        "no good row": (f"{HEADER}\nrusak\n".encode(), "satu baris pun"),
        "old xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000, "XLSX"),
        "zip": (zipped("surat.docx"), "bukan tabel"),
        "cut xlsx": (good[: len(good) // 2], "rusak"),
        "broken xlsx": (good[:600] + b"\xff" * 400 + good[1_000:], "rusak"),
        "hollow xlsx": (zipped("xl/workbook.xml"), "rusak"),
        "broken sheet": (
            rewritten(good, xl__worksheets__sheet1_xml=b"<worksheet><sheetData><row r='x'>"),
            "rusak",
        ),
        "xlsx without nik": (sheet([("nama", "alamat"), ("SITI", "X")]), "kolom NIK"),
        "empty xlsx": (sheet([]), "bukan tabel"),
    }


@pytest.mark.parametrize("kind", list(unusable()))
def test_unusable_file_is_told_in_one_line_and_the_old_register_stays(
    kind: str, take_in: Import, register: Register, folder: Path
) -> None:
    take_in([HEADER, SITI])
    data, word = unusable()[kind]
    with pytest.raises(Unusable, match=word) as caught:
        take_in(data)
    assert "\n" not in caught.value.message
    assert register.count() == 1
    assert register.find_pair("3602014708900001", "3602111111118111")
    assert {entry.name for entry in folder.iterdir()} == {"current.sqlite", ".lock"}


def test_data_of_a_day_that_has_not_come_are_refused(
    tmp_path: Path, folder: Path, vault: Vault
) -> None:
    path = tmp_path / "siks.csv"
    path.write_text("NIK|NOKK|NAMA\n3602014708900001|3602111111118111|SITI\n")
    with pytest.raises(Unusable, match="belum tiba"):
        import_file(path, folder, vault, date(2027, 1, 1), NOW)


def test_missing_file_and_folder_are_told(folder: Path, vault: Vault, tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Unusable, match="tidak ada"):
            import_file(path, folder, vault, AS_OF, NOW)


@given(st.binary(max_size=400))
def test_no_bytes_upset_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    with pytest.raises(Unusable), register_file.open_table(path) as table:
        assert not list(table.rows)


# --- the snapshot -----------------------------------------------------------------------------


def test_before_the_first_import_nobody_is_found(register: Register) -> None:
    assert register.as_of() is None
    assert register.snapshot() is None
    assert register.count() == 0
    assert register.find_pair("3602014708900001", "3602111111118111") is None
    assert register.find_nik("3602014708900001") is None


def test_wrong_pair_and_unknown_person_look_the_same(take_in: Import, register: Register) -> None:
    take_in([HEADER, SITI, ASEP])
    assert register.find_pair("3602014708900001", "3602111111118112") is None
    assert register.find_pair("3602014708900009", "3602111111118111") is None
    assert register.find_pair("", "") is None
    assert register.find_pair("3602014708900001", "3602111111118111")


def test_a_lookup_asks_one_composite_index(take_in: Import, folder: Path) -> None:
    take_in([HEADER, SITI])
    with closing(sqlite3.connect(folder / "current.sqlite")) as db:
        plan = db.execute("EXPLAIN QUERY PLAN SELECT row_ct FROM person WHERE pair_ix = ?", (b"",))
        assert "person_pair (pair_ix=?)" in plan.fetchone()[3]


def test_new_snapshot_is_seen_at_once_and_the_former_can_come_back(
    take_in: Import, register: Register, folder: Path
) -> None:
    take_in([HEADER, SITI])
    assert register.find_nik("3602010101800001") is None
    take_in([HEADER, ASEP, DEWI], source="Juli.csv")
    assert register.find_nik("3602010101800001")
    assert register.count() == 2
    restore_previous(folder)
    assert register.find_nik("3602014708900001")
    assert register.count() == 1
    restore_previous(folder)
    snapshot = register.snapshot()
    assert snapshot
    assert (snapshot.accepted, snapshot.source, snapshot.imported_at) == (2, "Juli.csv", NOW)
    assert snapshot.as_of == AS_OF


def test_going_back_needs_a_previous_snapshot(
    take_in: Import, register: Register, folder: Path
) -> None:
    take_in([HEADER, SITI])
    with pytest.raises(Unusable, match="sebelumnya"):
        restore_previous(folder)
    (folder / "previous.sqlite").write_bytes(b"damaged" * 1_000)
    with pytest.raises(Unusable):
        restore_previous(folder)
    assert register.count() == 1


def test_file_holds_no_readable_person_and_is_the_owners(take_in: Import, folder: Path) -> None:
    take_in([HEADER, SITI, ASEP])
    data = (folder / "current.sqlite").read_bytes()
    for word in (b"SITI", b"3602014708900001", b"3602111111118111", b"CIKUMPAY"):
        assert word not in data
    assert (folder / "current.sqlite").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_rows_exchanged_in_the_file_are_noticed(
    take_in: Import, folder: Path, register: Register
) -> None:
    take_in([HEADER, SITI, ASEP])
    with closing(sqlite3.connect(folder / "current.sqlite")) as db:
        (other,) = db.execute("SELECT row_ct FROM person WHERE row = 3").fetchone()
        db.execute("UPDATE person SET row_ct = ? WHERE row = 2", (other,))
        db.commit()
    with pytest.raises(Unusable, match="diubah"):
        register.find_pair("3602014708900001", "3602111111118111")


def test_register_of_other_keys_is_told_not_searched_in_vain(
    take_in: Import, folder: Path, tmp_path: Path
) -> None:
    take_in([HEADER, SITI])
    stranger = Register(folder, Vault.create(tmp_path / "other.json"))
    with pytest.raises(Unusable, match="kunci lain"):
        stranger.find_pair("3602014708900001", "3602111111118111")


def test_damaged_snapshot_is_told(take_in: Import, folder: Path, register: Register) -> None:
    take_in([HEADER, SITI])
    (folder / "current.sqlite").write_bytes(b"\0" * 8_192)
    with pytest.raises(Unusable):
        register.find_nik("3602014708900001")
    take_in([HEADER, SITI])
    assert register.find_nik("3602014708900001")


def test_one_import_at_a_time(take_in: Import, folder: Path) -> None:
    take_in([HEADER, SITI])
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Unusable, match="sedang berjalan"):
            take_in([HEADER, ASEP])
    assert take_in([HEADER, ASEP]).accepted == 1


def test_leavings_of_a_killed_import_are_in_nobodys_way(
    take_in: Import, folder: Path, register: Register
) -> None:
    folder.mkdir()
    for name in ("building.sqlite", "previous.sqlite.new"):
        (folder / name).write_bytes(b"cut short")
    take_in([HEADER, SITI])
    take_in([HEADER, ASEP])
    names = {"current.sqlite", "previous.sqlite", ".lock"}
    assert {entry.name for entry in folder.iterdir()} == names
    assert register.find_nik("3602010101800001")


def test_failing_progress_leaves_the_old_register(
    take_in: Import, folder: Path, register: Register
) -> None:
    take_in([HEADER, SITI])

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_in([HEADER, ASEP], progress=stop)
    assert register.find_nik("3602014708900001")
    assert {entry.name for entry in folder.iterdir()} == {"current.sqlite", ".lock"}


def test_progress_runs_up_to_its_end(take_in: Import) -> None:
    told: list[tuple[int, int]] = []
    rows = [
        f"36020101018{n:05}"[:12] + f"{n:04}|" + ASEP.partition("|")[2] for n in range(1, 3_000)
    ]
    take_in([HEADER, *rows], progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert len(told) > 2
    assert told[-1][0] == told[-1][1] == told[0][1]
    take_in(sheet([SHEET_HEADER, SHEET_SITI]), progress=lambda *pair: told.append(pair))
    assert told[-1] == (2, 2)


def test_threads_read_while_snapshots_change(take_in: Import, register: Register) -> None:
    take_in([HEADER, SITI, ASEP])
    seen: list[bool] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append(register.find_pair("3602014708900001", "3602111111118111") is not None)
        register.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        take_in([HEADER, SITI, DEWI])
    stop.set()
    for thread in threads:
        thread.join()
    assert len(seen) > 10
    assert all(seen)


def test_disk_errors_are_told_and_the_old_register_stays(
    take_in: Import, folder: Path, register: Register, tmp_path: Path
) -> None:
    take_in([HEADER, SITI])
    (tmp_path / "r.csv").unlink()
    os.mkdir(tmp_path / "r.csv")
    with pytest.raises(Unusable, match="disk"):
        take_in([HEADER, ASEP])
    assert register.find_nik("3602014708900001")


def test_the_first_known_heading_wins() -> None:
    columns = columns_of(["nama_kepala_keluarga", "nik", "nik", "nama", ""])
    assert (columns.at["name"], columns.at["nik"]) == (3, 1)
    assert not columns.has("kk")
