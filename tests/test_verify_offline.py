"""The verify page without a network and by camera, in a real Chromium."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import qrcode
from flask import Flask
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import FilePayload, Page, expect

import models
from kiosk import archive, letter_status
from kiosk.certificate import preview_png
from kiosk.loket import Loket
from kiosk.population import DEMO_PERSON
from models import Letter
from tests import live
from tests.conftest import Clock, actor
from tests.letters import digits_of, to_step
from tests.live import CHROMIUM, DESK, FLAGS, PHONE
from tests.pages import Browser
from tests.test_accessibility import faults

Submit = Callable[..., int]
HOUR = 3600
REMEMBERED = """async () => {
  const kept = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      kept.push(request.url, await (await cache.match(request)).text());
    }
  }
  const bases = (await indexedDB.databases()).map(({ name }) => name);
  const stored = [...Object.entries(localStorage), ...Object.entries(sessionStorage)];
  return JSON.stringify([kept, bases, stored]);
}"""

KEPT = """async () => {
  const { serviceWorker } = navigator;
  if (serviceWorker.controller) return;
  await new Promise((done) => serviceWorker.addEventListener("controllerchange", done));
}"""
UPDATED = """async () => {
  const { serviceWorker } = navigator;
  const changed = new Promise((done) => serviceWorker.addEventListener("controllerchange", done));
  await (await serviceWorker.ready).update();
  await changed;
  const { active } = await serviceWorker.ready;
  if (active.state !== "activated") {
    await new Promise((done) => active.addEventListener("statechange", done));
  }
  return caches.keys();
}"""


# --- what the server gives ---


def test_the_shell_is_the_same_for_everybody_and_the_worker_names_all_that_it_loads(
    app: Flask, browser: Browser, as_role: Callable[[str], Browser]
) -> None:
    worker = browser.client.get("/sw.js")
    assert (worker.mimetype, worker.headers["Cache-Control"]) == ("text/javascript", "no-cache")
    shell = browser.page("/v/luring").get_data(as_text=True)
    assert as_role("admin").page("/v/luring").get_data(as_text=True) == shell
    assert "csrf" not in shell
    assert "Set-Cookie" not in browser.client.get("/v/luring").headers
    script = worker.get_data(as_text=True)
    for part in [piece.split('"')[0] for piece in shell.split('"/v/luring/')[1:]]:
        assert f'"/v/luring/{part}"' in script, part
        with browser.client.get(f"/v/luring/{part}") as answer:
            assert answer.status_code == 200
    for other in ("verify/sw.js", "desk.js", "../app.py", "fonts/OFL.txt"):
        assert browser.client.get(f"/v/luring/{other}").status_code == 404, other


def test_what_the_shell_says_makes_another_version(app: Flask, browser: Browser) -> None:
    before = browser.client.get("/sw.js").data
    assert browser.client.get("/sw.js").data == before
    app.extensions["loket"] = replace(app.extensions["loket"], base_url="https://surat.example")
    assert browser.client.get("/sw.js").data != before


# --- without a network ---


class _Gateway(BaseHTTPRequestHandler):
    """What stands before an office whose server is down, until it is up again."""

    status = 503

    def do_GET(self) -> None:
        page = b"<!doctype html><title>Gerbang</title><h1>Gerbang</h1>"
        self.send_response(type(self).status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def gateway(url: str) -> Iterator[type[_Gateway]]:
    class Gateway(_Gateway):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(url).port or 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield Gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_after_one_visit_letters_are_checked_with_the_network_off(
    home: Path, chromium: PlaywrightBrowser, clock: Clock, submit: Submit
) -> None:
    with live.serve(home, chromium) as office:
        loket: Loket = office.app.extensions["loket"]
        good, revoked = issue(loket, clock, submit), issue(loket, clock, submit)
        last = Letter.select().order_by(Letter.id.desc()).get().application_id
        letter_status.revoke(loket, last, "Keliru", actor("kepala_dinas"), clock.at)
        phone = office.window(PHONE)
        phone.clock.set_fixed_time(clock.at)
        visit(phone, f"{office.url}/v/{good}")
        expect(phone.locator(".verdict")).to_have_attribute("data-code", "sah")
        a_new_release(phone, office.app)
        office.contexts.remove(phone.context)
    phone.context.set_offline(True)
    phone.click(".matcher summary")
    tried(phone, DEMO_PERSON.nik, "Cocok.")
    offline(phone, office.url, good, revoked, clock.at)
    nothing_personal(phone, good, revoked)
    phone.context.set_offline(False)
    with gateway(office.url) as door:
        phone.goto(f"{office.url}/v/{good}")
        expect(phone.locator("#banner")).to_contain_text("Server dinas tidak menjawab")
        expect(phone.locator(".verdict")).to_have_attribute("data-code", "sah")
        door.status = 200
        phone.context.set_offline(True)
        phone.context.set_offline(False)
        expect(phone.locator("h1")).to_have_text("Gerbang")
    phone.context.close()
    assert office.complaints == []


def issue(loket: Loket, clock: Clock, submit: Submit) -> str:
    """A letter's digits; made in another thread, for this one has the browser's event loop."""

    def made() -> str:
        with models.db.connection_context():
            id_ = submit(loket)
            to_step(loket, clock, id_, "penyerahan")
            return digits_of(loket, id_)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(made).result()


def visit(page: Page, url: str) -> None:
    """Open a page and wait until the browser has kept what it needs."""
    page.goto(url)
    page.evaluate(KEPT)


def a_new_release(page: Page, app: Flask) -> None:
    """What changed in the shell takes the place of what was kept, at the next visit."""
    loket = app.extensions["loket"]
    kept = page.evaluate("caches.keys()")
    app.extensions["loket"] = replace(loket, base_url="https://surat.example")
    newer = page.evaluate(UPDATED)
    app.extensions["loket"] = loket
    assert (len(newer), len(set(newer) & set(kept))) == (2, 1)
    assert sorted(page.evaluate(UPDATED)) == sorted(kept)


def offline(phone: Page, url: str, good: str, revoked: str, now: int) -> None:
    """Each result that can be known without a network, the age of the status said."""
    forged = good[:90] + str((int(good[90]) + 1) % 10) + good[91:]
    shown = (
        (good, 20 * HOUR, "sah", "20 jam yang lalu"),
        (revoked, 20 * HOUR, "dicabut", "20 jam yang lalu"),
        (forged, 20 * HOUR, "tanda_tangan_tidak_sah", ""),
        (good, 96 * HOUR, "status_belum_dapat_dicek", "4 hari yang lalu"),
        (good, 400 * 24 * HOUR, "kedaluwarsa", "terlalu lama"),
    )
    for digits, later, code, said in shown:
        phone.clock.set_fixed_time(now + later)
        phone.goto(f"{url}/v/{digits}")
        expect(phone.locator(".verdict")).to_have_attribute("data-code", code)
        expect(phone.locator("#banner")).to_contain_text("Luring: tanpa sambungan")
        expect(phone.locator("main")).to_contain_text(said)
        assert phone.locator("h1").count() == 1
        if code == "sah":
            compare(phone)
        assert faults(phone) == [], code
    phone.clock.set_fixed_time(now + 20 * HOUR)
    phone.goto(f"{url}/v")
    phone.fill("#kode", f"{url}/v/{revoked}")
    assert faults(phone) == []
    phone.click("#typed button")
    expect(phone.locator(".verdict")).to_have_attribute("data-code", "dicabut")


def compare(phone: Page) -> None:
    """Five tries with NIK and name, and no sixth, not even after a reload."""
    expect(phone.locator(".verdict-office")).to_have_text("Dinas Sosial Kabupaten Lebak")
    wrong = DEMO_PERSON.nik[:-1] + str((int(DEMO_PERSON.nik[-1]) + 1) % 10)
    pairs = [(DEMO_PERSON.nik, "Cocok."), (wrong, "Tidak cocok."), *3 * [(wrong, "Tidak cocok.")]]
    phone.click(".matcher summary")
    for nik, said in [*pairs, (DEMO_PERSON.nik, "Sudah lima kali dicoba.")]:
        tried(phone, nik, said)
    phone.reload()
    phone.click(".matcher summary")
    tried(phone, DEMO_PERSON.nik, "Sudah lima kali dicoba.")


def tried(phone: Page, nik: str, said: str) -> None:
    phone.fill("#nik", nik)
    phone.fill("#name", DEMO_PERSON.name.lower())
    phone.click(".matcher form button")
    expect(phone.locator("#match :visible").first).to_contain_text(said)


def nothing_personal(phone: Page, *digits: str) -> None:
    """Neither caches nor databases nor stores know which letters were checked, nor whose."""
    kept = phone.evaluate(REMEMBERED)
    assert "sk-offices.json" in kept
    assert kept.endswith("[],[]]")
    for secret in (*digits, DEMO_PERSON.nik, DEMO_PERSON.name, "csrf"):
        assert secret not in kept, secret


# --- by camera ---


def test_a_camera_reads_the_letter_and_a_foreign_code_is_only_named(
    home: Path, chromium: PlaywrightBrowser, clock: Clock, submit: Submit, tmp_path: Path
) -> None:
    film = tmp_path / "camera.mjpeg"
    flags = (
        *FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}", "--host-resolver-rules=MAP lan.test 127.0.0.1",
    )  # fmt: skip
    with live.serve(home, chromium) as office:
        digits = issue(office.app.extensions["loket"], clock, submit)
        film.write_bytes(held_before_a_webcam(archive.pdf_of(office.app.extensions["loket"], 1)))
        refused = office.window(DESK)
        refused.goto(f"{office.url}/v")
        refused.click('[data-scan="start"]')
        expect(refused.locator('[data-scan="said"]')).to_have_text(re.compile("ilih foto suratnya"))
        office.leave(refused)
        with chromium.browser_type.launch(executable_path=CHROMIUM, args=list(flags)) as camera:
            office.browser = camera
            scanned(office, digits)
            office.contexts.clear()
        assert office.complaints == []


def scanned(office: live.Office, digits: str) -> None:
    laptop = office.window(DESK)
    laptop.goto(f"{office.url}/v")
    laptop.set_input_files('[data-scan="photo"]', foreign_code())
    expect(laptop.locator('[data-scan="said"]')).to_contain_text("membuka contoh.example,")
    assert laptop.url == f"{office.url}/v"
    laptop.click('[data-scan="start"]')
    laptop.wait_for_url(f"{office.url}/v/{digits}")
    expect(laptop.locator(".verdict")).to_have_attribute("data-code", "sah")
    laptop.goto(f"{office.url.replace('127.0.0.1', 'lan.test')}/v")
    expect(laptop.locator(".scan .take")).to_be_visible()
    expect(laptop.locator('[data-scan="start"]')).to_be_hidden()


def held_before_a_webcam(pdf: bytes) -> bytes:
    """A film (MJPEG) of the letter held before a laptop: aslant, uneven light, noise, some blur."""
    page = cv2.imdecode(np.frombuffer(preview_png(pdf, 203 / 72), np.uint8), cv2.IMREAD_GRAYSCALE)
    (x, y), _ = cv2.minAreaRect(cv2.QRCodeDetector().detect(page)[1])[:2]
    turn = cv2.getRotationMatrix2D((x, y), 9, 4.5 / 8)
    turn[:, 2] += (700 - x, 330 - y)
    seen = cv2.warpAffine(page, turn, (1280, 720), flags=cv2.INTER_AREA, borderValue=60)
    light = np.linspace(0.85, 0.5, 1280)[None, :] * cv2.GaussianBlur(seen, (0, 0), 0.8)
    chance = np.random.default_rng(15)
    film = b""
    for _ in range(4):
        frame = (25 + light + chance.normal(0, 5, light.shape)).clip(0, 255).astype(np.uint8)
        coloured = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
        film += cv2.imencode(".jpg", coloured, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()
    return film


def foreign_code() -> FilePayload:
    photo = BytesIO()
    qrcode.make("https://contoh.example/v/" + "1" * 193).save(photo, "PNG")
    return {"name": "foto.png", "mimeType": "image/png", "buffer": photo.getvalue()}
