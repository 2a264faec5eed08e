"""Who may sign today and in which form, by the office's file and by an admin's mandates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from kiosk import casefile, desk, issuing, mandates
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, Unusable
from kiosk.loket import Loket
from kiosk.profile import agree
from models import Audit, Letter, Mandate
from tests import by_hand
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, to_step
from tests.own_file import LEBAK, changed, letter_text, office_of
from tests.pages import Browser

Submit = Callable[..., int]
As = Callable[[str], Browser]


def plh(loket: Loket, clock: Clock, first: int = 0, last: int = 6, **over: str) -> dict[str, str]:
    """The form of a Plh. for the head, by the head of division, from the `first` day to the last
    from today on.
    """
    today = loket.calendar.day_of(clock.at)
    return {
        "role": "kepala_dinas",
        "user": "kabid",
        "capacity": "plh",
        "titles": "Plh. Kepala Dinas Sosial\nKabupaten Lebak,",
        "name": "Kabul Kabid, S.Sos.",
        "rank": "Pembina, IV/a",
        "nip": "19780202 200501 1 002",
        "order": "SP 800/12/2026 tanggal 20 November 2026",
        "since": (today + timedelta(first)).isoformat(),
        "until": (today + timedelta(last)).isoformat(),
    } | over


def stands(loket: Loket, clock: Clock, role: str) -> tuple[str, str]:
    """The form and first title under a letter that this role signs now."""
    text = loket.profile.letters[0].letter
    signer = mandates.of(loket, text, actor(role), clock.at)
    return signer.capacity, signer.titles[0]


A_N = ("an", "a.n. Kepala Dinas Sosial Kabupaten Lebak")
PLH = ("plh", "Plh. Kepala Dinas Sosial")
DAY = 86400


def test_a_plh_stands_in_from_day_to_day_and_the_head_does_not_sign_meanwhile(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    admin = actor("admin")
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    mandates.add(loket, plh(loket, clock, 1, 2), admin, clock.at)
    assert stands(loket, clock, "kabid_linjamsos") == A_N
    assert stands(loket, clock, "kepala_dinas")[0] == "definitive"
    for _ in range(2):
        clock.tick(DAY)
        assert stands(loket, clock, "kabid_linjamsos") == PLH
        with pytest.raises(NotAllowed, match="dipegang pejabat lain"):
            stands(loket, clock, "kepala_dinas")
    head = casefile.read(loket, id_, actor("kepala_dinas"), clock.at)
    assert head.barred == {"tanda_tangan": mandates.HELD}
    assert head.actions[-1].id == "kembalikan"
    act(loket, clock, id_, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    assert "Plh. Kepala Dinas Sosial Kabupaten Lebak, Kabul Kabid, S.Sos." in letter_text(
        loket, id_
    )
    clock.tick(DAY)
    assert stands(loket, clock, "kabid_linjamsos") == A_N
    assert stands(loket, clock, "kepala_dinas")[0] == "definitive"


def test_a_withdrawn_mandate_ends_at_once_and_stays_in_the_list(loket: Loket, clock: Clock) -> None:
    admin = actor("admin")
    id_ = mandates.add(loket, plh(loket, clock), admin, clock.at)
    states = [(one.signer.capacity, one.state) for one in mandates.listed(loket, clock.at)]
    assert states == [("plh", "current"), ("an", "current"), ("definitive", "held")]
    mandates.withdraw(id_, admin, clock.tick(60))
    assert stands(loket, clock, "kabid_linjamsos") == A_N
    last = mandates.listed(loket, clock.at)[-1]
    assert (last.state, last.ended_at, last.by) == ("past", clock.at, "Ani Admin")
    with pytest.raises(Stale):
        mandates.withdraw(id_, admin, clock.at)
    with pytest.raises(NotFound):
        mandates.withdraw(99, admin, clock.at)
    noted = [(row.what, row.subject.split(",")[0]) for row in Audit.select()]
    assert noted[-2:] == [("tambah mandat", "kabid"), ("cabut mandat", "kabid")]
    mandates.add(loket, plh(loket, clock), admin, clock.at)
    assert Mandate.select().count() == 2


def test_without_a_mandate_today_nothing_is_signed_and_no_password_is_asked(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    profile = loket.profile.model_copy(update={"signers": loket.profile.signers[1:]})
    headless = replace(loket, profile=profile)
    case = casefile.read(headless, id_, actor("kepala_dinas"), clock.at)
    assert (case.barred, case.can_read_draft) == ({"tanda_tangan": mandates.NOBODY}, False)
    with pytest.raises(NotAllowed, match="Tidak ada mandat"):
        act(headless, clock, id_, "kepala_dinas", "tanda_tangan", password="never looked at")
    with pytest.raises(NotAllowed):
        issuing.draft(headless, desk.find(id_), actor("kepala_dinas"), clock.at)
    assert Letter.select().count() == 0


def test_two_mandates_of_one_person_or_one_office_never_overlap(loket: Loket, clock: Clock) -> None:
    admin = actor("admin")
    mandates.add(loket, plh(loket, clock, 2, 4), admin, clock.at)
    for first, last in ((0, 2), (3, 3), (4, 9), (0, 9)):
        with pytest.raises(Invalid) as fault:
            mandates.add(loket, plh(loket, clock, first, last), admin, clock.at)
        assert list(fault.value.fields) == ["user"]
        with pytest.raises(Invalid) as fault:
            mandates.add(loket, plh(loket, clock, first, last, user="kadis"), admin, clock.at)
        assert list(fault.value.fields) == ["role"]
    endless = {"capacity": "definitive", "titles": "Kepala Dinas Sosial,", "until": ""}
    with pytest.raises(Invalid):
        mandates.add(loket, plh(loket, clock, **endless, user="kadis"), admin, clock.at)
    beside = {"capacity": "an", "titles": "a.n. Kepala Dinas Sosial\nSekretaris,", "user": "kadis"}
    mandates.add(loket, plh(loket, clock, 2, 4, **beside), admin, clock.at)
    mandates.add(loket, plh(loket, clock, 0, 1), admin, clock.at)
    mandates.add(loket, plh(loket, clock, 5, 9), admin, clock.at)
    assert Mandate.select().count() == 4


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"role": "operator"}, "role"),
        ({"user": "nobody"}, "user"),
        ({"user": "operator"}, "user"),
        ({"capacity": "acting"}, "capacity"),
        ({"titles": "Kepala Dinas Sosial,"}, "titles"),
        ({"titles": "Plt. Kepala Dinas Sosial,"}, "titles"),
        ({"titles": "\n".join("Plh. x" for _ in range(5))}, "titles"),
        ({"titles": "Plh. " + "x" * 60}, "titles"),
        ({"capacity": "definitive"}, "titles"),
        ({"capacity": "an", "titles": "a.n. Bupati\nu.b. Sekda"}, "titles"),
        ({"name": " "}, "name"),
        ({"nip": "1" * 40}, "nip"),
        ({"order": ""}, "order"),
        ({"since": ""}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"until": "besok"}, "until"),
        ({"until": ""}, "until"),
        ({"until": "2026-11-22"}, "until"),
    ],
)
def test_a_form_that_does_not_agree_with_itself_is_refused_by_field(
    loket: Loket, clock: Clock, over: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as fault:
        mandates.add(loket, plh(loket, clock, **over), actor("admin"), clock.at)
    assert list(fault.value.fields) == [field]
    assert Mandate.select().count() == 0


@pytest.mark.parametrize(
    ("capacity", "titles", "right"),
    [
        ("definitive", ["Kepala Dinas Sosial"], True),
        ("definitive", ["Anggota Dewan", "Ubin, Pltu"], True),
        ("definitive", ["A.n. Bupati"], False),
        ("an", ["a.n. Kepala Dinas", "Sekretaris,"], True),
        ("an", ["an. Kepala Dinas"], False),
        ("ub", ["a.n. Bupati", "Sekretaris Daerah", "u.b. Asisten"], True),
        ("ub", ["u.b. Asisten", "a.n. Bupati"], False),
        ("plh", ["a.n. Bupati Lebak", "Plh. Kepala Dinas"], True),
        ("plh", ["PLH Kepala Dinas"], False),
        ("plt", ["Plt. Kepala Dinas"], True),
    ],
)
def test_the_form_stands_above_the_name_and_no_other(
    capacity: Any, titles: list[str], right: bool
) -> None:
    assert agree(capacity, titles) is right


HEAD = 'titles = ["Kepala Dinas Sosial", "Kabupaten Lebak,"]'
ACTING = 'titles = ["Plt. Kepala Dinas Sosial", "Kabupaten Lebak,"]'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('capacity = "an"\n', "", r"signers\[1\]\.titles"),
        (HEAD, ACTING, r"signers\[0\]\.titles"),
        (HEAD, f'capacity = "plt"\n{HEAD}', r"signers\[0\]\.titles"),
        (HEAD, f'capacity = "plt"\nuntil = 2027-01-01\n{ACTING}', r"signers\[0\]\.order"),
        (HEAD, f'capacity = "plt"\norder = "SP 1"\n{ACTING}', r"signers\[0\]\.until"),
        (HEAD, f"until = 2024-01-01\n{HEAD}", r"signers\[0\]\.until"),
    ],
)
def test_a_file_whose_signers_do_not_agree_with_their_titles_is_refused(
    loket: Loket, old: str, new: str, said: str
) -> None:
    with pytest.raises(Unusable, match=said):
        office_of(loket.home, changed(LEBAK, (old, new)))


def test_only_whom_the_file_names_signs_under_that_mandate(loket: Loket, clock: Clock) -> None:
    head = loket.profile.signers[0]
    named = head.model_copy(update={"user": "kadis", "name": "Karta Kadis"})
    other = head.model_copy(update={"user": "somebody"})

    def office(*signers: Any) -> Loket:
        return replace(loket, profile=loket.profile.model_copy(update={"signers": signers}))

    text = loket.profile.letters[0].letter
    me = actor("kepala_dinas")
    assert mandates.of(office(head, named), text, me, clock.at).name == "Karta Kadis"
    with pytest.raises(NotAllowed):
        mandates.of(office(other), text, me, clock.at)


def test_by_hand_a_plh_stands_under_the_sheet_for_the_head(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    hand = by_hand.office(loket, signer="kepala_dinas")
    mandates.add(hand, plh(hand, clock, user="sekre"), actor("admin"), clock.at)
    day: date = hand.calendar.day_of(clock.at)
    assert mandates.of(hand, hand.profile.letters[0].letter, actor("operator"), clock.at).user == (
        "sekre"
    )
    held = mandates.holder(hand, "kepala_dinas", day)
    assert held is not None
    assert held.capacity == "plh"
    assert mandates.holder(hand, "kepala_dinas", day + timedelta(30)) == hand.profile.signers[0]


# ── The admin's page ──


def test_the_admin_adds_previews_and_withdraws(as_role: As, clock: Clock, app: Any) -> None:
    loket = app.extensions["loket"]
    admin = as_role("admin")
    given = plh(loket, clock)
    shown = admin.send("/admin/mandat/pratinjau", given)
    assert "Pratinjau blok tanda tangan" in shown.get_data(as_text=True)
    part = admin.send("/admin/mandat/pratinjau", given, htmx=True).get_data(as_text=True)
    assert "Plh. Kepala Dinas Sosial" in part
    assert "<h1" not in part
    wrong = admin.send("/admin/mandat/pratinjau", given | {"order": ""}, htmx=True)
    assert (wrong.status_code, Mandate.select().count()) == (422, 0)
    assert "surat perintahnya" in wrong.get_data(as_text=True)

    refused = admin.send("/admin/mandat", given | {"titles": "Kepala Dinas"})
    html = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "Barisnya diawali" in html
    assert 'value="Kabul Kabid, S.Sos."' in html
    assert admin.send("/admin/mandat", given).status_code == 303
    page = admin.page("/admin/mandat").get_data(as_text=True)
    assert "Digantikan" in page
    assert "SP 800/12/2026" in page
    row = Mandate.get()
    assert admin.send(f"/admin/mandat/{row.id}/withdrawals").status_code == 303
    assert "Dicabut" in admin.page("/admin/mandat").get_data(as_text=True)
    assert as_role("kepala_dinas").client.get("/admin/mandat").status_code == 403
