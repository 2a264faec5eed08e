"""Three ways to sign that never take each other's place, and who may not sign at all."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser as PlaywrightBrowser

import models
from app import create_app
from kiosk import (
    archive,
    bsre,
    casefile,
    certificate,
    desk,
    issuing,
    mandates,
    own,
    presses,
    signing,
    staff,
    tte,
    verification,
)
from kiosk.errors import Invalid, NotAllowed, Stale, Unusable
from kiosk.loket import Loket
from kiosk.settings import read
from models import Audit, Event, Letter, User
from tests import bsre as server
from tests import by_hand, live
from tests.bsre import NIK, PASSPHRASE, REFERENCE, Service
from tests.conftest import BASE_URL, Clock, actor
from tests.letters import act, to_step
from tests.own_file import LEBAK, changed, file_of, letter_text, office_of
from tests.pages import Browser
from tests.people import PASSWORD, STAFF
from tests.test_accessibility import faults as axe
from tests.test_mandates import plh

Submit = Callable[..., int]
BY_BSRE = changed(
    LEBAK,
    ('name = "password"\nkind = "password"', 'name = "passphrase"\nkind = "passphrase"'),
    ('id = "Kata sandi Anda", en = "Your password"', 'id = "Passphrase", en = "Passphrase"'),
    ("[services.letter]\n", '[services.letter]\nsigning = "bsre"\n'),
)
SAYS = "sertifikat elektronik yang diterbitkan oleh Balai Sertifikasi Elektronik (BSrE)"


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with server.serving() as service:
        yield service


@pytest.fixture
def service(shared: Service) -> Service:
    shared.fails, shared.meanwhile = "", None
    shared.asked.clear()
    return shared


@pytest.fixture
def through_bsre(home: Path, service: Service, clock: Clock, tmp_path: Path) -> Iterator[Flask]:
    """Lebak, but signed through BSrE; the head's NIK is noted."""
    roots = tmp_path / "akar.pem"
    roots.write_bytes(server.chain().pem())
    settings = {
        "LOKET15_HOME": str(home),
        "LOKET15_BASE_URL": BASE_URL,
        "LOKET15_OFFICE": str(file_of(home, BY_BSRE)),
        "LOKET15_BSRE_URL": service.url,
        "LOKET15_BSRE_USER": server.USER,
        "LOKET15_BSRE_PASSWORD": server.PASSWORD,
        "LOKET15_BSRE_ROOTS": str(roots),
    }
    app = create_app(read(settings), clock)
    app.testing = True
    models.db.connect(reuse_if_open=True)
    staff.set_nik(loket_of(app), actor("kepala_dinas").id, NIK, actor("admin"), clock.at)
    yield app
    models.db.close()


def loket_of(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


def signed_in(app: Flask, role: str) -> Browser:
    name = next(name for name, (known, _) in STAFF.items() if known == role)
    browser = Browser(app.test_client())
    assert browser.send("/masuk", {"name": name, "password": PASSWORD}).status_code == 303
    return browser


def digits(loket: Loket) -> str:
    return verification.digits_of(loket, Letter.get())


def send(browser: Browser, id_: int, passphrase: str, *, htmx: bool = False) -> tuple[int, str]:
    form = {"action": "tanda_tangan", "seq": desk.find(id_).seq, "passphrase": passphrase}
    answer = browser.send(f"/meja/{id_}/acts", form, htmx=htmx)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_letter_signed_through_bsre_from_the_desk_to_its_verification(
    through_bsre: Flask,
    service: Service,
    clock: Clock,
    submit: Submit,
    home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    loket = loket_of(through_bsre)
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    caplog.set_level(logging.DEBUG)
    head = signed_in(through_bsre, "kepala_dinas")
    form = head.page(f"/meja/{id_}?act=tanda_tangan").get_data(as_text=True)
    assert "bukan kata sandi Loket15" in form
    assert 'name="passphrase" type="password"' in form

    status, told = send(head, id_, "keliru-frasa-99")
    assert (status, bsre.WRONG in told, "keliru-frasa-99" in told) == (422, True, False)
    for fails, said in (("troubled", bsre.TROUBLED), ("truncated", signing.BROKEN)):
        service.fails = fails
        status, told = send(head, id_, PASSPHRASE, htmx=fails == "truncated")
        assert (status, said in told, PASSPHRASE in told) == (409, True, False)
        row = Letter.get()
        assert (row.state, row.no, desk.find(id_).step) == ("numbered", 1, "periksa")
        assert (row.sha256, row.reference, row.claimed_at) == (None, "", 0)

    service.fails = ""
    assert send(head, id_, PASSPHRASE)[0] == 303
    row, pdf = Letter.get(), archive.pdf_of(loket, id_)
    assert (row.state, row.no, row.signing, row.reference) == ("issued", 1, "bsre", REFERENCE)
    assert row.certificate == "Karta Kadis · PSrE Contoh CA"
    sent = service.asked[-1]["file"]
    whose = tte.check_one(pdf, sent, [server.chain().der()], clock.at)
    assert (whose.name, whose.issuer) == ("Karta Kadis", "PSrE Contoh CA")
    assert SAYS in letter_text(loket, id_)
    assert "kunci dinas" not in letter_text(loket, id_)
    assert certificate.read_qr(pdf) == loket.verify_url(digits(loket))

    page = Browser(through_bsre.test_client()).page(f"/v/{digits(loket)}").get_data(as_text=True)
    assert "TTE tersertifikasi BSrE" in page
    shown = head.page(f"/meja/{id_}").get_data(as_text=True)
    assert "Karta Kadis · PSrE Contoh CA" in shown
    assert REFERENCE in shown
    _require_gone(home, caplog, PASSPHRASE, "keliru-frasa-99", NIK)


def _require_gone(home: Path, caplog: pytest.LogCaptureFixture, *secrets: str) -> None:
    """Neither the database, the logs nor any file of the home folder has one of these."""
    models.db.close()
    kept = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    assert any(file.suffix == ".pdf" for file in kept)
    assert any(file.suffix == ".sqlite" for file in kept)
    for secret in secrets:
        for form in (secret.encode(), secret.encode("latin-1"), secret.encode("utf-16-le")):
            assert not [file.name for file, data in kept.items() if form in data]
        assert secret not in caplog.text
    models.db.connect(reuse_if_open=True)


def test_what_keeps_a_signer_from_bsre_is_said_before_the_passphrase(
    through_bsre: Flask, service: Service, clock: Clock, submit: Submit
) -> None:
    loket = loket_of(through_bsre)
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    other = signed_in(through_bsre, "kabid_linjamsos")
    page = other.page(f"/meja/{id_}?act=tanda_tangan").get_data(as_text=True)
    assert signing.NO_NIK in page
    assert "passphrase" not in page
    assert "Kembalikan" in page
    assert send(other, id_, PASSPHRASE)[0] == 403
    seq = desk.find(id_).seq
    cut_off = replace(loket, bsre=None)
    assert casefile.read(cut_off, id_, actor("kepala_dinas"), clock.at).barred == {
        "tanda_tangan": signing.NOT_SET
    }
    given = {"passphrase": [PASSPHRASE]}
    with pytest.raises(NotAllowed):
        desk.act(cut_off, id_, "tanda_tangan", given, actor("kepala_dinas"), seq, clock.at)
    with pytest.raises(Invalid, match="Isi passphrase"):
        desk.act(loket, id_, "tanda_tangan", {}, actor("kepala_dinas"), seq, clock.at)
    assert (service.asked, Letter.select().count()) == ([], 0)


def test_a_mandate_withdrawn_while_bsre_signs_issues_nothing(
    through_bsre: Flask, service: Service, clock: Clock, submit: Submit
) -> None:
    loket = loket_of(through_bsre)
    only = loket.profile.signers[1]
    loket = replace(loket, profile=loket.profile.model_copy(update={"signers": (only,)}))
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    admin = actor("admin")
    mandate = mandates.add(loket, plh(loket, clock, user="kadis"), admin, clock.at)

    def withdraw() -> None:
        with models.db.connection_context():
            mandates.withdraw(mandate, admin, clock.at)

    service.meanwhile = withdraw
    with pytest.raises(NotAllowed, match="Tidak ada mandat"):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", passphrase=PASSPHRASE)
    assert (Letter.get().state, desk.find(id_).step) == ("numbered", "periksa")
    assert not list(loket.archive.rglob("*.pdf"))


def test_of_two_signers_at_bsre_at_once_one_letter_comes_out_also_when_a_claim_has_run_out(
    through_bsre: Flask, service: Service, clock: Clock, submit: Submit
) -> None:
    loket, told = loket_of(through_bsre), []
    staff.set_nik(loket, actor("kabid_linjamsos").id, NIK, actor("admin"), clock.at)
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    given, seq = {"passphrase": [PASSPHRASE]}, desk.find(id_).seq
    assert issuing.CLAIM_S > presses.PATIENCE_S + bsre.CONNECT_S + bsre.TOTAL_S

    def sign_too() -> None:
        service.meanwhile = None
        with models.db.connection_context():
            deputy = actor("kabid_linjamsos")
            for wait in (issuing.CLAIM_S - 1, issuing.CLAIM_S):
                try:
                    desk.act(loket, id_, "tanda_tangan", given, deputy, seq, clock.at + wait)
                except Stale as stale:
                    told.append(stale.message)

    service.meanwhile = sign_too
    with pytest.raises(Stale, match="sudah berubah"):
        desk.act(loket, id_, "tanda_tangan", given, actor("kepala_dinas"), seq, clock.at)
    assert told == ["Surat ini sedang ditandatangani. Tunggu sebentar."]
    row = Letter.get()
    assert (row.state, row.no, row.signer_id) == ("issued", 1, actor("kabid_linjamsos").id)
    assert verification.check(loket, digits(loket), clock.at).code == "sah"
    assert list(archive.check(loket)) == []


def test_the_way_follows_the_file_and_a_failing_one_is_no_reason_for_another(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = office_of(home, BY_BSRE)
    staff.set_nik(loket, actor("kepala_dinas").id, NIK, actor("admin"), clock.at)
    nobody = replace(loket, bsre=bsre.Client("http://127.0.0.1:9", "x", "y"))
    id_ = submit(nobody)
    to_step(nobody, clock, id_, "periksa")
    with pytest.raises(Unusable, match="tidak dapat dihubungi"):
        act(nobody, clock, id_, "kepala_dinas", "tanda_tangan", passphrase=PASSPHRASE)
    row = Letter.get()
    assert (row.state, row.signing, row.sha256) == ("numbered", "bsre", None)
    assert desk.find(id_).step == "periksa"
    with pytest.raises(Invalid):
        act(nobody, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert verification.check(nobody, digits(nobody), clock.at).code != "sah"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"passphrase"\nkind = "passphrase"', '"password"\nkind = "password"', "`passphrase`"),
        ('does = ["issue"]', 'does = ["draw_up"]', "signed by bsre"),
    ],
)
def test_a_file_that_asks_for_the_wrong_secret_is_refused(
    home: Path, database: None, old: str, new: str, said: str
) -> None:
    with pytest.raises(Unusable, match=said):
        office_of(home, changed(BY_BSRE, (old, new)))


# ── Nobody signs their own ──


def test_who_checked_the_data_does_not_sign_the_letter(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    operator = actor("operator")
    act(loket, clock, id_, "operator", "ditemukan", seen="Tercatat")
    User.update(role="kepala_dinas").where(User.id == operator.id).execute()
    risen = replace(operator, role="kepala_dinas")
    case = casefile.read(loket, id_, risen, clock.at)
    assert case.barred == {"tanda_tangan": signing.CHECKED}
    given, seq = {"password": [PASSWORD]}, desk.find(id_).seq
    with pytest.raises(NotAllowed, match="orang lain"):
        desk.act(loket, id_, "tanda_tangan", given, risen, seq, clock.at)
    assert Letter.select().count() == 0
    desk.act(loket, id_, "kembalikan", {"reason": ["Ulangi"]}, risen, seq, clock.at)
    other = staff.add_user(
        loket.profile, "op2", "Oki Operator", "operator", "sandi-contoh-22", clock.at
    )
    second = replace(operator, id=other, name="op2", role="operator")
    seq = desk.find(id_).seq
    desk.act(loket, id_, "ditemukan", {"seen": ["Tercatat"]}, second, seq, clock.tick(20))
    seq = desk.find(id_).seq
    assert desk.act(loket, id_, "tanda_tangan", given, risen, seq, clock.at).step == "penyerahan"


def test_nobody_works_on_their_own_application(app: Flask, clock: Clock, submit: Submit) -> None:
    loket = loket_of(app)
    id_ = submit(loket)
    nik = casefile.read(loket, id_, actor("front_office"), clock.at).person["nik"]
    staff.set_nik(loket, actor("front_office").id, nik, actor("admin"), clock.at)
    case = casefile.read(loket, id_, actor("front_office"), clock.at)
    assert (case.actions, case.own) == ((), own.OWN)
    with pytest.raises(NotAllowed, match="milik Anda"):
        act(loket, clock, id_, "front_office", "lengkap")
    page = signed_in(app, "front_office").page(f"/meja/{id_}").get_data(as_text=True)
    assert page.count(own.OWN) == 1
    assert 'name="action"' not in page
    assert Event.select().count() == 1
    staff.set_nik(loket, actor("front_office").id, "", actor("admin"), clock.at)
    act(loket, clock, id_, "front_office", "lengkap")


def test_by_hand_the_named_official_is_not_who_checked_but_who_records_it_may_be(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    hand = by_hand.office(loket, signer="kepala_dinas")
    id_ = submit(hand)
    complete = {"papers.ktp": "ok", "papers.kk": "ok", "papers.formulir": "ok"}
    for role, action, fields in (
        ("front_office", "lengkap", complete),
        ("sekretariat", "teruskan", {}),
        ("kepala_dinas", "disposisi", {}),
        ("kabid_linjamsos", "tugaskan", {}),
        ("operator", "ditemukan", {"seen": "Tercatat"}),
    ):
        act(hand, clock, id_, role, action, **fields)
    id_of = mandates.add(hand, plh(hand, clock, user="operator"), actor("admin"), clock.at)
    case = casefile.read(hand, id_, actor("operator"), clock.at)
    assert case.barred == {"cetak": signing.CHECKED_BY_NAMED}
    with pytest.raises(NotAllowed):
        act(hand, clock, id_, "operator", "cetak")
    mandates.withdraw(id_of, actor("admin"), clock.at)
    assert act(hand, clock, id_, "operator", "cetak").step == "tanda_tangan"
    assert casefile.read(hand, id_, actor("operator"), clock.at).barred == {}


def test_the_admin_notes_a_nik_masked_and_audited(app: Flask, clock: Clock) -> None:
    head, admin = actor("kepala_dinas"), signed_in(app, "admin")
    page = f"/admin/petugas/{head.id}"
    wrong = admin.send(f"{page}/nik", {"nik": "3602019901700001"})
    assert wrong.status_code == 422
    assert "3602019901700001" not in wrong.get_data(as_text=True)
    assert admin.send(f"{page}/nik", {"nik": NIK}).status_code == 303
    shown = admin.page(page).get_data(as_text=True)
    assert NIK not in shown
    assert staff.nik_of(loket_of(app), head.id) in shown
    assert admin.send(f"{page}/nik", {"nik": ""}).status_code == 303
    noted = [row.what for row in Audit.select().where(Audit.subject == "kadis")]
    assert noted[-2:] == ["catat nik petugas", "hapus nik petugas"]
    assert not Audit.select().where(Audit.subject.contains(NIK)).exists()


# ── In a browser ──


def test_at_the_desk_the_passphrase_is_asked_refused_and_never_filled_in_again(
    home: Path, chromium: PlaywrightBrowser, service: Service, clock: Clock, submit: Submit
) -> None:
    with live.serve(home, chromium, str(file_of(home, BY_BSRE))) as office:
        client = bsre.Client(service.url, server.USER, server.PASSWORD)
        loket = replace(loket_of(office.app), bsre=client)
        office.app.extensions["loket"] = loket
        staff.set_nik(loket, actor("kepala_dinas").id, NIK, actor("admin"), clock.at)
        id_ = submit(loket)
        to_step(loket, clock, id_, "periksa")
        head = office.signed_in("kadis")
        head.goto(f"{office.url}/meja/{id_}?act=tanda_tangan")
        field, sign_it = head.locator("#f-passphrase"), head.locator("footer.acts .primary")
        assert axe(head) == []
        field.fill("keliru")
        sign_it.click()
        head.wait_for_selector(f'.fault:has-text("{bsre.WRONG}")')
        assert field.input_value() == ""
        assert axe(head) == []
        service.fails = "troubled"
        field.fill(PASSPHRASE)
        sign_it.click()
        head.wait_for_selector(f'.notice:has-text("{bsre.TROUBLED}")')
        assert field.input_value() == ""
        service.fails = ""
        field.fill(PASSPHRASE)
        sign_it.click()
        head.wait_for_url("**/meja?done=*")
        assert (Letter.get().state, Letter.get().reference) == ("issued", REFERENCE)
