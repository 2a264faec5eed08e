"""What an act asks, read from what a browser sends: each kind of field, faults by field, caps."""

import pytest

from kiosk import forms
from kiosk.errors import Invalid
from kiosk.office_file import load
from kiosk.service import Action

SERVICE = load("lebak").service("sk_dtks")
WORDS = {"id": "x", "en": "x"}
PERSON = {
    "who.name": ["  siti   aminah "], "who.nik": ["3602014708900001"],
    "who.kk": ["3602111111118111"], "who.birth_date": ["1990-08-07"], "who.sex": ["P"],
    "who.address": ["KP. CIKUMPAY"],
}  # fmt: skip


def act(*fields: dict[str, object]) -> Action:
    tables = [{"label": WORDS} | field for field in fields]
    about = {"id": "a", "title": WORDS, "said": WORDS, "next": "x", "key": "A", "fields": tables}
    return Action.model_validate(about)


def faults(action: Action, given: dict[str, list[str]]) -> set[str]:
    with pytest.raises(Invalid) as fault:
        forms.read(SERVICE, action, given)
    assert all(said.endswith(".") for said in fault.value.fields.values())
    return set(fault.value.fields)


CHOICE = {
    "name": "by", "kind": "choice",
    "options": [{"id": "self", "title": WORDS}, {"id": "family", "title": WORDS}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ({"name": "note", "kind": "text"}, [" a  b\tc "], "a b c"),
        ({"name": "note", "kind": "textarea"}, ["a\r\nb"], "a b"),
        ({"name": "note", "kind": "text", "max_length": 3}, ["abc"], "abc"),
        (CHOICE, ["family"], "family"),
        ({"name": "papers", "kind": "requirements"}, ["kk", "sim", "ktp"], ["kk", "ktp"]),
        ({"name": "assignee", "kind": "staff", "role": "operator"}, ["7"], "7"),
    ],
)
def test_a_field_is_read_as_its_kind_says(
    field: dict[str, object], sent: list[str], read: object
) -> None:
    name = str(field["name"])
    assert forms.read(SERVICE, act(field), {name: sent}) == {name: read}
    assert faults(act(field), {}) == {name}
    free = act(field | {"required": False})
    assert not forms.read(SERVICE, free, {})[name]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ({"name": "note", "kind": "text", "max_length": 3}, "abcd"),
        ({"name": "note", "kind": "text"}, " \t "),
        (CHOICE, "neighbour"),
        (CHOICE | {"required": False}, "neighbour"),
        ({"name": "papers", "kind": "requirements"}, "sim"),
        ({"name": "assignee", "kind": "staff", "role": "operator"}, "abc"),
        ({"name": "assignee", "kind": "staff", "role": "operator"}, "²"),
        ({"name": "assignee", "kind": "staff", "role": "operator", "required": False}, "9" * 19),
        ({"name": "assignee", "kind": "staff", "role": "operator"}, "-1"),
    ],
)
def test_what_does_not_fit_its_kind_is_a_fault_of_its_field(
    field: dict[str, object], sent: str
) -> None:
    name = str(field["name"])
    assert faults(act(field), {name: [sent]}) == {name}


def test_all_faults_come_at_once_and_a_password_is_never_among_the_values() -> None:
    password = {"name": "password", "kind": "password"}
    action = act({"name": "note", "kind": "text"}, CHOICE, password)
    assert faults(action, {"password": ["x"]}) == {"note", "by"}
    values = forms.read(SERVICE, act(password), {"password": ["secret"]})
    assert values == {}


def test_a_person_is_read_whole_with_the_name_as_the_register_writes_it() -> None:
    person = forms.read(SERVICE, act({"name": "who", "kind": "person"}), PERSON)["who"]
    assert isinstance(person, dict)
    assert set(person) == set(forms.PERSON)
    assert (person["name"], person["rt"]) == ("SITI AMINAH", "")


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("name", " "),
        ("nik", "360201470890000"),
        ("nik", "36020147089000011"),  # one digit too many: never cut to somebody else's NIK
        ("nik", "3602017208900001"),
        ("kk", "36021111111181112"),
        ("kk", "360211111111811a"),
        ("birth_date", "07-08-1990"),
        ("birth_date", "1990-02-30"),
        ("birth_date", "19900807"),
        ("birth_date", "2026-W01-1"),
        ("sex", "X"),
        ("sex", "Laki-laki"),
        *((part, "A" * (most + 1)) for part, most in forms.PERSON.items()),
    ],
)
def test_a_person_that_cannot_be_printed_is_a_fault_of_that_part(part: str, text: str) -> None:
    given = PERSON | {f"who.{part}": [text]}
    assert faults(act({"name": "who", "kind": "person"}), given) == {f"who.{part}"}


def test_the_longest_person_is_still_one() -> None:
    long = {"name": "A" * 100, "address": "B" * 160, "village": "C" * 60, "rw": "12345"}
    given = PERSON | {f"who.{part}": [text] for part, text in long.items()}
    person = forms.read(SERVICE, act({"name": "who", "kind": "person"}), given)["who"]
    assert isinstance(person, dict)
    assert person | long == person
