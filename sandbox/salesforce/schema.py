"""What an object and a field are: the part of `describe` that the rest of the sandbox decides by."""

import re
from dataclasses import dataclass, field, replace

STRING_TYPES = frozenset({"string", "email", "phone", "url", "picklist", "textarea"})
ID_TYPES = frozenset({"id", "reference"})

# The Metadata API's names of custom field types, with describe's name and the length unless one is given.
CUSTOM_FIELD_TYPES = {
    "Text": ("string", 255),
    "TextArea": ("textarea", 255),
    "Picklist": ("picklist", 255),
    "Email": ("email", 80),
    "Phone": ("phone", 40),
    "Url": ("url", 255),
    "Checkbox": ("boolean", 0),
    "Number": ("double", 0),
    "Date": ("date", 0),
    "DateTime": ("datetime", 0),
}
# Letters, digits and single underscores, beginning with a letter and not ending with an underscore.
_CUSTOM_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*(?<!_)__c", re.ASCII)


@dataclass(frozen=True)
class Field:
    """One field, in the words of `describe`. `length` is in characters, 0 where the type has none."""

    name: str
    type: str
    label: str
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    custom: bool = False
    unique: bool = False
    reference_to: str | None = None
    relationship: str | None = None
    defaulted: bool = False
    filterable: bool = True
    calculated: bool = False  # by a formula, so that nobody writes it

    @property
    def required(self) -> bool:
        """Whether a record cannot be created without it."""
        return self.createable and not self.nillable and not self.defaulted and self.type != "boolean"


@dataclass(frozen=True)
class SObject:
    """One object and its fields. Names are found whatever their case, as Salesforce does."""

    name: str
    label: str
    key_prefix: str
    fields: tuple[Field, ...]
    createable: bool = False
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)
    _by_relationship: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the look-ups."""
        object.__setattr__(self, "_by_name", {each.name.lower(): each for each in self.fields})
        related = {each.relationship.lower(): each for each in self.fields if each.relationship}
        object.__setattr__(self, "_by_relationship", related)

    def field(self, name: str) -> Field | None:
        """Return the field of that name."""
        return self._by_name.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """Return the reference field behind a relationship name, as `ManagerId` is behind `Manager`."""
        return self._by_relationship.get(name.lower())


class Schema:
    """The objects of the organization, with the custom fields defined so far."""

    def __init__(self, objects: tuple[SObject, ...]) -> None:
        """Take the objects that there are from the start."""
        self._objects = {each.name.lower(): each for each in objects}
        # In lower case: to who may not see an object, there is none.
        self.hidden: frozenset[str] = frozenset()

    def objects(self) -> list[SObject]:
        """Every object."""
        return list(self._objects.values())

    def object(self, name: str) -> SObject | None:
        """Return the object of that name, unless it is hidden."""
        return None if name.lower() in self.hidden else self._objects.get(name.lower())

    def add(self, object_name: str, custom: Field) -> None:
        """Add a custom field to an object. Raises ValueError if a different field has that name."""
        target = self._objects[object_name.lower()]
        present = target.field(custom.name)
        if present == custom:
            return
        if present is not None:
            raise ValueError(f"{target.name} has a field {present.name} already, of type {present.type}")
        self._objects[object_name.lower()] = replace(target, fields=(*target.fields, custom))


def custom_field(
    name: object, type_name: object, length: object = None, label: object = None, formula: object = False
) -> Field:
    """Return a custom field from its name, Metadata API type, length, label, and whether it is a formula.

    Raises ValueError, saying what is allowed.
    """
    if not isinstance(name, str) or not _CUSTOM_NAME.fullmatch(name) or len(name) > 43:
        raise ValueError("name is letters, digits and single underscores and ends in __c, as in Region__c")
    known = {each.lower(): each for each in CUSTOM_FIELD_TYPES}
    if not isinstance(type_name, str) or type_name.lower() not in known:
        raise ValueError(f"type is one of {', '.join(CUSTOM_FIELD_TYPES)}")
    describe_type, default_length = CUSTOM_FIELD_TYPES[known[type_name.lower()]]
    if length is None or default_length == 0:
        length = default_length
    elif isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= 255:
        raise ValueError("length is a number from 1 to 255")
    if label is None:
        label = name.removesuffix("__c").replace("_", " ")
    if not isinstance(label, str) or not label:
        raise ValueError("label is a text")
    if not isinstance(formula, bool):
        raise ValueError("formula is true or false")
    return stored_custom_field(name, describe_type, label, length, formula=formula)


def stored_custom_field(name: str, kind: str, label: str, length: int, *, formula: bool) -> Field:
    """Return a custom field of that type in `describe`; nobody writes the value of a formula."""
    written = not formula
    return Field(
        name, kind, label, length, kind != "boolean", written, written, custom=True, calculated=formula
    )
