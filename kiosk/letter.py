"""A case's facts and the office's wording → the letter's finished text. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiosk import seal, words
from kiosk.certificate import Letter
from kiosk.errors import Unusable
from kiosk.identity import group_nik
from kiosk.profile import Profile, Signer
from kiosk.service import LetterService, LetterText, Signing

SIGNED: dict[Signing, str] = {
    "office_key": "Ditandatangani secara elektronik dengan kunci dinas.",
    "bsre": (
        "Dokumen ini telah ditandatangani secara elektronik menggunakan sertifikat elektronik yang "
        "diterbitkan oleh Balai Sertifikasi Elektronik (BSrE), Badan Siber dan Sandi Negara."
    ),
    "wet_ink": "Ditandatangani dengan tinta basah dan dibubuhi cap dinas.",
}
DRAFT = "RANCANGAN"
# How a letter says its result; a recommendation is the office's word, not the register's.
STATUS = {
    "registered": "Tercatat dalam {register}",
    "not_registered": "Tidak tercatat dalam {register}",
    "recommended": "Direkomendasikan",
}


@dataclass(frozen=True)
class Facts:
    """What a letter says, as of its day. `person` has the parts of `forms.PERSON`.

    `ranked`: its purpose needs the person's rank (desil), so the letter tells it; else it does not.
    """

    number: str
    day: date
    person: Mapping[str, str]
    check: Mapping[str, Any]
    check_day: date
    purpose: str
    validity_days: int
    ranked: bool = True

    @property
    def valid_until(self) -> date:
        """The last day of validity: day 1 is the day of issue."""
        return self.day + timedelta(days=self.validity_days - 1)


def write(
    profile: Profile,
    service: LetterService,
    text: LetterText,
    facts: Facts,
    signer: Signer,
    url: str,
    draft: bool,
) -> Letter:
    """The letter of these facts, signed by `signer`; a draft has a watermark and no QR.

    Raises Unusable when the wording needs a rank that nobody knows.
    """
    office = profile.office
    filled = _Filled(text, told(service, facts.check) | _parts(profile, facts, signer))
    return Letter(
        government=office.government.upper(),
        office=_without(office.name, office.government).upper(),
        address=_address(profile),
        title=filled("title"),
        subtitle=filled("subtitle") or None,
        number=facts.number,
        opening=filled("opening"),
        rows=_person_rows(facts.person),
        statement=filled("statement"),
        findings=_findings(profile, text, facts),
        purpose=filled("purpose"),
        validity=filled("validity"),
        freeze=filled("freeze"),
        closing=text.closing,
        place_date=f"{office.place}, {words.long_date(facts.day)}",
        signer_titles=signer.titles,
        signer_name=signer.name,
        signer_rank=signer.rank,
        signer_nip=f"NIP {signer.nip}" if signer.nip else "",
        copies=text.copies,
        verify_url=url,
        verify_hint="Pindai untuk memeriksa keaslian surat ini.",
        verify_code="" if draft else seal.code(url.rpartition("/")[2]),
        signed_note=SIGNED[text.signing],
        watermark=DRAFT if draft else None,
    )


RANK = "{peringkat}"


class _Filled:
    """The wording with its `{…}` parts filled in."""

    def __init__(self, text: LetterText, parts: Mapping[str, str]) -> None:
        self.text, self.parts = text, parts

    def __call__(self, part: str) -> str:
        said = getattr(self.text, part) or ""
        if RANK in said and not self.parts["peringkat"]:
            raise Unusable("Surat belum terbit: peringkat belum diketahui. Isi pada pengecekan.")
        return str(said.format(**self.parts))


def _parts(profile: Profile, facts: Facts, signer: Signer) -> dict[str, str]:
    register = profile.register_
    as_of = facts.check["as_of"]
    return {
        "jabatan": " ".join(signer.titles).rstrip(","),
        "dinas": profile.office.name,
        "register": register.name,
        "register_panjang": register.long_name,
        "dasar": register.legal_basis,
        "sumber": register.source,
        "tanggal_cek": words.long_date(facts.check_day),
        "per_tanggal": words.long_date(date.fromisoformat(as_of) if as_of else facts.check_day),
        "keperluan": facts.purpose,
        "berlaku_hari": str(facts.validity_days),
        "berlaku_sampai": words.long_date(facts.valid_until),
        "peringkat": f"{register.rank_label} {rank}" if (rank := _rank(facts)) else "",
    }


def told(service: LetterService, check: Mapping[str, Any]) -> dict[str, str]:
    """What the checks asked, by the fields' names, as a letter says it; "" where empty."""
    found = {}
    for field in service.checked:
        value = str(check.get(field.name) or "")
        if field.kind == "date" and value:
            value = words.long_date(date.fromisoformat(value))
        if field.kind == "choice":
            value = next((one.title.id for one in field.options if one.id == value), value)
        found[field.name] = value
    return found


def _without(name: str, government: str) -> str:
    """Dinas Sosial Kabupaten Lebak → Dinas Sosial, under Pemerintah Kabupaten Lebak."""
    return name.removesuffix(government.removeprefix("Pemerintah")).strip()


def _address(profile: Profile) -> tuple[str, ...]:
    office = profile.office
    contact = f"Telepon {office.phone} · Surel {office.email} · {office.website}"
    return (*office.address, contact)


def person_rows(person: Mapping[str, str], nik: str, kk: str) -> tuple[tuple[str, str], ...]:
    """A person's data as the letter prints them, rows without a value left out."""
    born = person["birth_date"]
    birth = ", ".join(
        part
        for part in (person["birth_place"], born and words.long_date(date.fromisoformat(born)))
        if part
    )
    rows = (
        ("Nama", person["name"]),
        ("NIK", nik),
        ("Nomor KK", kk),
        ("Tempat, tanggal lahir" if person["birth_place"] else "Tanggal lahir", birth),
        ("Alamat", address(person)),
        ("Desa/Kelurahan", person["village"]),
        ("Kecamatan", person["district"]),
    )
    return tuple((label, value) for label, value in rows if value)


def address(person: Mapping[str, str]) -> str:
    """KP. CIKUMPAY RT 010 / RW 007."""
    rt, rw = person["rt"], person["rw"]
    area = f"RT {rt} / RW {rw}" if rt and rw else ""
    return " ".join(part for part in (person["address"], area) if part)


def _person_rows(person: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return person_rows(person, group_nik(person["nik"]), group_nik(person["kk"]))


def _findings(profile: Profile, text: LetterText, facts: Facts) -> tuple[tuple[str, str], ...]:
    """What the register says, as far as this kind of letter tells it."""
    register = profile.register_
    status = STATUS[text.result].format(register=register.name)
    if text.result == "not_registered":
        return (("Status", status),)
    rows = (
        ("Status", status),
        (f"ID {register.name}", facts.check.get("register_id", "")),
        ("Program", facts.check.get("programmes", "")),
        (register.rank_label, _rank(facts)),
    )
    return tuple((label, value) for label, value in rows if label and value)


def _rank(facts: Facts) -> str:
    """The rank, where the purpose needs it and it is known; else ""."""
    row = facts.check.get("row") or {}
    # What the operator read in the register's own system is newer than the snapshot's.
    rank = facts.check.get("rank") or row.get("rank")
    return str(rank) if facts.ranked and rank else ""
