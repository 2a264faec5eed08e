"""A service as its table says it: papers, purposes, time, steps and acts, and what they make.

Two kinds: a letter for one person (Surat Keterangan), and proposals of whole households (usulan).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from kiosk.tables import Id, Line, Named, Strict, Text

Unit = Literal["minute", "working_hour", "clock_hour", "calendar_day", "working_day", "month"]
Effect = Literal["record_check", "correct_data", "issue", "draw_up", "release", "slip", "hand_over"]
FieldKind = Literal[
    "text", "textarea", "number", "date", "choice", "requirements", "checklist", "staff",
    "person", "password", "passphrase", "files",
]  # fmt: skip
# Each is a function of `kiosk.rules`: no expression stands in an office's file.
Rule = Literal[
    "rank_within_limit", "village_known", "not_in_register", "not_receiving", "population_padan",
    "address_padan", "household_complete",
]  # fmt: skip
Signing = Literal["office_key", "bsre", "wet_ink"]
Outcome = Literal["issued", "not_found", "cancelled", "done", "rejected"]


class Time(Strict):
    """The time promised; `days_start` is how day 1 is counted (not confirmed: a setting).

    `least` is the shorter end of a promise such as 7 to 15 working days. A service whose first
    step stops the clock is promised from the complete file: its clock starts when it leaves there.
    """

    amount: Annotated[int, Field(gt=0)]
    unit: Unit
    least: Annotated[int, Field(gt=0)] | None = None
    days_start: Literal["same", "next"] = "same"


class Requirement(Named):
    """A paper to bring. `document` is the kind under which its scan is kept, where one is.

    What is no `paper` (to be in the register) is found out on the way: no counter ticks it off.
    """

    note: Text | None = None
    paper: bool = True
    document: Id | None = None


class Purpose(Named):
    """What the letter is for and how long it is valid; of a proposal, the programme.

    `max_rank` is the highest rank (desil) that the purpose allows.
    """

    validity_days: Annotated[int, Field(gt=0, le=3650)] = 90
    max_rank: Annotated[int, Field(gt=0)] | None = None


class Stage(Named):
    """What the citizen sees of the way: several steps may be one stage."""


class FormField(Strict):
    """One field of an act.

    `staff` lists people of `role`; `requirements` and `checklist` the service's papers, the latter
    with what is wrong of each: it `expects` them complete, or with faults. `files` are documents of
    the kind `document`, at least `least` of them where required. `past`: a date of what has
    happened, not after today. `prefill` names what of the register's row the field starts with.
    """

    name: Id
    kind: FieldKind
    label: Text
    required: bool = True
    options: tuple[Named, ...] = ()
    role: Id | None = None
    document: Id | None = None
    least: Annotated[int, Field(gt=0, le=20)] = 1
    expects: Literal["complete", "faults"] | None = None
    past: bool = False
    prefill: Literal["register_id", "programmes", "rank"] | None = None
    max_length: Annotated[int, Field(gt=0, le=2000)] = 500


class Action(Named):
    """One act a step offers: where it leads, which key does it, what it asks, what it does.

    `roles` narrows the step's roles; `assigned`: only whom the case was given to may do it. `rules`
    must all hold, else it is refused with their reasons. An act with `on` is nobody's key: it is
    done when that happens: the letter came out at the kiosk (`kiosk_print`), a collected sheet was
    frozen or signed (`<bundle>.frozen`, `<bundle>.signed`). `letter` is the kind of letter that an
    act with `issue` or `draw_up` makes, where it is not the service's first.
    """

    next: Id
    key: Annotated[str, Field(pattern=r"^[A-Z]$")]
    weight: Literal["primary", "plain", "back"] = "plain"
    said: Text
    fields: tuple[FormField, ...] = ()
    does: tuple[Effect, ...] = ()
    letter: Id | None = None
    roles: tuple[Id, ...] = ()
    assigned: bool = False
    rules: tuple[Rule, ...] = ()
    on: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.(frozen|signed))?$")] | None = None


class Standing(Strict):
    """A standing disposition: the step passes at once, on this order."""

    number: Line
    date: date
    by: Line
    action: Id


class Step(Named):
    """One step: whose it is, what it shows the citizen, what can be done.

    `stops_clock`: the office waits for the citizen. `ends`: the way ends here, so.
    `standard`: the numbered steps of the published standard that this one is. `field_work`: done
    outside of the office, on a phone. `carries`: at the period's end a proposal that stands here
    moves to the next period.
    """

    stage: Id
    public: Text
    standard: tuple[int, ...] = ()
    roles: tuple[Id, ...] = ()
    stops_clock: bool = False
    field_work: bool = False
    carries: bool = True
    ends: Outcome | None = None
    standing: Standing | None = None
    actions: tuple[Action, ...] = ()

    def action(self, action_id: str) -> Action | None:
        return next((a for a in self.actions if a.id == action_id), None)


class LetterText(Strict):
    """The wording of a letter; `{…}` parts are filled in from the case.

    `signing`: with the office's key, through BSrE, or by hand on the printed sheet (wet ink,
    stamp); then the mandate of the role `signer` stands under it, or the first one that holds.
    `result` is what it says of the person, as the seal tells it.
    """

    kind: Id
    signing: Signing = "office_key"
    result: Literal["registered", "not_registered", "recommended"] = "registered"
    signer: Id | None = None
    title: Line
    subtitle: Line | None = None
    number: Line
    opening: Line
    statement: Line
    purpose: Line
    validity: Line
    freeze: Line
    closing: Line
    copies: tuple[Line, ...] = ()


class SlipText(Strict):
    """What the slip says when the person is not in the register."""

    heading: Text
    lines: tuple[Text, ...]


class Elsewhere(Strict):
    """A numbered step that another's system does: who does it, and what is recorded here."""

    step: Annotated[int, Field(gt=0)]
    who: Line
    recorded: Line


class Published(Strict):
    """The service standard as the office published it, in its six components.

    PermenPANRB 15/2014: requirements; system, mechanism and procedure; time; cost; product;
    complaints. `procedure` is numbered from 1; the steps' `standard` refers to it.
    """

    title: Line
    decree: str = ""
    laws: tuple[Line, ...] = ()
    requirements: tuple[Line, ...]
    procedure: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    time: Line
    cost: Line
    product: tuple[Line, ...]
    complaints: tuple[Line, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


class Service(Named):
    """What every service has: its papers, purposes, time, stages and steps."""

    summary: Text
    about: Text
    cost: Text
    product: Text
    time: Time
    published: Published
    requirements: tuple[Requirement, ...]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    start: Id
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def step(self, step_id: str) -> Step:
        """The step of this id; KeyError when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def purpose(self, purpose_id: str) -> Purpose | None:
        return next((p for p in self.purposes if p.id == purpose_id), None)

    @property
    def papers(self) -> tuple[Requirement, ...]:
        """The requirements that are looked through at the counter."""
        return tuple(one for one in self.requirements if one.paper)


class LetterService(Service):
    """A letter for one person, from the kiosk or the counter; `series` is its ticket's letter.

    `letters` are others that an act may make: for who is not in the register, a recommendation.
    """

    kind: Literal["letter"] = "letter"
    series: Annotated[str, Field(pattern=r"^[A-Z]$")]
    letter: LetterText
    letters: tuple[LetterText, ...] = ()
    slip: SlipText

    def letter_of(self, kind: str | None) -> LetterText:
        """The letter of this kind, the first for None; KeyError when there is none."""
        for letter in (self.letter, *self.letters):
            if kind in (None, letter.kind):
                return letter
        raise KeyError(kind)

    @property
    def checked(self) -> tuple[FormField, ...]:
        """The fields of the acts with `record_check`: the letter's wording may name them."""
        return tuple(
            field
            for step in self.steps
            for action in step.actions
            if "record_check" in action.does
            for field in action.fields
            if field.kind in ("text", "textarea", "number", "date", "choice")
        )


class Route(Named):
    """Where proposals come from (Pemerintah Daerah, Mandiri), who enters them, where they start."""

    start: Id
    roles: Annotated[tuple[Id, ...], Field(min_length=1)]


class Periods(Strict):
    """The months' days on which a period opens, closes for proposals, and is pulled."""

    opens_day: Annotated[int, Field(ge=1, le=28)] = 1
    cutoff_day: Annotated[int, Field(ge=1, le=28)] = 17
    pull_day: Annotated[int, Field(ge=1, le=28)] = 18


class Padan(Strict):
    """How well the population data must agree with Dukcapil's, in percent."""

    population_percent: Annotated[int, Field(ge=0, le=100)] = 100
    address_percent: Annotated[int, Field(ge=0, le=100)] = 80


class Bundle(Named):
    """A sheet over many proposals: the Berita Acara of a musyawarah, the surat pengesahan.

    It collects what stands in the steps `collects`, of one village or of the whole office, asks
    `fields`, and is numbered and frozen by its hash; the copy signed by hand comes back as a
    document of the kind `scan`, or the PDF signed electronically. Its template is
    `letters/<template>.html`; `signer` is the role whose mandate stands under it.
    """

    per: Literal["village", "office"]
    roles: Annotated[tuple[Id, ...], Field(min_length=1)]
    collects: Annotated[tuple[Id, ...], Field(min_length=1)]
    template: Literal["berita_acara", "pengesahan"]
    heading: Line
    number: Line
    wording: tuple[Line, ...]
    fields: tuple[FormField, ...] = ()
    scan: Id
    signer: Id | None = None
    standard: tuple[int, ...] = ()


class ProposalService(Service):
    """Proposals (usulan) of whole households for the register and its programmes."""

    kind: Literal["proposal"]
    notice: Text
    routes: Annotated[tuple[Route, ...], Field(min_length=1)]
    periods: Periods
    padan: Padan | None = None
    extras: tuple[FormField, ...] = ()
    bundles: tuple[Bundle, ...] = ()

    def route(self, route_id: str) -> Route | None:
        return next((r for r in self.routes if r.id == route_id), None)

    def bundle(self, bundle_id: str) -> Bundle | None:
        return next((b for b in self.bundles if b.id == bundle_id), None)
