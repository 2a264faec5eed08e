"""The office's own wording of its letters: written, checked, published, and what it changes."""

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask

from kiosk import archive, desk, issuing, wording, wording_check
from kiosk.certificate import CAPS
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.office_file import load
from kiosk.profile import Profile
from kiosk.wording_check import TOO_MUCH
from models import Audit, Letter, Wording
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.own_file import letter_text
from tests.pages import Browser
from tests.people import PASSWORD

Submit = Callable[..., int]
AsRole = Callable[..., Browser]
HERE = "/admin/surat/sk_dtks/sk_dtks"
CLOSING = "Demikian surat ini dibuat dengan sebenarnya."


def parts(loket: Loket, **over: object) -> dict[str, object]:
    """Lebak's own parts with some changed."""
    return wording_check.parts_of(loket.profile.letters[0].letter) | over


def publish(loket: Loket, clock: Clock, seen: int = 0, **over: object) -> int:
    said, who = parts(loket, **over), actor("admin")
    return wording.publish(
        loket, "sk_dtks", "sk_dtks", said, "Sesuai nota dinas", seen, who, clock.at
    )


def form(loket: Loket, seen: int = 0, **over: object) -> dict[str, object]:
    """The editor's form as a browser sends it."""
    said = parts(loket)
    said["copies"] = "\n".join(said["copies"])  # type: ignore[arg-type]
    return {**said, "note": "Sesuai nota dinas", "seen": seen, "sample": "usual"} | over


# --- what it changes ---


def test_a_letter_signed_after_it_is_published_says_it_and_an_older_one_keeps_its_own(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    old, running = submit(loket), submit(loket)
    to_step(loket, clock, old, "penyerahan")
    before = archive.pdf_of(loket, old)
    to_step(loket, clock, running, "periksa")
    publish(loket, clock, closing=CLOSING)
    assert issuing.draft(loket, desk.find(running), actor("kepala_dinas"), clock.at)
    act(loket, clock, running, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert CLOSING in letter_text(loket, running)
    assert "sebagaimana mestinya sesuai ketentuan" in letter_text(loket, old)
    assert archive.pdf_of(loket, old) == before
    used = [row.wording_id for row in Letter.select().order_by(Letter.id)]
    assert used == [None, Wording.get().id]


def test_what_an_older_version_of_the_file_cannot_fill_in_is_not_used_for_its_applications(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    text = loket.profile.letters[0].letter
    publish(loket, clock, closing=CLOSING)
    said = parts(loket, statement="Tinggal di {rumah}, tercatat:")
    Wording.create(
        service="sk_dtks", letter="sk_dtks", seq=2, text=json.dumps(said), published_at=1,
        published_by=actor("admin").id,
    )  # fmt: skip
    found, used = wording.of(loket, desk.find(id_), text)
    assert (found.closing, used) == (CLOSING, Wording.get(Wording.seq == 1).id)
    who = actor("admin")
    wording.go_back(loket, "sk_dtks", "sk_dtks", 0, 2, who, clock.at)
    assert wording.of(loket, desk.find(id_), text) == (text, None)


def test_versions_are_kept_with_who_published_and_what_differs(loket: Loket, clock: Clock) -> None:
    assert publish(loket, clock, closing=CLOSING) == 1
    assert publish(loket, clock, 1, closing=CLOSING, copies=["Arsip"]) == 2
    who = actor("admin")
    assert wording.go_back(loket, "sk_dtks", "sk_dtks", 1, 2, who, clock.at) == 3
    assert wording.go_back(loket, "sk_dtks", "sk_dtks", 0, 3, who, clock.at) == 4
    edited = wording.read(loket, "sk_dtks", "sk_dtks")
    assert edited.text == edited.own
    assert [one.seq for one in edited.versions] == [4, 3, 2, 1]
    assert {one.who for one in edited.versions} == {"Ani Admin"}
    last, third, second, first = edited.versions
    assert (last.of_file, last.note) == (True, "Kembali ke naskah berkas kantor")
    assert second.changes == {"copies": (("new", "Arsip"),)}
    assert third.changes == {"copies": (("old", "Arsip"),)}
    assert ("old", "Surat Keterangan") in first.changes["closing"]
    assert [
        row.subject for row in Audit.select().where(Audit.what == "terbitkan naskah surat")
    ] == [f"sk_dtks/sk_dtks {n}" for n in (1, 2, 3, 4)]


def test_two_admins_do_not_overwrite_each_other(loket: Loket, clock: Clock) -> None:
    publish(loket, clock, closing=CLOSING)
    with pytest.raises(Stale):
        publish(loket, clock, 0, closing="Demikian.")
    with pytest.raises(Invalid, match="Belum ada yang berubah"):
        publish(loket, clock, 1, closing=CLOSING)
    with pytest.raises(NotAllowed):
        wording.publish(
            loket, "sk_dtks", "sk_dtks", parts(loket), "x", 1, actor("operator"), clock.at
        )
    with pytest.raises(NotFound):
        wording.go_back(loket, "sk_dtks", "sk_dtks", 9, 1, actor("admin"), clock.at)
    assert Wording.select().count() == 1


# --- what is refused ---


REFUSED = [
    ("opening", "Yang bertanda tangan {kepala}", "Isian {kepala} tidak dikenal"),
    ("opening", "Yang bertanda tangan {jabatan", "berpasangan"),
    ("opening", "Yang bertanda tangan jabatan}", "berpasangan"),
    ("opening", "{jabatan.__class__}", "tidak dikenal"),
    ("opening", "{jabatan!r}", "tidak dikenal"),
    ("opening", "{jabatan:>900}", "tidak dikenal"),
    ("opening", "{}", "tidak dikenal"),
    ("opening", "", "Isi bagian ini"),
    ("closing", "Demikian {keperluan}", "tanpa kurung kurawal"),
    ("closing", "Demikian \u0633 ini", "tidak dapat dicetak"),
    ("closing", "D" * 201, "Paling banyak 200 huruf"),
    ("closing", "Ditandatangani melalui BSrE.", "jangan sebut BSrE"),
    ("statement", "Peringkat {peringkat}:", "batas peringkat"),
    ("statement", "{seen} tercatat:", "Dengan isian terpanjang"),
    ("copies", ["Arsip"] * 5, "Paling banyak 4 baris"),
    ("copies", ["A" * 61], "Paling banyak 60"),
    ("copies", ["A" * 61, "Arsip"], "paling banyak 60"),
    ("title", "SURAT\u2603", "tidak dapat dicetak"),
]


@pytest.fixture(scope="module")
def lebak() -> Profile:
    return load("lebak")


def faults(profile: Profile, **over: object) -> dict[str, str]:
    service = profile.letters[0]
    text = wording_check.worded(service.letter, wording_check.parts_of(service.letter) | over)
    return wording_check.faults(profile, service, text, profile.signers)


@pytest.mark.parametrize(("part", "said", "why"), REFUSED)
def test_a_wording_that_cannot_be_printed_is_refused_by_its_part(
    lebak: Profile, part: str, said: object, why: str
) -> None:
    found = faults(lebak, **{part: said})
    assert set(found) == {part}
    assert why in found[part]


def test_a_wording_must_fit_the_page_with_the_longest_data(lebak: Profile) -> None:
    """As long as its caps let it be: in ordinary words it fits, in the widest it does not."""
    long = {part: CAPS[part][1] for part in wording_check.PARTS if part != "copies"}
    for words, wrong in (("kata yang panjang ", {}), ("WWWWWWWWWW ", {"page": TOO_MUCH})):
        full = {part: (words * 40)[:most].strip() for part, most in long.items()}
        copies = [(words * 6)[:60].strip()] * 4
        assert faults(lebak, **full, copies=copies) == wrong


def test_the_offices_own_wordings_have_no_fault() -> None:
    for name in ("lebak", "baubau", "bangkalan"):
        assert faults(load(name)) == {}, name


# --- the editor ---


def test_an_admin_writes_looks_and_publishes(app: Flask, as_role: AsRole, loket: Loket) -> None:
    admin = as_role("admin")
    assert "SURAT KETERANGAN" in admin.page("/admin/surat").text
    assert 'data-insert="{keperluan}"' in admin.page(HERE).text
    said = form(loket, closing=CLOSING)
    shown = admin.send(f"{HERE}/previews", said | {"sample": "longest"}, htmx=True)
    assert "data:image/png;base64," in shown.text
    assert CLOSING in admin.send(f"{HERE}/previews", said).text
    assert admin.send(HERE, said).status_code == 303
    page = admin.page(HERE).text
    assert "Versi 1" in page
    assert "<del>" in page
    assert admin.send(f"{HERE}/returns", {"to": 0, "seen": 1}).status_code == 303
    assert [row.seq for row in Wording.select()] == [1, 2]


def test_what_was_typed_is_not_lost_to_a_fault(app: Flask, as_role: AsRole, loket: Loket) -> None:
    admin = as_role("admin")
    said = form(loket, opening="Saya {siapa} menerangkan:", closing=CLOSING)
    answer = admin.send(HERE, said)
    assert answer.status_code == 422
    assert "Saya {siapa} menerangkan:" in answer.text
    assert CLOSING in answer.text
    assert "Sesuai nota dinas" in answer.text
    assert "Isian {siapa} tidak dikenal" in answer.text
    preview = admin.send(f"{HERE}/previews", said, htmx=True).text
    assert "Pembuka: Isian {siapa}" in preview
    assert admin.send(HERE, form(loket, note="", closing=CLOSING)).status_code == 422
    assert admin.send(HERE, form(loket, closing=CLOSING)).status_code == 303
    late = admin.send(HERE, form(loket, closing="Demikian."))
    assert late.status_code == 409
    assert "Demikian." in late.text
    assert admin.send(f"{HERE}/returns", {"to": 9, "seen": 1}).status_code == 404
    assert admin.page("/admin/surat/sk_dtks/lain").status_code == 404
    assert re.search(r"Versi 1\b", admin.page(HERE).text)


def test_the_preview_shows_no_citizens_data(loket: Loket, clock: Clock, submit: Submit) -> None:
    submit(loket)
    service, signer = loket.profile.letters[0], loket.profile.signers[0]
    for kind in ("usual", "longest"):
        made = wording_check.sample(loket.profile, service, service.letter, signer, kind)  # type: ignore[arg-type]
        assert made.watermark == "CONTOH"
        assert "CONTOH" in dict(made.rows)["Nama"]
        assert dict(made.rows)["NIK"] == "1234 5678 9012 3456"
