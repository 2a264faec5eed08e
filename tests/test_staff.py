"""People and devices: sessions that really end, limits that lock no owner out, enrolment."""

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from kiosk import demo, staff
from kiosk.errors import Invalid, NotAllowed, NotFound, TooMany, Unusable
from kiosk.loket import Loket
from models import Audit, Device, Session, User
from tests.conftest import PASSWORD, Clock, actor
from tests.quick import REAL_HASHER

HOUR = 3600


@pytest.fixture
def token(loket: Loket, clock: Clock) -> str:
    """The operator's session."""
    return staff.sign_in("operator", PASSWORD, "10.0.0.5", clock.at)


@pytest.fixture
def quick(loket: Loket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords hashed with little work, so that hundreds of tries are quick."""
    little = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    User.update(password=little.hash(PASSWORD)).execute()
    monkeypatch.setattr(staff, "_nobody", lambda: little.hash("nobody"))


def sign_in(password: str, address: str, now: int, name: str = "operator") -> str | None:
    """How it went: a token, or the name of what was raised."""
    try:
        return staff.sign_in(name, password, address, now)
    except (NotAllowed, TooMany) as error:
        return type(error).__name__


def test_a_session_is_its_users_and_its_token_is_kept_as_a_hash(token: str, clock: Clock) -> None:
    who = staff.actor_of(token, clock.at)
    assert who is not None
    assert (who.name, who.role, who.window) == ("operator", "operator", None)
    assert token not in str(Session.get().__data__)
    assert staff.actor_of(token[:-1], clock.at) is None
    assert Audit.select().where(Audit.what == "masuk").count() == 1


def _disable(loket: Loket, now: int) -> None:
    id_ = actor("operator").id
    staff.change_user(loket.profile, id_, actor("admin"), now, active=False, role="operator")


def _move(loket: Loket, now: int) -> None:
    id_ = actor("operator").id
    staff.change_user(loket.profile, id_, actor("admin"), now, active=True, role="sekretariat")


def _new_password(_: Loket, now: int) -> None:
    staff.set_password(actor("operator").id, "sandi-yang-baru", now, actor("admin"))


@pytest.mark.parametrize("end", [_disable, _move, _new_password])
def test_a_change_of_the_person_ends_all_their_sessions_and_nobody_elses(
    loket: Loket, clock: Clock, token: str, end: Callable[[Loket, int], None]
) -> None:
    second = staff.sign_in("operator", PASSWORD, "10.0.0.6", clock.at)
    other = staff.sign_in("sekre", PASSWORD, "10.0.0.6", clock.at)
    end(loket, clock.at)
    assert [staff.actor_of(each, clock.at) for each in (token, second)] == [None, None]
    assert staff.actor_of(other, clock.at) is not None
    assert Audit.select().where(Audit.actor == actor("admin").id).count() == 1


def test_signing_out_ends_a_copied_cookie_too(token: str, clock: Clock) -> None:
    other = staff.sign_in("operator", PASSWORD, "10.0.0.5", clock.at)
    staff.sign_out(token)
    assert staff.actor_of(token, clock.at) is None
    assert staff.actor_of(other, clock.at) is not None


def test_a_session_ends_when_left_alone_and_at_the_latest_after_a_working_day(
    token: str, clock: Clock
) -> None:
    assert staff.actor_of(token, clock.at + staff.IDLE_S - 1) is not None
    assert staff.actor_of(token, clock.at + staff.IDLE_S) is None
    began = clock.at
    while clock.at - began < staff.ABSOLUTE_S - HOUR:
        staff.keep_alive(token, clock.tick(HOUR))
        assert staff.actor_of(token, clock.at) is not None
    staff.keep_alive(token, began + staff.ABSOLUTE_S)
    assert staff.actor_of(token, began + staff.ABSOLUTE_S) is None


def test_a_disabled_person_cannot_sign_in_and_it_looks_like_a_wrong_password(
    loket: Loket, clock: Clock
) -> None:
    _disable(loket, clock.at)
    assert sign_in(PASSWORD, "10.0.0.5", clock.at) == "NotAllowed"
    assert sign_in(PASSWORD, "10.0.0.5", clock.at, name="hantu") == "NotAllowed"


@pytest.mark.usefixtures("quick")
def test_two_hundred_wrong_passwords_do_not_lock_the_owner_out_elsewhere(
    loket: Loket, clock: Clock
) -> None:
    said = [sign_in("salah", "10.6.6.6", clock.tick(1)) for _ in range(200)]
    assert said.count("NotAllowed") <= staff.WRONG_PER_NAME
    assert sign_in(PASSWORD, "10.6.6.6", clock.at) == "TooMany"
    assert len(sign_in(PASSWORD, "10.0.0.5", clock.at) or "") > 40
    assert len(sign_in(PASSWORD, "10.6.6.6", clock.tick(staff.WINDOW_S)) or "") > 40


@pytest.mark.usefixtures("quick")
def test_one_address_trying_many_names_is_stopped_too(loket: Loket, clock: Clock) -> None:
    said = [sign_in("salah", "10.6.6.6", clock.at, name=f"n{n}") for n in range(40)]
    assert said.count("NotAllowed") == staff.WRONG_PER_ADDRESS


@pytest.mark.usefixtures("quick")
def test_a_right_password_forgets_the_wrong_ones(loket: Loket, clock: Clock) -> None:
    for _ in range(3):
        for _ in range(staff.WRONG_PER_NAME - 1):
            assert sign_in("salah", "10.0.0.5", clock.at) == "NotAllowed"
        assert len(sign_in(PASSWORD, "10.0.0.5", clock.at, name="OPERATOR") or "") > 40


@pytest.mark.usefixtures("quick")
def test_signing_asks_for_the_password_at_most_ten_wrong_times(loket: Loket, clock: Clock) -> None:
    head = actor("kepala_dinas")
    staff.confirm_password(head, PASSWORD, clock.at)
    for _ in range(staff.WRONG_PER_NAME):
        with pytest.raises(Invalid):
            staff.confirm_password(head, "salah", clock.at)
    with pytest.raises(TooMany):
        staff.confirm_password(head, PASSWORD, clock.at)


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ({"name": ""}, "name"),
        ({"name": "dua kata"}, "name"),
        ({"name": "Operator"}, "name"),
        ({"role": "bupati"}, "role"),
        ({"password": "pendek"}, "password"),
    ],
)
def test_a_new_person_with_a_fault_is_refused_by_field(
    loket: Loket, clock: Clock, over: dict[str, str], fault: str
) -> None:
    about = {"name": "baru", "full_name": "Baru", "role": "operator", "password": PASSWORD} | over
    with pytest.raises(Invalid) as refused:
        staff.add_user(loket.profile, **about, now=clock.at)
    assert set(refused.value.fields) == {fault}
    assert PASSWORD not in refused.value.message


def test_a_password_is_kept_as_argon2id(loket: Loket) -> None:
    hashes = {user.password for user in User.select()}
    assert len(hashes) == User.select().count()
    assert all(each.startswith("$argon2id$") for each in hashes)


def test_a_password_costs_who_guesses_it_what_rfc_9106_recommends() -> None:
    kept = REAL_HASHER.hash(PASSWORD)
    assert REAL_HASHER.verify(kept, PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_nobody_changes_their_own_account_or_one_that_is_none(loket: Loket, clock: Clock) -> None:
    admin = actor("admin")
    for id_, refused in ((admin.id, NotAllowed), (999, NotFound)):
        with pytest.raises(refused):
            staff.change_user(loket.profile, id_, admin, clock.at, active=False, role="admin")
    with pytest.raises(Invalid):
        staff.change_user(
            loket.profile, actor("operator").id, admin, clock.at, active=True, role="x"
        )


@pytest.mark.parametrize("window", [0, 100, -1])
def test_a_window_has_a_number_from_1_to_99(token: str, clock: Clock, window: int) -> None:
    with pytest.raises(Invalid):
        staff.sit_at(token, window)
    staff.sit_at(token, 99)
    assert staff.actor_of(token, clock.at).window == 99  # type: ignore[union-attr]


# --- devices ---


def test_a_code_enrols_one_device_once_within_a_day(loket: Loket, clock: Clock) -> None:
    code = staff.add_device("Kios 1", "kiosk", clock.at)
    device, token = staff.enrol(code, clock.tick(60))
    assert staff.device_of(token, clock.at) == device
    assert staff.enrollable(code, clock.at) is None
    with pytest.raises(NotFound):
        staff.enrol(code, clock.at)
    late = staff.add_device("Kios 2", "kiosk", clock.at)
    assert staff.enrollable(late, clock.tick(staff.ENROL_S)) is None
    with pytest.raises(NotFound):
        staff.enrol(late, clock.at)
    assert {code, token, late}.isdisjoint(Device.get().__data__.values())


def test_a_revoked_device_is_nobody_and_its_name_is_free(loket: Loket, clock: Clock) -> None:
    device, token = staff.enrol(staff.add_device("Kios 1", "kiosk", clock.at), clock.at)
    staff.revoke_device(device.id, actor("admin"), clock.at)
    assert staff.device_of(token, clock.at) is None
    assert staff.devices() == []
    with pytest.raises(NotFound):
        staff.revoke_device(device.id, actor("admin"), clock.at)
    waiting = staff.add_device("Kios 1", "kiosk", clock.at)
    staff.revoke_device(Device.get(Device.name == "Kios 1").id, actor("admin"), clock.at)
    assert staff.enrollable(waiting, clock.at) is None
    staff.add_device("Kios 1", "kiosk", clock.tick(1))


@pytest.mark.parametrize(
    ("name", "kind", "fault"),
    [(" ", "kiosk", "name"), ("Kios 1", "printer", "kind"), ("Kios 0", "kiosk", "name")],
)
def test_a_device_with_a_fault_is_refused(
    loket: Loket, clock: Clock, name: str, kind: str, fault: str
) -> None:
    staff.add_device("Kios 0", "kiosk", clock.at)
    with pytest.raises(Invalid) as refused:
        staff.add_device(name, kind, clock.at)
    assert set(refused.value.fields) == {fault}


# --- the demonstration's ---


def test_the_demonstrations_devices_are_new_each_time_whichever_was_enrolled(
    loket: Loket, clock: Clock
) -> None:
    for enrolled in ((True, False), (False, False), (True, True), (False, True), (False, False)):
        for code, used in zip(demo.add_devices(clock.tick(60)), enrolled, strict=True):
            if used:
                staff.enrol(code, clock.at)
    names = [device.name for device in staff.devices() if device.token_hash]
    assert len(names) == len(set(names)) == 4


def test_demonstration_staff_never_join_an_office_at_work(loket: Loket, clock: Clock) -> None:
    with pytest.raises(Unusable):
        demo.add_staff(loket, clock.at)
    assert User.select().where(User.name == "operator2").count() == 0
