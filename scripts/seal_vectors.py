"""docs/seal-vectors.json: what every verifier of the seal must answer, of fixed keys and people.

    python -m scripts.seal_vectors > docs/seal-vectors.json

The results are written here by hand; nothing but the codes is computed.
"""

# Names with every apostrophe that people type.
# ruff: noqa: RUF001

import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import seal

Vector = dict[str, Any]
ADDRESS = "https://sk.dinsos.example/v/"
NIK, NAME = "3602014107900001", "Siti Aminah"
ISSUED, TODAY, LAST_DAY = date(2026, 11, 23), "2026-12-01", "2027-02-20"
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group
# The example of draft-ietf-oauth-status-list with two bits: statuses 1 2 0 3 0 1 0 1 1 2 3 3.
LIST: Vector = {"bits": 2, "lst": "eNo76fITAAPfAgc"}
VALID, REVOKED, SUSPENDED, REPLACED, PAST_END = 2, 0, 1, 3, 12
GOOD, BAD, OTHER = "status_belum_dapat_dicek", "tanda_tangan_tidak_sah", "tidak_cocok"


def private(key_id: int) -> Ed25519PrivateKey:
    """A test key; its private half is public, so it is worth nothing."""
    seed = hashlib.sha256(f"loket15 seal vectors, key {key_id}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def published(key_id: int, not_before: str, expires: str, revoked: str | None = None) -> Vector:
    """An entry of a key file."""
    return {
        "key_id": key_id,
        "alg": "Ed25519",
        "key": seal.base64(private(key_id).public_key().public_bytes_raw()),
        "not_before": not_before,
        "expires": expires,
        "revoked_at": revoked,
    }


FIRST = published(1, "2026-01-05", "2027-02-09")
SECOND = published(2, "2026-11-01", "2027-12-06")
KEYS = [FIRST, SECOND]


def core(
    serial: int = VALID, issued: date = ISSUED, days: int = 90, name: str = NAME, **over: Any
) -> bytes:
    """The sixteen bytes, packed here once more: also what `seal.write` would refuse."""
    parts: Vector = {
        "version": 1,
        "key": 1,
        "result": 1,
        "check": seal.print_check(serial, NIK, name),
        "initials": seal.initials(name).encode().ljust(3, b"\0"),
    } | over
    day = issued.toordinal() - date(1970, 1, 1).toordinal()
    packed = struct.pack(">BB", parts["version"], parts["key"]) + serial.to_bytes(3)
    packed += struct.pack(">HHB", day, days, parts["result"])
    return bytes(packed + parts["check"] + parts["initials"])


def payload(packed: bytes, key_id: int | None = None, context: bytes = b"SKDTKS1\0") -> bytes:
    """Core and signature."""
    return packed + private(key_id or packed[1]).sign(context + packed)


def digits(signed: bytes, prefix: bytes = b"\x01") -> str:
    """The decimal digits of a payload."""
    return str(int.from_bytes(prefix + signed))


def token(claims: Vector, header: Vector | None = None, key_id: int = 1) -> str:
    """A signed JWT."""
    head = {"alg": "EdDSA", "kid": str(key_id), "typ": "statuslist+jwt"} | (header or {})
    text = ".".join(seal.base64(json.dumps(part, separators=(",", ":")).encode())
                    for part in (head, claims))  # fmt: skip
    return signed_text(text, key_id)


def signed_text(text: str, key_id: int = 1) -> str:
    """Header and claims, with a signature behind them."""
    return f"{text}.{seal.base64(private(key_id).sign(text.encode()))}"


def claims(made: str = "2026-12-01T06:00", hours: int = 24, **over: Any) -> Vector:
    """What a status list claims; `made` is UTC."""
    at = int(datetime.fromisoformat(made).replace(tzinfo=UTC).timestamp())
    return {
        "sub": "https://sk.dinsos.example/.well-known/sk-status.jwt",
        "iat": at,
        "exp": at + hours * 3600,
        "ttl": 43200,
        "status_list": LIST,
    } | over


def vector(note: str, url: str, result: str, **over: Any) -> Vector:
    """One question and its answer."""
    asked = {"note": note, "url": url, "keys": KEYS, "nik": None, "name": None, "today": TODAY}
    return asked | {"result": result} | over


def signed(note: str, packed: bytes, result: str, **over: Any) -> Vector:
    """A question about a code that was rightly signed."""
    return vector(note, ADDRESS + digits(payload(packed)), result, **over)


def document() -> str:
    """The whole file: one vector a line."""
    every = [
        *good(),
        *malformed(),
        *flipped(),
        *meanings(),
        *keys(),
        *paper(),
        *days(),
        *statuses(),
    ]
    return "[\n" + ",\n".join(json.dumps(one) for one in every) + "\n]\n"


def good() -> Iterator[Vector]:
    code = digits(payload(core()))
    yield vector("genuine; no status list at hand", ADDRESS + code, GOOD)
    yield vector("the digits alone", code, GOOD)
    yield vector("the digits in groups", " ".join(code[n : n + 5] for n in range(0, 193, 5)), GOOD)
    yield vector("the host says nothing of the code", f"https://x.example/v/{code}", GOOD)
    yield vector("more behind the digits", f"{ADDRESS}{code}?dari=kamera#2026", GOOD)
    yield vector("another address behind it", f"{ADDRESS}{code} {ADDRESS}1", GOOD)
    yield vector("an address in capitals: all its digits", f"{ADDRESS.upper()}{code}", GOOD)
    yield vector("words before the address", f"SK 418/2026: {ADDRESS}{code}", GOOD)
    yield signed("result 2, not registered", core(result=2), GOOD)
    yield signed("result 3, recommended", core(result=3), GOOD)
    yield signed("the greatest serial", core(serial=0xFFFFFF), GOOD)
    yield signed("serial 0", core(serial=0), GOOD)
    yield signed("valid for 65,535 days", core(days=0xFFFF), GOOD)
    yield signed("no initials", core(initials=bytes(3)), GOOD)
    yield signed("three initials", core(initials=b"RSH"), GOOD)
    yield signed("signed with the second key", core(key=2), GOOD)


def malformed() -> Iterator[Vector]:
    code = digits(payload(core()))
    yield vector("nothing", "", BAD)
    yield vector("an address without digits", ADDRESS, BAD)
    yield vector("another address", "https://example.org/", BAD)
    yield vector("a NIK instead of a code", NIK, BAD)
    yield vector("one digit too few", ADDRESS + code[:-1], BAD)
    yield vector("one digit too many", ADDRESS + code + "0", BAD)
    yield vector("a leading zero", ADDRESS + "0" + code, BAD)
    yield vector("a leading zero, 193 digits in all", ADDRESS + "0" + code[1:], BAD)
    yield vector("a letter among the digits", ADDRESS + code[:90] + "O" + code[91:], BAD)
    yield vector("a space within an address", ADDRESS + code[:90] + " " + code[90:], BAD)
    yield vector("a minus sign", ADDRESS + "-" + code[1:], BAD)
    eastern = code[:-1] + chr(0x0660 + int(code[-1]))
    yield vector("an Arabic-Indic digit", eastern, BAD)
    yield vector("an Arabic-Indic digit in an address", ADDRESS + eastern, BAD)
    yield vector("the first /v/ with a digit counts", f"{ADDRESS}1/v/{code}", BAD)
    yield vector("cut off after 4,096 characters", code.rjust(4097), BAD)
    yield vector("other digits beside bare ones", f"418 {code}", BAD)
    yield vector("193 nines", "9" * 193, BAD)
    yield vector("the smallest number of 193 digits", "1" + "0" * 192, BAD)
    yield vector("641 bits and no more: 2^640", str(1 << 640), BAD)
    yield vector("2^640 - 1", str((1 << 640) - 1), BAD)
    yield vector("2^641", str(1 << 641), BAD)
    yield vector("first byte 0x02", digits(payload(core()), b"\x02"), BAD)
    yield vector("first byte left out", digits(payload(core()), b""), BAD)
    yield vector("5,000 digits", "4" * 5000, BAD)


def flipped() -> Iterator[Vector]:
    genuine, other = payload(core()), payload(core(serial=4, issued=date(2026, 11, 24)))
    fields = ("version", "key id", *["serial"] * 3, *["day"] * 2, *["validity"] * 2, "result",
              *["print-check"] * 3, *["initials"] * 3)  # fmt: skip
    for at, field in enumerate(fields):
        yield vector(f"byte {at} ({field}) changed", ADDRESS + digits(spoilt(genuine, at)), BAD)
    for at in (16, 47, 48, 79):
        yield vector(f"byte {at} (signature) changed", ADDRESS + digits(spoilt(genuine, at)), BAD)
    mixed = genuine[:16] + other[16:]
    yield vector("the signature of another code", ADDRESS + digits(mixed), BAD)
    mixed = genuine[:48] + other[48:]
    yield vector("half the signature of another code", ADDRESS + digits(mixed), BAD)
    s = int.from_bytes(genuine[48:], "little") + ORDER
    mixed = genuine[:48] + s.to_bytes(32, "little")
    yield vector("the group's order added to S", ADDRESS + digits(mixed), BAD)
    yield vector("a signature of zeros", ADDRESS + digits(genuine[:16] + bytes(64)), BAD)
    mixed = genuine[:16] + b"\x01" + bytes(63)
    yield vector("R the neutral point, S zero", ADDRESS + digits(mixed), BAD)
    for context in (b"", b"SKDTKS1", b"SKDTKS2\0", b"SKDTKS1-CHECK\0"):
        code = digits(payload(core(), context=context))
        yield vector(f"signed with the context {context!r}", ADDRESS + code, BAD)
    reversed_key = digits(payload(core(), key_id=2))
    yield vector("signed with the key of another id", ADDRESS + reversed_key, BAD)


def spoilt(signed: bytes, at: int) -> bytes:
    """Its lowest bit but one changed, which leaves no field as it was."""
    return signed[:at] + bytes([signed[at] ^ 2]) + signed[at + 1 :]


def meanings() -> Iterator[Vector]:
    yield signed("version 0, rightly signed", core(version=0), BAD)
    yield signed("version 2, rightly signed", core(version=2), BAD)
    for result in (0, 4, 255):
        yield signed(f"result {result}, rightly signed", core(result=result), BAD)
    for initials in (b"sa\0", b"S\0A", b"\0SA", b"S1\0", b"S \0", b"S\xc1\0"):
        yield signed(f"initials {initials!r}, rightly signed", core(initials=initials), BAD)


def keys() -> Iterator[Vector]:
    yield signed("no key at all", core(), BAD, keys=[])
    yield signed("a key id that is not listed", core(), BAD, keys=[SECOND])
    yield signed("another office's key of that id", core(), BAD, keys=[
        FIRST | {"key": SECOND["key"]}])  # fmt: skip
    yield signed("a key of another algorithm", core(), BAD, keys=[FIRST | {"alg": "Ed448"}])
    yield signed("a key of another algorithm is passed over", core(), GOOD, keys=[
        FIRST | {"alg": "Ed448"}, FIRST])  # fmt: skip
    yield signed("a key that is too short", core(), BAD, keys=[FIRST | {"key": "AAAA"}])
    yield signed("a key that is too long", core(), BAD, keys=[FIRST | {"key": FIRST["key"] + "A"}])
    yield signed("a key in the other base64", core(), BAD, keys=[
        FIRST | {"key": FIRST["key"] + "="}])  # fmt: skip
    for day, result in (("2026-01-04", BAD), ("2026-01-05", "kedaluwarsa"),
                        ("2027-02-09", GOOD), ("2027-02-10", BAD)):  # fmt: skip
        packed = core(issued=date.fromisoformat(day))
        yield signed(f"issued {day}; the key is for 2026-01-05 to 2027-02-09", packed, result)
    for day, result in (("2026-11-23", BAD), ("2026-11-24", GOOD), ("2026-01-05", BAD)):
        revoked = [FIRST | {"revoked_at": day}, SECOND]
        yield signed(f"issued 2026-11-23; the key is revoked from {day} on", core(), result,
                     keys=revoked)  # fmt: skip


def paper() -> Iterator[Vector]:
    same = ((NAME, NIK), ("SITI AMINAH", NIK), ("  siti   aminah ", NIK), ("Síti Amīnah", NIK),
            ("Siti-Aminah", NIK), ("Siti.Aminah,", NIK), ("Siti\u00a0Aminah", NIK),
            ("Ｓｉｔｉ Aminah", NIK), (NAME, "3602 0141 0790 0001"),
            (NAME, f"NIK {NIK}."))  # fmt: skip
    for name, nik in same:
        yield signed("the paper fits", core(), GOOD, name=name, nik=nik)
    others = (("Siti Aminah", NIK[:-1] + "2"), ("Siti Aminah", ""), ("Siti Aminah", NIK + "0"),
              ("Siti Amina", NIK), ("SitiAminah", NIK), ("Aminah Siti", NIK), ("", NIK),
              ("Siti Aminah", "٣٦٠٢٠١٤١٠٧٩٠٠٠٠١"))  # fmt: skip
    for name, nik in others:
        yield signed("the paper is another's", core(), OTHER, name=name, nik=nik)
    spellings = (
        ("Nur'aini", ("NURAINI", "Nur’aini", "Nur`aini", "Nur´aini", "Nur＇aini"), "Nur aini"),
        ("Ma’rūf Jalāl", ("Maruf Jalal", "MA'RUF JALAL", "ma‘ruf   jala\u0304l"), "Ma ruf Jalal"),
        ("Drs. H. Endang Sutisna", ("DRS H ENDANG SUTISNA", "drs.h.endang sutisna"),
         "Endang Sutisna"),
        ("Strauß", ("STRAUSS", "strauß"), "Straus"),
        ("Bjørn", ("BJØRN", "bj rn"), "Bjorn"),
        ("Abd. Rahman (Alm.)", ("Abd Rahman Alm", "ABD.RAHMAN/ALM"), "Abd Rahman"),
        ("Mª Ulfah", ("MA ULFAH", "ma ulfah"), "M Ulfah"),
        ("R2 Ümit", ("r2 umit", "R2 U\u0308MIT", "R² Ümit"), "R 2 Umit"),
    )  # fmt: skip
    for name, fit, differs in spellings:
        packed = core(name=name)
        for typed in (name, *fit):
            yield signed(f"sealed for {name}", packed, GOOD, name=typed, nik=NIK)
        yield signed(f"sealed for {name}", packed, OTHER, name=differs, nik=NIK)
    forged = ADDRESS + digits(spoilt(payload(core()), 79))
    yield vector("a bad signature comes before the paper", forged, BAD, nik=NIK, name="Siti Amina")


def days() -> Iterator[Vector]:
    listed = token(claims(f"{LAST_DAY}T06:00", 72), key_id=2)
    for today, alone, with_list in ((LAST_DAY, GOOD, "sah"),
                                    ("2027-02-21", "kedaluwarsa", "kedaluwarsa")):  # fmt: skip
        yield signed(f"valid to {LAST_DAY}", core(), alone, today=today)
        yield signed(f"valid to {LAST_DAY}", core(), with_list, today=today, status_list=listed)
    yield signed("valid for one day, that day", core(days=1), GOOD, today="2026-11-23")
    yield signed("valid for one day, the next", core(days=1), "kedaluwarsa", today="2026-11-24")
    yield signed("valid for no day", core(days=0), "kedaluwarsa", today="2026-11-23")
    yield signed("issued tomorrow", core(issued=date(2026, 12, 2)), GOOD)
    yield signed("expired, and the paper is another's", core(), OTHER, today="2027-02-21",
                 nik=NIK, name="Siti Amina")  # fmt: skip


def statuses() -> Iterator[Vector]:
    listed = token(claims())
    for serial, result in ((VALID, "sah"), (REVOKED, "dicabut"), (SUSPENDED, "ditangguhkan"),
                           (REPLACED, "diganti"), (7, "dicabut"), (11, "diganti"),
                           (PAST_END, GOOD)):  # fmt: skip
        yield signed(f"serial {serial} in the list", core(serial=serial), result,
                     status_list=listed)  # fmt: skip
    yield signed("valid, and the paper fits", core(), "sah", status_list=listed, nik=NIK, name=NAME)
    yield signed("revoked, and the paper is another's", core(serial=REVOKED), OTHER,
                 status_list=listed, nik=NIK, name="Siti Amina")  # fmt: skip
    forged = ADDRESS + digits(spoilt(payload(core(serial=REVOKED)), 79))
    yield vector("a bad signature comes before the list", forged, BAD, status_list=listed)
    late = token(claims("2027-03-01T06:00"), key_id=2)
    for serial, result in ((REVOKED, "dicabut"), (SUSPENDED, "ditangguhkan"),
                           (REPLACED, "diganti")):  # fmt: skip
        yield signed("the list comes before the last day", core(serial=serial), result,
                     status_list=late, today="2027-03-01")  # fmt: skip
    yield signed("a list of a newer key", core(), "sah", status_list=token(claims(), key_id=2))
    early = token(claims("2026-11-23T06:00", 24 * 30))
    yield signed("not issued in a list of the letter's own day", core(serial=SUSPENDED), GOOD,
                 status_list=early)  # fmt: skip
    yield signed("revoked in a list of the letter's own day", core(serial=REVOKED), "dicabut",
                 status_list=early)  # fmt: skip
    yield signed("valid in a list of the letter's own day", core(), "sah", status_list=early)
    for note, spoiled in spoilt_lists(listed):
        yield signed(f"a list that is not believed: {note}", core(serial=REVOKED), GOOD,
                     status_list=spoiled)  # fmt: skip
    revoked = [FIRST | {"revoked_at": "2026-11-30"}, SECOND]
    yield signed("a list of a key revoked since yesterday", core(serial=REVOKED), GOOD,
                 status_list=token(claims()), keys=revoked)  # fmt: skip
    older = token(claims("2026-11-29T06:00", 24 * 30))
    yield signed("an older list of a key revoked since yesterday", core(serial=REVOKED), GOOD,
                 status_list=older, keys=revoked)  # fmt: skip
    later = [FIRST | {"revoked_at": "2026-12-02"}, SECOND]
    yield signed("a list of a key revoked from tomorrow on", core(serial=REVOKED), GOOD,
                 status_list=token(claims()), keys=later)  # fmt: skip
    yield signed("a list of the key after a revoked one", core(serial=REVOKED), "dicabut",
                 status_list=token(claims(), key_id=2), keys=later)  # fmt: skip


def spoilt_lists(listed: str) -> Iterator[tuple[str, str]]:
    head, body, mark = listed.split(".")
    other = seal.base64(json.dumps(claims(hours=25), separators=(",", ":")).encode())
    yield "changed after it was signed", f"{head}.{other}.{mark}"
    yield "its signature is of another list", f"{head}.{body}.{token(claims(hours=25))[-86:]}"
    yield "its signature is cut short", listed[:-2]
    yield "no signature", f"{head}.{body}."
    yield "four parts", f"{listed}.{mark}"
    yield "no token", "halo"
    yield "nothing", ""
    yield "expired an hour ago", token(claims(hours=5))
    yield "expires this second", token(claims(hours=6))
    yield "never expires", token({k: v for k, v in claims().items() if k != "exp"})
    yield "without iat", token({k: v for k, v in claims().items() if k != "iat"})
    for name in ("iat", "exp"):
        at = claims()[name]
        for time in (str(at), at + 0.5, -1, 253_402_300_800, 10**30):
            yield f"{name} {time!r}", token(claims() | {name: time})
    yield "a header that is no object", signed_text(f"{seal.base64(b'[]')}.{body}")
    yield "another typ", token(claims(), {"typ": "JWT"})
    yield "another alg", token(claims(), {"alg": "none"})
    yield "crit", token(claims(), {"crit": ["exp"]})
    yield "an unknown kid", token(claims(), {"kid": "7"})
    yield "the kid of another key", token(claims(), {"kid": "2"})
    yield "a kid that is a number", token(claims(), {"kid": 1})
    yield "made before its key's time", token(claims("2026-10-31T06:00", 2400), key_id=2)
    yield "made after its key's time", token(claims("2027-02-10T06:00"))
    yield "no list in it", token({k: v for k, v in claims().items() if k != "status_list"})
    yield "one bit a letter", token(claims(status_list=LIST | {"bits": 1}))
    yield "cut short", token(claims(status_list=LIST | {"lst": LIST["lst"][:-5]}))
    swelling = seal.base64(zlib.compress(b"\1" * (2**22 + 1), 9))
    yield "longer than all serials", token(claims(status_list=LIST | {"lst": swelling}))
    more = seal.base64(seal.unbase64(LIST["lst"]) + b"\0")
    yield "bytes after the compressed list", token(claims(status_list=LIST | {"lst": more}))
    yield "claims that are no object", signed_text(f"{head}.{seal.base64(b'[]')}")
    yield "not compressed", token(claims(status_list=LIST | {"lst": "yUT5"}))
    yield "padded base64", token(claims(status_list=LIST | {"lst": f"{LIST['lst']}="}))


if __name__ == "__main__":
    sys.stdout.write(document())
