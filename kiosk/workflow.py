"""Pure: (service, step, action, role) → the next step, or NotAllowed. The table is the TOML."""

from collections.abc import Iterator

from kiosk.errors import NotAllowed
from kiosk.forms import SECRET
from kiosk.service import Action, Service, Standing, Step

CITIZEN = "warga"
NOT_HERE = "Langkah ini bukan tugas Anda, atau sudah dikerjakan."


def move(
    service: Service, step_id: str, action_id: str, role: str, assigned: bool = False
) -> tuple[Action, Step]:
    """The action and the step it leads to. Raises NotAllowed when this role may not do it here.

    `assigned` says whether the case was given to whoever asks.
    """
    step = service.step(step_id)
    action = next((one for one in offered(step, role, assigned) if one.id == action_id), None)
    if action is None:
        raise NotAllowed(NOT_HERE)
    return action, service.step(action.next)


def offered(step: Step, role: str, assigned: bool = False) -> tuple[Action, ...]:
    """The acts of this step that a role may do; those that happen by themselves are nobody's."""
    if role not in step.roles:
        return ()
    return tuple(
        action
        for action in step.actions
        if not action.on
        and (not action.roles or role in action.roles)
        and (assigned or not action.assigned)
    )


def signing(step: Step, role: str, assigned: bool = False) -> Action | None:
    """The act of this step with which a role signs a letter and says no more than who signs it."""
    return next(
        (
            action
            for action in offered(step, role, assigned)
            if "issue" in action.does and all(field.kind in SECRET for field in action.fields)
        ),
        None,
    )


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
