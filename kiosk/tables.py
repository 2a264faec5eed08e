"""What every table of an office's file is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Line = Annotated[str, Field(min_length=1, max_length=400)]


class Strict(BaseModel):
    """A table of the file: frozen, and a key that is not known is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Strict):
    """What a person reads, in Indonesian and English."""

    id: Line
    en: Line

    def __getitem__(self, lang: str) -> str:
        return self.en if lang == "en" else self.id


class Named(Strict):
    """A thing of the file with an id and a title in two languages."""

    id: Id
    title: Text
