"""What a third party is told: eight codes, nothing more than is allowed, no forgery believed."""

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import models
from kiosk import letter_status, status_list, trust, trust_acts, verification
from kiosk.errors import Invalid, LoketError, TooMany
from kiosk.loket import Loket, open_loket, prepare
from kiosk.seal import DIGITS, Core, Result, base64, code, print_check, read, write
from kiosk.verification import by_number, check
from models import Attempt, Letter, TrustedOffice
from tests.conftest import Clock, actor
from tests.letters import digits_of, to_step

Submit = Callable[..., int]
DAY = 86400


def another_letter(loket: Loket, clock: Clock, submit: Submit) -> int:
    """The letter (its id) of one more application."""
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    return int(Letter.get(Letter.application == id_).id)


def test_each_of_the_eight_codes_is_said_of_the_letter_it_fits(
    loket: Loket, clock: Clock, submit: Submit, issued: int
) -> None:
    head, digits, row = (
        actor("kepala_dinas"),
        digits_of(loket, issued),
        Letter.application == issued,
    )
    newer = another_letter(loket, clock, submit)

    def said(now: int = clock.at, code: str = digits) -> str:
        return check(loket, code, now).code

    late = clock.at + 400 * DAY
    assert (said(), said(late), said(code="1" * DIGITS)) == (
        "sah", "kedaluwarsa", "tanda_tangan_tidak_sah",
    )  # fmt: skip
    letter_status.suspend(loket, issued, "Diperiksa", head, clock.at)
    assert (said(), said(late)) == ("ditangguhkan", "ditangguhkan")
    assert check(loket, digits, clock.at).suspended == loket.calendar.day_of(clock.at)
    letter_status.lift(loket, issued, "Sudah jelas", head, clock.at)
    assert (said(), check(loket, digits, clock.at).suspended) == ("sah", None)
    letter_status.revoke(loket, issued, "Keliru", head, clock.at)
    assert (said(), said(late)) == ("dicabut", "dicabut")
    assert check(loket, digits, clock.at).revoked == loket.calendar.day_of(clock.at)
    Letter.update(replaced_by=newer).where(row).execute()
    assert said() == "diganti"
    Letter.update(state="numbered").where(row).execute()
    assert said() == "status_belum_dapat_dicek"
    assert len(set(verification.CODES)) == 8


def test_a_letter_replaced_twice_leads_to_the_newest(
    loket: Loket, clock: Clock, submit: Submit, issued: int
) -> None:
    second, third = (another_letter(loket, clock, submit) for _ in range(2))
    Letter.update(replaced_by=second).where(Letter.application == issued).execute()
    Letter.update(replaced_by=third).where(Letter.id == second).execute()
    newest = digits_of(loket, Letter.get_by_id(third).application_id)
    assert check(loket, digits_of(loket, issued), clock.at).replacement == f"/v/{newest}"
    Letter.update(replaced_by=Letter.get(Letter.application == issued).id).where(
        Letter.id == third
    ).execute()
    assert check(loket, newest, clock.at).code == "diganti"


@pytest.mark.parametrize("way", ["office_key", "bsre", "wet_ink"])
def test_how_a_letter_was_signed_is_said_as_it_was(
    loket: Loket, clock: Clock, issued: int, way: str
) -> None:
    Letter.update(signing=way).execute()
    assert check(loket, digits_of(loket, issued), clock.at).signed == way


def test_while_the_tables_cannot_be_read_a_letter_is_neither_valid_nor_forged(
    loket: Loket, clock: Clock, issued: int
) -> None:
    digits = digits_of(loket, issued)
    models.db.execute_sql("ALTER TABLE letter RENAME TO away")
    verdict = check(loket, digits, clock.at)
    assert (verdict.code, verdict.number, verdict.name) == ("status_belum_dapat_dicek", "", "")


def test_only_what_is_allowed_is_told(loket: Loket, clock: Clock, issued: int) -> None:
    told = str(check(loket, digits_of(loket, issued), clock.at))
    assert "S*** A*****" in told
    for hidden in ("AMINAH", "360201", "111111118111", "CIKUMPAY", "PKH", "BPNT", "KIP"):
        assert hidden not in told


def test_random_codes_are_refused(loket: Loket, clock: Clock) -> None:
    chance = random.Random(15)  # noqa: S311 - the same codes each time
    codes = [str(chance.randrange(10 ** (DIGITS - 1), 10**DIGITS)) for _ in range(2_000)]
    found = verification.check_many(loket, codes, clock.at)
    assert {one.code for one in found} == {"tanda_tangan_tidak_sah"}


def test_a_code_with_one_digit_changed_is_refused(loket: Loket, clock: Clock, issued: int) -> None:
    digits = digits_of(loket, issued)
    for at in range(DIGITS):
        forged = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        assert check(loket, forged, clock.at).code == "tanda_tangan_tidak_sah"


@pytest.mark.parametrize("text", ["", "1", "x" * DIGITS, "٣" * DIGITS, "9" * 100_000, " " * DIGITS])
def test_what_is_no_code_is_refused_without_an_error(loket: Loket, clock: Clock, text: str) -> None:
    assert check(loket, text, clock.at).code == "tanda_tangan_tidak_sah"


def test_a_seal_of_ours_that_is_not_the_letters_own_is_not_believed(
    loket: Loket, clock: Clock, issued: int
) -> None:
    """As after a restored backup: the key signed another letter under the same serial."""
    core = read(digits_of(loket, issued), loket.seal_keys.public())
    other = write(replace(core, check=b"xyz"), loket.seal_keys.current()[1])
    verdict = check(loket, other, clock.at)
    assert (verdict.code, verdict.number, verdict.name) == ("status_belum_dapat_dicek", "", "")


NIK, NAME = "3602014708900001", "SITI AMINAH"


def test_the_paper_is_compared_five_times_and_says_how_often_it_still_may(
    loket: Loket, clock: Clock, issued: int
) -> None:
    with pytest.raises(LoketError):
        verification.compare(loket, "1" * DIGITS, NIK, NAME, "10.0.0.1", clock.at)
    digits = digits_of(loket, issued)
    for left in (4, 3, 2, 1, 0):
        compared = verification.compare(loket, digits, "1" * 16, "X", "10.0.0.1", clock.at)
        assert (compared.fits, compared.left) == (False, left)
    with pytest.raises(TooMany):
        verification.compare(loket, digits, NIK, NAME, "10.0.0.1", clock.at)
    assert verification.compare(loket, digits, NIK, "Siti Aminah", "10.0.0.2", clock.at).fits


def test_a_slip_of_the_keys_costs_no_try(loket: Loket, clock: Clock, issued: int) -> None:
    digits = digits_of(loket, issued)
    for nik, name, field in ((NIK[:-1], NAME, "nik"), (NIK, " . ", "name")):
        with pytest.raises(Invalid) as refused:
            verification.compare(loket, digits, nik, name, "10.0.0.1", clock.at)
        assert set(refused.value.fields) == {field}
    assert verification.compare(loket, digits, NIK, NAME, "10.0.0.1", clock.at).left == 4


# ── By its number and the code under the QR ──


def test_a_letter_is_found_by_its_number_and_printed_code_however_they_are_typed(
    loket: Loket, clock: Clock, issued: int
) -> None:
    digits = digits_of(loket, issued)
    printed, number = code(digits), Letter.get().number
    alike = printed.replace("0", "o").replace("1", "l").lower()
    for typed_number, typed_code in (
        (number, printed), (f" {number.lower()} ", alike), ("400.9.1 / 1 / Dinsos / 2026",
        " ".join(printed)),
    ):  # fmt: skip
        found = by_number(loket, typed_number, typed_code, "10.0.0.1", clock.at)
        assert found == digits


def test_a_wrong_number_and_a_wrong_code_are_answered_alike(
    loket: Loket, clock: Clock, issued: int
) -> None:
    printed, number = code(digits_of(loket, issued)), Letter.get().number
    wrong = ("X" if printed[0] != "X" else "Y") + printed[1:]
    said = set()
    for typed in (
        (number, wrong), ("400.9.1/2/DINSOS/2026", printed), (number, ""), ("", ""), ("", "-" * 8),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            by_number(loket, *typed, "10.0.0.1", clock.at)
        said.add(str(refused.value.fields))
    assert len(said) == 1


def test_numbers_cannot_be_tried_out_and_a_stranger_shuts_nobody_out(
    loket: Loket, clock: Clock, issued: int
) -> None:
    digits, number = digits_of(loket, issued), Letter.get().number
    printed = code(digits)
    for n in range(verification.ADDRESS_TRIES):
        with pytest.raises(Invalid):
            by_number(loket, number, f"AAAA-AA{n:02}", "10.0.0.1", clock.at)
    for other in (number, "400.9.1/99/DINSOS/2026"):
        with pytest.raises(TooMany):
            by_number(loket, other, printed, "10.0.0.1", clock.at)
    assert by_number(loket, number, printed, "10.0.0.2", clock.at) == digits
    bucket = Attempt.select(Attempt.bucket).order_by(Attempt.id.desc()).scalar()
    many = [{"bucket": bucket, "at": clock.at}] * verification.NUMBER_TRIES
    Attempt.insert_many(many).execute()
    with pytest.raises(TooMany):
        by_number(loket, number, printed, "10.0.0.3", clock.at)
    assert by_number(loket, number, printed, "10.0.0.3", clock.at + verification.TRY_S) == digits


def test_what_was_typed_as_a_number_leaves_no_trace(loket: Loket, clock: Clock) -> None:
    for nik in ("3602014708900001", "3602014708900002"):
        with pytest.raises(Invalid):
            by_number(loket, nik, "AAAA-AAAA", "10.0.0.1", clock.at)
    assert len({row.bucket for row in Attempt.select()}) == 1


def test_a_void_letter_is_not_found_by_its_number(loket: Loket, clock: Clock, issued: int) -> None:
    printed, number = code(digits_of(loket, issued)), Letter.get().number
    Letter.update(state="void").execute()
    with pytest.raises(Invalid):
        by_number(loket, number, printed, "10.0.0.1", clock.at)


# ── Letters of another trusted office ──


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> Loket:
    """Another office with keys of its own."""
    prepare(tmp_path / "other", "baubau", clock.at - 30 * DAY)
    return open_loket(tmp_path / "other", "baubau", "https://dinsos.baubau.test")


def foreign(other: Loket, serial: int, issued: date = date(2026, 11, 20)) -> str:
    check_ = print_check(serial, NIK, NAME)
    key_id, _ = other.seal_keys.current()
    return other.seal_keys.seal(Core(key_id, serial, issued, 90, Result.REGISTERED, check_, "SA"))


def listed(other: Loket, packed: bytes, at: int) -> None:
    """Its status list, made at `at`, as it was fetched."""
    claims = {
        "sub": f"{other.base_url}/.well-known/sk-status.jwt",
        "iat": at,
        "exp": at + status_list.HOLDS_S,
        "status_list": {"bits": 2, "lst": base64(zlib.compress(packed))},
    }
    token = other.seal_keys.sign_jwt(claims, status_list.TYP)
    TrustedOffice.update(status=token, status_at=at).execute()


def test_another_offices_letter_is_believed_only_once_that_office_is(
    loket: Loket, other: Loket, clock: Clock
) -> None:
    digits = foreign(other, 5)
    assert check(loket, digits, clock.at).code == "tanda_tangan_tidak_sah"
    trust_acts.put(trust.own(other), None, clock.at)
    verdict = check(loket, digits, clock.at)
    assert (verdict.code, verdict.own, verdict.office) == (
        "status_belum_dapat_dicek", False, "Dinas Sosial Kota Baubau",
    )  # fmt: skip
    assert verdict.page == f"https://dinsos.baubau.test/v/{digits}"
    assert (verdict.number, verdict.name, verdict.signed) == ("", "", "")


def test_another_offices_letter_has_the_status_of_that_offices_list_and_its_age(
    loket: Loket, other: Loket, clock: Clock
) -> None:
    trust_acts.put(trust.own(other), None, clock.at)
    made = clock.at - 3600
    listed(other, bytes([0b11_10_01_00, 0b10_00_00_00]), made)

    def said(serial: int, now: int = clock.at, day: date = date(2026, 11, 20)) -> str:
        return check(loket, foreign(other, serial, day), now).code

    assert [said(serial) for serial in range(4)] == ["sah", "dicabut", "ditangguhkan", "diganti"]
    assert check(loket, foreign(other, 1), clock.at).listed_at == made
    assert said(8) == "status_belum_dapat_dicek"  # beyond the list's end
    assert said(7, day=date(2026, 11, 23)) == "status_belum_dapat_dicek"  # younger than the list
    assert said(0, now=clock.at + 200 * DAY) == "kedaluwarsa"
    assert said(0, now=made + status_list.HOLDS_S) == "status_belum_dapat_dicek"
    assert verification.compare(loket, foreign(other, 0), NIK, NAME, "10.0.0.1", clock.at).fits
