"""What can go wrong with an act, said in words for the person who tried it.

Every message is an Indonesian sentence that tells what to do next; the views translate it.
"""


class LoketError(Exception):
    """The family: `message` is shown to the person, so it holds nothing personal."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class Invalid(LoketError):
    """Input that cannot be accepted: `fields` maps a field's name to its message."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(next(iter(fields.values()), ""))
        self.fields = fields


class NotAllowed(LoketError):
    """This role may not do this now."""


class NotFound(LoketError):
    """No such thing, or not one that this person may see: the two look the same."""


class Stale(LoketError):
    """Somebody else was first: what was asked for has already happened or has changed."""


class Unusable(LoketError):
    """A file or a thing that cannot be used as it is."""


class TooMany(LoketError):
    """An attempt past the limit."""
