"""How well a household agrees with Dukcapil's data: asked over HTTP, or typed with evidence."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import models
from kiosk import documents, padan, proposals
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, TooMany, Unusable
from kiosk.loket import Loket
from kiosk.padan import Client
from kiosk.settings import read
from models import Application, Audit, Member
from tests import dukcapil, scans
from tests.binjai import SERVICE, actor, family, made, opened
from tests.dukcapil import KEY, Service
from tests.people import MONDAY_NINE

NOW = MONDAY_NINE


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
def service() -> Iterator[Service]:
    with dukcapil.serving() as served:
        yield served


@pytest.fixture
def proposal(loket: Loket) -> int:
    """A household of three that waits to be verified."""
    return proposals.add(loket, SERVICE, family(1, route="mandiri"), actor("loket"), NOW)


def client(service: Service, key: str = KEY) -> Client:
    return Client(service.url, key, timeout_s=2.0)


def check(loket: Loket, service: Service, proposal: int, name: str = "supervisor") -> int:
    return padan.check(loket, client(service), proposal, actor(name), NOW)


def kept() -> list[tuple[int | None, int | None, str]]:
    rows = Member.select().order_by(Member.position)
    return [(row.padan, row.padan_address, row.padan_source) for row in rows]


UNASKED = [(None, None, "")] * 3


def test_each_members_percentages_are_kept_with_their_source(
    loket: Loket, service: Service, proposal: int
) -> None:
    head = family(1).members[0]
    service.percents[head["nik"]] = (100, 81)
    assert check(loket, service, proposal) == 3
    source = padan.SERVICE
    assert kept() == [(100, 81, source), (100, 90, source), (100, 90, source)]
    assert Member.get(Member.position == 1).padan_at == NOW
    (asked,) = service.asked
    assert [one["ref"] for one in asked["people"]] == ["1", "2", "3"]
    first = asked["people"][0]
    assert {part: first[part] for part in ("nik", "name", "birth_date", "sex", "mother")} == {
        part: head[part] for part in ("nik", "name", "birth_date", "sex", "mother")
    }
    assert set(first) == {"ref", *padan.PARTS}
    assert Audit.select().where(Audit.what == "padan dukcapil").count() == 1


def test_who_agrees_is_accepted_and_who_does_not_is_refused_with_the_reason(
    loket: Loket, service: Service, proposal: int
) -> None:
    def accept() -> None:
        seq = Application.get_by_id(proposal).seq
        proposals.act(loket, proposal, "terima", {}, actor("supervisor"), seq, NOW)

    with pytest.raises(Invalid, match="belum dipadankan: anggota 1, anggota 2, anggota 3"):
        accept()
    second = family(1).members[1]["nik"]
    service.percents[second] = (99, 79)
    check(loket, service, proposal)
    with pytest.raises(Invalid) as caught:
        accept()
    assert "kurang dari 100%: anggota 2 99%" in caught.value.message
    assert "kurang dari 80%: anggota 2 79%" in caught.value.message
    service.percents[second] = (100, 80)
    check(loket, service, proposal)
    accept()
    assert Application.get_by_id(proposal).step == "diterima"


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (401, padan.REFUSED),
        (403, padan.REFUSED),
        (429, padan.BUSY),
        (500, padan.TROUBLED),
        (503, padan.TROUBLED),
        (404, padan.UNREADABLE),
        ("elsewhere", padan.UNREADABLE),
        *((name, padan.UNREADABLE) for name in dukcapil.FAILURES),
    ],
)
def test_whatever_else_comes_nothing_is_kept_and_the_clerk_is_told(
    loket: Loket, service: Service, proposal: int, fails: int | str, said: str
) -> None:
    service.fails = fails
    with pytest.raises((Unusable, TooMany)) as caught:
        check(loket, service, proposal)
    assert caught.value.message == said
    assert kept() == UNASKED
    assert len(service.asked) == 1
    service.fails = 0
    check(loket, service, proposal)
    assert kept() != UNASKED


def test_a_service_that_is_silent_or_not_there_is_told(
    loket: Loket, service: Service, proposal: int
) -> None:
    service.fails = "silence"
    slow = Client(service.url, KEY, timeout_s=0.2)
    for asked in (slow, Client("http://127.0.0.1:9", KEY, 0.5)):
        with pytest.raises(Unusable) as caught:
            padan.check(loket, asked, proposal, actor("supervisor"), NOW)
        assert caught.value.message == padan.SILENT
    assert kept() == UNASKED


def test_a_wrong_key_is_refused(loket: Loket, service: Service, proposal: int) -> None:
    with pytest.raises(Unusable) as caught:
        padan.check(loket, client(service, "lain"), proposal, actor("supervisor"), NOW)
    assert caught.value.message == padan.REFUSED
    assert service.asked == []


def test_a_household_that_changed_meanwhile_is_asked_again(
    loket: Loket, service: Service, proposal: int
) -> None:
    def change() -> None:
        with models.db.connection_context():
            Member.delete().where(Member.position == 3).execute()

    service.meanwhile = change
    with pytest.raises(Stale):
        check(loket, service, proposal)
    assert kept() == UNASKED[:2]


def test_only_who_checks_the_proposal_may_ask(
    loket: Loket, service: Service, proposal: int
) -> None:
    assert padan.may(loket, proposal, actor("supervisor"))
    assert not padan.may(loket, proposal, actor("loket"))
    with pytest.raises(NotAllowed):
        check(loket, service, proposal, "loket")
    with pytest.raises(NotFound):
        check(loket, service, proposal, "nangka")
    Application.update(closed_at=NOW).execute()
    with pytest.raises(NotAllowed):
        check(loket, service, proposal)
    assert service.asked == []


def test_no_number_and_no_name_is_ever_logged(
    loket: Loket, service: Service, proposal: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    check(loket, service, proposal)
    service.fails = "html"
    with pytest.raises(Unusable) as caught:
        check(loket, service, proposal)
    said = caplog.text + caught.value.message
    said += " ".join(f"{row.what} {row.subject}" for row in Audit.select())
    for person in family(1).members:
        assert person["nik"] not in said
        assert person["name"] not in said


# --- by hand --------------------------------------------------------------------------------

TYPED = {f"{part}.{n}": "100" for part in ("padan", "address") for n in (1, 2, 3)}


def evidence(loket: Loket, proposal: int, kind: str = padan.EVIDENCE) -> int:
    owner = Owner(application=proposal)
    return documents.add(
        loket, owner, kind, scans.jpeg(), "counter", f"{kind}{proposal}", NOW, actor("supervisor")
    )


def test_percentages_are_typed_with_their_evidence(loket: Loket, proposal: int) -> None:
    given = TYPED | {"address.2": " 85 % "}
    padan.record(loket, proposal, given, evidence(loket, proposal), actor("supervisor"), NOW)
    source = "Susi Supervisor, dengan bukti"
    assert kept() == [(100, 100, source), (100, 85, source), (100, 100, source)]


@pytest.mark.parametrize("text", ["", "101", "-1", "99,5", "seratus", "²", "1000"])
def test_what_is_no_percentage_is_told_at_its_field(loket: Loket, proposal: int, text: str) -> None:
    given = TYPED | {"padan.3": text}
    with pytest.raises(Invalid) as caught:
        padan.record(loket, proposal, given, evidence(loket, proposal), actor("supervisor"), NOW)
    assert caught.value.fields == {"padan.3": padan.PERCENT}
    assert kept() == UNASKED


def test_without_evidence_of_this_very_proposal_nothing_is_kept(
    loket: Loket, proposal: int
) -> None:
    other = proposals.add(loket, SERVICE, family(2, route="mandiri"), actor("loket"), NOW)
    photo = evidence(loket, proposal, "foto_rumah")
    for wrong in (None, 999, photo, evidence(loket, other)):
        with pytest.raises(Invalid) as caught:
            padan.record(loket, proposal, TYPED, wrong, actor("supervisor"), NOW)
        assert list(caught.value.fields) == ["file"]
    assert all(row.padan is None for row in Member.select())


# --- settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://dukcapil.binjaikota.go.id/v1", "http://127.0.0.1:9080", "http://localhost/x", ""],
)
def test_the_service_is_reached_over_tls_or_on_this_machine(url: str) -> None:
    settings = read({"LOKET15_DUKCAPIL_URL": url, "LOKET15_DUKCAPIL_KEY": KEY})
    assert (padan.client_of(settings) is None) == (url == "")


@pytest.mark.parametrize(
    "url",
    [
        "http://dukcapil.go.id", "http://127.0.0.1.example", "http://127.0.0.1@example", "ftp://x",
        "file:///etc", "https://", "dukcapil", "https://user:secret@x", "https://x?y",
    ],
)  # fmt: skip
def test_people_are_not_sent_in_the_clear(url: str) -> None:
    with pytest.raises(Unusable, match=r"^LOKET15_DUKCAPIL_URL: .*expected"):
        read({"LOKET15_DUKCAPIL_URL": url})


def test_a_key_with_a_blank_in_it_is_refused_at_start() -> None:
    with pytest.raises(Unusable, match=r"^LOKET15_DUKCAPIL_KEY: .*expected"):
        read({"LOKET15_DUKCAPIL_KEY": "a\nb"})


def test_the_document_says_what_the_client_sends() -> None:
    text = (Path(__file__).parent.parent / "docs" / "dukcapil.md").read_text()
    for part in ("ref", *padan.PARTS, "population", "address"):
        assert f'"{part}"' in text
    settings = replace(read({}), dukcapil_url="https://x.go.id")
    made = padan.client_of(settings)
    assert made is not None
    assert made._url == "https://x.go.id/padan"
