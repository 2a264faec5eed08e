"""What a ticket and the slip of a person not found say. No name, no NIK: paper gets lost."""

from kiosk import versions, words
from kiosk.loket import Loket
from kiosk.slip import Line, Slip
from models import Application, Ticket


def ticket(loket: Loket, application: Application, now: int) -> Slip:
    """Number, time promised, QR to the status page."""
    row = Ticket.get(Ticket.application == application)
    service = versions.service_of(loket, application)
    lines = [Line(service.title.id, bold=True)]
    if application.due_at:
        lines.append(Line("Siap paling lambat", "small"))
        lines.append(Line(_promise(loket, application.due_at, row.created_at), "large", bold=True))
    taken = loket.calendar.local(row.created_at)
    lines.append(
        Line(
            f"{words.weekday(taken.date())}, {words.long_date(taken.date())}, "
            f"{words.clock_time(taken)}",
            "small",
        )
    )
    return Slip(
        office=loket.profile.office.name,
        heading="Nomor antrean Anda",
        big=row.label,
        lines=tuple(lines),
        qr_url=loket.status_url(row.token),
        foot=("Pindai untuk melihat giliran dan mencetak surat", "Semua layanan gratis"),
    )


def _promise(loket: Loket, due_at: int, taken_at: int) -> str:
    due, taken = loket.calendar.local(due_at), loket.calendar.local(taken_at)
    if due.date() == taken.date():
        return words.clock_time(due)
    return f"{words.weekday(due.date())} {words.short_date(due.date())}, {words.clock_time(due)}"


def not_found(loket: Loket, application: Application, now: int) -> Slip:
    """Where to register and what to bring; that somebody was not found is not said with a name."""
    row = Ticket.get(Ticket.application == application)
    service = versions.letter_service_of(loket, application)
    given = loket.vault.unlock_json("given", application.given_ct)
    lines = [Line(line.id) for line in service.slip.lines]
    if given["village"]:
        lines.insert(0, Line(f"Desa/Kelurahan {given['village']}", bold=True))
    day = loket.calendar.day_of(now)
    lines.append(Line(words.long_date(day), "small"))
    return Slip(
        office=loket.profile.office.name,
        heading=service.slip.heading.id,
        big=row.label,
        lines=tuple(lines),
        qr_url=None,
        foot=(loket.profile.office.phone, "Semua layanan gratis"),
    )
