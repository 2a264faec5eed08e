"""Helpers of the other offices' journeys: acts with any field, by a person or behind their back."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from kiosk import desk, population
from kiosk.desk import Draft
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, Ticket, User
from tests.live import Office

Fields = Mapping[str, str | Path | list[Path]]


def loket_of(office: Office) -> Loket:
    found: Loket = office.app.extensions["loket"]
    return found


def applied(office: Office, purpose: str, **over: str) -> Application:
    """An application of the demonstration person, with a ticket; `over` changes their data."""
    loket = loket_of(office)
    person = loket.register.find_nik(population.DEMO_PERSON.nik)
    assert person is not None
    parts = {key: str(value) for key, value in person.as_dict().items()} | over
    service = loket.profile.letters[0].id
    draft = Draft(service, purpose, "", parts["nik"], parts["kk"], parts, not over)
    id_ = desk.submit(loket, draft, None, int(office.clock()))
    return desk.find(id_)


def label_of(application: Application) -> str:
    return str(Ticket.get(Ticket.application == application).label)


def acted(office: Office, application: Application, action: str, name: str, **given: str) -> None:
    """The act of a member of staff whose window adds nothing here."""
    user = User.get(User.name == name)
    who = Actor(user.id, user.name, user.full_name, user.role)
    seq = desk.find(application.id).seq
    sent = {field: [value] for field, value in given.items()}
    desk.act(loket_of(office), application.id, action, sent, who, seq, int(office.clock()))


def open_case(page: Page, label: str) -> None:
    """Show the case of this number, unless it is shown already: a second answer would come late."""
    row = page.locator("#work .row", has_text=label)
    expect(row).to_be_visible()
    if row.get_attribute("aria-current") != "true":
        row.click()
    expect(row).to_have_attribute("aria-current", "true")


def act(page: Page, label: str, name: str, fields: Fields | None = None) -> None:
    """Open the case of this number, do the act with its form, and see that it is done."""
    open_case(page, label)
    page.locator("footer.acts :is(a, button)", has_text=name).first.click()
    if fields:
        form = page.locator("form.asked")
        for field, value in fields.items():
            fill(form.page, field, value)
        page.locator("footer.acts button.primary").click()
    expect(page.locator("#done")).to_contain_text(label)


def fill(page: Page, field: str, value: str | Path | list[Path]) -> None:
    boxes = page.locator(f'form.asked [name="{field}"]')
    kind = boxes.first.get_attribute("type")
    if kind in ("radio", "checkbox"):
        page.locator(f'form.asked [name="{field}"][value="{value}"]').check()
    elif kind == "file":
        files = value if isinstance(value, list) else [Path(str(value))]
        boxes.first.set_input_files(files)
        expect(page.locator(f"#held-{field}")).to_contain_text(f"{len(files)} berkas terlampir")
    else:
        boxes.first.fill(str(value))


def reads(phone: Page, words: str) -> None:
    """The citizen looks again: by itself the page looks only now and then."""
    phone.reload()
    expect(phone.locator("main")).to_contain_text(words)


def picture(folder: Path, name: str, said: str, size: tuple[int, int] = (1600, 1200)) -> Path:
    """A photograph of something, as a camera leaves it."""
    image = Image.new("RGB", size, (214, 205, 184))
    draw = ImageDraw.Draw(image)
    for n in range(0, size[0], 80):
        draw.line((n, 0, n, size[1]), fill=(120 + n % 90, 110, 90), width=6)
    draw.rectangle((200, 200, 900, 420), fill="white")
    draw.text((240, 260), said, fill="black", font_size=70)
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    path = folder / name
    path.write_bytes(file.getvalue())
    return path
