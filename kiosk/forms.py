"""What an act asks (fields of the office's file) → checked values. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from kiosk.errors import Invalid
from kiosk.identity import kk_fault, nik_fault, normal_name
from kiosk.service import Action, FormField, Service

Given = Mapping[str, Sequence[str]]
Value = str | list[str] | dict[str, str]

# A person's data as a letter shows them: name → most characters.
PERSON = {
    "name": 100,
    "nik": 16,
    "kk": 16,
    "birth_place": 60,
    "birth_date": 10,
    "sex": 1,
    "address": 160,
    "rt": 5,
    "rw": 5,
    "village": 60,
    "district": 60,
}
# What an act is handed and no history keeps.
SECRET = ("password", "passphrase")
EMPTY = "Isi bagian ini."


def without_secrets(given: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What a form may be filled with again after an error."""
    return {name: values for name, values in given.items() if name not in SECRET}


PAPER_STATES = ("ok", "missing", "wrong")
NOT_COMPLETE = "Ada yang belum lengkap atau belum benar: pilih tombol untuk berkas belum lengkap."
NOT_YET = "Tanggal ini belum tiba."
NOTHING_WRONG = "Semua lengkap dan benar: pilih tombol untuk berkas lengkap."


def read(service: Service, action: Action, given: Given) -> dict[str, Value]:
    """The act's values by field name, secrets left out. Raises Invalid with all faults.

    `given` maps a field to the texts sent, as an HTML form does. A `person` field is sent as
    `<name>.nik`, `<name>.kk` and so on.
    """
    return read_fields(service, action.fields, given)


def read_fields(service: Service, fields: Iterable[FormField], given: Given) -> dict[str, Value]:
    """The same for fields that are no act's. Raises Invalid with all faults."""
    faults: dict[str, str] = {}
    values: dict[str, Value] = {}
    for field in fields:
        if field.kind in SECRET:
            continue
        try:
            values[field.name] = _READERS[field.kind](service, field, given)
        except Invalid as invalid:
            faults |= invalid.fields
    if faults:
        raise Invalid(faults)
    return values


def require_past(fields: Iterable[FormField], values: Mapping[str, Value], today: date) -> None:
    """Dates of what has happened are not after `today`. Raises Invalid by field."""
    dated = {field.name: str(values[field.name]) for field in fields if field.past}
    faults = {name: NOT_YET for name, day in dated.items() if day > today.isoformat()}
    if faults:
        raise Invalid(faults)


def _text(_: Service, field: FormField, given: Given) -> str:
    text = " ".join(_first(given, field.name).split())
    if field.required and not text:
        raise Invalid({field.name: EMPTY})
    if len(text) > field.max_length:
        raise Invalid({field.name: f"Paling banyak {field.max_length} huruf."})
    return text


def _choice(_: Service, field: FormField, given: Given) -> str:
    chosen = _first(given, field.name)
    if chosen not in {option.id for option in field.options} and (chosen or field.required):
        raise Invalid({field.name: "Pilih salah satu."})
    return chosen


def _number(_: Service, field: FormField, given: Given) -> str:
    """Digits, spaces and separators of thousands left out."""
    text = re.sub(r"[ .]", "", _first(given, field.name))
    if field.required and not text:
        raise Invalid({field.name: EMPTY})
    if text and not re.fullmatch("[0-9]{1,12}", text):
        raise Invalid({field.name: "Tulis dengan angka saja."})
    return text


def _date(_: Service, field: FormField, given: Given) -> str:
    text = _first(given, field.name)
    if field.required and not text:
        raise Invalid({field.name: EMPTY})
    if text and not _is_date(text):
        raise Invalid({field.name: "Tulis tanggal sebagai tahun-bulan-tanggal."})
    return text


def _checklist(service: Service, field: FormField, given: Given) -> dict[str, str]:
    """Each paper's state, and what is wrong: {"kk": "wrong", "kk.note": "buram"}."""
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    for paper in service.papers:
        name = f"{field.name}.{paper.id}"
        state, note = _first(given, name), " ".join(_first(given, f"{name}.note").split())
        if state not in PAPER_STATES:
            faults[name] = "Pilih salah satu."
        elif state == "wrong" and not note:
            faults[name] = "Tulis apa yang salah."
        elif len(note) > field.max_length:
            faults[name] = f"Paling banyak {field.max_length} huruf."
        values |= {paper.id: state} | ({f"{paper.id}.note": note} if note else {})
    complete = all(values[paper.id] == "ok" for paper in service.papers)
    if not faults and complete != (field.expects == "complete"):
        faults[field.name] = NOT_COMPLETE if field.expects == "complete" else NOTHING_WRONG
    if faults:
        raise Invalid(faults)
    return values


def _files(_: Service, field: FormField, given: Given) -> list[str]:
    """The ids of the documents of this kind that the case holds; the desk says which they are."""
    ids = [one for one in given.get(field.name, ()) if one.isascii() and one.isdigit()]
    if field.required and len(ids) < field.least:
        few = "Lampirkan berkasnya." if field.least == 1 else f"Lampirkan {field.least} berkas."
        raise Invalid({field.name: few})
    return ids


def _requirements(service: Service, field: FormField, given: Given) -> list[str]:
    known = {requirement.id for requirement in service.papers}
    ticked = [one for one in given.get(field.name, ()) if one in known]
    if field.required and not ticked:
        raise Invalid({field.name: "Tandai paling sedikit satu."})
    return ticked


def _staff(_: Service, field: FormField, given: Given) -> str:
    chosen = _first(given, field.name)
    # int() takes no superscripts, and the database no number past 18 digits.
    known = chosen.isascii() and chosen.isdigit() and len(chosen) <= 18
    if (field.required and not chosen) or (chosen and not known):
        raise Invalid({field.name: "Pilih petugas."})
    return chosen


def _person(_: Service, field: FormField, given: Given) -> dict[str, str]:
    person = {part: " ".join(_first(given, f"{field.name}.{part}").split()) for part in PERSON}
    faults = person_faults(person)
    if faults:
        raise Invalid({f"{field.name}.{part}": said for part, said in faults.items()})
    return {**person, "name": normal_name(person["name"])}


def person_faults(person: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a person's data, by part; empty when it can be printed."""
    faults = {
        part: f"Paling banyak {most} huruf."
        for part, most in PERSON.items()
        if len(person[part]) > most
    }
    if not person["name"]:
        faults["name"] = EMPTY
    if nik_fault(person["nik"]):
        faults["nik"] = "NIK terdiri dari 16 angka. Periksa lagi pada KTP."
    if kk_fault(person["kk"]):
        faults["kk"] = "Nomor KK terdiri dari 16 angka. Periksa lagi pada KK."
    if person["sex"] not in ("", "L", "P"):
        faults["sex"] = "Pilih salah satu."
    if person["birth_date"] and not _is_date(person["birth_date"]):
        faults["birth_date"] = "Tulis tanggal lahir sebagai tahun-bulan-tanggal."
    return faults


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _first(given: Given, name: str) -> str:
    values = given.get(name) or ("",)
    return values[0].strip()


_READERS: dict[str, Callable[[Service, FormField, Given], Value]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "date": _date,
    "checklist": _checklist,
    "files": _files,
    "choice": _choice,
    "requirements": _requirements,
    "staff": _staff,
    "person": _person,
}
