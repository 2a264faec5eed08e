"""The one writer of applications: submit, act, enter a step. Each is one IMMEDIATE transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kiosk import (
    documents,
    facts,
    forms,
    issuing,
    limits,
    numbers,
    queue,
    rules,
    signing,
    spool,
    staff,
    versions,
    words,
    workflow,
)
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.forms import Given
from kiosk.loket import Loket
from kiosk.service import Action, LetterService, Service, Step
from kiosk.staff import Actor
from models import Application, Audit, Event, User, transaction

# Under this name an act that corrects data keeps them as they were, to be taken back.
BEFORE = "data_before"


@dataclass(frozen=True)
class Draft:
    """What a citizen submits. `person` has the parts of `forms.PERSON`, missing ones "".

    `channel`: kiosk, counter, or letter (written, by post). `key` is that of the counter's form.
    """

    service: str
    purpose: str
    priority: str
    nik: str
    kk: str
    person: Mapping[str, str]
    in_snapshot: bool
    remark: Mapping[str, Any] | None = None
    channel: str = "kiosk"
    key: str | None = None


def submit(
    loket: Loket, draft: Draft, visit_id: int | None, now: int, actor: Actor | None = None
) -> int:
    """A new application with its ticket, and the ticket's print job; the application's id.

    `actor` takes it in at the counter. A visit or a form gives one application, however often it
    is sent. Who wrote a letter waits for no call and gets no paper. Raises Invalid for a service or
    purpose that the office does not have.
    """
    service = _service(loket, draft)
    with transaction():
        known = _submitted(draft, visit_id)
        if known:
            return int(known.id)
        application = _create(loket, service, draft, visit_id, now)
        who, role = (actor.id, actor.role) if actor else (None, workflow.CITIZEN)
        _append(loket, application, who, role, "diajukan", "", now)
        if visit_id:
            documents.adopt(visit_id, application)
        _give_ticket(loket, application, service, draft, actor, now)
        pass_standing(loket, application, service, now)
    spool.wake()
    return int(application.id)


def _give_ticket(
    loket: Loket,
    application: Application,
    service: LetterService,
    draft: Draft,
    actor: Actor | None,
    now: int,
) -> None:
    ticket = queue.take(loket, application, service.series, now)
    if draft.channel == "letter":
        queue.leave(application.id, now, actor.id if actor else None)
        return
    if actor:
        queue.seat(loket, ticket, actor, now)
    place = "counter" if actor else "kiosk"
    spool.add("ticket", application, place, f"ticket:{ticket.id}", now, actor)


def _submitted(draft: Draft, visit_id: int | None) -> Application | None:
    """The application that this visit or this form has given before."""
    mine = Application.visit == visit_id if visit_id else Application.key == draft.key
    if not (visit_id or draft.key):
        return None
    found: Application | None = Application.get_or_none(mine)
    return found


def _service(loket: Loket, draft: Draft) -> LetterService:
    try:
        service = loket.profile.letter_service(draft.service)
    except KeyError:
        raise Invalid({"service": "Pilih layanan."}) from None
    if service.purpose(draft.purpose) is None:
        raise Invalid({"purpose": "Pilih keperluan surat."})
    if draft.priority and draft.priority not in {p.id for p in loket.profile.priorities}:
        raise Invalid({"priority": "Pilih salah satu, atau Tidak."})
    return service


def _create(
    loket: Loket, service: LetterService, draft: Draft, visit_id: int | None, now: int
) -> Application:
    year = str(loket.calendar.day_of(now).year)
    number = numbers.take("application", year)
    person = {part: draft.person.get(part, "") for part in forms.PERSON}
    budget, due = promise_at(loket, service, service.step(service.start), now)
    return Application.create(
        number=f"{year}-{number:06d}",
        key=draft.key,
        channel=draft.channel,
        version=versions.remember(loket, now),
        service=service.id,
        purpose=draft.purpose,
        priority=draft.priority,
        visit=visit_id,
        step=service.start,
        seq=1,
        nik_ix=loket.vault.index("nik", draft.nik),
        given_ct=loket.vault.lock_json("given", person | {"nik": draft.nik, "kk": draft.kk}),
        in_snapshot=draft.in_snapshot,
        remark_ct=loket.vault.lock_json("remark", draft.remark) if draft.remark else None,
        created_at=now,
        budget_s=budget,
        due_at=due,
    )


def promise_at(loket: Loket, service: Service, step: Step, now: int) -> tuple[int, int | None]:
    """The promise to who begins in this step: none before the file is complete."""
    return (0, None) if step.stops_clock else _promise(loket, service, now)


def _promise(loket: Loket, service: Service, now: int) -> tuple[int, int]:
    """The promise given now: its budget in seconds, and when it is due."""
    time = service.time
    due = loket.calendar.due(now, time.amount, time.unit, time.days_start)
    return loket.calendar.left(now, due, time.unit), due


def act(
    loket: Loket,
    application_id: int,
    action_id: str,
    given: Given,
    actor: Actor,
    seq: int,
    now: int,
    confirmed: bool = False,
) -> Application:
    """Do an act of the application's step; `seq` is the state that the person saw.

    `confirmed`: the password was asked once before, for several acts.

    Raises Stale when somebody was first (a second click too), NotAllowed for another's role,
    Invalid by field. Signing takes two transactions, see `issuing`: a letter whose signing failed
    has not been issued, and its number waits for the next try.
    """
    application = find(application_id)
    service = versions.service_of(loket, application)
    require_seq(application, seq)
    assigned = application.assignee_id == actor.id
    action, _ = workflow.move(service, application.step, action_id, actor.role, assigned)
    signing.require(loket, application, service, action, actor, now)
    values = _asked(loket, application, service, action, given, now)
    if not confirmed:
        _confirm(action, given, actor, now)
    passphrase, made = signing.passphrase_in(action, given), None
    if "issue" in action.does or "draw_up" in action.does:
        made = issuing.make(loket, application_id, action, actor, seq, now, passphrase)
    try:
        with transaction():
            application = find(application_id)
            require_seq(application, seq)
            documents.require_held(application_id, action.fields, values)
            signing.require(loket, application, service, action, actor, now)
            if made:
                issuing.release(made, now)
            else:
                issuing.require_free(application_id, now)
            carry_out(loket, application, service, action, values, actor, now)
    except BaseException:
        if made:
            issuing.abandon(made)
        raise
    spool.wake()
    return application


def _asked(
    loket: Loket, application: Application, service: Service, action: Action, given: Given, now: int
) -> dict[str, forms.Value]:
    """What the act asks, read and held against its rules."""
    values = forms.read(service, action, {**given, **documents.held(application.id, action.fields)})
    forms.require_past(action.fields, values, loket.calendar.day_of(now))
    require_rules(loket, application, service, action, values)
    return values


def _confirm(action: Action, given: Given, actor: Actor, now: int) -> None:
    if any(field.kind == "password" for field in action.fields):
        password = (list(given.get("password", ())) or [""])[0]
        staff.confirm_password(actor, password, now)


def carry_out(
    loket: Loket,
    application: Application,
    service: Service,
    action: Action,
    values: Mapping[str, forms.Value],
    actor: Actor,
    now: int,
) -> None:
    """What an act that was looked at does, and the step it leads to. Inside a transaction."""
    told: dict[str, Any] = dict(values)
    if "correct_data" in action.does:
        told[BEFORE] = loket.vault.unlock_json("given", application.given_ct)
    _effects(loket, application, action, values, actor, now)
    to = service.step(action.next)
    enter(loket, application, service, action.id, to, actor.id, actor.role, told, now)
    pass_standing(loket, application, service, now)


def find(application_id: int) -> Application:
    """The application. Raises NotFound."""
    application = Application.get_or_none(Application.id == application_id)
    if application is None:
        raise NotFound("Permohonan ini tidak ada.")
    return application


def require_seq(application: Application, seq: int) -> None:
    """Whether the case stands as the person saw it. Raises Stale."""
    if application.seq != seq:
        raise Stale("Permohonan ini sudah berubah. Yang terbaru ditampilkan.")


def require_rules(
    loket: Loket,
    application: Application,
    service: Service,
    action: Action,
    values: Mapping[str, forms.Value],
) -> None:
    """The conditions that the office's file puts on this act. Raises Invalid with their reasons."""
    if not action.rules:
        return
    refused = rules.refusals(action.rules, facts.of(loket, application, service, values))
    if refused:
        raise Invalid({"rules": " ".join(refused.values())})


def _effects(
    loket: Loket,
    application: Application,
    action: Action,
    values: Mapping[str, forms.Value],
    actor: Actor,
    now: int,
) -> None:
    if "record_check" in action.does:
        _record_check(loket, application, action, values, actor, now)
    if "correct_data" in action.does:
        _correct(loket, application, values)
    if {"record_check", "correct_data"} & set(action.does):
        issuing.spoil(application.id)
    if "release" in action.does:
        drawn_at = issuing.release_by_hand(application.id, actor, now)
        documents.require_newer(action.fields, values, drawn_at)
    if "slip" in action.does:
        spool.add("slip", application, "counter", f"slip:{application.id}", now, actor)
    if assignee := values.get("assignee"):
        _assign(action, application, str(assignee))


def _record_check(
    loket: Loket,
    application: Application,
    action: Action,
    values: Mapping[str, forms.Value],
    actor: Actor,
    now: int,
) -> None:
    """What the operator saw in SIKS-NG, and when; with the snapshot's row as it was then."""
    given = loket.vault.unlock_json("given", application.given_ct)
    row = loket.register.find_nik(given["nik"])
    as_of = loket.register.as_of()
    application.check_ct = loket.vault.lock_json(
        "check",
        {
            **values,
            "result": action.id,
            "at": now,
            "by": actor.full_name,
            "row": row.as_dict() if row else None,
            # What the snapshot does not hold is not said to be "per tanggal" of the snapshot.
            "as_of": as_of.isoformat() if as_of and row else "",
        },
    )


def _correct(loket: Loket, application: Application, values: Mapping[str, forms.Value]) -> None:
    person = values["person"]
    if not isinstance(person, dict):
        raise TypeError("correct_data needs a field `person` of kind `person`")
    give(loket, application, person)


def give(loket: Loket, application: Application, person: Mapping[str, str]) -> None:
    """These are the applicant's data from now on: parts of `forms.PERSON` with NIK and KK."""
    application.given_ct = loket.vault.lock_json("given", person)
    application.nik_ix = loket.vault.index("nik", person["nik"])
    application.in_snapshot = loket.register.find_pair(person["nik"], person["kk"]) is not None


def _assign(action: Action, application: Application, user_id: str) -> None:
    role = next(field.role for field in action.fields if field.name == "assignee")
    user = User.get_or_none((User.id == int(user_id)) & (User.role == role) & User.active)
    if user is None:
        raise Invalid({"assignee": "Petugas ini tidak ada atau tidak aktif."})
    application.assignee = user


def enter(
    loket: Loket,
    application: Application,
    service: Service,
    action_id: str,
    to: Step,
    actor_id: int | None,
    role: str,
    values: Mapping[str, forms.Value],
    now: int,
    order: str = "",
) -> None:
    """Enter a step: run or stop the clock, append the event, repeat it in the row.

    Inside a transaction; whoever calls has asked whether it may be.
    """
    _clock(loket, application, service, to, now)
    from_step, application.step = application.step, to.id
    application.seq += 1
    if to.ends:
        application.closed_at, application.outcome = now, to.ends
        issuing.void(application.id)
    if not any(loket.profile.may(role, "queue") for role in to.roles):
        queue.leave(application.id, now, actor_id)
    detail = {name: value for name, value in values.items() if value}
    _append(loket, application, actor_id, role, action_id, from_step, now, order, detail)
    application.save()


def enter_many(
    loket: Loket,
    applications: Sequence[Application],
    service: Service,
    action_id: str,
    to: Step,
    actor_id: int | None,
    role: str,
    values: Mapping[str, forms.Value],
    now: int,
) -> None:
    """`enter` for many proposals of one step, their rows and events written together.

    Only for what has no ticket and no letter. Inside a transaction.
    """
    clocks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    detail = {name: value for name, value in values.items() if value}
    locked = loket.vault.lock_json("detail", detail) if detail else None
    events = []
    for application in applications:
        before = _dial(application)
        if before not in clocks:
            _clock(loket, application, service, to, now)
            clocks[before] = _dial(application)
        application.budget_s, application.due_at, application.left_s = clocks[before]
        from_step, application.step = application.step, to.id
        application.seq += 1
        event = _event(application, actor_id, role, action_id, from_step, now)
        events.append(event | {"detail_ct": locked})
    Event.insert_many(events).execute()
    _repeat(applications, {"closed_at": now if to.ends else None, "outcome": to.ends})


def _dial(application: Application) -> tuple[Any, ...]:
    return application.budget_s, application.due_at, application.left_s


def _repeat(applications: Sequence[Application], more: dict[str, Any]) -> None:
    """The last event in each one's row; those whose clocks stand alike in one statement."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for application in applications:
        place = (application.step, application.seq, *_dial(application))
        alike.setdefault(place, []).append(application.id)
    names = ("step", "seq", "budget_s", "due_at", "left_s")
    for place, some in alike.items():
        row = dict(zip(names, place, strict=True)) | more
        Application.update(row).where(Application.id.in_(some)).execute()


def _clock(loket: Loket, application: Application, service: Service, to: Step, now: int) -> None:
    """Start, stop or resume the clock, as the step that is entered says."""
    unit, due, left = service.time.unit, application.due_at, application.left_s
    if to.stops_clock and due is not None:
        application.left_s, application.due_at = loket.calendar.left(now, due, unit), None
    elif not to.stops_clock and left is not None:
        application.left_s, application.due_at = None, loket.calendar.resume(now, left, unit)
    elif not to.stops_clock and not to.ends and due is None:
        application.budget_s, application.due_at = _promise(loket, service, now)


def _append(
    loket: Loket,
    application: Application,
    actor_id: int | None,
    role: str,
    action_id: str,
    from_step: str,
    now: int,
    order: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    Event.create(
        **_event(application, actor_id, role, action_id, from_step, now),
        order=order,
        detail_ct=loket.vault.lock_json("detail", detail) if detail else None,
    )


def _event(
    application: Application,
    actor_id: int | None,
    role: str,
    action_id: str,
    from_step: str,
    now: int,
) -> dict[str, Any]:
    return {
        "application": application.id,
        "seq": application.seq,
        "at": now,
        "actor": actor_id,
        "role": role,
        "action": action_id,
        "from_step": from_step,
        "to_step": application.step,
        "due_at": application.due_at,
        "left_s": application.left_s,
    }


def pass_standing(loket: Loket, application: Application, service: Service, now: int) -> None:
    """Steps with a standing disposition pass at once; the event says on whose order.

    Inside a transaction.
    """
    for step, order, action, onward in workflow.passes(service, service.step(application.step)):
        said = f"{order.by} No. {order.number}, {words.long_date(order.date)}"
        enter(loket, application, service, action.id, onward, None, step.roles[0], {}, now, said)


def note_opened(loket: Loket, application_id: int, actor: Actor, what: str, now: int) -> None:
    """Note in the audit that a document with full numbers was opened."""
    with transaction():
        Audit.create(at=now, actor=actor.id, what=what, subject=find(application_id).number)


def reveal(loket: Loket, application_id: int, actor: Actor, now: int) -> dict[str, str]:
    """The full NIK and KK, noted in the audit. Raises NotAllowed without the right."""
    if not loket.profile.may(actor.role, "reveal"):
        raise NotAllowed("Anda tidak berwenang melihat nomor lengkap.")
    limits.spend(f"buka|{actor.id}", 120, 3600, now)
    application = find(application_id)
    with transaction():
        Audit.create(at=now, actor=actor.id, what="buka nik", subject=application.number)
    given = loket.vault.unlock_json("given", application.given_ct)
    return {"nik": given["nik"], "kk": given["kk"]}
