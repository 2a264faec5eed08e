"""Signing through BSrE: what is sent, what comes back, and that nothing secret stays anywhere."""

import logging
import socket
import ssl
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import bsre, certificate, signing, staff
from kiosk.errors import Invalid, TooMany, Unusable
from kiosk.letter import SIGNED
from kiosk.loket import Loket
from kiosk.settings import read
from models import User
from tests import bsre as server
from tests.bsre import NIK, PASSPHRASE, PASSWORD, REFERENCE, USER, Service
from tests.conftest import Clock, actor
from tests.test_certificate import SITI

LETTER = replace(SITI, signed_note=SIGNED["bsre"])
PDF = b"%PDF-1.4\nsurat"


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with server.serving() as service:
        yield service


@pytest.fixture
def service(shared: Service) -> Service:
    """The server, as if nobody had asked it anything yet."""
    shared.fails, shared.reference, shared.elsewhere = "", REFERENCE, 0
    shared.chain, shared.meanwhile = server.chain(), None
    shared.asked.clear()
    return shared


def client(service: Service, **more: float) -> bsre.Client:
    return bsre.Client(service.url, USER, PASSWORD, (server.chain().der(),), **more)


@pytest.fixture
def connected(loket: Loket, service: Service, clock: Clock) -> Loket:
    """The office with its way to BSrE, and a head whose NIK is noted."""
    staff.set_nik(loket, actor("kepala_dinas").id, NIK, actor("admin"), clock.at)
    return replace(loket, bsre=client(service))


def sign(loket: Loket, clock: Clock, passphrase: str = PASSPHRASE) -> signing.Signed:
    return signing.sign(loket, LETTER, "bsre", actor("kepala_dinas"), passphrase, clock.at)


# ── What is sent, and the answers ──


def test_the_form_has_what_the_protocol_names_and_nothing_more(service: Service) -> None:
    with pytest.raises(Invalid):
        client(service).sign(PDF, NIK, "salah")
    form = service.asked[0]
    assert form == {
        "nik": NIK.encode(),
        "passphrase": b"salah",
        "tampilan": b"invisible",
        "file": PDF,
    }


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("not registered", bsre.UNKNOWN_PERSON),
        ("number in the text", bsre.UNKNOWN_PERSON),
        ("another number", "(kode 2021)"),
        ("troubled", bsre.TROUBLED),
        ("troubled in json", bsre.TROUBLED),
        ("html with 200", bsre.NO_PDF),
        ("done, no file", bsre.NO_PDF),
        ("bad base64", bsre.NO_PDF),
        ("empty", bsre.NO_PDF),
        ("not found", bsre.NO_SERVICE),
        ("redirect", bsre.ELSEWHERE),
        ("cut", bsre.CUT),
        ("too large", bsre.TOO_LARGE),
    ],
)
def test_each_failure_has_its_own_words_and_none_repeats_a_secret(
    service: Service, fails: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.fails = fails
    with caplog.at_level(logging.DEBUG), pytest.raises(Unusable) as error:
        client(service).sign(PDF, NIK, PASSPHRASE)
    assert said in error.value.message
    assert service.elsewhere == 0
    told = "".join(traceback.format_exception(error.value)) + repr(error.value) + caplog.text
    assert not [secret for secret in (NIK, PASSPHRASE, PASSWORD) if secret in told]


@pytest.mark.parametrize("fails", ["", "wrong passphrase in the text", "error with 200"])
def test_a_wrong_passphrase_is_a_fault_of_its_field(service: Service, fails: str) -> None:
    service.fails = fails
    with pytest.raises(Invalid) as error:
        client(service).sign(PDF, NIK, "bukan ini")
    assert error.value.fields == {"passphrase": bsre.WRONG}


@pytest.mark.parametrize("fails", ["silence", "drip"])
def test_past_its_time_nothing_more_is_waited_for(service: Service, fails: str) -> None:
    service.fails = fails
    with pytest.raises(Unusable) as error:
        client(service, total_s=0.3).sign(PDF, NIK, PASSPHRASE)
    assert error.value.message == bsre.LATE
    service.let_go.set()
    service.let_go.clear()


def test_nobody_there_and_a_wrong_account(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unusable) as error:
        bsre.Client(f"http://127.0.0.1:{port}", USER, PASSWORD).sign(PDF, NIK, PASSPHRASE)
    assert error.value.message == bsre.SILENT
    with pytest.raises(Unusable) as error:
        bsre.Client(service.url, USER, "salah").sign(PDF, NIK, PASSPHRASE)
    assert error.value.message == bsre.REFUSED
    assert service.asked == []


def test_a_server_without_trusted_tls_is_told_nothing(service: Service) -> None:
    with pytest.raises(Unusable) as error:
        bsre.Client(service.url.replace("http:", "https:"), USER, PASSWORD).sign(PDF, NIK, "x")
    assert error.value.message == bsre.UNTRUSTED_SERVER
    assert service.asked == []
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


# ── What comes back is looked into ──


def test_a_letter_comes_back_signed_with_its_id_and_whose_certificate_it_is(
    connected: Loket, service: Service, clock: Clock
) -> None:
    done = sign(connected, clock)
    sent = service.asked[0]["file"]
    assert done.pdf.startswith(sent)
    assert len(done.pdf) > len(sent)
    assert (done.reference, done.certificate) == (REFERENCE, "Karta Kadis · PSrE Contoh CA")
    assert certificate.read_qr(done.pdf) == LETTER.verify_url
    service.fails = "base64"
    assert sign(connected, clock).reference == REFERENCE
    service.fails, service.reference = "", "../../etc/x y"
    assert sign(connected, clock).reference == ""


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("unsigned", signing.UNSIGNED),
        ("truncated", signing.BROKEN),
        ("broken off with words", signing.BROKEN),
        ("saved again", signing.CHANGED),
        ("signed twice", signing.CHANGED),
        ("written over before", signing.CHANGED),
        ("written over after", signing.CHANGED),
        ("bytes after", signing.CHANGED),
        ("a flipped byte", signing.BROKEN),
        ("another authority", signing.UNTRUSTED),
        ("expired certificate", signing.UNTRUSTED),
    ],
)
def test_another_file_than_ours_with_one_good_signature_does_not_count(
    connected: Loket, service: Service, clock: Clock, fails: str, said: str
) -> None:
    service.fails = fails
    with pytest.raises(Unusable) as error:
        sign(connected, clock)
    assert error.value.message == said


def test_without_roots_any_certifier_is_taken_and_the_admin_is_told(
    connected: Loket, service: Service, clock: Clock
) -> None:
    open_one = replace(connected, bsre=bsre.Client(service.url, USER, PASSWORD))
    service.fails = "another authority"
    assert sign(open_one, clock).certificate == "Karta Kadis · PSrE Lain CA"


def test_only_a_letter_that_says_so_goes_to_bsre_and_that_one_nowhere_else(
    connected: Loket, service: Service, clock: Clock
) -> None:
    head = actor("kepala_dinas")
    own = replace(SITI, signed_note=SIGNED["office_key"])
    with pytest.raises(Unusable, match="tidak menyebut"):
        signing.sign(connected, own, "bsre", head, PASSPHRASE, clock.at)
    for way in ("office_key", "wet_ink"):
        with pytest.raises(Unusable, match="bukan sertifikat BSrE"):
            signing.sign(connected, LETTER, way, head, PASSPHRASE, clock.at)
    assert service.asked == []


def test_a_passphrase_is_not_guessed_at_for_long(
    connected: Loket, service: Service, clock: Clock
) -> None:
    for _ in range(signing.WRONG_PASSPHRASES):
        with pytest.raises(Invalid):
            sign(connected, clock, "salah")
    with pytest.raises(TooMany):
        sign(connected, clock)
    clock.tick(signing.WINDOW_S + 1)
    assert sign(connected, clock).reference == REFERENCE


def test_without_a_nik_a_passphrase_or_a_server_nothing_is_sent(
    connected: Loket, service: Service, clock: Clock
) -> None:
    with pytest.raises(Invalid, match="Isi passphrase"):
        sign(connected, clock, "")
    with pytest.raises(Unusable, match="belum tersambung"):
        sign(replace(connected, bsre=None), clock)
    staff.set_nik(connected, actor("kepala_dinas").id, "", actor("admin"), clock.at)
    with pytest.raises(Unusable, match="NIK Anda belum"):
        sign(connected, clock)
    assert service.asked == []


# ── Settings ──


def test_the_settings_name_a_private_server_and_its_roots(tmp_path: Path) -> None:
    roots = tmp_path / "akar.pem"
    roots.write_bytes(server.chain().pem())
    given = {"LOKET15_BSRE_URL": "https://esign.test/", "LOKET15_BSRE_ROOTS": str(roots)}
    settings = read(given | {"LOKET15_BSRE_PASSWORD": "rahasia sekali"})
    made = bsre.client_of(settings)
    assert made is not None
    assert (made.url, made.roots) == ("https://esign.test", (server.chain().der(),))
    assert "rahasia" not in repr(settings)
    assert bsre.client_of(read({})) is None
    with pytest.raises(Unusable, match="LOKET15_BSRE_URL: expected"):
        read({"LOKET15_BSRE_URL": "http://10.0.0.5"})
    with pytest.raises(Unusable, match=r"LOKET15_BSRE_URL: .*expected"):
        bsre.client_of(read({"LOKET15_BSRE_URL": "https://esign.test:99999"}))
    for wrong in (tmp_path / "none.pem", Path(__file__)):
        with pytest.raises(Unusable, match=r"LOKET15_BSRE_ROOTS: .*expected"):
            bsre.client_of(read(given | {"LOKET15_BSRE_ROOTS": str(wrong)}))


def test_the_nik_of_a_person_is_checked_and_kept_locked(loket: Loket, clock: Clock) -> None:
    head, admin = actor("kepala_dinas"), actor("admin")
    with pytest.raises(Invalid, match="16 angka"):
        staff.set_nik(loket, head.id, "123", admin, clock.at)
    staff.set_nik(loket, head.id, "36.02.01.410170.0001", admin, clock.at)
    row = User.get_by_id(head.id)
    assert NIK.encode() not in row.nik_ct
    assert staff.nik_of(loket, head.id).endswith("0001")
    assert NIK not in staff.nik_of(loket, head.id)
    staff.set_nik(loket, head.id, " ", admin, clock.at)
    assert staff.nik_of(loket, head.id) == ""
