"""Binjai's two routes in a real Chromium: every rule, padan, pengesahan, periods."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import bundles, proposals, upkeep
from kiosk.household import Household
from kiosk.loket import Loket
from kiosk.population import DEMO_LONG_NAME, DEMO_PERSON
from kiosk.register_row import Person
from models import Application
from tests import dukcapil, live, scans
from tests.binjai import MINUTES, SATRIA, discussed, taking
from tests.households import household, person
from tests.proposal_office import SERVICE, actor, made
from tests.test_journey_lumajang import do_all, enter, frozen, judge, signed, tab, to_step
from tests.test_proposal_views import NOTICE

DAY_S = 86400


@pytest.fixture
def service() -> Iterator[dukcapil.Service]:
    with dukcapil.serving() as served:
        yield served


@pytest.fixture
def office(tmp_path: Path, chromium: Browser, service: dukcapil.Service) -> Iterator[live.Office]:
    with live.serve(made("binjai", tmp_path), chromium, "binjai") as served:
        settings = served.app.config["SETTINGS"]
        served.app.config["SETTINGS"] = replace(
            settings, dukcapil_url=service.url, dukcapil_key=dukcapil.KEY
        )
        yield served
        assert served.complaints == []


def mandiri(n: int, **over: object) -> Household:
    one = household(n, 2, village=SATRIA, route="mandiri", purpose="dtks")
    return replace(one, **over)  # type: ignore[arg-type]


def known(n: int, who: Person, programme: str = "dtks") -> Household:
    """A household whose second member is in the register, and receives what stands there."""
    one = mandiri(n, purpose=programme)
    found = person(n, 2, nik=who.nik, birth_date=who.birth_date, sex=who.sex)
    return replace(one, members=(one.members[0], found))


def from_the_meeting(loket: Loket, now: int) -> int:
    """A household of the other route, its signed Berita Acara at hand; its application's id."""
    who = actor("satria")
    [id_] = proposals.add_many(
        loket, SERVICE, [replace(household(20, 3), village=SATRIA, route="pemda")], who, now
    )
    discussed(loket, [id_], "satria", now, 1)
    sheet = bundles.freeze(
        loket, SERVICE, "berita_acara", MINUTES, SATRIA, taking(loket, now), who, now
    )
    bundles.sign(loket, sheet, scans.jpeg(), who, now)
    return id_


def refused(page: Page, url: str, id_: int, *reasons: str) -> None:
    """The supervisor tries to accept it, and is told why not."""
    page.goto(f"{url}/usulan/{id_}")
    for reason in reasons:
        expect(page.locator(".rules .broken", has_text=reason)).to_have_count(1)
    page.locator("footer.acts button", has_text="Terima").click()
    expect(page.get_by_role("alert")).to_contain_text(reasons[0])
    assert Application.get_by_id(id_).step == "verifikasi"


def asked(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Cek Dukcapil").click()


def typed(page: Page, population: int, address: int) -> None:
    """The percentages of both, with a screenshot of where they were read."""
    page.locator("summary", has_text="Isi persentase").click()
    for n in (1, 2):
        page.fill(f'[name="padan.{n}"]', str(population))
        page.fill(f'[name="address.{n}"]', str(address))
    evidence = {"name": "padan.jpg", "mimeType": "image/jpeg", "buffer": scans.jpeg()}
    page.set_input_files("#padan [name=file]", evidence)
    page.get_by_role("button", name="Simpan persentase").click()
    expect(page.locator(".padan .held")).to_have_count(4)


def test_both_routes_every_rule_and_the_next_period(
    office: live.Office, service: dukcapil.Service, tmp_path: Path
) -> None:
    loket, now = office.app.extensions["loket"], int(office.clock())
    meeting = from_the_meeting(loket, now)
    low, far = mandiri(3), mandiri(4)
    service.percents |= {low.niks[1]: (99, 95), far.niks[0]: (100, 79)}
    some = [known(1, DEMO_LONG_NAME), known(2, DEMO_PERSON, "pkh"), mandiri(6, family_size=5)]
    ids = proposals.add_many(loket, SERVICE, [*some, low, far], actor("loket"), now)
    in_register, receiving, part, low_id, far_id = ids

    front = office.signed_in("loket")
    tab(front, "Tambah keluarga")
    front.locator("#f-village").select_option(SATRIA)
    front.locator('[name="extra.daya_listrik"][value="va450"]').check()
    enter(front, mandiri(7))
    mine = Application.select().order_by(Application.id.desc()).get().id
    photo = {"name": "rumah.jpg", "mimeType": "image/jpeg", "buffer": scans.jpeg()}
    front.locator("#f-kind").select_option("foto_rumah")
    front.set_input_files("[name=paper]", photo)
    front.get_by_role("button", name="Lampirkan").click()
    expect(front.locator("#papers li")).to_contain_text("Foto rumah")
    expect(front.locator("main")).to_contain_text("450 VA")

    kelurahan = office.signed_in("satria")
    to_step(kelurahan, "Teruskan ke kota")
    do_all(kelurahan, "Sudah diteruskan di SIKS-NG", forwarded_on="2026-11-23")

    supervisor = office.signed_in("supervisor")
    refused(supervisor, office.url, in_register, "Sudah ada di basis data: anggota 2.")
    twice = "Sudah menerima program yang diusulkan: anggota 2."
    refused(supervisor, office.url, receiving, "Sudah ada di basis data: anggota 2.", twice)
    refused(supervisor, office.url, part, "Anggota pada KK 5 orang, tercatat 2.")
    nobody_asked = "Data kependudukan belum dipadankan: anggota 1, anggota 2."
    refused(supervisor, office.url, low_id, nobody_asked)
    asked(supervisor)
    differs = "Data kependudukan padan kurang dari 100%: anggota 2 99%."
    refused(supervisor, office.url, low_id, differs)
    supervisor.goto(f"{office.url}/usulan/{far_id}")
    asked(supervisor)
    refused(supervisor, office.url, far_id, "Alamat padan kurang dari 80%: anggota 1 79%.")

    supervisor.goto(f"{office.url}/usulan/{meeting}")
    asked(supervisor)
    expect(supervisor.locator(".rules .broken")).to_have_count(0)
    judge(supervisor, "Terima")
    service.fails = 503
    supervisor.goto(f"{office.url}/usulan/{mine}")
    asked(supervisor)
    expect(supervisor.get_by_role("alert")).to_contain_text("sedang terganggu")
    typed(supervisor, 100, 80)
    expect(supervisor.locator(".padan")).to_contain_text("Susi Supervisor, dengan bukti")
    judge(supervisor, "Terima")

    tab(supervisor, "Surat Pengesahan Wali Kota")
    expect(supervisor.locator(".make")).to_contain_text("Belum dapat dibuat")
    expect(supervisor.locator(".undecided")).to_contain_text("7 usulan belum final")
    supervisor.goto(f"{office.url}/usulan/{meeting}")
    judge(supervisor, "Finalisasi")
    tab(supervisor, "Surat Pengesahan Wali Kota")
    expect(supervisor.locator(".make")).to_contain_text("1 keluarga, 3 orang")
    supervisor.locator("[name=penandatangan][value=wakil_kepala_daerah]").check()
    letter = frozen(supervisor)
    assert NOTICE in letter
    assert "400.9.14/1/WK/2026" in letter
    assert household(20, 3).head["name"] in letter
    assert mandiri(7).head["name"] not in letter
    signed(supervisor, tmp_path)
    to_step(supervisor, "Sampaikan di SIKS-NG")

    office.clock.forward(40 * DAY_S)
    upkeep.run(loket, int(office.clock()))
    supervisor = office.signed_in("supervisor")
    tab(supervisor, "Periode")
    moved = supervisor.locator(".period-card", has_text="Desember 2026").first
    expect(moved.locator(".moves")).to_contain_text("6 usulan pindah sendiri ke Januari 2027")
    supervisor.goto(f"{office.url}/usulan/{mine}")
    expect(supervisor.locator(".case-head")).to_contain_text("periode Januari 2027")
    expect(supervisor.locator(".way")).to_contain_text("Pindah ke periode berikutnya")
    supervisor.goto(f"{office.url}/usulan/{meeting}")
    expect(supervisor.locator(".case-head")).to_contain_text("periode Desember 2026")
    to_step(supervisor, "Sampaikan di SIKS-NG")
    do_all(supervisor, "Sudah disampaikan", uploaded_on="2027-01-02")
    assert Application.get_by_id(meeting).outcome == "done"
