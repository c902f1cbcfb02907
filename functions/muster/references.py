"""How events name a member or a run."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from muster.validation import refused


def _run_id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6,9}-[0-9a-f]{8}", value):
        raise refused("is not the id of a run", "Copy run_id from the run's answer.")
    return value


# A member: its id, its id in Salesforce or Vault CRM, its username or e-mail address.
type Reference = Annotated[str, Field(min_length=1, max_length=254, examples=["ada@acme.example"])]
type RunId = Annotated[str, AfterValidator(_run_id)]
