"""The template: filled in, read row by row, given back with its faults, uploaded, exported."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import proposal_export, proposal_reader, proposal_sheet, proposal_uploads, proposals
from kiosk.errors import Invalid, NotFound, Stale, Unusable
from kiosk.household import Household
from kiosk.loket import Loket
from kiosk.proposal_sheet import FAULTS, HEADER_ROW, SHEET, Sheet
from kiosk.proposal_uploads import Upload, Uploads
from kiosk.service import ProposalService
from models import Application, Audit, Bundle, BundleItem, Member, Proposal
from tests.households import OTHER_VILLAGE, VILLAGE, household, households
from tests.people import MONDAY_NINE
from tests.proposal_office import actor as who
from tests.proposal_office import lumajang, lumajang_home

__all__ = ["lumajang", "lumajang_home"]

NOW = MONDAY_NINE
TODAY = date(2026, 11, 23)
Cells = dict[str, Any]


@pytest.fixture
def service(lumajang: Loket) -> ProposalService:
    return lumajang.profile.proposals[0]


def rows_of(service: ProposalService, many: Iterable[Household]) -> list[Cells]:
    """Each member as the operator types it, by heading."""
    titles = {purpose.id: purpose.title.id for purpose in service.purposes}
    rows = []
    for one in many:
        for n, member in enumerate(one.members):
            row = {
                heading: member.get(part, "") for part, heading in proposal_sheet.HEADINGS.items()
            }
            year, month, day = member["birth_date"].split("-")
            row["Tanggal lahir"] = f"{day}-{month}-{year}"
            if n == 0:
                row |= {"Program": titles[one.purpose], "Jumlah anggota KK": one.family_size}
            rows.append(row)
    return rows


def filled(
    loket: Loket,
    rows: Sequence[Cells],
    village: str = VILLAGE,
    edit: Callable[[Any], None] = lambda sheet: None,
) -> bytes:
    """The template with these rows typed into it."""
    service = loket.profile.proposals[0]
    book = openpyxl.load_workbook(BytesIO(proposal_sheet.template(loket, service, village)))
    sheet = book[SHEET]
    places = {cell.value: cell.column for cell in sheet[HEADER_ROW]}
    for number, row in enumerate(rows, HEADER_ROW + 1):
        for heading, value in row.items():
            sheet.cell(number, places[heading], value)
    edit(sheet)
    return saved(book)


def saved(book: Any) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def read(loket: Loket, data: bytes, village: str = VILLAGE) -> Sheet:
    service = loket.profile.proposals[0]
    return proposal_reader.read(
        service, BytesIO(data), len(data), village, loket.profile.villages, TODAY
    )


def faults(sheet: Sheet) -> list[dict[str, str]]:
    return [line.faults for group in sheet.groups for line in group.lines if line.faults]


def table(data: bytes) -> list[Cells]:
    """What a file says, by heading, below its header."""
    rows = list(openpyxl.load_workbook(BytesIO(data))[SHEET].iter_rows(values_only=True))
    return [dict(zip(rows[HEADER_ROW - 1], row, strict=True)) for row in rows[HEADER_ROW:]]


# ── The template ──


def test_the_template_names_its_village_and_keeps_numbers_as_text(
    lumajang: Loket, service: ProposalService
) -> None:
    book = openpyxl.load_workbook(BytesIO(proposal_sheet.template(lumajang, service, VILLAGE)))
    sheet = book[SHEET]
    assert sheet["B2"].value == VILLAGE
    headings = {cell.value: cell.column_letter for cell in sheet[HEADER_ROW]}
    assert {"NIK", "No KK", "Program", "Alasan pengusulan"} <= set(headings)
    for heading in ("NIK", "No KK"):
        assert sheet.column_dimensions[headings[heading]].number_format == "@"
    assert len(sheet.data_validations.dataValidation) == 5
    guide = " ".join(str(cell.value) for (cell,) in book["Petunjuk"].iter_rows())
    assert "merupakan usulan" in guide


def test_what_was_typed_is_read_as_it_was_meant(lumajang: Loket, service: ProposalService) -> None:
    many = list(households(4))
    sheet = read(lumajang, filled(lumajang, rows_of(service, many)))
    assert faults(sheet) == []
    assert [group.household for group in sheet.groups] == [one.tidied() for one in many]


def test_rows_of_one_card_belong_together_wherever_they_stand(
    lumajang: Loket, service: ProposalService
) -> None:
    rows = rows_of(service, households(2))
    sheet = read(lumajang, filled(lumajang, [rows[0], *rows[3:], *reversed(rows[1:3])]))
    assert sorted(len(group.lines) for group in sheet.groups) == [3, 4]
    assert {line.number for group in sheet.groups for line in group.lines} == set(range(5, 12))


def test_empty_rows_are_skipped_and_a_real_date_is_a_date(
    lumajang: Loket, service: ProposalService
) -> None:
    rows = rows_of(service, [household()])
    rows[0]["Tanggal lahir"] = date(1965, 2, 11)
    sheet = read(lumajang, filled(lumajang, [{}, rows[0], {}, {}, *rows[1:]]))
    assert faults(sheet) == []
    assert sheet.groups[0].household.members[0]["birth_date"] == "1965-02-11"


@pytest.mark.parametrize(
    ("heading", "value", "column", "said"),
    [
        ("NIK", 3508015602700008, "member.nik", proposal_reader.AS_NUMBER),
        ("NIK", "3,50801E+15", "member.nik", proposal_reader.AS_NUMBER),
        ("NIK", "123", "member.nik", "16 angka"),
        ("No KK", 3508010000000001.0, "member.kk", proposal_reader.AS_NUMBER),
        ("NIK", "=A1", "member.nik", proposal_reader.FORMULA),
        ("Nama lengkap", "=CONCATENATE(A1)", "member.name", proposal_reader.FORMULA),
        ("Nama lengkap", "#REF!", "member.name", proposal_reader.ERROR_CELL),
        ("Tanggal lahir", "31-02-1990", "member.birth_date", proposal_reader.NO_DATE),
        ("Tanggal lahir", 23814, "member.birth_date", proposal_reader.NO_DATE),
        ("Tanggal lahir", "01-02-12", "member.birth_date", proposal_reader.NO_DATE),
        ("Program", "BERAS", "purpose", proposal_sheet.UNKNOWN),
        ("Program", "BPNT/Sembako", "purpose", proposal_reader.OTHER_SAID),
        ("Jumlah anggota KK", "7", "size", proposal_reader.OTHER_SAID),
        ("Hubungan keluarga", "TETANGGA", "member.relation", "hubungan"),
        ("Nama lengkap", "", "member.name", "Isi bagian ini."),
    ],
)
def test_a_cell_that_is_wrong_is_told_at_its_place(
    lumajang: Loket,
    service: ProposalService,
    heading: str,
    value: object,
    column: str,
    said: str,
) -> None:
    rows = rows_of(service, [household(1), household(2)])
    rows[1][heading] = value
    sheet = read(lumajang, filled(lumajang, rows))
    group = sheet.groups[0]
    proposal_reader.tell(
        group, proposals.check(lumajang, "usulan", group.household, who("desa"), NOW)
    )
    found = {line.number: line.faults for line in group.lines}
    assert said in found[6][column]
    assert not group.right
    assert sheet.groups[1].right


@pytest.mark.parametrize("heading", ["Jumlah anggota KK", "NIK", "No KK", "Tanggal lahir", "RT"])
def test_a_number_of_thousands_of_digits_is_a_fault_like_another(
    lumajang: Loket, service: ProposalService, heading: str
) -> None:
    rows = rows_of(service, [household(1)])
    rows[0][heading] = "9" * 5000
    group = read(lumajang, filled(lumajang, rows)).groups[0]
    proposal_reader.tell(
        group, proposals.check(lumajang, "usulan", group.household, who("desa"), NOW)
    )
    assert not group.right


def test_a_row_whose_card_cannot_be_read_holds_back_the_household_it_stands_in(
    lumajang: Loket, service: ProposalService
) -> None:
    rows = rows_of(service, [household(1), household(2)])
    rows[2]["No KK"] = "12"
    rows[3]["No KK"] = 3508010000000002
    sheet = read(lumajang, filled(lumajang, rows))
    assert [len(group.lines) for group in sheet.groups] == [3, 3]
    checked = proposals.check_many(
        lumajang, "usulan", [group.household for group in sheet.groups], who("desa"), NOW
    )
    assert all(checked)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda sheet: sheet.cell(HEADER_ROW, 4, "NOMOR INDUK"), "Ini bukan template"),
        (lambda sheet: sheet.cell(HEADER_ROW, 5, "Siapa"), "Kolom tidak ada: Nama lengkap"),
        (lambda sheet: sheet.cell(HEADER_ROW, 20, "NIK"), "dua kali: NIK"),
        (lambda sheet: sheet.cell(2, 2, OTHER_VILLAGE), proposal_reader.OTHER_VILLAGE),
        (lambda sheet: sheet.delete_rows(HEADER_ROW + 1, 9), proposal_reader.EMPTY),
        (lambda sheet: setattr(sheet, "title", "Lain"), proposal_reader.NO_SHEET),
    ],
)
def test_a_file_that_is_no_such_template_is_refused_whole(
    lumajang: Loket, service: ProposalService, edit: Callable[[Any], None], said: str
) -> None:
    data = filled(lumajang, rows_of(service, [household()]), edit=edit)
    with pytest.raises(Unusable, match=said.split(".")[0]):
        read(lumajang, data)


@pytest.mark.parametrize("data", [b"NIK;KK\n1;2\n", b"PK\x03\x04rusak", b"%PDF-1.7", b""])
def test_only_an_xlsx_is_read_whatever_it_is_called(lumajang: Loket, data: bytes) -> None:
    with pytest.raises(Unusable):
        read(lumajang, data)


def test_more_rows_than_allowed_are_refused(
    lumajang: Loket, service: ProposalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposal_reader, "MOST_ROWS", 5)
    with pytest.raises(Unusable, match="20\\.000"):
        read(lumajang, filled(lumajang, rows_of(service, households(2))))


# ── Uploads ──


def upload(loket: Loket, data: bytes, good: bool = True, by: str = "desa") -> Upload:
    uploads = Uploads(loket)
    uploads.start(BytesIO(data), "usulan", "", good, who(by), NOW)
    ended = uploads.wait(who(by), 60)
    assert ended
    assert not list((loket.home / "uploads").glob("upload-*"))
    return ended


def back(loket: Loket, by: str = "desa") -> bytes:
    return Uploads(loket).returned(who(by), NOW + 60)


def spoilt(service: ProposalService) -> list[Cells]:
    rows = rows_of(service, [household(1), household(2), household(3)])
    rows[4]["NIK"] = "1234"
    return rows


def test_the_right_ones_are_taken_and_the_faulty_given_back_with_what_is_wrong(
    lumajang: Loket, service: ProposalService
) -> None:
    ended = upload(lumajang, filled(lumajang, spoilt(service)))
    assert (ended.state, ended.households, ended.taken, ended.faulty) == ("done", 3, 2, 1)
    assert (Application.select().count(), Member.select().count()) == (2, 6)
    given = table(back(lumajang))
    assert [row["NIK"] for row in given][1] == "1234"
    assert [FAULTS in row for row in given] == [True] * 3
    assert "NIK: NIK terdiri dari 16 angka" in given[1][FAULTS]
    assert given[0][FAULTS] == proposal_sheet.WITH_OTHERS
    wrong = openpyxl.load_workbook(BytesIO(back(lumajang)))[SHEET]
    coloured = {
        c.coordinate for row in wrong.iter_rows(min_row=5) for c in row if c.fill.patternType
    }
    assert len(coloured) == 1


def test_the_file_given_back_can_be_mended_and_uploaded_as_it_is(
    lumajang: Loket, service: ProposalService
) -> None:
    upload(lumajang, filled(lumajang, spoilt(service)))
    book = openpyxl.load_workbook(BytesIO(back(lumajang)))
    nik = next(cell for cell in book[SHEET][HEADER_ROW] if cell.value == "NIK").column
    book[SHEET].cell(HEADER_ROW + 2, nik, household(2).members[1]["nik"])
    ended = upload(lumajang, saved(book))
    assert (ended.taken, ended.faulty, ended.can_fetch) == (1, 0, False)
    assert Application.select().count() == 3


def test_all_or_none_keeps_nothing_when_one_is_wrong(
    lumajang: Loket, service: ProposalService
) -> None:
    ended = upload(lumajang, filled(lumajang, spoilt(service)), good=False)
    assert (ended.taken, ended.faulty) == (0, 1)
    assert Proposal.select().count() == Member.select().count() == 0
    assert len(table(back(lumajang))) == 9


def test_the_same_file_again_is_told_where_each_person_stands_already(
    lumajang: Loket, service: ProposalService
) -> None:
    data = filled(lumajang, rows_of(service, [household()]))
    upload(lumajang, data)
    assert upload(lumajang, data).taken == 0
    assert (
        f"NIK ini sudah ada pada usulan 2026-000001, {VILLAGE}." in table(back(lumajang))[0][FAULTS]
    )
    assert Application.select().count() == 1


def test_an_operator_cannot_upload_for_another_village(
    lumajang: Loket, service: ProposalService
) -> None:
    data = filled(lumajang, rows_of(service, [household()]), OTHER_VILLAGE)
    ended = upload(lumajang, data)
    assert (ended.state, ended.reason) == ("failed", proposal_reader.OTHER_VILLAGE)
    assert Application.select().count() == 0


def test_who_may_not_propose_cannot_upload(lumajang: Loket) -> None:
    with pytest.raises(NotFound):
        Uploads(lumajang).start(BytesIO(b""), "usulan", VILLAGE, True, who("supervisor"), NOW)


def test_what_is_given_back_is_locked_noted_and_gone_after_a_day(
    lumajang: Loket, service: ProposalService
) -> None:
    upload(lumajang, filled(lumajang, spoilt(service)))
    (path,) = (lumajang.home / "uploads").glob("returned-*")
    assert not path.read_bytes().startswith(b"PK")
    assert path.stat().st_mode & 0o077 == 0
    back(lumajang)
    assert Audit.select().where(Audit.what == "unduh usulan yang salah").count() == 1
    assert proposal_uploads.sweep(lumajang, NOW + 24 * 3600 - 1) == 0
    assert proposal_uploads.sweep(lumajang, NOW + 24 * 3600) == 1
    with pytest.raises(NotFound):
        back(lumajang)


def test_an_upload_cut_off_by_a_restart_is_told_and_its_file_removed(lumajang: Loket) -> None:
    folder = lumajang.home / "uploads"
    folder.mkdir(exist_ok=True)
    mine = who("desa")
    running = '{"state": "running", "service": "usulan", "village": "", "at": 1}'
    (folder / f"last-{mine.id}.json").write_text(running)
    (folder / "upload-abc").write_bytes(b"x")
    last = Uploads(lumajang).last(mine)
    assert last
    assert (last.state, last.reason) == ("failed", proposal_uploads.CUT_OFF)
    assert not (folder / "upload-abc").exists()


def test_the_outcome_outlives_a_restart_and_names_nobody(
    lumajang: Loket, service: ProposalService
) -> None:
    ended = upload(lumajang, filled(lumajang, spoilt(service)))
    assert Uploads(lumajang).last(who("desa")) == ended
    assert Uploads(lumajang).last(who("desa_lain")) is None
    kept = b"".join(path.read_bytes() for path in (lumajang.home / "uploads").iterdir())
    assert household(2).members[0]["nik"].encode() not in kept


def test_one_upload_a_person_at_a_time(lumajang: Loket, service: ProposalService) -> None:
    uploads = Uploads(lumajang)
    data = filled(lumajang, rows_of(service, households(60)))
    uploads.start(BytesIO(data), "usulan", VILLAGE, True, who("desa"), NOW)
    with pytest.raises(Stale):
        uploads.start(BytesIO(data), "usulan", VILLAGE, True, who("desa"), NOW)
    ended = uploads.wait(who("desa"), 60)
    assert ended
    assert ended.taken == 60


HEADINGS = ("NIK", "No KK", "Nama lengkap", "Hubungan keluarga", "Tanggal lahir", "Program")
VALUES = st.sampled_from(["", 7, 3508010000000001, "=1+1", "x", "3508011102650008"])


def test_whatever_is_typed_no_household_is_half_stored(
    lumajang: Loket, service: ProposalService
) -> None:
    @settings(max_examples=12, deadline=None)
    @given(st.dictionaries(st.tuples(st.integers(0, 8), st.sampled_from(HEADINGS)), VALUES))
    def example(typed: dict[tuple[int, str], object]) -> None:
        rows = rows_of(service, [household(1), household(2), household(3)])
        for (place, heading), value in typed.items():
            rows[place][heading] = value
        before = Application.select().count(), Member.select().count()
        sheet = read(lumajang, filled(lumajang, rows))
        made, found = proposals.take_right(
            lumajang,
            "usulan",
            [group.household for group in sheet.groups],
            who("desa"),
            NOW,
            whole=False,
            besides={n for n, group in enumerate(sheet.groups) if not group.right},
        )
        for group, told in zip(sheet.groups, found, strict=True):
            proposal_reader.tell(group, told)
        right = [group for group in sheet.groups if group.right]
        assert len(made) == len(right)
        people = sum(len(group.lines) for group in right)
        after = Application.select().count(), Member.select().count()
        assert after == (before[0] + len(right), before[1] + people)
        for one in made:
            proposals.act_all(lumajang, [one], "batal", {"reason": ["ulang"]}, who("desa"), NOW)

    example()


# ── The export ──


@pytest.fixture
def signed(lumajang: Loket) -> Bundle:
    """A sheet of a village with two households of three."""
    ids = proposals.add_many(lumajang, "usulan", [household(1), household(2)], who("desa"), NOW)
    bundle = Bundle.create(
        service="usulan",
        kind="berita_acara",
        version="",
        village=VILLAGE,
        period=Proposal.get().period,
        state="signed",
        number="400.9.14/1/BA/XI/2026",
        facts_ct=b"",
        frozen_at=NOW,
        frozen_by=who("desa").id,
        signed_at=NOW,
    )
    for place, one in enumerate(reversed(ids), 1):
        BundleItem.create(bundle=bundle, application=one, position=place)
    return bundle


def test_the_export_has_every_member_as_text_in_the_sheets_order(
    lumajang: Loket, signed: Bundle
) -> None:
    data = proposal_export.export(lumajang, signed.id, "xlsx", who("supervisor"), NOW)
    cells = list(openpyxl.load_workbook(BytesIO(data)).active.iter_rows())
    rows = [dict(zip(proposal_export.HEADINGS, row, strict=True)) for row in cells[1:]]
    wanted = [*household(2).members, *household(1).members]
    assert [row["NIK"].value for row in rows] == [member["nik"] for member in wanted]
    assert {cell.data_type for row in cells for cell in row if cell.value} == {"s"}
    first = {name: cell.value for name, cell in rows[0].items()}
    assert first["KABUPATEN/KOTA"] == "KABUPATEN LUMAJANG"
    assert (first["KECAMATAN"], first["DESA/KELURAHAN"]) == ("PASIRIAN", "BADES")
    assert first["TANGGAL LAHIR"].count("/") == 2
    assert first["NOMOR SURAT"] == signed.number
    assert Audit.select().where(Audit.what == "ekspor usulan xlsx").count() == 1


def test_who_was_found_not_eligible_is_not_exported(lumajang: Loket, signed: Bundle) -> None:
    first = BundleItem.get(BundleItem.position == 1).application
    Application.update(outcome="rejected", closed_at=NOW).where(
        Application.id == first.id
    ).execute()
    data = proposal_export.export(lumajang, signed.id, "csv", who("desa"), NOW).decode()
    told = {line.split("|")[0].strip('"') for line in data.splitlines()[1:]}
    (left,) = Application.select().where(Application.id != first.id)
    assert told == {left.number}


def test_the_csv_is_quoted_and_nothing_in_it_is_calculated(lumajang: Loket, signed: Bundle) -> None:
    row = Member.get(Member.position == 1)
    person = lumajang.vault.unlock_json("member", row.person_ct)
    locked = lumajang.vault.lock_json("member", person | {"name": '=HYPERLINK("x")'})
    Member.update(person_ct=locked).where(Member.id == row.id).execute()
    data = proposal_export.export(lumajang, signed.id, "csv", who("desa"), NOW).decode()
    lines = data.splitlines()
    assert lines[0].startswith('"NOMOR USULAN"|"KABUPATEN/KOTA"')
    assert len(lines) == 7
    assert '"\'=HYPERLINK(""x"")"' in data


def test_only_a_signed_sheet_of_ones_own_is_exported(lumajang: Loket, signed: Bundle) -> None:
    with pytest.raises(NotFound):
        proposal_export.export(lumajang, signed.id, "csv", who("desa_lain"), NOW)
    with pytest.raises(Invalid):
        proposal_export.export(lumajang, signed.id, "pdf", who("desa"), NOW)
    Bundle.update(state="frozen").execute()
    with pytest.raises(Stale):
        proposal_export.export(lumajang, signed.id, "csv", who("desa"), NOW)


def test_the_folder_of_uploads_is_the_offices_alone(lumajang: Loket) -> None:
    Uploads(lumajang)
    assert (lumajang.home / "uploads").stat().st_mode & 0o077 == 0
