"""An office like Lebak whose letter is signed by hand, and whose promise runs from the complete
file: one working day, papers ticked off, the stamped sheet scanned.
"""

import tomllib
from dataclasses import replace
from typing import Any

from kiosk.loket import Loket
from kiosk.office_file import file_of, parse
from kiosk.profile import Profile

WORDS = {"id": "Kata", "en": "Words"}


def text(words: str) -> dict[str, str]:
    return {"id": words, "en": words}


def action(id_: str, key: str, onward: str, **more: Any) -> dict[str, Any]:
    title = text(id_.replace("_", " ").capitalize())
    return {"id": id_, "title": title, "said": title, "key": key, "next": onward} | more


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "label": text(name.capitalize())} | more


REASON = field("reason", "textarea")
PRINT_AND_SIGN = [
    {
        "id": "cetak", "title": text("Cetak surat"), "public": text("Surat dicetak"),
        "stage": "tanda_tangan", "roles": ["operator"],
        "actions": [
            action("cetak", "C", "tanda_tangan", does=["draw_up"]),
            action("kembalikan", "K", "cek", weight="back", fields=[REASON]),
        ],
    },
    {
        "id": "tanda_tangan", "title": text("Tanda tangan dan cap"), "public": text("Di meja"),
        "stage": "tanda_tangan", "standard": [8], "roles": ["operator", "kepala_dinas"],
        "actions": [
            action(
                "dicap", "T", "penyerahan", does=["release"], roles=["operator"],
                fields=[
                    field("sudah", "choice", options=[{"id": "ya", "title": text("Sudah")}]),
                    field("salinan", "files", document="surat_bercap"),
                ],
            ),
            action("kembalikan", "K", "cek", weight="back", fields=[REASON]),
            action("batal", "X", "dibatalkan", weight="back", fields=[REASON]),
        ],
    },
]  # fmt: skip


def profile(**letter: Any) -> Profile:
    """The office's file, checked; `letter` changes keys of its letter."""
    data = tomllib.loads(file_of("lebak").read_text())
    service = data["services"][0]
    service["time"] = {"amount": 1, "unit": "working_day", "days_start": "next"}
    service["letter"] |= {"signing": "wet_ink"} | letter
    data["documents"].append(
        {"id": "surat_bercap", "title": text("Surat bercap"), "keep_days": 365}
    )
    steps = {step["id"]: step for step in service["steps"]}
    _checked_first(steps["berkas"])
    found = steps["cek"]["actions"][0]
    found |= {"next": "cetak", "fields": [field("seen", "textarea"), RANK]}
    hand_over = steps["penyerahan"]
    hand_over["actions"] = [one for one in hand_over["actions"] if "on" not in one]
    kept = [step for step in service["steps"] if step["id"] != "periksa"]
    service["steps"] = [*kept, *PRINT_AND_SIGN]
    return parse(data, "by_hand.toml", "by-hand-1")


RANK = field("rank", "number", required=False, prefill="rank")


def _checked_first(step: dict[str, Any]) -> None:
    """The first step ticks the papers off; its clock stands until they are complete."""
    complete, _, short = step["actions"]
    step["stops_clock"] = True
    complete["fields"] = [field("papers", "checklist", expects="complete")]
    short["fields"] = [field("papers", "checklist", expects="faults")]


def office(loket: Loket, **letter: Any) -> Loket:
    """The counter with this office's file."""
    made = profile(**letter)
    return replace(loket, profile=made, calendar=made.calendar())
