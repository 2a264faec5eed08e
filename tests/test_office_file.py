"""An office's file: Lebak's loads, and each kind of fault names its path and what was expected."""

import tomllib
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kiosk import office_cautions
from kiosk.errors import Unusable
from kiosk.office_file import OFFICES, load, parse
from kiosk.profile import Profile
from views.cli import main

LEBAK = tomllib.loads((OFFICES / "lebak.toml").read_text())
GONE = object()
STEP = "services[0].steps"
# Steps of Lebak's file by their place in it.
SEKRETARIAT, PENUGASAN, CEK, PERBAIKAN, INFORMASI, PERIKSA = 2, 4, 5, 6, 7, 8
PENYERAHAN, SELESAI = 9, 10


def put(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The file's tables with one value changed; `path` as the faults write it."""
    at: Any = data
    *way, last = path.replace("[", ".").replace("]", "").split(".")
    for part in way:
        at = at[int(part) if part.isdigit() else part]
    if value is GONE:
        del at[last]
    elif last == "+":
        at.append(value)
    else:
        at[int(last) if last.isdigit() else last] = value
    return data


def faults_of(*changes: tuple[str, object]) -> list[str]:
    data = deepcopy(LEBAK)
    for path, value in changes:
        put(data, path, value)
    with pytest.raises(Unusable) as fault:
        parse(data, "lain.toml", "1")
    return fault.value.message.splitlines()


def test_lebak_is_the_published_standard_in_nine_steps() -> None:
    lebak = load("lebak")
    service = lebak.service("sk_dtks")
    assert sorted(number for step in service.steps for number in step.standard) == [*range(1, 10)]
    assert (service.time.amount, service.time.unit) == (15, "minute")
    assert {purpose.id for purpose in service.purposes} == {
        "spmb", "pip", "kip_kuliah", "kesehatan", "bansos", "lainnya",
    }  # fmt: skip
    assert {c.id: c.working_days for c in lebak.complaints.classes} == {
        "ringan": 5, "normatif": 5, "tidak_berkadar": 14, "berkadar": 60,
    }  # fmt: skip


def test_each_office_file_loads_by_name_and_by_path_and_works_36_to_38_hours_a_week() -> None:
    for file in OFFICES.glob("*.toml"):
        profile = load(file.stem)
        assert profile == load(str(file))
        spans = [span for day in profile.hours.week.by_number().values() for span in day]
        minutes = sum((b.hour - a.hour) * 60 + b.minute - a.minute for a, b in spans)
        assert 36 * 60 <= minutes <= 38 * 60
        assert profile.calendar().timezone == profile.office.timezone


def test_the_version_changes_with_any_byte_of_the_file(tmp_path: Path) -> None:
    other = tmp_path / "lebak.toml"
    other.write_text((OFFICES / "lebak.toml").read_text() + "\n# a remark\n")
    assert load(str(other)).version != load("lebak").version


SHAPES = [
    ("office.motto", "x", "office.motto", "unknown key"),
    (f"{STEP}[0].colour", "red", f"{STEP}[0].colour", "unknown key"),
    ("office.phone", GONE, "office.phone", "missing"),
    ("office.timezone", "Asia/Rangkas", "office.timezone", "IANA time zone"),
    ("hours.week.monday", [["12:00", "07:30"]], "hours.week.monday", "in order"),
    (
        "hours.week.monday",
        [["07:30", "12:00"], ["11:00", "16:00"]],
        "hours.week.monday",
        "in order that do not overlap",
    ),
    ("hours.week.monday", [["07:30", "25:00"]], "hours.week.monday[0][1]", "time"),
    ("hours.week.monday", [[730, 1200]], "hours.week.monday[0][0]", "expected a time"),
    ("hours.week.monday", [["07:30+07:00", "12:00"]], "hours.week.monday[0][0]", "expected a time"),
    ("hours.week", {}, "hours.week", "expected a span"),
    ("hours.seasons[0].last", "2027-01-01", "hours.seasons[0].last", "2027-02-08 or later"),
    (
        "roles[0].may",
        ["fly"],
        "roles[0].may[0]",
        "`propose`, `supervise`",
    ),
    ("services[0].time.unit", "week", "services[0].time.unit", "one of `minute`"),
    ("services[0].time.amount", 0, "services[0].time.amount", "a whole number, more than 0"),
    ("services[0].purposes", [], "services[0].purposes", "one or more"),
    ("services[0].series", "AB", "services[0].series", "one capital letter"),
]
REFERENCES = [
    ("signers[0].role", "bupati", "signers[0].role", "expected one of admin"),
    ("services[0].start", "x", "services[0].start", "'x' is no step of this file; expected one of"),
    (f"{STEP}[0].stage", "x", f"{STEP}[0].stage", "expected one of ambil, berkas, cek"),
    (f"{STEP}[0].roles", ["satpam"], f"{STEP}[0].roles[0]", "'satpam' is no role"),
    (f"{STEP}[0].actions[0].next", "x", f"{STEP}[0].actions[0].next", "'x' is no step"),
    (f"{STEP}[0].actions[1].key", "L", f"{STEP}[0].actions[0].key", "'L' is taken in this step"),
    (f"{STEP}[0].actions[1].id", "lengkap", f"{STEP}[0].actions[1].id", "stands twice"),
    ("roles[1].id", "front_office", "roles[1].id", "stands twice"),
    ("priorities[1].id", "lansia", "priorities[1].id", "stands twice"),
    ("services[0].purposes[1].id", "spmb", "services[0].purposes[1].id", "stands twice"),
    ("services[0].requirements[1].id", "ktp", "services[0].requirements[1].id", "stands twice"),
    ("services[0].stages[1].id", "berkas", "services[0].stages[1].id", "stands twice"),
    (f"{STEP}[1].id", "berkas", f"{STEP}[1].id", "stands twice"),
    ("complaints.classes[1].id", "ringan", "complaints.classes[1].id", "stands twice"),
]
WAYS = [
    # Nothing leads to `lengkapi` any more.
    (f"{STEP}[0].actions[2].next", "sekretariat", f"{STEP}[1].id", "never reached from 'berkas'"),
    (f"{STEP}[{SELESAI}].ends", GONE, f"{STEP}[{SELESAI}].actions", "a dead end; expected"),
    (f"{STEP}[{PENYERAHAN}].roles", [], f"{STEP}[{PENYERAHAN}].actions", "a dead end; expected"),
    (f"{STEP}[0].ends", "issued", f"{STEP}[0].ends", "no actions and no roles; expected"),
    # The hand-over leads back to itself: a letter that never leaves the house.
    (
        f"{STEP}[{PENYERAHAN}].actions",
        [LEBAK["services"][0]["steps"][PENYERAHAN]["actions"][0] | {"next": "penyerahan"}],
        f"{STEP}[{PENYERAHAN}].id",
        "never reaches an end",
    ),
]
ASSIGN = f"{STEP}[{PENUGASAN}].actions[0].fields[0]"
HAND_OVER = f"{STEP}[{PENYERAHAN}].actions[0].fields[0]"
SIGN = f"{STEP}[{PERIKSA}].actions[0]"
CORRECT = f"{STEP}[{PERBAIKAN}].actions[0]"
ORDER = {"number": "460/12/2026", "date": "2026-01-05", "by": "Kepala Dinas"}
FIELDS = [
    (f"{ASSIGN}.role", GONE, f"{ASSIGN}.role", "expected one of admin"),
    (f"{HAND_OVER}.role", "operator", f"{HAND_OVER}.role", "with kind `staff` only"),
    (f"{ASSIGN}.role", "x", f"{ASSIGN}.role", "'x' is no role"),
    (f"{ASSIGN}.name", "who", f"{ASSIGN}.name", "expected assignee"),
    (f"{HAND_OVER}.options", [], f"{HAND_OVER}.options", "expected options"),
    (f"{HAND_OVER}.past", True, f"{HAND_OVER}.past", "for kind `date` only"),
    (f"{HAND_OVER}.name", "assignee", f"{HAND_OVER}.name", "expected another name"),
    (f"{HAND_OVER}.options[1].id", "pemohon", f"{HAND_OVER}.options[1].id", "stands twice"),
    (f"{SIGN}.fields", [], f"{SIGN}.fields", "no field of kind `password`; expected one, to sign"),
    (f"{CORRECT}.fields", [], f"{CORRECT}.fields", "expected a field of kind `person`"),
    (
        f"{STEP}[{CEK}].actions[0].fields[1].name",
        "seen",
        f"{STEP}[{CEK}].actions[0].fields[1].name",
        "stands twice",
    ),
    (
        f"{STEP}[{SEKRETARIAT}].standing",
        ORDER | {"action": "terbang"},
        f"{STEP}[{SEKRETARIAT}].standing.action",
        "expected one of kembalikan, teruskan",
    ),
    # Nobody says why it came back; nobody prints the slip; nobody signs.
    *(
        (
            f"{STEP}[{step}].standing",
            ORDER | {"action": action},
            f"{STEP}[{step}].actions[{n}]",
            "does or asks something",
        )
        for step, n, action in (
            (SEKRETARIAT, 1, "kembalikan"),
            (INFORMASI, 0, "diberitahu"),
            (PERIKSA, 0, "tanda_tangan"),
        )
    ),
]
LETTER = "services[0].letter"
WORDING = [
    (f"{LETTER}.number", "400/{tahun}", f"{LETTER}.number", "has no {no}"),
    (f"{LETTER}.number", "400/{no}", f"{LETTER}.number", "has no {tahun}"),
    (f"{LETTER}.number", "{no}/{hari}/{tahun}", f"{LETTER}.number", "{hari}; expected no, tahun"),
    (f"{LETTER}.number", "{}/{no}/{tahun}", f"{LETTER}.number", "unknown part {}"),
    (f"{LETTER}.number", "{no.real}/{tahun}", f"{LETTER}.number", "unknown part {no.real}"),
    (f"{LETTER}.number", "{no/{tahun}", f"{LETTER}.number", "'{no/{tahun}'"),
    (f"{LETTER}.number", "{no:q}/{tahun}", f"{LETTER}.number", "Unknown format code"),
    (f"{LETTER}.purpose", "x" * 161, f"{LETTER}.purpose", "at most 160"),
    (f"{LETTER}.opening", "Kami {siapa}", f"{LETTER}.opening", "unknown part {siapa}; expected"),
]


@pytest.mark.parametrize(
    ("path", "value", "where", "expected"), [*SHAPES, *REFERENCES, *WAYS, *FIELDS, *WORDING]
)
def test_a_fault_names_the_file_its_path_and_what_was_expected(
    path: str, value: object, where: str, expected: str
) -> None:
    said = [line for line in faults_of((path, value)) if line.startswith(f"lain.toml: {where}: ")]
    assert said
    assert any(expected in line for line in said), said


def test_a_day_cannot_be_added_and_struck() -> None:
    day = {"date": "2026-12-24", "name": "Malam Natal"}
    faults = faults_of(("hours.added", [day]), ("hours.struck", ["2026-12-24"]))
    assert faults == [
        "lain.toml: hours.struck[0]: 2026-12-24 is added too; expected one or the other"
    ]


def test_two_services_share_neither_id_nor_series_nor_another_kinds_numbers() -> None:
    twin = deepcopy(LEBAK["services"][0])
    twin["letter"]["kind"] = "lain"
    where = [line.split(": ")[1] for line in faults_of(("services.+", twin))]
    assert sorted(where) == [
        "services[0].letter.number", "services[0].series", "services[1].id",
        "services[1].letter.number", "services[1].series",
    ]  # fmt: skip


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of(("services[0].start", "x"), ("signers[0].role", "x"))) >= 2


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("kosong", None, "no such office file; expected one of"),
        ("rusak.toml", b"[office", "not a TOML file"),
        ("biner.toml", b"\xff\xfe", "not a TOML file"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Unusable, match=expected) as fault:
        load(str(tmp_path / name) if content is not None else name)
    assert len(fault.value.message.splitlines()) == 1


def test_a_signer_holds_from_the_first_day_to_the_last() -> None:
    data = put(deepcopy(LEBAK), "signers[0].until", "2026-11-30")
    profile: Profile = parse(data, "x", "1")
    signer = profile.signers[0]
    for day, held in (("2024-12-31", False), ("2025-01-01", True), ("2026-11-30", True)):
        assert signer.holds_on(type(signer.since).fromisoformat(day)) is held
    assert profile.signer("kepala_dinas", signer.since.replace(year=2027)) is None
    assert profile.signer("front_office", signer.since) is None


# ── loket15 office check FILE ──

TEXT = (OFFICES / "lebak.toml").read_text()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Check Lebak's file with these parts replaced, where there is no data folder."""

    def run(*changes: tuple[str, str]) -> Result:
        text = TEXT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file = tmp_path / "kantor.toml"
        file.write_text(text)
        monkeypatch.chdir(tmp_path)
        return CliRunner().invoke(main, ["office", "check", str(file)])

    return run


def line_with(part: str) -> int:
    """The line of Lebak's file in which this stands first."""
    return TEXT[: TEXT.index(part)].count("\n") + 1


def test_a_good_file_is_told_with_what_it_holds(told: Callable[..., Result]) -> None:
    result = told()
    assert result.exit_code == 0
    for part in (
        "Dinas Sosial Kabupaten Lebak, Asia/Jakarta; register DTKS",
        "service sk_dtks: Surat Keterangan DTKS",
        "promised: 15 minutes; published: 15 Menit",
        "10 steps and 3 ends: berkas, lengkapi,",
        "roles: front_office, sekretariat",
        "kantor.toml: no faults",
    ):
        assert part in result.output


def test_each_fault_is_told_with_line_place_and_the_likely_word(
    told: Callable[..., Result],
) -> None:
    result = told(
        ('next = "sekretariat"', 'next = "sekretariatt"'), ("{no}/DINSOS", "{nomer}/DINSOS")
    )
    assert result.exit_code == 1
    said = result.output.splitlines()
    at = said.index(
        f"line {line_with('next = ')}: services[0].steps[0].actions[0].next"
        "  (sk_dtks > berkas > lengkap)"
    )
    assert said[at + 1] == "    there:    'sekretariatt' is no step of this file"
    assert said[at + 2].startswith("    expected: one of berkas, cek, dibatalkan")
    assert said[at + 3] == "    Did you mean sekretariat?"
    assert said[-1] == "kantor.toml: 3 faults. What each key means: docs/office-file.md"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ('phone = "(0252) 5285255"', 'fone = "x"'),
            (
                "office.phone  (Dinas Sosial Kabupaten Lebak)",
                "there:    missing",
                "expected: `phone` = a text, not empty (On letterhead and front page.)",
                "there:    unknown key",
                "expected: one of code, name, short_name",
                "(see Office in docs/office-file.md)",
                "Did you mean phone?",
            ),
        ),
        (
            ('unit = "minute"', 'unit = "minutes"'),
            ("there:    'minutes'", "expected: one of `minute`,", "Did you mean minute?"),
        ),
        (
            ("idle_seconds = 90", "idle_seconds = 5"),
            ("there:    5", "expected: a whole number, 30 or more"),
        ),
        (
            ("last = 2027-03-09", 'last = "Maret"'),
            ("hours.seasons[0].last", "there:    'Maret'", "expected: a date such as 2026-11-23"),
        ),
        (
            ('may = ["queue"]', 'may = "queue"'),
            ("roles[0].may", "there:    'queue'", "expected: a list: each one of `queue`,"),
        ),
        (('kind = "letter"', 'kind = "brief"'), ("services[0].kind", "`letter` or `proposal`")),
        (("added = []", "added = true"), ("hours.added", "there:    true")),
        (("struck = []", "struck = [{}]"), ("hours.struck[0]", "there:    a table")),
        (("[maklumat]\nid", "[maklumat]\nversion"), ("maklumat.id", "maklumat.version")),
    ],
)
def test_a_fault_of_the_shape_is_in_plain_words(
    told: Callable[..., Result], change: tuple[str, str], expected: tuple[str, ...]
) -> None:
    result = told(change)
    assert result.exit_code == 1
    for part in expected:
        assert part in result.output
    for jargon in ("pydantic", "Input should", "validation", "extra_forbidden", "Traceback"):
        assert jargon not in result.output


def test_the_version_is_no_key_of_the_file(told: Callable[..., Result]) -> None:
    result = told(("[maklumat]", 'version = "1"\n[maklumat]'))
    assert result.exit_code == 1
    assert "line 5: version" in result.output
    assert "unknown key" in result.output


@pytest.mark.parametrize(
    ("content", "said"),
    [("[office", "bukan.toml: not a TOML file: "), (None, "bukan.toml: no such office file; ")],
)
def test_what_is_no_office_file_is_one_line(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "bukan.toml"
    if content is not None:
        file.write_text(content)
    result = CliRunner().invoke(main, ["office", "check", str(file)])
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert result.output.startswith(said)


def minded(*changes: tuple[str, object], on: date = date(2026, 11, 23)) -> dict[str, str]:
    data = deepcopy(LEBAK)
    for path, value in changes:
        put(data, path, value)
    return dict(office_cautions.cautions(parse(data, "x", "1"), on))


def test_nothing_is_to_mind_in_any_of_our_files() -> None:
    for file in OFFICES.glob("*.toml"):
        assert list(office_cautions.cautions(load(file.stem), date(2026, 11, 23))) == [], file.name


@pytest.mark.parametrize(
    ("changes", "on", "where", "said"),
    [
        ([("signers[0].until", "2026-12-31")], "2026-11-23", "signers[0].until", "2026-12-31"),
        ([("signers[0].until", "2026-11-01")], "2026-11-23", "signers[0]", "nobody has a mandate"),
        ([("signers[0].since", "2027-11-01")], "2026-11-23", "signers[0]", "nobody has a mandate"),
        ([("hours.seasons", [])], "2026-11-23", "hours.seasons", "Ramadan from about 2027-02-08"),
        ([], "2027-03-12", "hours.seasons", "Ramadan from about 2028"),
        (
            [("register.rank_label", "Desil")],
            "2026-11-23",
            "services[0].purposes[0].max_rank",
            "given at any desil",
        ),
        (
            [("services[0].purposes[0].max_rank", 4)],
            "2026-11-23",
            "services[0].steps",
            "`rank_within_limit`",
        ),
        (
            [("services[0].purposes[0].max_rank", 4)],
            "2026-11-23",
            "register.rank_label",
            "empty, but",
        ),
        ([("complaints.channels", [])], "2026-11-23", "complaints.channels", "not told"),
        (
            [("services[0].time.amount", 20)],
            "2026-11-23",
            "services[0].published.time",
            "'15 Menit'",
        ),
    ],
)
def test_what_will_hurt_one_day_is_said_and_is_no_fault(
    changes: list[tuple[str, object]], on: str, where: str, said: str
) -> None:
    assert said in minded(*changes, on=date.fromisoformat(on))[where]


def test_a_mandate_that_somebody_takes_over_is_nothing_to_mind() -> None:
    first, follows = LEBAK["signers"][0], LEBAK["signers"][0] | {"since": "2027-01-01"}
    ending = [first | {"until": "2026-12-31"}, follows, LEBAK["signers"][1]]
    assert not minded(("signers", ending))
