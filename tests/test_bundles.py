"""Sheets over many proposals: collected, numbered, frozen, signed by hand or TTE, drawn back."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from pyhanko.pdf_utils.generic import NameObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter

import models
from kiosk import annex, bundles, documents, periods, proposals, signature, tte
from kiosk.annex import Annex, Family, Person, Village
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, Unusable
from kiosk.loket import Loket
from models import Application, Audit, BundleItem, Event, Proposal
from models import Bundle as Sheet
from tests import scans
from tests.binjai import (
    MAYOR,
    MINUTES,
    NANGKA,
    SATRIA,
    SERVICE,
    actor,
    discussed,
    family,
    finalised,
    made,
    opened,
    steps,
    taking,
)
from tests.people import MONDAY_NINE

DAY_S = 86400
NOW = MONDAY_NINE
NOTICE = "merupakan usulan (tidak otomatis menjadi penerima bansos)"


@pytest.fixture(scope="session")
def binjai_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("binjai"))


@pytest.fixture
def loket(binjai_home: Path, tmp_path: Path) -> Iterator[Loket]:
    home = tmp_path / "var"
    shutil.copytree(binjai_home, home)
    with models.connect(home / "loket15.sqlite").connection_context():
        yield opened(home)


@pytest.fixture
def ratified(loket: Loket) -> Callable[..., int]:
    """A frozen pengesahan over so many final households; its id."""

    def freeze(many: int = 2) -> int:
        finalised(loket, NOW, range(1, many + 1))
        return pengesahan(loket)

    return freeze


def pengesahan(loket: Loket, now: int = NOW, period: str = "", **over: object) -> int:
    given = MAYOR | over
    code = period or taking(loket, now)
    who = actor("supervisor")
    return bundles.freeze(loket, SERVICE, "pengesahan", given, "", code, who, now)  # type: ignore[arg-type]


def berita_acara(loket: Loket, name: str = "satria", village: str = "") -> int:
    code = taking(loket, NOW)
    return bundles.freeze(loket, SERVICE, "berita_acara", MINUTES, village, code, actor(name), NOW)


def view(loket: Loket, id_: int, name: str = "supervisor") -> bundles.BundleView:
    return bundles.read(loket, id_, actor(name)).view


def pdf_of(loket: Loket, id_: int, name: str = "supervisor") -> bytes:
    return bundles.pdf(loket, id_, actor(name), NOW)


def texts(pdf: bytes) -> list[str]:
    """The text of each page, its white space single blanks."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


# --- collecting and freezing ----------------------------------------------------------------


def test_a_berita_acara_holds_what_its_kelurahan_decided_and_nothing_else(loket: Loket) -> None:
    ids = proposals.add_many(loket, SERVICE, [family(n) for n in range(1, 6)], actor("satria"), NOW)
    other = proposals.add(loket, SERVICE, family(9, NANGKA), actor("nangka"), NOW)
    discussed(loket, ids[:4], "satria", NOW, eligible=3)
    discussed(loket, [other], "nangka", NOW, eligible=1)

    found = bundles.candidates(
        loket, SERVICE, "berita_acara", "", taking(loket, NOW), actor("satria")
    )
    assert (found.families, found.not_ready) == (4, 1)
    assert [(one.id, one.families) for one in found.villages] == [(SATRIA, 4)]

    id_ = berita_acara(loket)
    assert steps(ids) == ["ba_layak"] * 3 + ["ba_tidak_layak", "input"]
    assert steps([other]) == ["layak_kelurahan"]
    seen = bundles.read(loket, id_, actor("satria"))
    items = BundleItem.select().where(BundleItem.bundle == id_).order_by(BundleItem.position)
    assert [item.application_id for item in items] == ids[:4]
    assert (seen.view.number, seen.view.state) == ("400.9.14/1/BA-MK/XI/2026", "frozen")
    assert (seen.view.families, seen.view.persons) == (found.families, found.persons)
    assert seen.view.persons == sum(len(family(n).members) for n in range(1, 5))

    front, *lists = texts(pdf_of(loket, id_, "satria"))
    for said in ("Sabtu tanggal 21 November 2026", "Musyawarah: tidak layak", "Contoh Notulis"):
        assert said in front
    assert "Musyawarah: tidak layak: Memiliki" in " ".join(lists)


def test_every_page_says_that_it_is_a_proposal_its_number_and_the_annexs_hash(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified(45)
    pages = texts(pdf_of(loket, id_))
    assert len(pages) > 3
    for n, page in enumerate(pages, 1):
        assert NOTICE in page
        assert f"Halaman {n} dari {len(pages)}" in page
        assert view(loket, id_).annex_sha256 in page
        assert view(loket, id_).number in page
    assert all("Nomor KK NIK Nama" in page for page in pages[1:])
    assert "Wali Kota Binjai" in pages[0]
    assert "Contoh Wali Kota" in pages[0]


def test_only_what_is_final_is_ratified_and_the_screen_is_told_how_many_are_not(
    loket: Loket,
) -> None:
    final = finalised(loket, NOW, range(1, 3))
    waiting = proposals.add(loket, SERVICE, family(7, route="mandiri"), actor("loket"), NOW)
    found = bundles.candidates(
        loket, SERVICE, "pengesahan", "", taking(loket, NOW), actor("supervisor")
    )
    assert (found.families, found.not_ready) == (2, 1)
    assert {one.id: one.families for one in found.by_step} == {"final": 2, "verifikasi": 1}
    pengesahan(loket)
    assert steps([*final, waiting]) == ["menunggu_ttd", "menunggu_ttd", "verifikasi"]


def test_with_nothing_final_there_is_no_sheet_and_no_number_is_taken(loket: Loket) -> None:
    proposals.add(loket, SERVICE, family(7, route="mandiri"), actor("loket"), NOW)
    with pytest.raises(Invalid):
        pengesahan(loket)
    assert not Sheet.select().exists()
    finalised(loket, NOW, range(1, 2))
    assert view(loket, pengesahan(loket)).number == "400.9.14/1/WK/2026"


def test_what_is_asked_for_a_sheet_must_be_told(loket: Loket) -> None:
    finalised(loket, NOW, range(1, 2))
    with pytest.raises(Invalid) as caught:
        pengesahan(loket, penandatangan=[""])
    assert list(caught.value.fields) == ["penandatangan"]
    assert not Sheet.select().exists()


def test_the_deputy_signs_on_the_mayors_behalf(loket: Loket) -> None:
    finalised(loket, NOW, range(1, 2))
    front = texts(pdf_of(loket, pengesahan(loket, penandatangan=["wakil_kepala_daerah"])))[0]
    assert "a.n. Wali Kota Binjai" in front
    assert "Contoh Wakil Wali Kota" in front


def test_without_a_mandate_today_nothing_is_drawn_up(loket: Loket) -> None:
    finalised(loket, NOW, range(1, 2))
    ended = tuple(
        replace_model(one, until=one.since) if one.role == "kepala_daerah" else one
        for one in loket.profile.signers
    )
    loket = replace(loket, profile=loket.profile.model_copy(update={"signers": ended}))
    with pytest.raises(Invalid):
        pengesahan(loket)
    assert not Sheet.select().exists()


def replace_model(model: object, **over: object) -> object:
    return model.model_copy(update=over)  # type: ignore[attr-defined]


def test_another_kelurahan_sees_and_makes_nothing_here(loket: Loket) -> None:
    ids = proposals.add_many(loket, SERVICE, [family(1)], actor("satria"), NOW)
    discussed(loket, ids, "satria", NOW, eligible=1)
    with pytest.raises(NotAllowed):
        berita_acara(loket, "nangka", SATRIA)
    id_ = berita_acara(loket)
    with pytest.raises(NotFound):
        bundles.read(loket, id_, actor("nangka"))
    with pytest.raises(NotFound):
        pdf_of(loket, id_, "nangka")
    assert bundles.listed(loket, SERVICE, actor("nangka")) == ()
    assert [one.id for one in bundles.listed(loket, SERVICE, actor("supervisor"))] == [id_]
    with pytest.raises(NotAllowed):
        bundles.void(loket, id_, "Salah", actor("supervisor"), NOW)


def test_a_village_operator_draws_up_no_pengesahan(loket: Loket) -> None:
    finalised(loket, NOW, range(1, 2))
    with pytest.raises(NotAllowed):
        bundles.freeze(
            loket, SERVICE, "pengesahan", MAYOR, "", taking(loket, NOW), actor("satria"), NOW
        )


# --- all, or nothing ------------------------------------------------------------------------


def test_a_household_that_changes_while_the_sheet_is_made_stops_it_and_its_number_waits(
    loket: Loket,
) -> None:
    ids = finalised(loket, NOW, range(1, 4))
    who = actor("supervisor")
    opened_again: list[int] = []

    def meddle(_done: int, _total: int) -> None:
        if not opened_again:
            opened_again.append(ids[1])
            seq = Application.get_by_id(ids[1]).seq
            given = {"reason": ["Data keliru"]}
            proposals.act(loket, ids[1], "buka", given, who, seq, NOW)

    code = taking(loket, NOW)
    with pytest.raises(Stale):
        bundles.freeze(loket, SERVICE, "pengesahan", MAYOR, "", code, who, NOW, meddle)
    assert steps(ids) == ["final", "diterima", "final"]
    assert [row.state for row in Sheet.select()] == ["making"]
    assert list((loket.archive / "bundles").iterdir()) == []

    id_ = pengesahan(loket)
    assert view(loket, id_).number == "400.9.14/1/WK/2026"
    assert steps(ids) == ["menunggu_ttd", "diterima", "menunggu_ttd"]
    assert Sheet.select().count() == 1


def test_while_one_makes_the_sheet_another_is_told_to_wait(loket: Loket) -> None:
    finalised(loket, NOW, range(1, 3))
    refused: list[str] = []

    def second(_done: int, _total: int) -> None:
        with pytest.raises(Stale) as caught:
            pengesahan(loket)
        refused.append(caught.value.message)

    code = taking(loket, NOW)
    bundles.freeze(loket, SERVICE, "pengesahan", MAYOR, "", code, actor("supervisor"), NOW, second)
    assert set(refused) == {bundles.IN_WORK}
    assert Sheet.select().count() == 1


def test_a_try_that_was_cut_off_is_taken_up_again_with_its_number(loket: Loket) -> None:
    ids = finalised(loket, NOW, range(1, 3))

    class PowerCut(BaseException):
        pass

    def cut(_done: int, _total: int) -> None:
        raise PowerCut

    code = taking(loket, NOW)
    with pytest.raises(PowerCut):
        bundles.freeze(loket, SERVICE, "pengesahan", MAYOR, "", code, actor("supervisor"), NOW, cut)
    Sheet.update(frozen_at=NOW).execute()  # as the cut leaves it: nobody lets go
    assert steps(ids) == ["final", "final"]
    with pytest.raises(Stale):
        pengesahan(loket, NOW + bundles.CLAIM_S - 1)
    id_ = pengesahan(loket, NOW + bundles.CLAIM_S)
    assert view(loket, id_).number == "400.9.14/1/WK/2026"
    with pytest.raises(NotFound):
        pdf_of(loket, id_ + 1)


def test_who_was_too_slow_leaves_the_sheet_to_who_took_it_up(loket: Loket) -> None:
    ids = finalised(loket, NOW, range(1, 3))
    folder = loket.archive / "bundles"

    def overtaken(_done: int, _total: int) -> None:
        row = Sheet.get()
        if row.frozen_at == NOW:  # another takes the claim up, and has its pages written
            Sheet.update(frozen_at=NOW + bundles.CLAIM_S).execute()
            folder.mkdir(parents=True)
            (folder / "000001.pdf.1.part").write_bytes(b"theirs")

    code = taking(loket, NOW)
    with pytest.raises(Stale):
        bundles.freeze(
            loket, SERVICE, "pengesahan", MAYOR, "", code, actor("supervisor"), NOW, overtaken
        )
    assert Sheet.get().frozen_at == NOW + bundles.CLAIM_S
    assert [path.read_bytes() for path in folder.iterdir()] == [b"theirs"]
    assert steps(ids) == ["final", "final"]


def test_the_frozen_bytes_are_locked_on_the_disk_and_a_change_is_told(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    data = pdf_of(loket, id_)
    assert sha256(data).hexdigest() == view(loket, id_).pdf_sha256
    path = bundles.path_of(loket, Sheet.get_by_id(id_))
    assert not path.read_bytes().startswith(b"%PDF")
    path.write_bytes(loket.vault.lock(bundles.LOCK, data + b" "))
    with pytest.raises(Stale):
        pdf_of(loket, id_)
    path.write_bytes(b"nothing")
    with pytest.raises(Stale):
        pdf_of(loket, id_)
    path.unlink()
    with pytest.raises(NotFound):
        pdf_of(loket, id_)


def test_a_name_that_cannot_be_printed_names_its_proposal_and_stops_the_sheet(
    loket: Loket,
) -> None:
    ids = finalised(loket, NOW, range(1, 3))
    proposal = Proposal.get(Proposal.application == ids[0])
    member = models.Member.get(models.Member.proposal == proposal)
    person = loket.vault.unlock_json("member", member.person_ct) | {"name": "SITI 阿"}
    member.person_ct = loket.vault.lock_json("member", person)
    member.save()
    with pytest.raises(Unusable, match=Application.get_by_id(ids[0]).number):
        pengesahan(loket)
    assert steps(ids) == ["final", "final"]


# --- signing --------------------------------------------------------------------------------


def test_a_scan_of_the_signed_paper_moves_the_households_on(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    bundles.sign(loket, id_, scans.jpeg(), actor("supervisor"), NOW)
    seen = bundles.read(loket, id_, actor("supervisor"))
    assert (seen.view.state, seen.view.signed_how) == ("signed", "tinta basah")
    assert [scan.kind for scan in seen.scans] == ["pengesahan"]
    assert [row.step for row in Application.select()] == ["disahkan", "disahkan"]
    with pytest.raises(Stale):
        bundles.sign(loket, id_, scans.jpeg(), actor("supervisor"), NOW)
    with pytest.raises(Stale):
        bundles.void(loket, id_, "Salah", actor("supervisor"), NOW)


def test_a_wrong_scan_is_replaced_and_both_are_kept(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_, supervisor = ratified(), actor("supervisor")
    with pytest.raises(Stale):
        bundles.scan_again(loket, id_, scans.png(), supervisor, NOW)
    bundles.sign(loket, id_, scans.jpeg(), supervisor, NOW)
    bundles.scan_again(loket, id_, scans.png(), supervisor, NOW + 60)
    seen = bundles.read(loket, id_, supervisor)
    assert (len(seen.scans), seen.view.state) == (2, "signed")
    assert [row.step for row in Application.select()] == ["disahkan", "disahkan"]
    assert Audit.select().where(Audit.what == "ganti pindaian lembar").count() == 1


def test_a_scan_that_cannot_be_kept_signs_nothing(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    with pytest.raises(Invalid):
        bundles.sign(loket, id_, b"GIF89a", actor("supervisor"), NOW)
    assert view(loket, id_).state == "frozen"
    assert documents.listed_bundle(loket, id_) == ()


def test_the_minutes_lead_to_the_city_and_stand_in_the_ratifications_annex(loket: Loket) -> None:
    ids = proposals.add_many(loket, SERVICE, [family(1), family(2)], actor("satria"), NOW)
    discussed(loket, ids, "satria", NOW, eligible=1)
    id_ = berita_acara(loket)
    bundles.sign(loket, id_, scans.png(), actor("satria"), NOW)
    assert steps(ids) == ["diteruskan", "tidak_layak"]
    assert Application.get_by_id(ids[1]).outcome == "rejected"
    number = view(loket, id_, "satria").number
    Application.update(step="final").where(Application.id == ids[0]).execute()
    assert number in " ".join(texts(pdf_of(loket, pengesahan(loket)))[1:])


def signed_by_key(loket: Loket, pdf: bytes) -> bytes:
    return signature.sign(
        pdf, loket.office_key, at=NOW, reason="Pengesahan", location="Binjai", name="Wali Kota"
    )


def test_our_pdf_signed_electronically_is_kept_to_the_byte_with_the_certificates_name(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    data = signed_by_key(loket, pdf_of(loket, id_))
    bundles.sign(loket, id_, data, actor("supervisor"), NOW + 60)
    seen = view(loket, id_)
    assert (seen.state, seen.signed_how, seen.signed_at) == ("signed", "TTE", NOW + 60)
    assert seen.signed_by == "Dinas Sosial Kota Binjai"
    assert bundles.signed_pdf(loket, id_, actor("supervisor"), NOW) == data
    assert pdf_of(loket, id_) == data[: len(pdf_of(loket, id_))]
    assert not any(b"%PDF" in path.read_bytes() for path in (loket.archive / "bundles").iterdir())


def visibly_signed(loket: Loket, pdf: bytes) -> bytes:
    """As a signing service does it that puts a picture on the page and allows more signatures."""
    facts = PdfSignatureMetadata(field_name="TTE", subfilter=SigSeedSubFilter.PADES)
    place = SigFieldSpec("TTE", on_page=0, box=(300, 300, 500, 380))
    signer = PdfSigner(facts, signature._signer(loket.office_key), new_field_spec=place)
    out = BytesIO()
    signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
    return out.getvalue()


def test_a_visible_signature_is_one_too(loket: Loket, ratified: Callable[..., int]) -> None:
    id_ = ratified()
    data = visibly_signed(loket, pdf_of(loket, id_))
    bundles.sign(loket, id_, data, actor("supervisor"), NOW)
    assert view(loket, id_).signed_how == "TTE"


def written_over(pdf: bytes) -> bytes:
    """An appended revision in which the first page says something else."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page[NameObject("/Contents")] = writer.add_object(StreamObject(stream_data=b"BT ET"))
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def flipped(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _, pdf: pdf, tte.UNSIGNED),
        (lambda _, pdf: pdf + b"\n%", tte.CHANGED),
        (lambda _, pdf: written_over(pdf), tte.CHANGED),
        (lambda loket, pdf: signed_by_key(loket, written_over(pdf)), tte.CHANGED),
        (lambda loket, pdf: signed_by_key(loket, pdf) + b"\n% more", tte.CHANGED),
        (lambda loket, pdf: written_over(signed_by_key(loket, pdf)), tte.CHANGED),
        (lambda loket, pdf: signed_by_key(loket, scans.pdf()), tte.CHANGED),
        (lambda _, pdf: pdf[:-200] + pdf[-180:], None),
        (lambda _, pdf: flipped(pdf, 40), None),
    ],
)
def test_a_pdf_that_is_not_our_sheet_and_a_signature_is_refused(
    loket: Loket,
    ratified: Callable[..., int],
    change: Callable[[Loket, bytes], bytes],
    reason: str | None,
) -> None:
    id_ = ratified()
    with pytest.raises(Invalid) as caught:
        bundles.sign(loket, id_, change(loket, pdf_of(loket, id_)), actor("supervisor"), NOW)
    assert list(caught.value.fields) == ["file"]
    assert reason in (None, caught.value.message)
    assert view(loket, id_).state == "frozen"
    assert documents.listed_bundle(loket, id_) == ()


def test_a_signature_that_was_tampered_with_is_refused(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    frozen = pdf_of(loket, id_)
    data = signed_by_key(loket, frozen)
    spoiled = flipped(data, data.index(b"/Reason", len(frozen)) + 10)
    with pytest.raises(Invalid):
        bundles.sign(loket, id_, spoiled, actor("supervisor"), NOW)
    assert view(loket, id_).state == "frozen"


def test_our_sheet_printed_to_another_pdf_is_no_scan(
    loket: Loket, ratified: Callable[..., int]
) -> None:
    id_ = ratified()
    out = BytesIO()
    with pypdfium2.PdfDocument(pdf_of(loket, id_)) as document:
        document.del_page(1)
        document.save(out)
    with pytest.raises(Invalid) as caught:
        bundles.sign(loket, id_, out.getvalue(), actor("supervisor"), NOW)
    assert caught.value.message == tte.NOT_A_SCAN


# --- drawing back, and the period's end -----------------------------------------------------


def test_a_sheet_drawn_back_returns_its_households_and_its_number_stays_taken(
    loket: Loket,
) -> None:
    ids = finalised(loket, NOW, range(1, 4))
    id_ = pengesahan(loket)
    with pytest.raises(Invalid):
        bundles.void(loket, id_, "  ", actor("supervisor"), NOW)
    bundles.void(loket, id_, "Nama Wali Kota keliru", actor("supervisor"), NOW)
    seen = view(loket, id_)
    assert (seen.state, seen.reason) == ("void", "Nama Wali Kota keliru")
    assert steps(ids) == ["final"] * 3
    last = Event.select().where(Event.application == ids[0]).order_by(Event.seq.desc()).first()
    assert (last.from_step, last.to_step) == ("menunggu_ttd", "final")
    assert view(loket, pengesahan(loket)).number == "400.9.14/2/WK/2026"
    with pytest.raises(Stale):
        bundles.void(loket, id_, "Lagi", actor("supervisor"), NOW)


def test_a_sheet_that_was_never_finished_can_be_given_up_and_moves_nobody(loket: Loket) -> None:
    ids = finalised(loket, NOW, range(1, 3))
    half = pengesahan(loket)
    Sheet.update(state="making", period=2, pdf_sha256="").where(Sheet.id == half).execute()
    with pytest.raises(Stale):
        bundles.void(loket, half, "Terputus", actor("supervisor"), NOW + 1)
    bundles.void(loket, half, "Terputus", actor("supervisor"), NOW + bundles.CLAIM_S)
    assert view(loket, half).state == "void"
    assert steps(ids) == ["menunggu_ttd"] * 2  # on another's sheet since


def test_a_pengesahan_not_signed_by_the_periods_end_lapses_and_its_households_move_on(
    loket: Loket,
) -> None:
    ids = finalised(loket, NOW, range(1, 3))
    code = taking(loket, NOW)
    id_ = pengesahan(loket)
    late = NOW + 40 * DAY_S  # 2 January 2027: December's period is over
    with pytest.raises(Stale):
        bundles.sign(loket, id_, scans.jpeg(), actor("supervisor"), late)
    assert bundles.expire(loket, late) == 1
    assert periods.roll(loket, late) == 2
    assert (view(loket, id_).state, code) == ("void", "2026-12")
    assert steps(ids) == ["final", "final"]
    again = pengesahan(loket, late, "2027-01")
    assert view(loket, again).number == "400.9.14/1/WK/2027"
    bundles.sign(loket, again, scans.jpeg(), actor("supervisor"), late)
    assert (bundles.expire(loket, late), periods.roll(loket, late)) == (0, 0)
    assert steps(ids) == ["disahkan", "disahkan"]


# --- the annex ------------------------------------------------------------------------------


def listing(families: int, name: str = "SITI AMINAH", members: int = 3) -> Annex:
    person = Person("1275010101800001", name, "KEPALA KELUARGA", "JALAN MELATI RT 001 / RW 002")
    made = tuple(
        Family(f"2026-{n:06}", "1275010101100001", "PKH", "Layak", "", (person,) * members)
        for n in range(families)
    )
    villages = (Village("Binjai Kota", "Satria", made), Village("Binjai Utara", "Nangka", made))
    return Annex("Pengesahan", "1/WK/2026", "November 2026", "Usulan.", "Dasar", villages)


def test_the_annexs_hash_is_over_its_text_as_documented() -> None:
    lists = listing(1, members=1)
    line = (
        "\tSatria\t2026-000000\t1275010101100001\t1275010101800001\tSITI AMINAH\tKEPALA KELUARGA"
        "\tJALAN MELATI RT 001 / RW 002\tPKH\tLayak\n"
    )
    text = "loket15-lampiran-1\t1/WK/2026\tNovember 2026\nBinjai Kota" + line
    text += "Binjai Utara" + line.replace("Satria", "Nangka")
    assert annex.digest(lists) == sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "part", ["number", "period"], ids=["the sheet's number", "the sheet's period"]
)
def test_the_annexs_hash_binds_it_to_its_sheet(part: str) -> None:
    lists = listing(1)
    assert annex.digest(replace(lists, **{part: "lain"})) != annex.digest(lists)


def test_a_family_is_not_torn_apart_and_each_desa_has_its_sum() -> None:
    pages = annex.Pages(listing(30, members=4))
    said = texts(pages.draw(2, len(pages) + 1))
    assert len(said) == len(pages)
    for page in said:
        assert page.count("1275010101800001") % 4 == 0
    whole = " ".join(said)
    assert whole.count("Jumlah Satria: 30 keluarga, 120 jiwa") == 1
    assert "Jumlah seluruhnya: 60 keluarga, 240 jiwa" in whole
    assert "Satria (lanjutan)" in whole


@pytest.mark.parametrize(
    "name",
    [
        "RADEN MUHAMMAD ABDURRAHMAN WICAKSANA KUSUMADININGRAT PERMANA DILAGA SASTRANEGARA",
        "W" * 100,
        "A " * 50,
    ],
)
def test_a_long_name_is_wrapped_inside_its_column(name: str) -> None:
    pages = annex.Pages(listing(1, name))
    made = pages.draw(1, len(pages))
    assert "".join(name.split()) in "".join(texts(made)).replace(" ", "")
    left = annex.LEFT + sum(width for _, width in annex.COLUMNS[:3]) * annex.mm
    right = left + annex.COLUMNS[3][1] * annex.mm
    with pypdfium2.PdfDocument(made) as document:
        objects = document[0].get_objects()
        edges = [one.get_bounds() for one in objects if one.type == 1]
    inside = [box for box in edges if left <= box[0] < right]
    assert inside
    assert all(box[2] <= right for box in inside)


def test_the_households_of_one_family_larger_than_a_page_are_all_there() -> None:
    pages = annex.Pages(listing(1, members=70))
    assert " ".join(texts(pages.draw(1, len(pages)))).count("1275010101800001") == 140
