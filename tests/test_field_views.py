"""An officer's phone, without a browser: the list, the report, what is sent twice, whose it is."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

import models
from app import create_app
from kiosk import desk, field
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.loket import Loket
from kiosk.settings import read
from models import Document, Event
from tests import offices
from tests.conftest import BASE_URL, Clock, actor
from tests.pages import Browser, parse, text
from tests.people import PASSWORD
from tests.test_workflow import do, way_to

Submit = Callable[..., int]
REPORT = {
    "visited": "2026-11-23",
    "place": "Rumah pemohon",
    "finding": "sesuai",
    "report": "Dinding papan, lantai semen",
}


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return offices.copied(offices.made("baubau", base), tmp_path / "var")


@pytest.fixture
def app(home: Path, clock: Clock) -> Iterator[Flask]:
    settings = {"LOKET15_HOME": str(home), "LOKET15_OFFICE": "baubau"}
    made = create_app(read(settings | {"LOKET15_BASE_URL": BASE_URL}), clock)
    made.testing = True
    models.db.connect(reuse_if_open=True)
    yield made
    models.db.close()


@pytest.fixture
def loket(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def visit(loket: Loket, clock: Clock, submit: Submit) -> int:
    """An application that waits for its visit by the first officer."""
    service = loket.profile.letters[0]
    id_ = submit(loket, service=service.id, purpose="kip")
    for _, action in way_to(service, "lapangan"):
        do(loket, clock, id_, action)
    return id_


def phone(app: Flask, name: str) -> Browser:
    browser = Browser(app.test_client())
    assert browser.send("/masuk", {"name": name, "password": PASSWORD}).status_code == 303
    return browser


def picture(shade: int = 90) -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (320, 240), (200, shade, 40)).save(file, "JPEG")
    return BytesIO(file.getvalue())


def photo(name: str = "photos", key: str = "", shade: int = 90) -> dict[str, object]:
    return {"name": name, "key": key, "file": (picture(shade), "foto.jpg")}


def seq(id_: int) -> int:
    return int(desk.find(id_).seq)


def test_the_list_shows_an_officer_their_own_visits_alone(
    app: Flask, loket: Loket, visit: int
) -> None:
    mine = phone(app, "petugas").page("/lapangan").get_data(as_text=True)
    assert "A01 · Siti Aminah" in mine
    assert "KP. CIKUMPAY RT 010 / RW 007" in mine
    for name in ("petugas2", "kasi", "kadis", "loket"):
        others = phone(app, name)
        assert "Siti" not in others.page("/lapangan").get_data(as_text=True)
        assert others.page(f"/lapangan/{visit}").status_code == 404
        assert others.send(f"/lapangan/{visit}/photos", photo()).status_code == 404
        assert others.send(f"/lapangan/{visit}/reports", REPORT).status_code == 404
    assert Document.select().where(Document.kind == "foto_lapangan").count() == 0


def test_the_page_says_where_to_go_and_hides_the_numbers(app: Flask, visit: int) -> None:
    html = phone(app, "petugas").page(f"/lapangan/{visit}").get_data(as_text=True)
    page = text(parse(html, fragment=False))
    for words in ("KP. CIKUMPAY RT 010 / RW 007", "SUKARAJA, MALINGPING", "360201••••••0001"):
        assert words in page
    assert "Yang perlu diperiksa di lapangan" in page.split("Yang sudah diketahui")[0]
    assert "Nomor SKTM" in page.split("Yang sudah diketahui")[1]
    assert "3602014708900001" not in html
    assert "3602111111118111" not in html
    assert 'value="2026-11-23"' in html


def test_a_plain_form_brings_photos_and_report_at_once(app: Flask, visit: int) -> None:
    officer = phone(app, "petugas")
    files = {"photos": [(picture(1), "a.jpg"), (picture(2), "b.jpg")]}
    sent = officer.send(
        f"/lapangan/{visit}/reports", {**REPORT, **files, "seq": seq(visit), "label": "A01"}
    )
    assert (sent.status_code, sent.headers["Location"]) == (303, "/lapangan?sent=A01")
    assert "Laporan A01 terkirim." in officer.page("/lapangan?sent=A01").get_data(as_text=True)
    assert desk.find(visit).step == "usul"
    kept = Document.select().where(Document.kind == "foto_lapangan")
    assert [row.source for row in kept] == ["field", "field"]


def test_a_report_without_a_photo_is_not_sent_and_nothing_typed_is_lost(
    app: Flask, visit: int
) -> None:
    officer = phone(app, "petugas")
    answer = officer.send(f"/lapangan/{visit}/reports", {**REPORT, "seq": seq(visit)})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Lampirkan berkasnya." in html
    assert "Dinding papan, lantai semen" in html
    told = officer.send(f"/lapangan/{visit}/reports", {"seq": seq(visit)}, htmx=True)
    assert told.status_code == 422
    assert told.get_data(as_text=True).startswith("<div")
    assert desk.find(visit).step == "lapangan"


def test_a_file_that_is_no_photo_is_refused_with_its_reason_and_the_others_stay(
    app: Flask, visit: int
) -> None:
    officer = phone(app, "petugas")
    files = {"photos": [(picture(), "a.jpg"), (BytesIO(b"PK\x03\x04zip"), "b.jpg")]}
    answer = officer.send(f"/lapangan/{visit}/reports", {**REPORT, **files, "seq": seq(visit)})
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "Berkas Word, Excel, atau ZIP tidak diterima" in html
    assert "1 foto sudah terkirim" in html
    alone = officer.send(
        f"/lapangan/{visit}/photos",
        {"name": "photos", "key": "k", "file": (BytesIO(b"<svg></svg>"), "c.jpg")},
        htmx=True,
    )
    assert alone.status_code == 422


def test_what_is_sent_twice_arrives_once(app: Flask, visit: int) -> None:
    """The line broke after the server had it: the phone sends again."""
    officer, at = phone(app, "petugas"), seq(visit)
    for _ in range(2):
        answer = officer.send(f"/lapangan/{visit}/photos", photo(key="a1"), htmx=True)
        assert 'data-sent="1"' in answer.get_data(as_text=True)
    officer.send(f"/lapangan/{visit}/photos", photo(key="a2", shade=10), htmx=True)
    for _ in range(2):
        answer = officer.send(f"/lapangan/{visit}/reports", {**REPORT, "seq": at}, htmx=True)
        assert answer.status_code == 200
    assert Event.select().where(Event.action == "laporkan").count() == 1
    assert Document.select().where(Document.kind == "foto_lapangan").count() == 2


def test_a_plain_photo_goes_back_to_its_page(app: Flask, visit: int) -> None:
    answer = phone(app, "petugas").send(f"/lapangan/{visit}/photos", photo())
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/lapangan/{visit}")


def test_a_visit_given_to_another_officer_leaves_the_first_ones_phone(
    app: Flask, loket: Loket, clock: Clock, visit: int
) -> None:
    first, at = phone(app, "petugas"), seq(visit)
    other = models.User.get(models.User.name == "petugas2")
    given = {"assignee": [str(other.id)]}
    desk.act(loket, visit, "alihkan", given, actor("kepala_seksi"), at, clock.tick(60))
    assert first.send(f"/lapangan/{visit}/reports", {**REPORT, "seq": at}).status_code == 404
    assert "A01" in phone(app, "petugas2").page("/lapangan").get_data(as_text=True)


def test_an_officer_who_became_head_of_section_has_no_visits_any_more(
    loket: Loket, clock: Clock, visit: int
) -> None:
    models.User.update(role="kepala_seksi").where(models.User.name == "petugas").execute()
    row = models.User.get(models.User.name == "petugas")
    promoted = desk.Actor(row.id, row.name, row.full_name, row.role)
    assert field.visits(loket, promoted, clock.at) == ()
    with pytest.raises(NotFound):
        field.visit(loket, visit, promoted, clock.at)


def test_a_report_on_a_state_that_has_gone_by_is_said_and_kept(
    app: Flask, loket: Loket, clock: Clock, visit: int
) -> None:
    officer, at = phone(app, "petugas"), seq(visit)
    mine = str(actor("petugas").id)
    desk.act(loket, visit, "alihkan", {"assignee": [mine]}, actor("kepala_seksi"), at, clock.at)
    officer.send(f"/lapangan/{visit}/photos", photo())
    answer = officer.send(f"/lapangan/{visit}/reports", {**REPORT, "seq": at})
    assert answer.status_code == 409
    assert "Dinding papan, lantai semen" in answer.get_data(as_text=True)
    given = {name: [value] for name, value in REPORT.items()}
    with pytest.raises(Stale):
        field.report(loket, visit, given, actor("petugas"), at, clock.at)


def test_a_photo_for_a_field_that_is_not_asked_is_refused(
    loket: Loket, clock: Clock, visit: int
) -> None:
    data = picture().getvalue()
    for name in ("sktm", "", "place"):
        with pytest.raises(NotFound):
            field.add_photo(loket, visit, name, data, "k", actor("petugas"), clock.at)
    with pytest.raises(Invalid, match="kosong"):
        field.add_photo(loket, visit, "photos", b"", "k", actor("petugas"), clock.at)
    assert field.visit(loket, visit, actor("petugas"), clock.at).sent == {"photos": 0}


def test_signing_out_tells_the_browser_to_forget_what_it_kept(app: Flask) -> None:
    answer = phone(app, "petugas").send("/keluar")
    assert answer.headers["Clear-Site-Data"] == '"storage"'
