"""Everything that this app can be told to get wrong: switches that stay on until they are changed.

Each is something that a real app was reported or measured to do; the default is what the RFC says.
Names of attributes are those of the RFC (`externalId`); `Group.displayName` means that of groups alone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

type Names = tuple[str, ...]
Count = Annotated[int, Field(ge=1)]
Seats = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Status = Annotated[int, Field(ge=200, le=599)]


class Rate(BaseModel):
    """A limit on calls: at most `calls` in any `per_s` seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: Count
    per_s: Annotated[float, Field(gt=0)] = 60.0


class _Leaving(BaseModel):
    """What happens to those who leave, and to seats."""

    # A PATCH of these is answered as if it had worked.
    patch_ignores: Names = ()
    # What becomes of attributes that a PUT leaves out; the last two are about `active` alone.
    put_left_out: Literal["cleared", "kept", "activates", "deactivates"] = "cleared"
    # gone: 404, groups lost, coming back makes a new user. locked: takes `active` alone. deleted: for good.
    # unlisted: no list shows them, the name stays taken.
    inactive: Literal["kept", "gone", "locked", "deleted", "unlisted"] = "kept"
    delete: Literal["removes", "deactivates"] = "removes"
    # userNames that can be neither deactivated nor deleted, as of the owner.
    protected: Names = ()
    # Full: 403, to a POST and to a reactivation alike.
    seats: Seats | None = None
    inactive_use_seats: bool = False
    entitlement_seats: dict[str, Seats] = Field(default_factory=dict)
    group_seats: dict[str, Seats] = Field(default_factory=dict)
    text_booleans: Literal["taken", "refused"] = "taken"
    booleans_as_text: bool = False


class _Matching(BaseModel):
    """How users are made and found again."""

    post_existing: Literal["conflicts", "upserts", "duplicates"] = "conflicts"
    conflict_status: Status = 409
    # Names that a POST finds taken and no list shows: another organization's, a slug's, one not yet visible.
    taken: Names = ()
    unique_emails: bool = False
    unique_group_names: bool = False
    case_sensitive_filters: bool = False
    lowercases_user_names: bool = False
    user_name_is_email: bool = False
    immutable: Names = ()
    email_change_makes_a_user: bool = False
    # Needed at create; dots go into parts, as in name.givenName.
    requires: Names = ()
    # Neither stored nor filtered by.
    unsupported: Names = ()
    single_values: bool = False
    refuses_empty_lists: bool = False
    manager: Literal["taken", "must_exist", "crashes", "shown_as_text"] = "taken"
    # A new user is only invited for so long: updates have no effect, filters that find it fail.
    pending_s: Seconds = 0.0


class _Dialect(BaseModel):
    """Which calls are understood, and PATCH in particular."""

    patch_paths: Literal["any", "one_attribute", "required", "refused"] = "any"
    # 422 for a PATCH without `schemas` and for members with a `display`.
    strict_patch: bool = False
    # The only attributes of users that a PATCH may change.
    patch_only: Names | None = None
    patch_answer: Literal["empty", "body", "body_unless_unchanged", "braces"] = "empty"
    says_patch_unsupported: bool = False
    # "PUT" or "POST /Groups".
    refuses: Names = ()
    refused_status: Status = 405
    ignores_if_match: bool = False
    extensions: Literal["advertised", "unadvertised", "refused"] = "advertised"
    discovery: Literal["works", "missing", "old_names", "no_schemas"] = "works"


class _Membership(BaseModel):
    """Groups and their members."""

    members_per_call: Count | None = None
    members_kept: Count | None = None
    group_max_members: Count | None = None
    refuses_member_replace: bool = False
    members_in_post_and_put: Literal["taken", "ignored", "okta_only", "refused"] = "taken"
    unknown_members: Literal["added", "refused", "dropped", "wipe_the_group"] = "added"
    inactive_members: Literal["added", "refused", "dropped"] = "added"
    remove_value_list: Literal["refused", "removes", "empties_the_group"] = "refused"
    added_again: Literal["kept", "doubled", "refused"] = "kept"
    # A PATCH of a group takes so long between reading and writing, and holds no lock meanwhile.
    group_race_s: Seconds = 0.0
    members_shown: Seats | None = None


class _Lists(BaseModel):
    """Lists, filters, and how soon they tell the truth."""

    lists: Literal["work", "refused"] = "work"
    default_page_size: Count | None = None
    page_size: Count | None = None
    # ignored: page_size rows, whatever is asked.
    count: Literal["works", "ignored"] = "works"
    start_index: Literal["works", "ignored", "wraps"] = "works"
    total: Literal["right", "page", "wrong"] = "right"
    items_per_page: Literal["right", "wrong"] = "right"
    filters: Literal["work", "refused", "ignored", "exact_spacing", "no_precedence"] = "work"
    filterable: Names | None = None
    filter_terms: Count | None = None
    urn_filters: Literal["work", "find_nothing"] = "work"
    refuses_escaped_quotes: bool = False
    # Lists, or reads by id, show what was so long ago.
    list_lag_s: Seconds = 0.0
    read_lag_s: Seconds = 0.0


class _Wire(BaseModel):
    """What an answer looks like, and what calls must look like."""

    rate: Rate | None = None
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    ids: Literal["plain", "awkward", "numbers"] = "plain"
    errors: Literal[
        "scim", "no_scim_type", "no_status", "number", "text", "nested", "invented", "html", "empty"
    ] = "scim"
    request_type: Literal["any", "scim_only", "json_only"] = "any"
    accept: Literal["any", "scim_only", "none_on_delete"] = "any"
    # Empty: no Content-Type at all.
    answer_type: str = "application/scim+json"
    bom: bool = False
    lower_case_resources: bool = False
    # Of answers and the resources in them, as in meta and schemas.
    leaves_out: Names = ()
    no_location: bool = False
    needs_user_agent: bool = False
    create_status: Status = 201
    delete_status: Status = 204
    unknown_id_status: Status = 404
    # Another origin, as in https://new.example, to which every call is sent by `moved_status`.
    moved_to: str | None = None
    moved_status: Status = 308


class Quirks(_Wire, _Lists, _Membership, _Dialect, _Matching, _Leaving):
    """The switches by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_quirks(given: object, profiles: dict[str, dict[str, object]]) -> Quirks:
    """Return the quirks that a JSON object names; those of its `profile`, if any, come first.

    Raises ValueError, saying what is wrong and what there is.
    """
    if not isinstance(given, dict):
        raise ValueError("the body must be an object of quirks, an empty one to turn them off")
    profile = given.get("profile")
    if profile is not None and profile not in profiles:
        raise ValueError(f"profile is one of {', '.join(profiles)}")
    common = {} if profile is None else profiles[profile]
    named = {name: value for name, value in given.items() if name != "profile"}
    try:
        return Quirks.model_validate(common | named)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        names = ", ".join(Quirks.model_fields)
        raise ValueError(f"{where}: {first['msg']}; the quirks are {names}") from None


def names_it(names: Names, kind: str, attribute: str) -> bool:
    """Whether a list of attributes has this one of a User or a Group."""
    wanted = {attribute.casefold(), f"{kind}.{attribute}".casefold()}
    return any(name.casefold() in wanted for name in names)
