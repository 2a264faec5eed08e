"""Other offices: believed after one comparison, followed from then on, never mistaken for another.

The other office is a real data folder with keys of its own, behind a real HTTP server.
"""

import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import models
from kiosk import (
    fetch,
    key_file,
    limits,
    status_list,
    trust,
    trust_acts,
    trust_refresh,
    upkeep,
    verification,
)
from kiosk.errors import LoketError, NotAllowed, NotFound, Stale, TooMany, Unusable
from kiosk.key_file import KeyFile, fingerprint
from kiosk.loket import Loket, open_loket, prepare
from kiosk.seal import BadSeal, Core, Result, base64, print_check
from kiosk.status_list import HOLDS_S
from models import Audit, TrustedList, TrustedOffice
from tests.pages import Browser
from tests.people import MONDAY_NINE as NOW
from views.cli import main

DAY = 86_400
NIK = "3602014107900001"


@dataclass
class Other:
    """Another office: its keys, and what its server answers by path."""

    loket: Loket
    pages: dict[str, bytes] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.loket.base_url

    def code(self, serial: int = 7, day: date = date(2026, 11, 23)) -> str:
        key_id, _ = self.loket.seal_keys.current()
        check = print_check(serial, NIK, "Siti Aminah")
        core = Core(key_id, serial, day, 90, Result.REGISTERED, check, "SA")
        return self.loket.seal_keys.seal(core)

    def publish(self, now: int, statuses: bytes = b"\x24", **over: Any) -> None:
        """Keys and a status list; `over` changes the key file."""
        keys = trust.own(self.loket) | over
        claims = {
            "sub": keys["status_list"],
            "iat": now,
            "exp": now + HOLDS_S,
            "status_list": {"bits": 2, "lst": base64(zlib.compress(statuses))},
        }
        self.pages[trust.KEYS_PATH] = json.dumps(keys).encode()
        token = self.loket.seal_keys.sign_jwt(claims, status_list.TYP)
        self.pages[status_list.PATH] = token.encode()

    def coordinate(self, now: int, *offices: KeyFile, **over: Any) -> None:
        """A signed list of these offices."""
        coordinator = trust.own(self.loket) | over
        claims = {"iat": now, "coordinator": coordinator, "offices": list(offices)}
        token = self.loket.seal_keys.sign_jwt(claims, trust_acts.LIST_TYPE)
        self.pages[trust.LIST_PATH] = token.encode()


class _Server(ThreadingHTTPServer):
    pages: dict[str, bytes]
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.server.pages.get(self.path)
        if body and body.startswith(b"-> "):
            self.send_response(302)
            self.send_header("Location", body[3:].decode())
        else:
            self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Callable[[str], Other]]:
    """Another office on this machine: office("binjai")."""
    servers: list[_Server] = []

    def open_(name: str) -> Other:
        server = _Server(("127.0.0.1", 0), _Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        home = tmp_path / name
        prepare(home, name, NOW)
        other = Other(open_loket(home, name, f"http://127.0.0.1:{server.server_port}"))
        server.pages = other.pages
        other.publish(NOW)
        return other

    yield open_
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def binjai(office: Callable[[str], Other]) -> Other:
    return office("binjai")


def believe(loket: Loket, other: Other, now: int = NOW) -> None:
    offer = trust_acts.offered(other.address)
    trust_acts.add(loket, offer, fingerprint(trust.own(other.loket)), now)
    assert trust_refresh.statuses(other.address, now) == []


def faults(loket: Loket, now: int) -> list[str]:
    return [fault for done in trust_refresh.refresh(loket, now) for fault in done.faults]


def saved(other: Other) -> KeyFile:
    found: KeyFile = json.loads(TrustedOffice.get(TrustedOffice.address == other.address).keys)
    return found


# ── Whose code it is ──


def test_a_code_is_of_the_office_whose_key_sealed_it_and_of_no_other(
    loket: Loket, binjai: Other
) -> None:
    code = binjai.code()
    with pytest.raises(BadSeal):
        trust.read(loket, code)
    believe(loket, binjai)
    own_code = Other(loket).code()
    for text in (code, f"/v/{code}", f"{binjai.address}/v/{code}", f"https://old.test/v/{code}"):
        file, core = trust.read(loket, text)
        assert (file["office"], core.serial) == ("binjai", 7)
    assert trust.read(loket, own_code)[0]["office"] == "lebak"
    # The address settles whose keys are asked: key 1 of one office is not key 1 of another.
    for text in (f"{loket.base_url}/v/{code}", f"{binjai.address}/v/{own_code}"):
        with pytest.raises(BadSeal):
            trust.read(loket, text)
    assert [file["office"] for file in trust.offices(loket)] == ["lebak", "binjai"]


def test_another_offices_letter_is_judged_by_the_list_that_it_signed(
    loket: Loket, binjai: Other
) -> None:
    believe(loket, binjai)
    # 0x24 is 0b00100100: serial 0 valid, 1 revoked, 2 suspended, 3 valid.
    values = [trust.status_of(loket, "binjai", serial) for serial in range(5)]
    assert values == [(0, NOW), (1, NOW), (2, NOW), (0, NOW), (None, NOW)]
    assert trust.status_of(loket, "lumajang", 1) == (None, None)
    said = [verification.check(loket, binjai.code(serial), NOW).code for serial in (0, 1, 3, 9)]
    assert said == ["sah", "dicabut", "sah", "status_belum_dapat_dicek"]
    binjai.loket.seal_keys.revoke(1, date(2026, 11, 20))
    binjai.pages[trust.KEYS_PATH] = json.dumps(trust.own(binjai.loket)).encode()
    assert faults(loket, NOW + 1) == ["Kunci yang menandatangani dokumen ini tidak berlaku."]
    # A list under a stolen key says nothing any more, though it was kept.
    assert trust.status_of(loket, "binjai", 1) == (None, None)


def test_an_office_with_anothers_key_code_or_address_is_refused(
    loket: Loket, binjai: Other, tmp_path: Path
) -> None:
    believe(loket, binjai)
    theirs, ours = trust.own(binjai.loket), trust.own(loket)
    thief = theirs | {"office": "palsu", "address": "https://palsu.test"}
    thief |= {"status_list": "https://palsu.test/s"}
    for file in (
        thief,
        thief | {"keys": ours["keys"]},
        thief | {"office": "lebak", "keys": []},
        ours,
    ):
        path = tmp_path / "keys.json"
        path.write_text(json.dumps(file))
        with pytest.raises(Unusable):
            trust_acts.add(loket, trust_acts.offered(str(path)), fingerprint(file), NOW)  # type: ignore[arg-type]
    assert TrustedOffice.select().count() == 1


# ── Being introduced ──


def test_nothing_is_believed_without_the_right_fingerprint(loket: Loket, binjai: Other) -> None:
    offer = trust_acts.offered(binjai.address + trust.KEYS_PATH)
    right = fingerprint(trust.own(binjai.loket))
    assert offer.fingerprint == right
    for wrong in ("", right[:-1], right[:-1] + ("0" if right[-1] != "0" else "1"), "zz" * 32):
        with pytest.raises(Unusable):
            trust_acts.add(loket, offer, wrong, NOW)
    assert not TrustedOffice.select().exists()
    trust_acts.add(loket, offer, key_file.grouped(right).upper(), NOW)
    assert Audit.get(Audit.what == "percayai dinas").subject == binjai.address
    (one,) = trust_acts.listed()
    assert (one.kind, one.code, one.keys, one.fingerprint) == ("office", "binjai", 1, right)


def test_the_fingerprint_is_made_as_the_document_says(loket: Loket) -> None:
    file = KeyFile(
        format="loket15-keys-1", office="contoh", name="Dinas Sosial Contoh",
        address="https://sk.contoh.test", status_list="https://sk.contoh.test/s",
        keys=[
            {"key_id": 2, "alg": "Ed25519", "key": "A" * 43, "not_before": "2027-11-01",
             "expires": "2028-12-05", "revoked_at": None},
            {"key_id": 1, "alg": "Ed25519", "key": "B" * 42 + "A", "not_before": "2026-11-01",
             "expires": "2027-12-06", "revoked_at": "2027-11-01"},
        ],
    )  # fmt: skip
    document = Path(__file__).parent.parent.joinpath("docs", "trust.md").read_text()
    assert key_file.grouped(fingerprint(file)) in document
    assert fingerprint(file | {"name": "Dinas Sosial Lain"}) != fingerprint(file)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "loket15-keys-2"},
        {"office": "../etc"},
        {"name": ""},
        {"name": "Dinas\nSosial"},
        {"address": "ftp://x"},
        {"address": "https://x/"},
        {"address": "https://user@x"},
        {"status_list": "https://elsewhere.test/s"},
        {"keys": []},
        {"keys": "none"},
    ],
)
def test_a_key_file_that_cannot_be_so_is_refused(loket: Loket, change: dict[str, Any]) -> None:
    file = trust.own(loket)
    assert key_file.parse(json.dumps(file)) == file
    with pytest.raises(Unusable):
        key_file.parse(json.dumps(file | change))


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": 256},
        {"alg": "RS256"},
        {"key": "AAAA"},
        {"key": "?" * 43},
        {"not_before": "23-11-2026"},
        {"expires": "2020-01-01"},
        {"revoked_at": "soon"},
        {"key_id": "1"},
    ],
)
def test_a_key_that_cannot_be_so_is_refused(loket: Loket, change: dict[str, Any]) -> None:
    file = trust.own(loket)
    file["keys"][0] |= change  # type: ignore[typeddict-item]
    with pytest.raises(Unusable):
        key_file.parse(json.dumps(file))
    twice = trust.own(loket)
    with pytest.raises(Unusable):
        key_file.parse(json.dumps(twice | {"keys": twice["keys"] * 2}))


def test_only_https_or_this_machine_is_asked_and_nobody_is_followed_elsewhere(
    binjai: Other, tmp_path: Path
) -> None:
    for url in (
        "http://10.0.0.1/k", "ftp://x/k", "file:///etc/passwd", "http://127.0.0.1.evil.test/k",
        "http://127.0.0.1@evil.test/", "https://a@b/", "https://", "javascript:1",
    ):  # fmt: skip
        with pytest.raises(Unusable):
            trust_acts.offered(url)
    binjai.pages["/away"] = b"-> " + (binjai.address + trust.KEYS_PATH).encode()
    binjai.pages["/much"] = b" " * (fetch.LARGEST + 1)
    binjai.pages["/html"] = b"<!doctype html><title>Login</title>"
    binjai.pages["/bytes"] = b"\xff\xfe"
    for path in ("/away", "/much", "/html", "/bytes", "/none"):
        with pytest.raises(Unusable):
            trust_acts.offered(binjai.address + path)
    with pytest.raises(Unusable):
        trust_acts.offered(str(tmp_path / "none.json"))


def test_a_server_that_drips_holds_nobody_up_for_longer_than_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        begun = time.monotonic()
        with pytest.raises(Unusable):
            fetch.text_of(url, longest_s=0.2)
        dripping, _ = server.accept()
        dripping.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(2):
            with pytest.raises(Unusable):
                fetch.text_of(url, longest_s=0.2)
        assert time.monotonic() - begun < 5
        assert sum(thread.name == f"ask {url}" for thread in threading.enumerate()) == 1
        dripping.close()


def test_an_office_elsewhere_cannot_lead_to_this_machine(tmp_path: Path, loket: Loket) -> None:
    local = trust.own(loket) | {"office": "x", "address": "http://127.0.0.1:9/x"}
    local["status_list"] = "http://127.0.0.1:9/x/s"
    with pytest.raises(Unusable, match="komputer lain"):
        trust_acts.require_reachable("https://evil.test/keys.json", local)
    trust_acts.require_reachable("http://localhost:9/k", local)
    trust_acts.require_reachable(str(tmp_path / "k.json"), local)


# ── Being followed ──


def test_a_rotated_key_is_believed_because_the_old_one_names_it(
    loket: Loket, binjai: Other
) -> None:
    believe(loket, binjai)
    old = binjai.code()
    for day in (1, 2):
        binjai.loket.seal_keys.rotate(NOW + day * DAY)
    binjai.publish(NOW + 2 * DAY)
    assert faults(loket, NOW + 2 * DAY) == []
    assert [key["key_id"] for key in saved(binjai)["keys"]] == [1, 2, 3]
    new = binjai.code(day=date(2026, 11, 25))
    assert trust.read(loket, new)[1].key_id == 3
    assert trust.read(loket, old)[1].key_id == 1
    assert trust_acts.listed()[0].fingerprint == fingerprint(trust.own(binjai.loket))


def test_a_new_key_that_nobody_names_waits_for_a_comparison_but_a_theft_is_heard_at_once(
    loket: Loket, binjai: Other
) -> None:
    believe(loket, binjai)
    binjai.loket.seal_keys.revoke(1, date(2026, 11, 24))
    binjai.loket.seal_keys.rotate(NOW + DAY)
    binjai.publish(NOW + DAY)
    said = faults(loket, NOW + DAY)
    assert any("kunci baru 2 tidak dijamin" in fault for fault in said)
    (key,) = saved(binjai)["keys"]
    assert key["revoked_at"] == "2026-11-24"
    new = binjai.code(day=date(2026, 11, 24))
    with pytest.raises(BadSeal):
        trust.read(loket, new)
    believe(loket, binjai, NOW + DAY)
    assert trust.read(loket, new)[1].key_id == 2
    # The thief of the first key cannot name one either.
    assert len(binjai.loket.seal_keys.succession()) == 0


def test_what_was_believed_may_not_vanish_change_or_come_back(
    loket: Loket, binjai: Other, office: Callable[[str], Other]
) -> None:
    believe(loket, binjai)
    before = saved(binjai)
    stranger = trust.own(office("lumajang").loket)["keys"]
    renamed = [stranger[0] | {"key_id": 9}]
    for change in (
        {"keys": stranger},
        {"keys": renamed},
        {"keys": [before["keys"][0] | {"expires": "2099-01-01"}]},
        {"name": "Dinas Lain"},
        {"office": "lain"},
        {"address": binjai.address + "/lain", "status_list": binjai.address + "/lain/s"},
    ):
        binjai.pages[trust.KEYS_PATH] = json.dumps(before | change).encode()
        assert len(faults(loket, NOW + 1)) == 1, change
        assert saved(binjai) == before
    binjai.loket.seal_keys.revoke(1, date(2026, 12, 1))
    file = trust.own(binjai.loket)
    binjai.pages[trust.KEYS_PATH] = json.dumps(file).encode()
    faults(loket, NOW + 2)
    assert saved(binjai)["keys"][0]["revoked_at"] == "2026-12-01"
    for day in (None, "2026-12-02"):
        file["keys"][0]["revoked_at"] = day
        binjai.pages[trust.KEYS_PATH] = json.dumps(file).encode()
        assert "Dinas" in faults(loket, NOW + 3)[0]
        assert saved(binjai)["keys"][0]["revoked_at"] == "2026-12-01"


def test_an_older_a_foreign_or_a_future_status_list_is_refused(
    loket: Loket, binjai: Other, office: Callable[[str], Other]
) -> None:
    believe(loket, binjai)
    other = office("lumajang")
    binjai.publish(NOW + 60, b"\x00")
    newer = binjai.pages[status_list.PATH]
    binjai.publish(NOW, b"\xff")
    older = binjai.pages[status_list.PATH]
    binjai.publish(NOW + DAY, b"\xff")
    future = binjai.pages[status_list.PATH]
    binjai.publish(NOW + 61, b"\xff", status_list=other.address + "/s")
    binjai.pages[trust.KEYS_PATH] = json.dumps(trust.own(binjai.loket)).encode()
    elsewhere = binjai.pages[status_list.PATH]
    binjai.pages[status_list.PATH] = newer
    assert faults(loket, NOW + 60) == []
    foreign = other.pages[status_list.PATH]
    for token in (older, future, elsewhere, foreign, b"", b"a.b.c", newer[:-6] + b"AAAAAA"):
        binjai.pages[status_list.PATH] = token
        assert len(faults(loket, NOW + 61)) == 1
        assert trust.status_of(loket, "binjai", 1) == (0, NOW + 60)


def test_the_hourly_refresh_runs_apart_and_one_that_is_down_stops_nobody(
    loket: Loket, binjai: Other, office: Callable[[str], Other], caplog: pytest.LogCaptureFixture
) -> None:
    trust_refresh.start_due(loket, NOW)
    limits.spend("trust refresh", 1, trust_refresh.EVERY_S, NOW - DAY)
    down, up = binjai, office("lumajang")
    believe(loket, down)
    believe(loket, up)
    down.pages.clear()
    up.publish(NOW + 60, b"\x01")
    assert trust_refresh.start_due in upkeep.JOBS
    trust_refresh.start_due(loket, NOW + 60)
    for thread in [one for one in threading.enumerate() if one.name == "trust"]:
        thread.join()
    assert trust.status_of(loket, "lumajang", 0) == (1, NOW + 60)
    assert trust.status_of(loket, "binjai", 1) == (1, NOW)
    assert "menjawab 404" in caplog.text
    with pytest.raises(TooMany):
        limits.spend("trust refresh", 1, trust_refresh.EVERY_S, NOW + 61)


# ── A province's list ──


def test_a_signed_list_brings_its_offices_and_takes_them_away(
    loket: Loket, office: Callable[[str], Other]
) -> None:
    province, binjai, lumajang = office("bangkalan"), office("binjai"), office("lumajang")
    member = trust.own(binjai.loket)
    # This office itself is on the list too: it goes on knowing its own keys.
    province.coordinate(NOW, member, trust.own(loket))
    offer = trust_acts.offered(province.address + trust.LIST_PATH)
    assert offer.fingerprint == fingerprint(trust.own(province.loket))
    assert trust_acts.add(loket, offer, offer.fingerprint, NOW) == []
    assert trust_refresh.statuses(province.address, NOW) == []
    assert trust.read(loket, binjai.code())[0]["office"] == "binjai"
    assert trust.read(loket, province.code())[0]["office"] == "bangkalan"
    said = {one.code: one.via for one in trust_acts.listed() if one.kind == "office"}
    name = province.loket.profile.office.name
    assert said == {"bangkalan": name, "binjai": name}
    with pytest.raises(NotAllowed):
        trust_acts.remove("binjai", NOW)
    first = province.pages[trust.LIST_PATH]
    province.coordinate(NOW + 60, trust.own(lumajang.loket))
    assert faults(loket, NOW + 60) == []
    assert trust.read(loket, lumajang.code())[0]["office"] == "lumajang"
    with pytest.raises(BadSeal):
        trust.read(loket, binjai.code())
    province.pages[trust.LIST_PATH] = first
    assert faults(loket, NOW + 120) == [
        "Daftar ini lebih lama daripada yang sudah dikenal; tidak dipakai."
    ]
    assert TrustedList.get().issued_at == NOW + 60
    assert trust_acts.remove(province.address, NOW) == name
    assert [file["office"] for file in trust.offices(loket)] == ["lebak"]
    with pytest.raises(NotFound):
        trust_acts.remove(province.address, NOW)


def test_a_list_follows_its_coordinators_keys_and_goes_before_what_it_says_of_others(
    loket: Loket, office: Callable[[str], Other]
) -> None:
    province, binjai = office("bangkalan"), office("binjai")
    province.coordinate(NOW, trust.own(binjai.loket))
    offer = trust_acts.offered(province.address + trust.LIST_PATH)
    trust_acts.add(loket, offer, offer.fingerprint, NOW)
    # The office rotates by itself; the province's list still has the old file: nothing goes back.
    old = trust.own(binjai.loket)
    binjai.loket.seal_keys.rotate(NOW + DAY)
    binjai.publish(NOW + DAY)
    province.loket.seal_keys.rotate(NOW + DAY)
    province.publish(NOW + DAY)
    province.coordinate(NOW + DAY, old)
    assert faults(loket, NOW + DAY) == []
    assert len(saved(binjai)["keys"]) == 2
    assert faults(loket, NOW + DAY) == []
    assert len(saved(binjai)["keys"]) == 2
    # A theft: the office has a key that nothing names, and the province answers for it.
    binjai.loket.seal_keys.revoke(2, date(2026, 11, 24))
    binjai.loket.seal_keys.rotate(NOW + DAY)
    binjai.publish(NOW + 2 * DAY)
    province.coordinate(NOW + 2 * DAY, trust.own(binjai.loket))
    assert faults(loket, NOW + 2 * DAY) == []
    assert [key["revoked_at"] for key in saved(binjai)["keys"]] == [None, "2026-11-24", None]
    # A list under a key that does not follow from the one that was compared.
    province.loket.seal_keys.revoke(2, date(2026, 11, 24))
    province.loket.seal_keys.rotate(NOW + 2 * DAY)
    province.coordinate(NOW + 3 * DAY)
    assert "tidak" in faults(loket, NOW + 3 * DAY)[0]
    assert TrustedOffice.select().count() == 2


def test_a_list_cannot_take_over_an_office_that_was_compared_by_hand(
    loket: Loket, office: Callable[[str], Other]
) -> None:
    province, binjai, evil = office("bangkalan"), office("binjai"), office("lumajang")
    believe(loket, binjai)
    before = saved(binjai)
    forged = trust.own(evil.loket) | {
        "address": binjai.address, "status_list": binjai.address + "/s", "office": "binjai",
    }  # fmt: skip
    twin = trust.own(evil.loket) | {"office": "binjai"}
    province.coordinate(NOW, forged, twin)  # type: ignore[arg-type]
    offer = trust_acts.offered(province.address + trust.LIST_PATH)
    said = trust_acts.add(loket, offer, offer.fingerprint, NOW)
    assert len(said) == 1
    assert saved(binjai) == before
    assert TrustedOffice.get(TrustedOffice.code == "binjai").via is None


def test_a_list_signed_by_nobody_it_names_or_dated_ahead_is_refused(
    loket: Loket, office: Callable[[str], Other]
) -> None:
    province, evil = office("bangkalan"), office("lumajang")
    evil.coordinate(NOW, **trust.own(province.loket) | {"format": key_file.FORMAT})
    evil.pages["/x"] = evil.pages[trust.LIST_PATH]
    with pytest.raises(BadSeal):
        trust_acts.offered(evil.address + "/x")
    province.coordinate(NOW + DAY)
    offer = trust_acts.offered(province.address + trust.LIST_PATH)
    with pytest.raises(Stale):
        trust_acts.add(loket, offer, offer.fingerprint, NOW)
    status = province.pages[status_list.PATH].decode()
    with pytest.raises(LoketError):
        trust_acts.read_list(status)


def test_what_this_office_publishes_as_a_list_is_believed_elsewhere(
    loket: Loket, binjai: Other, office: Callable[[str], Other], tmp_path: Path, browser: Browser
) -> None:
    assert browser.client.get("/.well-known/sk-trust.jwt").status_code == 404
    believe(loket, binjai)
    assert trust_acts.publish(loket, NOW) == 1
    answer = browser.client.get("/.well-known/sk-trust.jwt")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    path = tmp_path / "list.jwt"
    path.write_bytes(answer.data)
    other = office("lumajang").loket
    models.db.close()
    with models.connect(tmp_path / "lumajang" / "loket15.sqlite").connection_context():
        models.create()
        offer = trust_acts.offered(str(path))
        # Its members are on this very machine, which a list from elsewhere may not say.
        said = trust_acts.add(other, offer, fingerprint(trust.own(loket)), NOW)
        assert len(said) == 1
        assert [file["office"] for file in trust.offices(other)] == ["lumajang", "lebak"]


# ── What is published ──


def test_everything_for_an_offline_verifier_is_in_one_document(
    browser: Browser, loket: Loket, binjai: Other
) -> None:
    believe(loket, binjai)
    answer = browser.client.get("/.well-known/sk-offices.json")
    told = answer.get_json()
    assert (told["format"], told["made_at"]) == ("loket15-offices-1", NOW)
    own, other = told["offices"]
    assert own | {"status": None, "status_at": None} == trust.own(loket) | {
        "status": None, "status_at": None,
    }  # fmt: skip
    assert status_list.read(own["status"], own["keys"]).made_at == own["status_at"] == NOW
    assert other["status"] == binjai.pages[status_list.PATH].decode()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    keys = browser.client.get("/.well-known/sk-keys.json")
    assert key_file.parse(keys.data) == trust.own(loket)
    assert "Set-Cookie" not in answer.headers


def test_the_admins_page_shows_keys_and_offices(
    as_role: Callable[[str], Browser], loket: Loket, binjai: Other
) -> None:
    admin = as_role("admin")
    page = admin.page("/admin/kunci").get_data(as_text=True)
    assert "Belum ada. Surat dinas lain" in page
    assert "Kunci belum pernah dicadangkan" in page
    believe(loket, binjai)
    page = admin.page("/admin/kunci").get_data(as_text=True)
    assert binjai.loket.profile.office.name in page
    for four in key_file.grouped(fingerprint(trust.own(loket))).split():
        assert four in page
    assert as_role("operator").client.get("/admin/kunci").status_code == 403


# ── The command ──


def test_the_command_asks_for_a_comparison_before_it_believes(
    binjai: Other, tmp_path: Path
) -> None:
    def run(*words: str, group: str = "trust") -> Any:
        env = {"LOKET15_HOME": str(tmp_path / "var"), "LOKET15_BASE_URL": "https://sk.test"}
        return CliRunner().invoke(main, [group, *words] if group else words, env=env)

    assert run("init", group="").exit_code == 0
    right = fingerprint(trust.own(binjai.loket))
    for words in (("add", binjai.address), ("add", binjai.address, "--yes")):
        refused = run(*words)
        assert refused.exit_code == 2, refused.output
    assert run("list").output == "Belum ada dinas lain yang dipercaya.\n"
    done = run("add", binjai.address, "--fingerprint", right, "--yes")
    assert done.exit_code == 0, done.output
    assert key_file.grouped(right) in done.output
    assert binjai.loket.profile.office.name in run("list").output
    binjai.pages.clear()
    assert "menjawab 404" in run("refresh").output
    assert run("publish").exit_code == 0
    assert run("remove", "binjai").exit_code == 0
    assert run("remove", "binjai").exit_code == 2
