"""Whatever is switched off and on in between, the end is as without the switches (G12).

Imports and pushes decide as they do in a run; Vault CRM is what it shows of Ada, and answers at once.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from muster.crm.engage_features import CONNECT, ENGAGE, Feature
from muster.edits import group_requests
from muster.edits.group_requests import GroupRequest
from muster.engage import item_outcomes
from muster.engage.push_items import SENT
from muster.engage.push_plan import make_plan as planned
from muster.errors import Rejected
from muster.roster import engage_groups, vault_lifecycle
from muster.roster.decisions import Known
from muster.roster.member import Member
from muster.settings import Settings, mappings
from muster.settings.digests import vault_settings_digest
from muster.sources.vault_users import VaultUser, digester, user_of
from tests.examples import settings

NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
AT = NOW.isoformat()
STEPS = ("off", "on", "unmapped", "mapped", "full", "incremental", "push", "edit", "vault")
# Which fields are not mapped when Engage is unmapped.
FIELDS = ("group", "status", "request", "outbound")
BEGINS = ("nothing", "automatic", "manual", "by hand", "sent", "leaver")


@cache
def settings_when(begins: str, *, managed: bool, unmapped: frozenset[str]) -> Settings:
    """Return the settings with Engage managed or not, and these of its fields not mapped."""
    inbound = [f"{ENGAGE}.{each}" for each in ("group", "status") if each not in unmapped]
    outbound = [f"{ENGAGE}.{each}" for each in ("request", "status") if "outbound" not in unmapped]
    maps = {
        "inbound": {
            "system": [f"{CONNECT}.group", f"{CONNECT}.status", *inbound],
            "custom": {f"{ENGAGE}.request": None} if "request" in unmapped else {},
        },
        "outbound": {"system": [f"{CONNECT}.request", f"{CONNECT}.status", *outbound]},
    }
    mode = begins if begins in ("automatic", "manual") else None
    return settings(
        connections={
            "vault_crm": {
                "host": "acme-crm.veevavault.com",
                "manage_features": [CONNECT, *([ENGAGE] if managed else [])],
            }
        },
        field_maps={"vault_crm": maps},
        assignments=[{"name": "Sales", "update_mode": mode, "engage": {"group": "UK"}}] if mode else [],
    )


@dataclass
class Story:
    """What happens to Ada, with the switches or without, and what there is of her in the vault."""

    begins: str
    unmapped: frozenset[str]
    is_switched: bool
    refused: set[int]
    edits: int = 0
    managed: bool = True
    mapped: bool = True
    decided_with: str = ""
    row: dict[str, Any] = field(
        default_factory=lambda: {
            "id": "10042",
            "username__sys": "ada@acme.example",
            "email__sys": "ada@acme.example",
            "status__v": ["active__v"],
            "modified_date__v": "2026-11-20T08:00:00.000Z",
            "engage_group_request__v": None,
            "engage_group_provisioning_status__v": None,
            "engage_group__v": None,
            "engage_connect_group_request__v": None,
            "engage_connect_group_status__v": None,
            "engage_connect_group__v": None,
        }
    )
    member: Member = field(
        default_factory=lambda: Member(id="m1", organization="acme", email="ada@acme.example", active=True)
    )

    @property
    def settings(self) -> Settings:
        unmapped = frozenset[str]() if self.mapped else self.unmapped
        return settings_when(self.begins, managed=self.managed, unmapped=unmapped)

    def goes(self, *steps: str) -> None:
        for step in steps:
            if step in ("off", "on"):
                self.managed = step == "on" or not self.is_switched
            elif step in ("unmapped", "mapped"):
                self.mapped = step == "mapped" or not self.is_switched
            elif step in ("full", "incremental"):
                self.imported(step)
            elif step == "push":
                self.push()
            elif step == "vault":
                self.row["engage_group_request__v"] = "UK"
                self.settle()
            else:
                self.edit()

    def user(self) -> VaultUser:
        """Return Ada as Vault CRM shows her in the fields that are read."""
        return user_of(self.row, self.settings, "run:1")

    def imported(self, mode: str) -> None:
        afresh = vault_settings_digest(self.settings) != self.decided_with
        self.decided_with = vault_settings_digest(self.settings)
        names = mappings.vault_fields_to_read(self.settings)
        digest = digester(names)({name: self.row[name] for name in names})
        if mode == "full" and not afresh and digest == self.member.vault.to_json().get("digest"):
            return
        user = replace(self.user(), digest=digest)
        decision = vault_lifecycle.decide(
            user, Known(matches={}, namesakes=(self.member,)), self.settings, {}, NOW
        )
        self.member = decision.after or self.member

    def push(self) -> None:
        """Push, whatever Ada is due for: of what is not pushed, what is shown stays."""
        if "vault_crm" not in self.member.crm:
            return
        features, before = mappings.pushed_features(self.settings), self.member
        self.sent(features)
        assert ENGAGE in features or self.member.engage == before.engage

    def sent(self, features: tuple[Feature, ...]) -> None:
        plan = planned([self.member], {"10042": self.user()}, {}, self.settings, NOW)
        for item in plan.items:
            if item.step not in SENT:
                shown = item_outcomes.seen_user(item)
                self.member = item_outcomes.with_outcome(self.member, shown, AT, NOW.date(), features)
            for feature, writes in item.writes.items():
                assert feature in features, "nothing is written of what is not pushed"
                if "request" in writes:
                    self.row[f"{feature}_group_request__v"] = writes["request"]
            if item.writes:
                self.member = item_outcomes.with_sent(self.member, item, NOW.date(), AT)
        self.settle()
        self.member = item_outcomes.with_answer(self.member, self.user(), AT, NOW.date(), features)

    def settle(self) -> None:
        request = self.row["engage_group_request__v"]
        self.row["engage_group__v"] = request
        self.row["engage_group_provisioning_status__v"] = "success__v"

    def edit(self) -> None:
        """Have an admin ask for another group, for none, for it again: what was refused, in neither story."""
        self.edits += 1
        if not self.is_switched and self.edits in self.refused:
            return
        group = ("US", None, "UK")[self.edits % 3]
        request = GroupRequest(
            member="m1", action="assign" if group else "remove", feature="engage", group=group
        )
        try:
            decision = group_requests.decide(self.member, request, "jane", self.settings, NOW, "run:2")
        except Rejected:
            self.refused.add(self.edits)
        else:
            self.member = decision.after or self.member


def begun(begins: str, unmapped: frozenset[str], refused: set[int], *, is_switched: bool) -> Story:
    """Return the story of Ada from where she asks for a group, or does not."""
    story = Story(begins, unmapped, is_switched, refused)
    if begins in ("automatic", "manual"):
        attributes = engage_groups.request_group(story.member, ENGAGE, "UK")
        story.member = replace(replace(story.member, assignment="Sales"), **attributes)
    if begins in ("automatic", "manual", "nothing"):
        return story
    story.imported("full")
    attributes = engage_groups.request_group(story.member, ENGAGE, "UK")
    story.member = replace(story.member, **attributes)
    if begins in ("sent", "leaver"):
        story.push()
    if begins == "leaver":
        story.member = replace(story.member, crm_user_status="inactive")
    return story


def ends(begins: str, steps: list[str], unmapped: frozenset[str]) -> list[Any]:
    """Return what Ada has in the end, with the switches and without, once all is switched on and done."""
    refused: set[int] = set()
    found = []
    for is_switched in (True, False):
        story = begun(begins, unmapped, refused, is_switched=is_switched)
        story.goes(*steps, "on", "mapped", "full", "push", "full")
        member = story.member
        rest = {name: value for name, value in member.vault.to_json().items() if name != "digest"}
        found.append((member.engage, member.origins, rest, story.row))
    return found


@budget(max_examples=300, derandomize=True, deadline=None)
@given(
    begins=st.sampled_from(BEGINS),
    steps=st.lists(st.sampled_from(STEPS), max_size=4),
    unmapped=st.sets(st.sampled_from(FIELDS), min_size=1),
)
def test_the_end_is_as_without_the_switches(begins: str, steps: list[str], unmapped: set[str]) -> None:
    switched, plain = ends(begins, steps, frozenset(unmapped))
    assert switched == plain
