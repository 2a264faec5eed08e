"""The published standard: for citizens at /standar, for the admin beside what the system does."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from flask import Flask

import models
from app import create_app
from kiosk import standard
from kiosk.office_file import OFFICES, load, parse
from kiosk.profile import Profile
from kiosk.settings import read
from tests.conftest import BASE_URL, Clock
from tests.own_file import LEBAK, changed, office_of
from tests.pages import Browser, text
from tests.pages import parse as parsed
from tests.people import PASSWORD
from tests.test_office_file import LEBAK as TABLES
from tests.test_office_file import put

AsRole = Callable[..., Browser]
ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(file.stem for file in OFFICES.glob("*.toml"))


@pytest.fixture
def visitor(home: Path, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Somebody at the pages of the office that the test names, with Lebak's data folder."""
    environ = {"LOKET15_OFFICE": request.param, "LOKET15_HOME": str(home)}
    made = create_app(read(environ | {"LOKET15_BASE_URL": BASE_URL}), clock)
    made.testing = True
    models.db.connect(reuse_if_open=True)
    yield Browser(made.test_client())
    models.db.close()


def plain(browser: Browser, url: str) -> str:
    """What a page says, in one line."""
    return text(parsed(browser.page(url).get_data(as_text=True), fragment=False))


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("visitor", NAMES, indirect=True)
def test_all_that_was_published_is_on_the_page_word_for_word(visitor: Browser, lang: str) -> None:
    visitor.client.set_cookie("lang", lang)
    page = plain(visitor, "/standar")
    profile = visitor.client.application.extensions["loket"].profile
    for service in profile.services:
        one = service.published
        said = [one.title, *one.requirements, *one.procedure, one.time, one.cost, *one.product]
        for line in [*said, *one.complaints, *one.laws, one.decree]:
            assert " ".join(line.split()) in page
    assert profile.maklumat[lang] in page
    assert profile.register_.legal_basis in page
    for heading in ("Persyaratan", "Requirements", "Jangka waktu", "Time", "Biaya/tarif", "Cost"):
        assert heading in page


def test_the_front_page_leads_to_it(browser: Browser) -> None:
    assert 'href="/standar"' in browser.page("/").get_data(as_text=True)


def test_it_prints_on_paper(browser: Browser) -> None:
    page = browser.page("/standar").get_data(as_text=True)
    assert "/static/standard.css" in page
    assert "@media print" in (ROOT / "static" / "standard.css").read_text()


def test_the_admin_sees_each_number_beside_its_steps(as_role: AsRole) -> None:
    page = plain(as_role("admin"), "/admin/standar")
    for part in (
        "1. Front Office menerima permohonan/laporan pemohon",
        "Periksa berkas berkas waktu berjalan Petugas loket",
        "Terdaftar, buat surat → Periksa dan tanda tangani",
        "menomori, menandatangani, dan mengarsipkan surat",
        "Dicetak di anjungan → Selesai · terjadi sendiri",
        "pindaian disimpan 30 hari sesudah selesai",
        "Nomor surat 400.9.1/{no}/DINSOS/{tahun}",
        "KIP Kuliah: berlaku 180 hari",
    ):
        assert part in page
    assert "Berbeda" not in page


def test_only_the_admin_opens_it(as_role: AsRole) -> None:
    assert as_role("operator").page("/admin/standar").status_code == 403


@pytest.mark.parametrize("visitor", NAMES, indirect=True)
def test_the_admins_page_stands_for_every_office(visitor: Browser) -> None:
    visitor.send("/masuk", {"name": "admin", "password": PASSWORD})
    page = plain(visitor, "/admin/standar")
    profile = visitor.client.application.extensions["loket"].profile
    for service in profile.services:
        for step in service.steps:
            assert f"{step.title.id} {step.id}" in page
        for bundle in getattr(service, "bundles", ()):
            assert f"{bundle.title.id} {bundle.id}" in page
        for one in service.published.elsewhere:
            assert one.recorded in page


def lebak(*changes: tuple[str, object]) -> Profile:
    data = deepcopy(TABLES)
    for path, value in changes:
        put(data, path, value)
    return parse(data, "x", "1")


PUBLISHED = "services[0].published"


@pytest.mark.parametrize(
    ("said", "time", "agrees"),
    [
        ("15 Menit", {"amount": 15, "unit": "minute"}, True),
        ("10 menit", {"amount": 15, "unit": "minute"}, False),
        ("30 Jam", {"amount": 30, "unit": "working_hour"}, True),
        ("30 Jam", {"amount": 30, "unit": "clock_hour"}, True),
        ("1 (satu) hari sejak berkas lengkap", {"amount": 1, "unit": "working_day"}, True),
        ("1 hari kerja", {"amount": 1, "unit": "calendar_day"}, False),
        ("paling lama 7-15 hari kerja", {"amount": 15, "least": 7, "unit": "working_day"}, True),
        ("paling lama 7-15 hari kerja", {"amount": 15, "unit": "working_day"}, False),
        ("1 Bulan", {"amount": 1, "unit": "month"}, True),
        ("secepatnya", {"amount": 1, "unit": "month"}, None),
    ],
)
def test_the_published_time_is_compared_with_the_time_promised(
    said: str, time: dict[str, object], agrees: bool | None
) -> None:
    profile = lebak((f"{PUBLISHED}.time", said), ("services[0].time", time))
    assert standard.time_agrees(profile.services[0]) is agrees


def test_what_the_system_does_otherwise_is_marked(home: Path, app: Flask, as_role: AsRole) -> None:
    text_ = changed(LEBAK, ('time = "15 Menit"', 'time = "5 Menit"'))
    text_ = changed(text_, ('cost = "Tidak dipungut biaya"', 'cost = "Rp 10.000"'))
    app.extensions["loket"] = office_of(home, text_)
    page = plain(as_role("admin"), "/admin/standar")
    assert page.count("Berbeda") == 2
    assert "Waktu pada berkas kantor tidak sama dengan yang diterbitkan." in page


def test_no_office_of_ours_promises_otherwise_than_it_published() -> None:
    for name in NAMES:
        profile = load(name)
        for service in profile.services:
            read_ = standard.read(profile, service)
            assert read_.time_agrees, name
            assert read_.cost_agrees, name
            assert read_.requirements_agree, name
            assert read_.complaints_agree, name


def test_a_number_is_never_without_who_does_it() -> None:
    for name in NAMES:
        profile = load(name)
        for service in profile.services:
            for one in standard.read(profile, service).procedure:
                assert one.stops or one.sheets or one.elsewhere, f"{name} {one.number}"
