"""Scans of a case: kept encrypted, given to whom they belong, removed in their time."""

import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from kiosk import (
    citizen_papers,
    desk,
    document_removal,
    documents,
    limits,
    office_file,
    taking_back,
    upkeep,
    visit,
)
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, TooMany, Unusable
from kiosk.loket import Loket
from models import Application, Audit, Document, Event, Ticket, transaction
from tests import scans
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.test_visit import Citizen

Submit = Callable[..., int]
DAY = 86400
SMALL = scans.jpeg(scans.page(200, 280))


def files(loket: Loket) -> list[Path]:
    return sorted((loket.home / "documents").rglob("*.bin"))


def keep(loket: Loket, clock: Clock, application: int, kind: str = "ktp", key: str = "a") -> int:
    owner = Owner(application=application)
    return documents.add(loket, owner, kind, SMALL, "counter", key, clock.at)


@pytest.fixture
def case(loket: Loket, submit: Submit) -> int:
    return submit(loket)


@pytest.fixture
def token(case: int) -> str:
    return str(Ticket.get(Ticket.application == case).token)


# --- kept ---


def test_a_photo_is_kept_encrypted_for_the_office_alone(
    loket: Loket, clock: Clock, case: int
) -> None:
    id_ = keep(loket, clock, case)
    (file,) = files(loket)
    assert file.relative_to(loket.home) == Path(f"documents/{id_ % 256:02x}/{id_}.bin")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    plain = documents.read(loket, id_, None, clock.at).bytes
    assert Image.open(BytesIO(plain)).format == "JPEG"
    everything = b"".join(f.read_bytes() for f in loket.home.rglob("*") if f.is_file())
    assert plain[20:120] not in everything
    assert b"JFIF" not in file.read_bytes()


def test_the_row_says_what_is_kept(loket: Loket, clock: Clock, case: int) -> None:
    data = scans.pdf(3)
    owner = Owner(application=case)
    id_ = documents.add(loket, owner, "kk", data, "counter", "x", clock.at, actor("front_office"))
    (row,) = documents.listed(loket, case)
    assert (row.id, row.kind, row.title.id) == (id_, "kk", "Kartu Keluarga")
    assert (row.media, row.pages, row.size) == ("application/pdf", 3, len(data))
    assert (row.source, row.who, row.created_at) == ("counter", "Lilis Loket", clock.at)
    scan = documents.read(loket, id_, None, clock.at)
    assert (scan.bytes, scan.sha256) == (data, row.sha256)


def test_the_same_key_is_the_same_photo(loket: Loket, clock: Clock, case: int) -> None:
    first = keep(loket, clock, case)
    assert keep(loket, clock, case) == first
    assert keep(loket, clock, case, key="b") != first
    assert len(files(loket)) == 2


def test_what_is_refused_leaves_nothing(loket: Loket, clock: Clock, case: int) -> None:
    with pytest.raises(Invalid, match="Hanya foto"):
        documents.add(loket, Owner(case), "ktp", b"tidak", "counter", "x", clock.at)
    with pytest.raises(Invalid, match="Jenis berkas"):
        documents.add(loket, Owner(case), "ijazah", scans.png(), "counter", "x", clock.at)
    assert files(loket) == []
    assert Document.select().count() == 0


def test_a_file_put_in_anothers_place_does_not_open(loket: Loket, clock: Clock, case: int) -> None:
    first, second = keep(loket, clock, case), keep(loket, clock, case, key="b")
    one, two = files(loket)
    two.write_bytes(one.read_bytes())
    documents.read(loket, first, None, clock.at)
    with pytest.raises(Unusable):
        documents.read(loket, second, None, clock.at)


def test_a_closed_case_takes_nothing_more(loket: Loket, clock: Clock, case: int) -> None:
    close(loket, clock, case)
    with pytest.raises(Invalid, match="sudah selesai"):
        keep(loket, clock, case)


def test_every_opening_by_staff_is_noted(loket: Loket, clock: Clock, case: int) -> None:
    id_ = keep(loket, clock, case)
    before = Audit.select().count()
    documents.thumbnail(loket, id_)
    assert Audit.select().count() == before
    clerk = actor("front_office")
    picture, media = documents.page(loket, id_, 1, clerk, clock.at)
    assert (picture[:3], media) == (b"\xff\xd8\xff", "image/jpeg")
    (note,) = Audit.select().offset(before)
    assert (note.actor_id, note.what) == (clerk.id, "buka berkas ktp")
    assert note.subject == f"2026-000001 #{id_}"


def test_a_page_of_a_pdf_is_shown_as_a_picture(loket: Loket, clock: Clock, case: int) -> None:
    owner, clerk = Owner(application=case), actor("front_office")
    id_ = documents.add(loket, owner, "kk", scans.pdf(2), "counter", "x", clock.at)
    first, _ = documents.page(loket, id_, 1, clerk, clock.at)
    second, media = documents.page(loket, id_, 2, clerk, clock.at)
    assert first != second
    assert media == "image/jpeg"
    assert max(Image.open(BytesIO(second)).size) == pytest.approx(documents.PAGE_PIXELS, abs=1)
    small = Image.open(BytesIO(documents.thumbnail(loket, id_)))
    assert max(small.size) == pytest.approx(documents.THUMBNAIL, abs=1)
    with pytest.raises(NotFound):
        documents.page(loket, id_, 3, clerk, clock.at)


def test_the_papers_of_a_case_are_those_its_service_asks_for(
    loket: Loket, clock: Clock, case: int
) -> None:
    id_ = keep(loket, clock, case)
    ktp, kk = documents.kinds(loket, case)
    assert (ktp.id, ktp.wanted, [d.id for d in ktp.held]) == ("ktp", True, [id_])
    assert (kk.id, kk.wanted, kk.held) == ("kk", True, ())
    close(loket, clock, case)
    (left,) = documents.kinds(loket, case)
    assert (left.id, left.wanted) == ("ktp", False)


# --- removed ---


def test_a_photo_can_be_removed_for_good(loket: Loket, clock: Clock, case: int) -> None:
    id_ = keep(loket, clock, case)
    document_removal.remove(loket, id_, actor("front_office"), clock.at)
    assert files(loket) == []
    assert documents.listed(loket, case) == ()
    assert Audit.select().order_by(Audit.id.desc()).get().what == "hapus berkas ktp"
    with pytest.raises(NotFound):
        documents.read(loket, id_, None, clock.at)
    with pytest.raises(NotFound):
        document_removal.remove(loket, id_, actor("front_office"), clock.at)


def with_files(loket: Loket, document: str = "ktp") -> Loket:
    """The office, whose counter takes a file with "Belum lengkap"."""
    raw = loket.profile.model_dump(by_alias=True)
    step = raw["services"][0]["steps"][0]
    action = next(one for one in step["actions"] if one["id"] == "kurang")
    label = {"id": "Foto", "en": "Photo"}
    field = {"name": "proof", "kind": "files", "label": label, "document": document}
    action["fields"] = [*action["fields"], field]
    return replace(loket, profile=type(loket.profile).model_validate(raw))


def test_what_an_act_was_done_with_stays(loket: Loket, clock: Clock, submit: Submit) -> None:
    office = with_files(loket)
    case = submit(office)
    with pytest.raises(Invalid) as refused:
        act(office, clock, case, "front_office", "kurang", missing="kk")
    assert refused.value.fields == {"proof": "Lampirkan berkasnya."}
    id_ = keep(office, clock, case)
    act(office, clock, case, "front_office", "kurang", missing="kk")
    with pytest.raises(NotAllowed):
        document_removal.remove(office, id_, actor("front_office"), clock.at)
    other = keep(office, clock, case, key="b")
    document_removal.remove(office, other, actor("front_office"), clock.at)
    assert [one.id for one in documents.listed(office, case)] == [id_]


def test_an_act_is_not_done_with_a_photo_that_was_removed_meanwhile(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = with_files(loket)
    case = submit(office)
    id_ = keep(office, clock, case)
    clerk = actor("front_office")

    class Meanwhile(list[str]):
        """A form's answer, at whose reading the other window removes the photo."""

        def __getitem__(self, n: object) -> str:  # type: ignore[override]
            if documents.listed(office, case):
                document_removal.remove(office, id_, clerk, clock.at)
            return "kk"

    given = {"missing": ["kk"], "note": Meanwhile(["kk"])}
    with pytest.raises(Stale):
        desk.act(office, case, "kurang", given, clerk, 1, clock.at)
    assert documents.listed(office, case) == ()
    assert desk.find(case).step == "berkas"


def close(loket: Loket, clock: Clock, case: int) -> None:
    if Event.select().where(Event.application == case).count() == 1:
        act(loket, clock, case, "front_office", "kurang", missing="kk")
    act(loket, clock, case, "front_office", "batal", reason="Tidak jadi")


def test_scans_go_when_their_time_after_closing_is_over(
    loket: Loket, clock: Clock, case: int, submit: Submit
) -> None:
    """Lebak keeps KTP and KK for 30 days after the case was closed."""
    id_, still_open = keep(loket, clock, case), keep(loket, clock, submit(loket), key="b")
    close(loket, clock, case)
    clock.tick(30 * DAY - 1)
    assert document_removal.sweep(loket, clock.at) == 0
    clock.tick(1)
    assert document_removal.sweep(loket, clock.at) == 1
    assert document_removal.sweep(loket, clock.at) == 0
    assert Document.get_by_id(id_).removed_at == clock.at
    assert [int(file.stem) for file in files(loket)] == [still_open]
    clock.tick(4000 * DAY)
    assert document_removal.sweep(loket, clock.at) == 0, "an open case loses nothing"


def test_each_kind_has_its_own_time(loket: Loket, clock: Clock, case: int) -> None:
    ktp, kk = (loket.profile.document(kind) for kind in ("ktp", "kk"))
    assert ktp
    assert kk
    kinds = (kk.model_copy(update={"keep_days": 5}),)
    keep(loket, clock, case, "ktp")
    keep(loket, clock, case, "kk", key="b")
    close(loket, clock, case)
    office = replace(loket, profile=loket.profile.model_copy(update={"documents": kinds}))
    clock.tick(5 * DAY)
    assert document_removal.sweep(office, clock.at) == 1
    assert [one.kind for one in documents.listed(office, case)] == ["ktp"]
    clock.tick(25 * DAY)
    assert document_removal.sweep(office, clock.at) == 1, (
        "a kind that the file dropped keeps 30 days"
    )
    assert ktp.keep_days == 30


def test_a_case_taken_back_from_its_end_keeps_its_scans(
    loket: Loket, clock: Clock, case: int
) -> None:
    keep(loket, clock, case)
    close(loket, clock, case)
    seq = Application.get_by_id(case).seq
    taking_back.take_back(loket, case, actor("front_office"), seq, clock.at)
    assert document_removal.sweep(loket, clock.tick(90 * DAY)) == 0


def test_a_file_whose_upload_was_cut_off_is_erased(loket: Loket, clock: Clock, case: int) -> None:
    class PowerCut(Exception):
        """The machine goes out before the row is committed."""

    def cut_off() -> None:
        with transaction():
            keep(loket, clock, case)
            raise PowerCut

    with pytest.raises(PowerCut):
        cut_off()
    (stray,) = files(loket)
    assert Document.select().count() == 0
    for _ in range(documents.FOLDERS):
        document_removal.sweep(loket, clock.tick(60))
    assert not stray.exists()


def test_a_removed_photos_file_goes_even_after_a_crash(
    loket: Loket, clock: Clock, case: int
) -> None:
    id_ = keep(loket, clock, case)
    Document.update(removed_at=clock.at).where(Document.id == id_).execute()
    document_removal.sweep(loket, clock.tick(60))
    assert files(loket) == []


def test_one_part_of_the_upkeep_that_fails_holds_up_no_other(
    loket: Loket, clock: Clock, case: int, caplog: pytest.LogCaptureFixture
) -> None:
    id_ = keep(loket, clock, case)
    Document.update(removed_at=clock.at).where(Document.id == id_).execute()

    def broken(_loket: Loket, _now: int) -> None:
        raise KeyError("sk_lama")

    jobs = (broken, document_removal.sweep)
    alone = threading.Thread(target=upkeep.run_apart, args=(loket, clock.tick(60), jobs))
    alone.start()
    alone.join()
    assert files(loket) == []
    assert "upkeep failed" in caplog.text


# --- kiosk ---


@pytest.fixture
def camera(loket: Loket) -> Loket:
    rules = loket.profile.kiosk.model_copy(update={"camera": True})
    return replace(loket, profile=loket.profile.model_copy(update={"kiosk": rules}))


@pytest.fixture
def citizen(camera: Loket, clock: Clock) -> Citizen:
    return Citizen(camera, clock)


def to_papers(citizen: Citizen) -> None:
    citizen.agree().type_pair().answer("purpose", purpose="pip")
    citizen.answer("check", correct="yes", camera="yes")
    assert citizen.screen == "papers"


def shoot(citizen: Citizen, kind: str = "ktp", key: str = "1") -> None:
    loket, at = citizen.loket, citizen.clock.at
    visit.photograph(loket, citizen.visit, kind, SMALL, key, at)


def test_what_the_kiosk_photographed_becomes_the_applications(citizen: Citizen) -> None:
    to_papers(citizen)
    shoot(citizen)
    shoot(citizen)
    shoot(citizen, "kk", key="2")
    ktp, kk = citizen_papers.visit_papers(citizen.loket, "sk_dtks", citizen.visit.id)
    assert (ktp.count, kk.count) == (1, 1)
    citizen.answer("papers")
    case = citizen.visit.state.application
    assert [one.kind for one in documents.listed(citizen.loket, case)] == ["ktp", "kk"]
    visit.end(citizen.visit.id, citizen.clock.at)
    document_removal.sweep(citizen.loket, citizen.clock.tick(60))
    assert len(files(citizen.loket)) == 2


def test_a_visit_that_ends_without_an_application_loses_its_photos(citizen: Citizen) -> None:
    to_papers(citizen)
    shoot(citizen)
    visit.end(citizen.visit.id, citizen.clock.at)
    assert Document.get().removed_at == citizen.clock.at
    upkeep.run(citizen.loket, citizen.clock.tick(60))
    assert files(citizen.loket) == []


def test_a_kiosk_that_lost_power_loses_its_photos(citizen: Citizen) -> None:
    to_papers(citizen)
    shoot(citizen)
    upkeep.run(citizen.loket, citizen.clock.tick(3600))
    assert files(citizen.loket) == []


def test_a_photo_that_comes_after_the_visits_end_does_not_stay(citizen: Citizen) -> None:
    to_papers(citizen)
    visit.end(citizen.visit.id, citizen.clock.at)
    shoot(citizen)
    document_removal.sweep(citizen.loket, citizen.clock.tick(60))
    assert files(citizen.loket) == []


def test_the_remark_waits_for_the_papers(citizen: Citizen) -> None:
    to_papers(citizen)
    citizen.back()
    citizen.answer("check", correct="no")
    citizen.answer("wrong", wrong="address")
    citizen.answer("note", note="RT 3", camera="yes")
    citizen.answer("papers")
    case = Application.get_by_id(citizen.visit.state.application)
    remark = citizen.loket.vault.unlock_json("remark", case.remark_ct or b"")
    assert remark == {"rows": ["address"], "note": "RT 3"}


def test_without_a_camera_the_papers_are_passed(citizen: Citizen) -> None:
    to_papers(citizen)
    citizen.back()
    citizen.answer("check", correct="yes", camera="no")
    assert citizen.screen == "ticket"


def test_an_office_without_the_setting_never_asks_for_photos(loket: Loket, clock: Clock) -> None:
    citizen = Citizen(loket, clock)
    assert "papers" not in visit.way_of(citizen.visit.state)
    assert not office_file.load("lebak").kiosk.camera


# --- phone ---


def send(loket: Loket, clock: Clock, token: str, key: str, kind: str = "ktp") -> int:
    return citizen_papers.add_from_phone(loket, token, kind, SMALL, key, clock.at)


def test_a_phone_sends_what_the_ticket_asks_for(
    loket: Loket, clock: Clock, case: int, token: str
) -> None:
    id_ = send(loket, clock, token, "a")
    assert send(loket, clock, token, "a") == id_
    label, (ktp, kk) = citizen_papers.phone_papers(loket, token)
    assert (label, ktp.count, kk.count) == ("A01", 1, 0)
    (row,) = documents.listed(loket, case)
    assert (row.source, row.who) == ("phone", "")
    with pytest.raises(Invalid, match="tidak diperlukan"):
        send(loket, clock, token, "b", "ijazah")
    with pytest.raises(NotFound):
        send(loket, clock, "bukan-tiket", "c")


def test_ten_photos_of_a_paper_are_enough(
    loket: Loket, clock: Clock, token: str, case: int
) -> None:
    for n in range(10):
        keep(loket, clock, case, key=f"k{n}")
    with pytest.raises(Invalid, match="Sudah ada 10 foto"):
        send(loket, clock, token, "one more")
    send(loket, clock, token, "another paper", "kk")


def test_a_phone_may_try_thirty_times_an_hour(loket: Loket, clock: Clock, token: str) -> None:
    for _ in range(28):
        limits.spend(f"foto|{token}", citizen_papers.PHONE_TRIES, 3600, clock.at)
    for key in ("a", "b", "a", "b"):
        send(loket, clock, token, key)
    with pytest.raises(TooMany):
        send(loket, clock, token, "c")
    clock.tick(3601)
    send(loket, clock, token, "c")


def test_a_finished_application_takes_no_photos(
    loket: Loket, clock: Clock, case: int, token: str
) -> None:
    to_step(loket, clock, case, "cek")
    assert citizen_papers.phone_papers(loket, token)[1]
    act(loket, clock, case, "operator", "tidak_ditemukan", seen="Tidak ada")
    Application.update(closed_at=clock.at).where(Application.id == case).execute()
    assert citizen_papers.phone_papers(loket, token) == ("A01", ())
    with pytest.raises(Invalid):
        send(loket, clock, token, "a")
