"""Every step, role and action of every office's file, walked from the TOML and by the desk."""

import random
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from kiosk import (
    board,
    casefile,
    desk,
    documents,
    letter_prints,
    staff,
    taking_back,
    versions,
    workflow,
)
from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from kiosk.office_file import OFFICES, load, parse
from kiosk.profile import Profile
from kiosk.service import Action, FormField, Service, Step
from kiosk.staff import Actor
from models import Application, Event, User
from tests.conftest import PASSWORD, Clock, actor
from tests.test_office_file import LEBAK, put

Submit = Callable[..., int]
PROFILES = {file.stem: load(file.stem) for file in OFFICES.glob("*.toml")}
SERVICES = [(profile, service) for profile in PROFILES.values() for service in profile.services]
ACTS = [
    pytest.param(name, service.id, step.id, action.id, id=f"{name}-{step.id}-{action.id}")
    for name, profile in PROFILES.items()
    for service in profile.letters
    for step in service.steps
    for action in step.actions
]


@pytest.mark.parametrize(("profile", "service"), SERVICES)
def test_a_role_may_do_what_the_file_says_and_nothing_else(
    profile: Profile, service: Service
) -> None:
    known = {action.id for step in service.steps for action in step.actions} | {"terbang"}
    for step in service.steps:
        acts = [action for action in step.actions if not action.on]
        for role in [*(role.id for role in profile.roles), "tidak_dikenal", workflow.CITIZEN, ""]:
            offered = {a.id: a.next for a in acts if not a.roles or role in a.roles}
            for action in known:
                if role in step.roles and action in offered:
                    to = workflow.move(service, step.id, action, role, assigned=True)[1]
                    assert to.id == offered[action]
                else:
                    with pytest.raises(NotAllowed):
                        workflow.move(service, step.id, action, role)


@pytest.mark.parametrize(("profile", "service"), SERVICES)
def test_the_way_ahead_of_every_step_ends(profile: Profile, service: Service) -> None:
    for step in service.steps:
        way = workflow.way(service, [step.id])
        assert (way or [step])[-1].ends
        assert step not in way


def way_to(service: Service, goal: str) -> list[tuple[Step, Action]]:
    """The shortest way from the start to a step."""
    waiting: deque[tuple[str, list[tuple[Step, Action]]]] = deque([(service.start, [])])
    seen: set[str] = set()
    while waiting:
        at, way = waiting.popleft()
        if at == goal:
            return way
        step = service.step(at)
        for action in step.actions if at not in seen else ():
            waiting.append((action.next, [*way, (step, action)]))
        seen.add(at)
    raise AssertionError(f"no way to {goal}")


def somebody(loket: Loket, role: str, now: int) -> Actor:
    """A member of staff of this role, hired where there is none."""
    if not User.select().where(User.role == role).exists():
        staff.add_user(loket.profile, f"orang.{role}", "", role, PASSWORD, now)
    return actor(role)


def filled(loket: Loket, id_: int, action: Action, now: int) -> dict[str, list[str]]:
    """What a clerk would send for the fields of an act, by their kinds."""
    given: dict[str, list[str]] = {}
    for field in action.fields:
        given |= _value(loket, id_, field, now)
    return given


def _value(loket: Loket, id_: int, field: FormField, now: int) -> dict[str, list[str]]:
    application = desk.find(id_)
    service = loket.profile.service(application.service)
    if field.kind == "person":
        person = loket.vault.unlock_json("given", application.given_ct)
        return {f"{field.name}.{part}": [text] for part, text in person.items()}
    if field.kind == "checklist":
        return _ticked(service, field)
    if field.kind == "files":
        _attach(loket, id_, field, now)
        return {}
    simple: dict[str, Callable[[], str]] = {
        "text": lambda: "Catatan",
        "textarea": lambda: "Catatan\nbaris kedua",
        "number": lambda: "3",
        "date": lambda: "2026-11-20",
        "choice": lambda: field.options[0].id,
        "requirements": lambda: service.requirements[0].id,
        "staff": lambda: str(somebody(loket, field.role or "", now).id),
        "password": lambda: PASSWORD,
    }
    return {field.name: [simple[field.kind]()]}


def _ticked(service: Service, field: FormField) -> dict[str, list[str]]:
    """Every paper is there; where faults are expected, the first is wrong."""
    given = {f"{field.name}.{paper.id}": ["ok"] for paper in service.papers}
    if field.expects == "faults":
        first = f"{field.name}.{service.papers[0].id}"
        given |= {first: ["wrong"], f"{first}.note": ["Tidak terbaca"]}
    return given


def _attach(loket: Loket, id_: int, field: FormField, now: int) -> None:
    """As many pictures as the field wants at least, each its own."""
    for n in range(field.least):
        picture = BytesIO()
        Image.new("RGB", (64, 48), (n, 90, 78)).save(picture, "JPEG")
        key = f"{id_}:{field.name}:{n}"
        whose = documents.Owner(application=id_)
        documents.add(loket, whose, field.document or "", picture.getvalue(), "counter", key, now)


def do(loket: Loket, clock: Clock, id_: int, action: Action) -> Application:
    """The act, by the first role that may; then the row repeats its last event."""
    if action.on:
        letter_prints.printed_at_kiosk(loket, id_, clock.tick(20))
        return consistent(id_)
    application = desk.find(id_)
    step = versions.step_of(loket, application)
    given = filled(loket, id_, action, clock.at)
    who = somebody(loket, (action.roles or step.roles)[0], clock.at)
    desk.act(loket, id_, action.id, given, who, application.seq, clock.tick(20))
    return consistent(id_)


def consistent(id_: int) -> Application:
    """The application, whose events are a chain without a gap and whose row repeats the last."""
    application = Application.get_by_id(id_)
    events = list(Event.select().where(Event.application == id_).order_by(Event.id))
    assert [event.seq for event in events] == [*range(1, len(events) + 1)]
    assert [event.from_step for event in events[1:]] == [event.to_step for event in events[:-1]]
    last = events[-1]
    assert (application.step, application.seq, application.due_at, application.left_s) == (
        last.to_step, last.seq, last.due_at, last.left_s,
    )  # fmt: skip
    begun = application.budget_s > 0
    assert (application.due_at is None) is (application.left_s is not None or not begun)
    assert begun or application.left_s is None
    return application


@pytest.mark.parametrize(("office", "service_id", "step_id", "action_id"), ACTS)
def test_each_act_of_each_step_leads_where_the_file_says(
    loket: Loket, clock: Clock, submit: Submit, office: str, service_id: str, step_id: str,
    action_id: str,
) -> None:  # fmt: skip
    loket = replace(loket, profile=PROFILES[office])
    service = loket.profile.service(service_id)
    id_ = submit(loket, service=service_id, purpose=service.purposes[0].id)
    for step, action in way_to(service, step_id):
        assert desk.find(id_).step == step.id
        do(loket, clock, id_, action)
    action = service.step(step_id).action(action_id)
    assert action is not None
    done = do(loket, clock, id_, action)
    to = service.step(action.next)
    assert (done.step, done.outcome) == (to.id, to.ends)
    assert (done.closed_at is None) is (to.ends is None)
    assert (done.due_at is None) is (to.stops_clock or not done.budget_s)


@pytest.mark.parametrize("seed", range(4))
def test_the_row_repeats_its_last_event_wherever_one_wanders(
    loket: Loket, clock: Clock, submit: Submit, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's way, the same each time
    id_ = submit(loket)
    for _ in range(14):
        application = consistent(id_)
        step = loket.profile.service("sk_dtks").step(application.step)
        last = Event.get((Event.application == id_) & (Event.seq == application.seq))
        who = Actor(last.actor_id or 0, "", "", last.role)
        if chance.random() < 0.3 and taking_back.can_take_back(loket, application, who, clock.at):
            taking_back.take_back(
                loket, id_, who, application.seq, clock.tick(chance.randrange(90))
            )
            assert consistent(id_).step == last.from_step
        elif step.actions:
            clock.tick(chance.randrange(4 * 3600))
            do(loket, clock, id_, chance.choice(workflow.offered(step, step.roles[0], True)))


ORDER = {"number": "460/12/2026", "date": "2026-01-05", "by": "Kepala Dinas"}


def with_orders(loket: Loket, **orders: str) -> Loket:
    """The office with standing dispositions: step=action."""
    data: dict[str, Any] = deepcopy(LEBAK)
    places = [step["id"] for step in data["services"][0]["steps"]]
    for step, action in orders.items():
        path = f"services[0].steps[{places.index(step)}].standing"
        put(data, path, ORDER | {"action": action})
    return replace(loket, profile=parse(data, "lebak.toml", "2"))


def test_steps_with_a_standing_disposition_pass_at_once_and_say_on_whose_order(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    loket = with_orders(loket, sekretariat="teruskan", disposisi="disposisi", penugasan="tugaskan")
    id_ = submit(loket)
    promised = desk.find(id_).due_at
    lengkap = loket.profile.service("sk_dtks").step("berkas").actions[0]
    assert do(loket, clock, id_, lengkap).step == "cek"
    passed = casefile.read(loket, id_, actor("operator"), clock.at).passed[2:]
    said = "Kepala Dinas No. 460/12/2026, 5 Januari 2026"
    assert [(p.title.id, p.order, p.who) for p in passed] == [
        ("Sekretariat", said, ""),
        ("Disposisi Kepala Dinas", said, ""),
        ("Penugasan operator", said, ""),
    ]
    assert desk.find(id_).due_at == promised
    assert not taking_back.can_take_back(loket, desk.find(id_), actor("front_office"), clock.at)
    assert [row.id for row in board.my_work(loket, actor("operator"), clock.at).rows] == [id_]


def test_a_first_step_with_a_standing_disposition_passes_when_the_citizen_submits(
    loket: Loket, submit: Submit
) -> None:
    loket = with_orders(loket, berkas="lengkap")
    application = consistent(submit(loket))
    assert (application.step, application.seq) == ("sekretariat", 2)


def test_standing_dispositions_that_go_in_a_circle_stop_after_one_turn(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    loket = with_orders(loket, berkas="lengkap")
    service = loket.profile.service("sk_dtks")
    back = service.step("sekretariat").actions[1].model_copy(update={"fields": ()})
    order = service.step("berkas").standing
    assert order is not None
    circle = service.step("sekretariat").model_copy(
        update={"actions": (back,), "standing": order.model_copy(update={"action": back.id})}
    )
    steps = tuple(circle if step.id == "sekretariat" else step for step in service.steps)
    passes = workflow.passes(service.model_copy(update={"steps": steps}), service.step("berkas"))
    assert [step.id for step, *_ in passes] == ["berkas", "sekretariat"]


def test_a_new_service_time_changes_no_promise_already_given(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    promised = desk.find(id_).due_at
    data = put(deepcopy(LEBAK), "services[0].time.amount", 60)
    slower = replace(loket, profile=parse(data, "lebak.toml", "2"))
    do(slower, clock, id_, slower.profile.service("sk_dtks").step("berkas").actions[0])
    assert desk.find(id_).due_at == promised
    assert casefile.clock_of(slower, desk.find(id_), clock.at).budget == 15 * 60
    assert desk.find(submit(slower)).due_at == clock.at + 3600


def test_a_running_application_finishes_on_the_file_it_started_with(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    do(loket, clock, id_, loket.profile.service("sk_dtks").step("berkas").actions[0])
    data = put(deepcopy(LEBAK), "services[0].start", "terima")
    put(data, "services[0].steps[0].id", "terima")
    put(data, "services[0].steps[0].actions[1].next", "terima")
    put(data, "services[0].steps[2].actions[1].next", "terima")
    renamed = replace(loket, profile=parse(data, "lebak.toml", "2"))
    passed = casefile.read(renamed, id_, actor("sekretariat"), clock.at).passed
    assert [p.said.id for p in passed] == ["Permohonan diajukan", "Berkas lengkap"]
    waiting, fresh = submit(loket), submit(renamed)
    assert (desk.find(waiting).step, desk.find(fresh).step) == ("berkas", "terima")
    do(renamed, clock, waiting, loket.profile.service("sk_dtks").step("berkas").actions[0])
    assert desk.find(waiting).step == "sekretariat"
    assert board.orphans(renamed) == []


def test_work_that_is_nobodys_any_more_is_named(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    fewer = loket.profile.model_copy(
        update={"roles": tuple(r for r in loket.profile.roles if r.id != "front_office")}
    )
    assert board.orphans(replace(loket, profile=fewer)) == [f"{desk.find(id_).number} (berkas)"]
