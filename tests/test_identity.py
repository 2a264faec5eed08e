from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.identity import (
    FAULT_TEXTS,
    WARNING_TEXTS,
    check_kk,
    check_nik,
    group_nik,
    initials,
    kk_fault,
    last4,
    mask_name,
    mask_nik,
    nik_fault,
    nik_warnings,
    normal_name,
)

NIK = "3602014708900001"


@pytest.mark.parametrize(
    ("nik", "fault"),
    [
        (NIK, None),
        ("9601010708900001", None),
        ("6501010708900001", None),
        ("3602012902000001", None),
        ("3602016902000001", None),
        ("3602013112990001", None),
        ("3602017112990001", None),
        ("", "digits"),
        ("360201470890001", "digits"),
        ("36020147089000011", "digits"),
        ("360201470890000A", "digits"),
        ("٣٦٠٢٠١٤٧٠٨٩٠٠٠٠١", "digits"),
        ("²602014708900001", "digits"),
        ("3602014708900001\n", "digits"),
        ("3602010008900001", "day"),
        ("3602013208900001", "day"),
        ("3602014008900001", "day"),
        ("3602017208900001", "day"),
        ("3602018108900001", "day"),
        ("3602012902010001", "date"),
        ("3602013004900001", None),
        ("3602013104900001", "date"),
        ("3602010100900001", "date"),
        ("3602010113900001", "date"),
        ("3602014708900000", "serial"),
    ],
)
def test_form_of_a_nik(nik: str, fault: str | None) -> None:
    assert nik_fault(nik) == fault


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.booleans(), st.integers(1, 9999))
def test_nik_of_any_real_date_is_well_formed_and_agrees(
    born: date, woman: bool, serial: int
) -> None:
    nik = f"360201{born.day + 40 * woman:02}{born:%m%y}{serial:04}"
    assert nik_fault(nik) is None
    assert nik_warnings(nik, born, "P" if woman else "L") == []


@given(st.text(max_size=20))
def test_no_text_upsets_the_checks(text: str) -> None:
    assert nik_fault(text) in {None, *FAULT_TEXTS}
    assert kk_fault(text) in {None, "digits"}


@pytest.mark.parametrize(
    "typed", ["3602014708900001", " 3602 0147 0890 0001 ", "3602.0147-08900001"]
)
def test_typed_nik_loses_its_spacing(typed: str) -> None:
    assert check_nik(typed) == NIK


def test_wrong_nik_is_told_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="0000") as caught:
        check_nik("3602014708900000")
    assert "360201" not in str(caught.value)


def test_kk_needs_sixteen_digits_and_no_more() -> None:
    assert check_kk("3602 1111 1111 8111") == "3602111111118111"
    assert kk_fault("3602999999990000") is None
    with pytest.raises(ValueError, match="16 angka"):
        check_kk("36021111")


def test_mismatch_with_other_data_is_a_warning() -> None:
    assert nik_warnings(NIK, date(1990, 8, 7), "P") == []
    assert nik_warnings(NIK, date(1990, 8, 8), "P") == ["birth_date"]
    assert nik_warnings(NIK, date(1990, 8, 7), "L") == ["sex"]
    assert nik_warnings(NIK, date(1991, 8, 7), "L") == ["birth_date", "sex"]
    assert nik_warnings(NIK, None, "") == []
    assert set(WARNING_TEXTS) == {"birth_date", "sex"}


def test_masks_and_groups() -> None:
    assert mask_nik(NIK) == "360201••••••0001"
    assert mask_nik("123") == "•••"
    assert group_nik(NIK) == "3602 0147 0890 0001"
    assert last4(NIK) == "0001"
    assert mask_name("SITI AMINAH") == "S*** A*****"
    assert mask_name("  A  DEWI ") == "A* D***"
    assert mask_name("") == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SITI AMINAH", "SA"),
        ("élia nur sa'adah putri", "ENS"),
        ("'ABDUL (ALM.) 2", "AA"),
        ("", ""),
        ("山田", ""),
    ],
)
def test_initials_are_at_most_three_ascii_capitals(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_names_are_compared_without_case_spacing_and_kind_of_apostrophe() -> None:
    assert normal_name("  siti\u00a0 Ma\u2019ruf ") == normal_name("SITI MA'RUF") == "SITI MA'RUF"
