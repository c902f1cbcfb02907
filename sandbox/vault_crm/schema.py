"""What an object and a field are: the part of the metadata that the rest of the sandbox decides by."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """One field, in the words of Vault's metadata. `max_length` is in characters, 0 where the type has none.

    `type` is ID, String, Picklist, Object (a reference), Boolean, Number, Date or DateTime.
    """

    name: str
    type: str
    label: str
    max_length: int = 0
    required: bool = False
    editable: bool = True
    unique: bool = False
    indexed: bool = False
    picklist: str | None = None
    default: str | None = None
    reference_to: str | None = None

    @property
    def relationship(self) -> str | None:
        """The name of the way to the referenced record: `language__sysr` for `language__sys`."""
        return f"{self.name}r" if self.reference_to else None


@dataclass(frozen=True)
class VObject:
    """One object and its fields. Names are case sensitive."""

    name: str
    label: str
    prefix: str  # of its record ids; users have plain numbers
    fields: tuple[Field, ...]
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)
    by_relationship: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the look-ups."""
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})
        related = {each.relationship: each for each in self.fields if each.relationship}
        object.__setattr__(self, "by_relationship", related)


type Schema = dict[str, VObject]
