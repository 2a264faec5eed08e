"""Somebody was handed a letter whose QR does not scan: a phone, a file, and the paper beside it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import models
from kiosk import archive
from kiosk.loket import Loket
from kiosk.seal import code
from models import Letter
from tests.conftest import Clock
from tests.letters import digits_of, issue
from tests.live import Office
from tests.test_accessibility import faults
from tests.test_pdf_check import edited

Submit = Callable[..., int]
CHEAP_PHONE = (320, 640)
WIDER = "document.documentElement.scrollWidth - innerWidth"
FOCUSED = "document.activeElement.innerText"


def issued(loket: Loket, clock: Clock, submit: Submit) -> tuple[str, bytes]:
    """The code of a letter, and its PDF; made in a thread, for signing wants its event loop."""
    models.db.connect(reuse_if_open=True)
    id_ = issue(loket, clock, submit)
    made = digits_of(loket, id_), archive.pdf_of(loket, id_)
    models.db.close()
    return made


def test_a_letter_is_checked_by_number_paper_and_file_on_a_cheap_phone(
    office: Office, clock: Clock, submit: Submit
) -> None:
    loket: Loket = office.app.extensions["loket"]
    with ThreadPoolExecutor(1) as threads:
        digits, pdf = threads.submit(issued, loket, clock, submit).result()
    phone = office.window(CHEAP_PHONE)
    phone.goto(f"{office.url}/v")
    assert faults(phone) == []
    phone.locator("summary", has_text="nomor dan kode").press("Enter")
    phone.fill("#nomor", Letter.get().number.lower())
    phone.fill("#tanda", "AAAA-AAAA")
    phone.press("#tanda", "Enter")
    phone.wait_for_selector(".faults")
    assert "tidak cocok" in phone.evaluate(FOCUSED)
    assert faults(phone) == []
    phone.fill("#tanda", code(digits).lower())
    phone.press("#tanda", "Enter")
    phone.wait_for_url(f"**/v/{digits}")
    assert phone.evaluate(FOCUSED) == "Surat ini asli"
    assert phone.evaluate(WIDER) == 0
    phone.locator("summary", has_text="Cocokkan").press("Enter")
    phone.fill("#nik", "3602014708900002")
    phone.fill("#name", "Siti Aminah")
    phone.press("#name", "Enter")
    phone.wait_for_selector("#match .bad")
    assert phone.evaluate(FOCUSED).startswith("Tidak cocok.")
    assert faults(phone) == []
    for data, said in ((pdf, "Surat ini asli"), (edited(pdf), "Berkas ini diubah")):
        phone.goto(f"{office.url}/v")
        phone.locator("summary", has_text="PDF").press("Enter")
        sent = {"name": "surat.pdf", "mimeType": "application/pdf", "buffer": data}
        phone.set_input_files("#file", sent)  # type: ignore[arg-type]
        phone.click("text=Periksa berkas ini")
        phone.wait_for_selector("[data-file]")
        assert phone.evaluate(FOCUSED).startswith(said)
        assert faults(phone) == []
        assert phone.evaluate(WIDER) == 0


def test_every_result_is_free_of_barriers_and_fits_a_cheap_phone(
    office: Office, clock: Clock, submit: Submit
) -> None:
    loket: Loket = office.app.extensions["loket"]
    with ThreadPoolExecutor(1) as threads:
        digits, _ = threads.submit(issued, loket, clock, submit).result()
    phone = office.window(CHEAP_PHONE)
    states: dict[str, dict[str, object]] = {
        "kedaluwarsa": {"valid_until": "2026-11-01"},
        "ditangguhkan": {"suspended_at": clock.at},
        "dicabut": {"revoked_at": clock.at},
        "diganti": {"replaced_by": 1},
        "status_belum_dapat_dicek": {"state": "numbered"},
    }
    for result, change in states.items():
        Letter.update(**change).execute()
        phone.goto(f"{office.url}/v/{digits}")
        assert phone.get_attribute(".verdict", "data-code") == result
        assert faults(phone) == [], result
        assert phone.evaluate(WIDER) == 0, result
