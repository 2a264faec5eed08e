"""What a ticket and the slip of a person not found say. No name, no NIK: paper gets lost."""

from kiosk import promise, versions, words
from kiosk.loket import Loket
from kiosk.slip import Line, Slip
from models import Application, Ticket

# What the ticket's code is for: only the stamped sheet of a letter signed by hand counts.
SCAN = {
    "office_key": "Pindai untuk melihat giliran dan mencetak surat",
    "bsre": "Pindai untuk melihat giliran dan mencetak surat",
    "wet_ink": "Pindai untuk melihat giliran dan kabar surat Anda",
}


def ticket(loket: Loket, application: Application, now: int) -> Slip:
    """Number, QR to the status, and the time promised: until when, or from the complete file."""
    row = Ticket.get(Ticket.application == application)
    service = versions.letter_service_of(loket, application)
    lines = [Line(service.title.id, bold=True)]
    if application.due_at:
        lines.append(Line("Siap paling lambat", "small"))
        lines.append(Line(_promise(loket, application.due_at, row.created_at), "large", bold=True))
    elif application.left_s is None and application.closed_at is None:
        lines.append(Line("Selesai dalam", "small"))
        lines.append(Line(promise.said(service.time).id, "large", bold=True))
        lines.append(Line("sejak berkas lengkap", "small"))
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
        foot=(SCAN[service.letter.signing], "Semua layanan gratis"),
    )


def _promise(loket: Loket, due_at: int, taken_at: int) -> str:
    due, taken = loket.calendar.local(due_at), loket.calendar.local(taken_at)
    if due.date() == taken.date():
        return words.clock_time(due)
    day = words.short_date(due.date()).rsplit(" ", 1)[0]
    return f"{words.weekday(due.date())} {day}, {words.clock_time(due)}"


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
