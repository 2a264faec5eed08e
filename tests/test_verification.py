"""What a third party is told: six codes, nothing more than is allowed, no forgery believed."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kiosk import letter_status, verification
from kiosk.errors import LoketError, TooMany
from kiosk.loket import Loket
from kiosk.seal import DIGITS, read, write
from kiosk.verification import check
from models import Letter
from tests.conftest import Clock, actor
from tests.test_desk import _digits as digits_of
from tests.test_desk import to_step

Submit = Callable[..., int]
DAY = 86400


@pytest.fixture
def issued(loket: Loket, clock: Clock, submit: Submit) -> int:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    return id_


def test_each_of_the_six_codes_is_said_of_the_letter_it_fits(
    loket: Loket, clock: Clock, submit: Submit, issued: int
) -> None:
    digits = digits_of(loket, issued)
    newer = submit(loket)
    to_step(loket, clock, newer, "penyerahan")
    said = [check(loket, digits, clock.at).code, check(loket, digits, clock.at + 400 * DAY).code]
    letter_status.revoke(loket, issued, "Keliru", "", actor("kepala_dinas"), clock.at)
    revoked = check(loket, digits, clock.at)
    said.append(revoked.code)
    assert revoked.revoked == loket.calendar.day_of(clock.at)
    Letter.update(replaced_by=newer).where(Letter.application == issued).execute()
    said += [check(loket, d, clock.at).code for d in (digits, "1" * DIGITS)]
    Letter.update(state="numbered").where(Letter.application == newer).execute()
    said.append(check(loket, digits_of(loket, newer), clock.at).code)
    assert said == [
        "sah", "kedaluwarsa", "dicabut", "diganti", "tanda_tangan_tidak_sah",
        "status_belum_dapat_dicek",
    ]  # fmt: skip
    assert set(said) == set(verification.CODES) - {verification.NOT_ISSUED}


def test_only_what_is_allowed_is_told(loket: Loket, clock: Clock, issued: int) -> None:
    told = str(check(loket, digits_of(loket, issued), clock.at))
    assert "S*** A*****" in told
    for hidden in ("AMINAH", "360201", "111111118111", "CIKUMPAY", "PKH", "BPNT", "KIP"):
        assert hidden not in told


def test_ten_thousand_random_codes_are_refused_quickly(loket: Loket, clock: Clock) -> None:
    chance = random.Random(15)  # noqa: S311 - the same codes each time
    began = time.perf_counter()
    for _ in range(10_000):
        digits = str(chance.randrange(10 ** (DIGITS - 1), 10**DIGITS))
        assert check(loket, digits, clock.at).code == "tanda_tangan_tidak_sah"
    assert time.perf_counter() - began < 5


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


def test_the_paper_is_compared_without_telling_of_letters_that_are_none(
    loket: Loket, clock: Clock, issued: int
) -> None:
    with pytest.raises(LoketError):
        verification.matches(loket, "1" * DIGITS, "", "", "10.0.0.1", clock.at)
    digits = digits_of(loket, issued)
    for _ in range(verification.TRIES):
        assert not verification.matches(loket, digits, "1", "X", "10.0.0.1", clock.at)
    with pytest.raises(TooMany):
        verification.matches(loket, digits, "3602014708900001", "SITI AMINAH", "10.0.0.1", clock.at)
    assert verification.matches(
        loket, digits, "3602014708900001", "Siti Aminah", "10.0.0.2", clock.at
    )
