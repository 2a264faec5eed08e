"""What the wording of a letter may say: its parts, what is filled in, and whether it fits. Pure."""

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from kiosk import certificate, letter, words
from kiosk.certificate import CAPS
from kiosk.errors import Unusable
from kiosk.letter import Facts
from kiosk.profile import Profile, Signer
from kiosk.service import FormField, LetterService, LetterText

Sample = Literal["usual", "longest"]

# The parts of a letter that the office words, in the order in which they are printed.
FILLED = ("title", "subtitle", "opening", "statement", "purpose", "validity", "freeze")
PARTS = (*FILLED, "closing", "copies")
MAY_BE_EMPTY = ("subtitle", "copies")
# What is filled in for {…}, and what it is; besides, the fields that the checks asked.
MEANINGS = {
    "jabatan": "jabatan penanda tangan",
    "dinas": "nama dinas",
    "register": "nama singkat basis data",
    "register_panjang": "nama panjang basis data",
    "sumber": "tempat data dicek",
    "dasar": "dasar hukum basis data",
    "tanggal_cek": "tanggal pengecekan",
    "per_tanggal": "tanggal data",
    "keperluan": "keperluan surat",
    "berlaku_hari": "lama berlaku, dalam hari",
    "berlaku_sampai": "hari terakhir berlaku",
    "peringkat": "peringkat (desil) yang diperlukan",
}
EMPTY = "Isi bagian ini."
BRACES = "Kurung kurawal harus berpasangan, seperti {keperluan}."
PLAIN = "Bagian ini dicetak apa adanya: tanpa kurung kurawal."
RANKED = "Isian {peringkat} hanya bila setiap keperluan layanan ini punya batas peringkat."
NOT_BSRE = "Surat ini tidak ditandatangani melalui BSrE: jangan sebut BSrE."
TOO_MUCH = "Dengan data terpanjang surat ini tidak muat satu halaman. Persingkat naskahnya."

_BSRE = re.compile(r"\bbsre\b|balai (besar )?sertifikasi elektronik", re.IGNORECASE)
_DAY = date(2026, 9, 30)
_LONG = "CONTOH SANGAT PANJANG "
_USUAL_PERSON = {
    "name": "NAMA CONTOH", "nik": "1234567890123456", "kk": "1234567890123456",
    "birth_place": "KOTA CONTOH", "birth_date": "1990-08-17", "sex": "P", "address": "KP. CONTOH",
    "rt": "003", "rw": "001", "village": "DESA CONTOH", "district": "KECAMATAN CONTOH",
}  # fmt: skip
# As long as `forms` lets them be.
_LONGEST_PERSON = _USUAL_PERSON | {
    "name": (_LONG * 5)[:100], "birth_place": (_LONG * 3)[:60], "birth_date": "1990-09-30",
    "address": (_LONG * 8)[:160], "rt": "00300", "rw": "00100", "village": (_LONG * 3)[:60],
    "district": (_LONG * 3)[:60],
}  # fmt: skip


def parts_of(text: LetterText) -> dict[str, Any]:
    """The parts that the office words, as JSON keeps them."""
    return {part: getattr(text, part) for part in FILLED} | {
        "closing": text.closing,
        "copies": list(text.copies),
    }


def worded(text: LetterText, parts: Mapping[str, Any]) -> LetterText:
    """The letter in these parts."""
    return text.model_copy(update={**parts, "copies": tuple(parts["copies"])})


def known(service: LetterService) -> tuple[str, ...]:
    """The names that may stand in braces in this service's letters."""
    return (*MEANINGS, *(field.name for field in _checked(service)))


def _checked(service: LetterService) -> list[FormField]:
    return list({field.name: field for field in service.checked}.values())


def fields(service: LetterService) -> tuple[FormField, ...]:
    """The fields that the checks ask, whose answers a letter may repeat."""
    return tuple(field for field in _checked(service) if field.name not in MEANINGS)


def named(parts: Mapping[str, Any]) -> set[str]:
    """The names in braces of a wording that was checked."""
    said = (str(parts[part] or "") for part in FILLED)
    return {name for one in said for _, name, _, _ in string.Formatter().parse(one) if name}


def faults(
    profile: Profile,
    service: LetterService,
    text: LetterText,
    signers: Iterable[Signer],
    fit: bool = True,
) -> dict[str, str]:
    """What is wrong with a wording: part → sentence; `page` when it does not fit on one.

    Without `fit` it is not tried on a page, which takes the longest.
    """
    found = {part: fault for part in FILLED if (fault := _filled(service, text, part))}
    found |= {part: fault for part in PARTS if part not in found and (fault := _said(text, part))}
    if not _always_ranked(profile, service):
        told = (part for part in FILLED if letter.RANK in (getattr(text, part) or ""))
        found |= {part: RANKED for part in told if part not in found}
    return found or _longest(profile, service, text, signers, fit)


def _always_ranked(profile: Profile, service: LetterService) -> bool:
    """Whether every letter of this service tells the rank, so that a sentence may count on it."""
    limited = all(purpose.max_rank is not None for purpose in service.purposes)
    return limited and bool(profile.register_.rank_label)


def offered(profile: Profile, service: LetterService) -> dict[str, str]:
    """What may be filled in besides the checks' fields: name → what it is."""
    ranked = _always_ranked(profile, service)
    return {name: said for name, said in MEANINGS.items() if ranked or name != "peringkat"}


def _filled(service: LetterService, text: LetterText, part: str) -> str | None:
    """What is wrong with the braces of one part."""
    said = getattr(text, part) or ""
    try:
        pieces = list(string.Formatter().parse(said))
    except ValueError:
        return BRACES
    names = known(service)
    for _, name, form, conversion in pieces:
        if name is not None and (name not in names or form or conversion):
            return f"Isian {{{name}}} tidak dikenal. Pilih dari daftar isian."
    return None


def _said(text: LetterText, part: str) -> str | None:
    """What is wrong with the words of one part."""
    value = getattr(text, part) or ""
    lines = value if isinstance(value, tuple) else (value,)
    whole = " ".join(lines)
    if not whole and part not in MAY_BE_EMPTY:
        return EMPTY
    if part not in FILLED and set("{}") & set(whole):
        return PLAIN
    if text.signing != "bsre" and _BSRE.search(whole):
        return NOT_BSRE
    entries, most = CAPS[part]
    if len(lines) > entries:
        return f"Paling banyak {entries} baris."
    return _unprintable(whole) or _too_long(re.sub(r"\{\w*\}", "", whole), len(lines), most)


def _unprintable(said: str) -> str | None:
    for sign in said:
        try:
            certificate.in_font(sign)
        except Unusable:
            return f"Huruf “{sign}” tidak dapat dicetak. Ganti dengan huruf biasa."
    return None


def _too_long(said: str, lines: int, most: int) -> str | None:
    if lines <= 1 and len(said) > most:
        return f"Paling banyak {most} huruf; sekarang {len(said)}."
    return None


def _longest(
    profile: Profile,
    service: LetterService,
    text: LetterText,
    signers: Iterable[Signer],
    fit: bool,
) -> dict[str, str]:
    """Whether it fits with the longest that may be filled in."""
    signer = max(signers, key=lambda one: len(" ".join(one.titles)))
    finished = sample(profile, service, text, signer, "longest")
    found = {}
    for part in PARTS:
        value, most = getattr(finished, part) or "", CAPS[part][1]
        longest = max(value, key=len, default="") if isinstance(value, tuple) else value
        if len(longest) > most:
            found[part] = (
                f"Dengan isian terpanjang {len(longest)} huruf; paling banyak {most}. Persingkat."
            )
    if found or not fit:
        return found
    try:
        certificate.render(replace(finished, watermark=None))
    except Unusable:
        return {"page": TOO_MUCH}
    return {}


def sample(
    profile: Profile, service: LetterService, text: LetterText, signer: Signer, kind: Sample
) -> certificate.Letter:
    """The letter with invented data, the usual or the longest; marked as an example."""
    facts = _facts(service, kind)
    no = 999999 if kind == "longest" else 418
    number = words.letter_number(text.number, no, facts.day)
    filled = letter.write(
        profile, service, text, replace(facts, number=number), signer, "", draft=True
    )
    url = "https://contoh.go.id/v/" + "1" * 193
    return replace(filled, watermark="CONTOH", verify_url=url, verify_code="ABCD-EFGH")


def _facts(service: LetterService, kind: Sample) -> Facts:
    longest = kind == "longest"
    purposes = service.purposes
    purpose = max(purposes, key=lambda one: len(one.title.id)) if longest else purposes[0]
    asked = {field.name: _value(field, longest) for field in service.checked}
    return Facts(
        number="",
        day=_DAY,
        person=_LONGEST_PERSON if longest else _USUAL_PERSON,
        check={"as_of": _DAY.isoformat(), "rank": "4", "register_id": "1234567890"} | asked,
        check_day=_DAY,
        purpose=purpose.title.id,
        validity_days=max(one.validity_days for one in purposes),
        ranked=longest or purpose.max_rank is not None,
    )


def _value(field: FormField, longest: bool) -> str:
    """What might be answered to one field."""
    if field.kind == "date":
        return _DAY.isoformat()
    if field.kind == "number":
        return "999999999999" if longest and field.name != "rank" else "4"
    if field.kind == "choice":
        options = sorted(field.options, key=lambda one: len(one.title.id))
        return options[-1 if longest else 0].id
    if field.name == "programmes" and not longest:
        return "PKH, BPNT"
    if field.name == "register_id" and not longest:
        return "1234567890"
    text = (_LONG * 100)[: field.max_length] if longest else field.label.id
    return text.strip()
