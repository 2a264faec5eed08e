"""The office's keys over the years: changed, stolen, run out; signed statements under them."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk import jws, key_acts, seal, status_list
from kiosk.errors import Invalid, LoketError, NotFound, Unusable
from kiosk.loket import Loket, open_loket
from kiosk.office_key import FORMER_FILE, KEY_FILE, OfficeKey, OfficeKeys
from kiosk.seal_keys import KEY_DAYS, SUCCESSION, SealKeys
from kiosk.verification import check
from models import Application, Audit, Letter
from tests.conftest import BASE_URL, Clock
from tests.letters import act, digits_of, to_step
from tests.pages import Browser
from tests.people import MONDAY_NINE as NOW
from tests.people import PASSWORD

Submit = Callable[..., int]
DAY = 86_400
TODAY = date(2026, 11, 23)
TYP = "test+jwt"


@pytest.fixture
def keys(tmp_path: Path) -> SealKeys:
    return SealKeys.create(tmp_path / "seal.json", NOW)


@pytest.fixture
def office_keys(tmp_path: Path) -> OfficeKeys:
    OfficeKey.create(tmp_path, "Dinas Sosial Contoh", NOW)
    return OfficeKeys.open(tmp_path)


def letter_number(loket: Loket, id_: int) -> str:
    return str(Letter.get(Letter.application == id_).number)


def core(key_id: int, day: date = TODAY) -> seal.Core:
    return seal.Core(key_id, 418, day, 90, seal.Result.REGISTERED, b"abc", "SA")


# ── Signed statements ──


def test_a_signed_statement_is_read_with_the_key_that_it_names(keys: SealKeys) -> None:
    claims = {"iat": NOW, "said": "ya, tidak: “sah”"}
    token = keys.sign_jwt(claims, TYP)
    assert jws.read(token, keys.public(), TYP) == claims == jws.unverified(token)
    head = json.loads(seal.unbase64(token.split(".")[0]))
    assert head == {"alg": "EdDSA", "typ": TYP, "kid": "1"}
    keys.rotate(NOW + DAY)
    assert jws.read(token, keys.public(), TYP) == claims
    assert '"kid":"2"' in str(
        seal.unbase64(keys.sign_jwt({"iat": NOW + DAY}, TYP).split(".")[0]), "ascii"
    )


def test_a_statement_is_refused_for_another_kind_key_time_or_sign(
    keys: SealKeys, tmp_path: Path
) -> None:
    token = keys.sign_jwt({"iat": NOW}, TYP)
    head, body, signature_ = token.split(".")
    private = keys.current()[1]
    made = [
        jws.write({"iat": NOW}, TYP, 2, private),
        jws.write({}, TYP, 1, private),
        jws.write({"iat": True}, TYP, 1, private),
        jws.write({"iat": "now"}, TYP, 1, private),
        jws.write({"iat": NOW - 2 * DAY}, TYP, 1, private),
        jws.write({"iat": NOW + (KEY_DAYS + 2) * DAY}, TYP, 1, private),
        jws.write({"iat": 1 << 60}, TYP, 1, private),
        jws.write({"iat": NOW}, TYP, 1, Ed25519PrivateKey.generate()),
        SealKeys.create(tmp_path / "other.json", NOW).sign_jwt({"iat": NOW}, TYP),
        f"{head}.{seal.base64(b'{}')}.{signature_}",
        f"{head}.{body}.", f"{head}.{body}", f"{body}.{body}.{signature_}", "", "..", "a.b.c",
        token + "A", " " + token, f"{token}.{signature_}",
    ]  # fmt: skip
    for fields in ({"alg": "none"}, {"alg": "HS256"}, {"crit": ["x"]}, {"kid": 1}):
        changed = {"alg": "EdDSA", "typ": TYP, "kid": "1"} | fields
        signed = f"{seal.base64(json.dumps(changed).encode())}.{body}"
        made.append(f"{signed}.{seal.base64(private.sign(signed.encode()))}")
    for one in made:
        with pytest.raises(seal.BadSeal):
            jws.read(one, keys.public(), TYP)
    with pytest.raises(seal.BadSeal):
        jws.read(token, keys.public(), "other+jwt")
    keys.revoke(1, date(2026, 12, 1))
    # Dated before the theft, or so it says: a thief dates as they like.
    with pytest.raises(seal.BadSeal):
        jws.read(token, keys.public(), TYP)


def test_a_statement_and_a_code_are_never_taken_for_one_another(keys: SealKeys) -> None:
    digits, token = keys.seal(core(1)), keys.sign_jwt({"iat": NOW}, TYP)
    payload = int(digits).to_bytes(81)[1:]
    with pytest.raises(seal.BadSeal):
        jws.read(f"{token.rpartition('.')[0]}.{seal.base64(payload[16:])}", keys.public(), TYP)
    signature_ = seal.unbase64(token.rpartition(".")[2])
    with pytest.raises(seal.BadSeal):
        seal.read(str(int.from_bytes(b"\1" + payload[:16] + signature_)), keys.public())
    assert b"\0" not in token.encode()


def test_a_key_that_is_not_in_force_signs_nothing(keys: SealKeys) -> None:
    after = NOW + (KEY_DAYS + 1) * DAY
    day = datetime.fromtimestamp(after, UTC).date()
    with pytest.raises(seal.BadSeal, match="loket15 keys rotate"):
        keys.seal(core(1, day))
    with pytest.raises(seal.BadSeal):
        keys.sign_jwt({"iat": after}, TYP)
    keys.rotate(after)
    assert seal.read(keys.seal(core(2, day)), keys.public()).key_id == 2
    keys.revoke(2, day)
    with pytest.raises(seal.BadSeal, match="loket15 keys rotate"):
        keys.seal(core(2, day))


# ── Rotation ──


def test_the_old_key_names_the_new_one_unless_it_was_stolen(keys: SealKeys) -> None:
    keys.rotate(NOW + DAY)
    (said,) = keys.succession()
    claims, by = jws.signed_by(said, keys.public(), SUCCESSION)
    assert (claims["key"], by) == (keys.public()[1], 1)
    keys.revoke(2, TODAY)
    keys.rotate(NOW + 2 * DAY)
    assert keys.succession() == [said]
    assert SealKeys.open(keys._path).succession() == [said]


def test_a_server_that_runs_on_takes_the_new_keys_at_once(home: Path, loket: Loket) -> None:
    elsewhere = open_loket(home, "lebak", BASE_URL)
    before = (elsewhere.seal_keys.current()[0], elsewhere.office_key.fingerprint())
    key_acts.rotate_seal(loket, NOW + DAY)
    key_acts.rotate_signing(loket, NOW + DAY)
    assert elsewhere.seal_keys.current()[0] == before[0] + 1
    assert elsewhere.seal_keys.public() == loket.seal_keys.public()
    assert elsewhere.office_key.fingerprint() == loket.office_key.fingerprint() != before[1]
    spoilt = home / "keys" / "seal.json"
    spoilt.write_text("{")
    with pytest.raises(Unusable):
        elsewhere.seal_keys.current()
    spoilt.unlink()
    with pytest.raises(NotFound):
        elsewhere.seal_keys.public()


def test_a_restored_old_key_file_gives_no_id_twice(
    loket: Loket,
    clock: Clock,
    submit: Submit,
    home: Path,
    as_role: Callable[[str], Browser],
) -> None:
    old = (home / "keys" / "seal.json").read_bytes()
    assert key_acts.rotate_seal(loket, clock.at) == 2
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    (home / "keys" / "seal.json").write_bytes(old)
    assert key_acts.overview(loket, clock.at).missing == [2]
    page = as_role("admin").page("/admin/kunci").get_data(as_text=True)
    assert "Kunci segel 2 tidak ada di sini" in page
    assert key_acts.rotate_seal(loket, clock.at) == 3


# ── The office's certificate ──


def test_letters_of_a_former_certificate_are_still_checked_with_it(
    office_keys: OfficeKeys, tmp_path: Path
) -> None:
    first = office_keys.current()
    second = office_keys.rotate("Dinas Sosial Contoh", NOW + DAY)
    assert [one.certificate for one in office_keys.known()] == [
        first.certificate, second.certificate,
    ]  # fmt: skip
    old_private = first.private_bytes(Encoding.PEM)
    for file in (KEY_FILE, FORMER_FILE):
        path = tmp_path / file
        assert path.stat().st_mode & 0o777 == 0o600
        assert old_private not in path.read_bytes()
    assert OfficeKeys.open(tmp_path).known() == office_keys.known()
    (tmp_path / FORMER_FILE).write_text('[{"certificate": "x"}]')
    with pytest.raises(Unusable):
        OfficeKeys.open(tmp_path)


def test_a_stolen_certificate_is_not_believed_from_its_day_on(office_keys: OfficeKeys) -> None:
    day = date(2026, 11, 20)
    assert office_keys.revoke(1, day, "Dinas Sosial Contoh", NOW + DAY)
    assert not office_keys.revoke(1, date(2026, 12, 1), "Dinas Sosial Contoh", NOW + DAY)
    stolen, present = office_keys.known()
    assert stolen.revoked_at == day
    assert stolen.believed(date(2026, 11, 19))
    assert not stolen.believed(day)
    assert present.believed(TODAY)
    assert present.certificate == office_keys.current().certificate
    for number in (0, 3):
        with pytest.raises(NotFound):
            office_keys.revoke(number, day, "Dinas Sosial Contoh", NOW)


def test_a_certificate_that_ran_out_signs_nothing(office_keys: OfficeKeys) -> None:
    key = office_keys.current()
    key.require_in_force(NOW)
    for at in (NOW - 1, NOW + 11 * 366 * DAY):
        with pytest.raises(Unusable, match="rotate --signing"):
            key.require_in_force(at)


# ── Looked at, changed and stolen, with letters ──


def test_a_stolen_seal_key_names_the_letters_to_be_issued_again(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    first, second = submit(loket), submit(loket)
    to_step(loket, clock, first, "penyerahan")
    clock.tick(DAY)
    to_step(loket, clock, second, "penyerahan")
    (own,) = key_acts.overview(loket, clock.at).seal
    assert (own.state, own.letters) == ("signs", 2)
    for day, reason in ((date(2026, 11, 25), "Dicuri"), (TODAY, " ")):
        with pytest.raises(Invalid):
            key_acts.compromise_seal(loket, 1, day, reason, clock.at)
    with pytest.raises(NotFound):
        key_acts.compromise_seal(loket, 7, TODAY, "Dicuri", clock.at)
    done = key_acts.compromise_seal(loket, 1, date(2026, 11, 24), "Laptop dicuri", clock.at)
    assert done.new_key == 2
    assert done.numbers == [letter_number(loket, second)]
    assert check(loket, digits_of(loket, first), clock.at).code == "sah"
    assert check(loket, digits_of(loket, second), clock.at).code == "tanda_tangan_tidak_sah"
    said = Audit.get(Audit.what == "cabut kunci")
    assert (said.at, said.subject) == (clock.at, "segel 1 sejak 2026-11-24: Laptop dicuri")
    # What is signed next is under the new key, and the status list too.
    assert (
        status_list.read(status_list.token(loket, clock.at), loket.seal_keys.public()[1:]).value(1)
        == 0
    )
    third = submit(loket)
    to_step(loket, clock, third, "penyerahan")
    assert Letter.get(Letter.application == third).seal_key == 2
    assert check(loket, digits_of(loket, third), clock.at).code == "sah"
    again = key_acts.compromise_seal(loket, 1, TODAY, "Lebih awal", clock.at)
    assert again.new_key is None
    assert len(again.numbers) == 2


def test_a_sheet_that_waits_for_its_signature_is_drawn_up_again_after_a_theft(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    waiting = Letter.update(state="numbered", drawn_at=clock.at, issued_at=None)
    waiting.where(Letter.application == id_).execute()
    done = key_acts.compromise_seal(loket, 1, TODAY, "Dicuri", clock.at)
    assert done.numbers == []
    assert Letter.get(Letter.application == id_).drawn_at is None


def test_an_expired_key_stops_letters_with_a_word_to_the_admin_and_gives_no_number(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    loket.seal_keys.revoke(1, TODAY)
    with pytest.raises(LoketError, match="loket15 keys rotate"):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert Application.get_by_id(id_).step == "periksa"
    assert Letter.select().where(Letter.state == "issued").count() == 0
    key_acts.rotate_seal(loket, clock.at)
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    row = Letter.get(Letter.application == id_)
    assert (row.no, row.seal_key) == (1, 2)


def test_health_and_the_admins_page_warn_before_a_key_ends(
    loket: Loket, clock: Clock, browser: Browser, as_role: Callable[[str], Browser]
) -> None:
    told = browser.client.get("/sehat").get_json()["keys"]
    assert told == {"end": "2027-12-28", "soon": False, "ended": False}
    clock.tick((KEY_DAYS - 20) * DAY)
    answer = browser.client.get("/sehat")
    assert answer.get_json()["keys"]["soon"] is True
    assert answer.status_code == 200
    admin = as_role("admin")
    assert "Segera berakhir" in admin.page("/admin").get_data(as_text=True)
    assert "Kunci 1 berakhir" in admin.page("/admin/kunci").get_data(as_text=True)
    clock.tick(30 * DAY)
    assert browser.client.get("/sehat").status_code == 503
    key_acts.rotate_seal(loket, clock.at)
    assert browser.client.get("/sehat").get_json()["keys"]["soon"] is False
