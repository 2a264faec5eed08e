"""Pure: (service, step, action, role) → the next step, or NotAllowed. The table is the TOML."""

from collections.abc import Iterator

from kiosk.errors import NotAllowed
from kiosk.profile import Action, Service, Standing, Step

CITIZEN = "warga"


def move(service: Service, step_id: str, action_id: str, role: str) -> tuple[Action, Step]:
    """The action and the step it leads to. Raises NotAllowed when this role may not do it here."""
    step = service.step(step_id)
    action = step.action(action_id)
    if action is None or role not in step.roles:
        raise NotAllowed("Langkah ini bukan tugas Anda, atau sudah dikerjakan.")
    return action, service.step(action.next)


def passes(service: Service, step: Step) -> Iterator[tuple[Step, Standing, Action, Step]]:
    """The steps that standing dispositions pass at once, from `step` on: (from, order, act, to)."""
    seen: set[str] = set()
    while step.standing and step.id not in seen:
        seen.add(step.id)
        action = step.action(step.standing.action)
        if action is None:
            return
        onward = service.step(action.next)
        yield step, step.standing, action, onward
        step = onward


def way(service: Service, walked: list[str]) -> list[Step]:
    """The way still ahead of the last step walked: the first action of each step, to its end."""
    ahead: list[Step] = []
    step = service.step(walked[-1])
    while step.actions:
        step = service.step(step.actions[0].next)
        if step in ahead:
            break
        ahead.append(step)
    return ahead
