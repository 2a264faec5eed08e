import hashlib
import json
import random
import re
import stat
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk import seal
from kiosk.errors import Invalid, LoketError, NotFound, Stale, Unusable
from kiosk.seal_keys import KEY_DAYS, SealKeys

NOW = 1_795_228_800  # 21 November 2026, 09.40 WIB
NIK = "3602014107900001"
SITI = seal.Core(
    key_id=1,
    serial=418,
    issued=date(2026, 11, 21),
    validity_days=90,
    result=seal.Result.REGISTERED,
    check=seal.print_check(418, NIK, "Siti Aminah"),
    initials="SA",
)
SITI_PACKED = bytes.fromhex("01010001a2512a005a01") + SITI.check + b"SA\0"


@pytest.fixture
def keys(tmp_path):
    return SealKeys.create(tmp_path / "keys" / "seal.json", NOW)


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    keys = SealKeys.create(tmp_path_factory.mktemp("keys") / "seal.json", NOW)
    return keys, keys.seal(SITI)


def sealed_bytes(keys, core_bytes):
    """A rightly signed code over any sixteen bytes."""
    private = keys.current()[1]
    payload = core_bytes + private.sign(b"SKDTKS1\0" + core_bytes)
    return str(int.from_bytes(b"\x01" + payload))


def refused(digits, keys):
    with pytest.raises(seal.BadSeal):
        seal.read(digits, keys.public())
    return True


@given(
    serial=st.integers(0, seal.LAST_SERIAL),
    day=st.integers(0, KEY_DAYS),
    validity=st.integers(0, 0xFFFF),
    result=st.sampled_from(seal.Result),
    check=st.binary(min_size=3, max_size=3),
    initials=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(signed, serial, day, validity, result, check, initials):
    issued = date.fromordinal(SITI.issued.toordinal() + day)
    core = seal.Core(1, serial, issued, validity, result, check, initials)
    digits = seal.write(core, signed[0].current()[1])
    assert len(digits) == seal.DIGITS
    assert seal.read(digits, signed[0].public()) == core


def test_the_code_names_nobody(signed):
    payload = int(signed[1]).to_bytes(81)
    assert NIK.encode() not in payload
    assert b"SITI" not in payload.upper()
    assert payload[:17] == b"\x01" + SITI_PACKED


def test_no_mutated_code_is_accepted(signed):
    keys, digits = signed
    dice = random.Random(15)  # noqa: S311
    for _ in range(2000):
        place, digit = dice.randrange(len(digits)), dice.choice("0123456789")
        mutant = digits[:place] + digit + digits[place + 1 :]
        assert mutant == digits or refused(mutant, keys)


def test_no_flipped_bit_is_accepted(signed):
    keys, digits = signed
    assert all(refused(str(int(digits) ^ (1 << bit)), keys) for bit in range(81 * 8))


def test_no_random_code_is_accepted(signed):
    dice = random.Random(16)  # noqa: S311
    for _ in range(2000):
        payload = b"\x01" + SITI_PACKED[: dice.randrange(17)]
        payload += dice.randbytes(81 - len(payload))
        assert refused(str(int.from_bytes(payload)), signed[0])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda code: "",
        lambda code: "0",
        lambda code: "0" + code,
        lambda code: code + "0",
        lambda code: code[:-1],
        lambda code: " " + code[1:],
        lambda code: "+" + code[1:],
        lambda code: code[:90] + "_" + code[91:],
        lambda code: code[:-1] + "\n",
        lambda code: code[:-1] + "\u0663",
        lambda code: code[:-1] + "\u00b2",
        lambda code: "9" * 193,
        lambda code: "9" * 1_000_000,
        lambda code: str(1 << 641),
        lambda code: str((1 << 640) - 1),
    ],
)
def test_a_malformed_code_is_refused(signed, spoil):
    assert refused(spoil(signed[1]), signed[0])


@pytest.mark.parametrize(
    ("place", "value"), [(0, 2), (0, 0), (9, 0), (9, 4), (13, ord("a")), (13, 0), (15, ord("1"))]
)
def test_a_signed_core_of_unknown_meaning_is_refused(keys, place, value):
    core = bytearray(SITI_PACKED)
    core[place] = value
    assert refused(sealed_bytes(keys, bytes(core)), keys)
    assert seal.read(sealed_bytes(keys, SITI_PACKED), keys.public()) == SITI


def test_a_code_is_not_read_with_another_key(signed, keys):
    assert refused(signed[1], keys)
    assert refused(sealed_bytes(keys, SITI_PACKED[:1] + b"\x07" + SITI_PACKED[2:]), keys)


def test_a_signature_over_the_bare_core_is_refused(keys):
    payload = SITI_PACKED + keys.current()[1].sign(SITI_PACKED)
    assert refused(str(int.from_bytes(b"\x01" + payload)), keys)


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2027, 12, 27), date(2100, 1, 1)])
def test_a_day_outside_the_keys_time_is_refused(keys, day):
    assert refused(seal.write(replace(SITI, issued=day), keys.current()[1]), keys)
    with pytest.raises(seal.BadSeal):
        keys.seal(replace(SITI, issued=day))


def test_a_revoked_key_is_believed_only_before_that_day(keys):
    before = keys.seal(SITI)
    after = keys.seal(replace(SITI, issued=date(2026, 11, 22)))
    keys.revoke(1, date(2026, 11, 22))
    keys.revoke(1, date(2026, 12, 30))
    assert seal.read(before, keys.public()) == SITI
    assert refused(after, keys)
    keys.revoke(1, date(2026, 11, 21))
    assert refused(before, SealKeys.open(keys._path))
    with pytest.raises(NotFound):
        keys.revoke(2, date(2026, 11, 21))


def test_rotation_keeps_old_codes_and_forgets_the_old_private_key(keys):
    old_private = keys.current()[1]
    digits = keys.seal(SITI)
    keys.rotate(NOW + 86400)
    opened = SealKeys.open(keys._path)
    key_id, private = opened.current()
    assert key_id == 2
    assert private.private_bytes_raw() == keys.current()[1].private_bytes_raw()
    assert private.private_bytes_raw() != old_private.private_bytes_raw()
    assert seal.base64(old_private.private_bytes_raw()) not in keys._path.read_text()
    assert seal.read(digits, opened.public()) == SITI
    tomorrow = replace(SITI, key_id=2, issued=date(2026, 11, 22))
    assert seal.read(opened.seal(tomorrow), keys.public()) == tomorrow


def test_published_keys_hold_nothing_private(keys):
    (published,) = keys.public()
    private = keys.current()[1]
    assert published == {
        "key_id": 1,
        "alg": "Ed25519",
        "key": seal.base64(private.public_key().public_bytes_raw()),
        "not_before": "2026-11-21",
        "expires": "2027-12-26",
        "revoked_at": None,
    }
    assert seal.base64(private.private_bytes_raw()) not in json.dumps(keys.public())


def test_key_file_is_for_the_office_alone(keys):
    assert stat.S_IMODE(keys._path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys._path.parent.stat().st_mode) == 0o700
    assert [file.name for file in keys._path.parent.iterdir()] == ["seal.json"]
    keys._path.chmod(0o640)
    with pytest.raises(Unusable):
        SealKeys.open(keys._path)


def test_keys_are_never_overwritten(keys):
    text = keys._path.read_text()
    with pytest.raises(Stale):
        SealKeys.create(keys._path, NOW)
    assert keys._path.read_text() == text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"private": "AA", "keys": []}'])
def test_a_spoilt_key_file_says_so(keys, text):
    keys._path.write_text(text)
    with pytest.raises(Unusable):
        SealKeys.open(keys._path)


def test_a_key_file_whose_halves_differ_says_so(keys):
    kept = json.loads(keys._path.read_text())
    kept["private"] = seal.base64(Ed25519PrivateKey.generate().private_bytes_raw())
    keys._path.write_text(json.dumps(kept))
    with pytest.raises(Unusable):
        SealKeys.open(keys._path)


def test_missing_keys_are_not_found(tmp_path):
    with pytest.raises(NotFound):
        SealKeys.open(tmp_path / "none.json")


def test_the_last_key_number_cannot_be_passed(keys):
    keys._keys[-1]["key_id"] = seal.LAST_KEY
    with pytest.raises(Unusable):
        keys.rotate(NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"serial": seal.LAST_SERIAL + 1},
        {"serial": -1},
        {"key_id": 256},
        {"issued": date(1969, 12, 31)},
        {"validity_days": 65536},
        {"check": b"12"},
        {"initials": "ABCD"},
        {"initials": "sa"},
        {"initials": "É"},
    ],
)
def test_a_core_that_does_not_fit_is_refused(keys, change):
    with pytest.raises(Invalid):
        seal.write(replace(SITI, **change), keys.current()[1])


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("  siti   AMINAH ", True),
        ("Síti Aminah", True),
        ("SITI.AMINAH", True),
        ("Siti Aminah binti Ahmad", False),
        ("SITIAMINAH", False),
        ("", False),
    ],
)
def test_print_check_forgives_how_a_name_is_typed(typed, same):
    assert (seal.print_check(418, NIK, typed) == SITI.check) is same


def test_print_check_knows_serial_nik_and_name_apart():
    assert seal.print_check(419, NIK, "Siti Aminah") != SITI.check
    assert seal.print_check(418, NIK[:-1] + "2", "Siti Aminah") != SITI.check
    # The value the JavaScript reader has to come to as well.
    assert SITI.check.hex() == "39d7c4"


@pytest.mark.parametrize(
    ("name", "plain", "initials"),
    [
        ("Siti Aminah", "SITI AMINAH", "SA"),
        ("Nur'aini", "NURAINI", "N"),
        ("Nur\u00b4aini \uff07Abd \u0149", "NURAINI ABD N", "NAN"),
        ("Drs. H. Endang Sutisna", "DRS H ENDANG SUTISNA", "DHE"),
        ("R2 Ümit 3", "R2 UMIT 3", "RU"),
        ("", "", ""),
    ],
)
def test_names_are_reduced_to_what_can_be_typed_again(name, plain, initials):
    assert seal.plain_name(name) == plain
    assert seal.initials(name) == initials


def test_a_bad_seal_is_one_of_the_family():
    assert issubclass(seal.BadSeal, LoketError)


def test_the_verifiers_code_is_of_the_signature_and_forgives_look_alikes(signed):
    digits = signed[1]
    code = seal.code(digits)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code)
    # By hand: forty bits as eight signs, most significant first.
    signature = int(digits).to_bytes(81)[-64:]
    bits = (
        f"{int.from_bytes(hashlib.sha256(b'SKDTKS1-CODE' + bytes(1) + signature).digest()):0256b}"
    )
    signs = [
        "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[int(bits[at : at + 5], 2)] for at in range(0, 40, 5)
    ]
    assert code.replace("-", "") == "".join(signs)
    assert seal.plain_code(f" {code.lower()} ") == "".join(signs)
    assert seal.plain_code("o1iL-0OQu") == "011100Q"


def test_what_is_no_code_has_no_verifiers_code(signed):
    with pytest.raises(seal.BadSeal):
        seal.code(signed[1][:-1])


def test_a_letter_is_valid_on_its_first_day_and_ninety_days_in_all():
    assert SITI.until == date(2027, 2, 18)
    assert replace(SITI, validity_days=1).until == SITI.issued


@pytest.mark.parametrize("nik", [NIK, "3602 0141 0790 0001", f"NIK: {NIK}\n"])
def test_the_paper_fits_however_its_nik_is_typed(nik):
    assert seal.fits(SITI, nik, "siti aminah")
    assert not seal.fits(SITI, nik[:-2], "siti aminah")
    assert not seal.fits(SITI, nik, "Siti Amina")


def test_a_key_of_another_algorithm_is_passed_over(signed):
    keys = signed[0].public()
    other = {**keys[0], "alg": "Ed448"}
    assert seal.read(signed[1], [other, *keys]) == SITI
    with pytest.raises(seal.BadSeal):
        seal.read(signed[1], [other])


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "+" * 43, "A" * 42 + "="])
def test_a_key_that_is_none_refuses_the_code(signed, key):
    with pytest.raises(seal.BadSeal):
        seal.read(signed[1], [{**signed[0].public()[0], "key": key}])
