"""Values that tests start from: one organization, one Salesforce user, and ways to vary them."""

import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from muster.settings import Settings
from muster.sources import notifications
from muster.sources.user_changes import UserChange

NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
ADA = "005000000000001AAA"
BOB = "005000000000002AAA"

# A user as Salesforce sends it: ids, text, and no null fields.
USER = {
    "Id": ADA,
    "SystemModstamp": "2026-11-20T08:15:31.000Z",
    "LastModifiedDate": "2026-11-20T08:15:31.000Z",
    "Username": "ada@acme.example",
    "Email": "ada@acme.example",
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Title": "Rep",
    "Phone": "+44 20 7946 0001",
    "MobilePhone": "+44 7700 900001",
    "Extension": "12",
    "IsActive": "true",
    "CallCenterId": "04v000000000001AAA",
    "LanguageLocaleKey": "en_US",
    "LocaleSidKey": "en_GB",
    "TimeZoneSidKey": "Europe/London",
    "SmallPhotoUrl": "https://acme.my.salesforce.com/profilephoto/005/T",
    "ProfileId": "00e000000000001AAA",
    "UserRoleId": "00E000000000001AAA",
    "UserType": "Standard",
}


def settings(**sections: Any) -> Settings:
    """Return the settings of organization acme with these sections changed."""
    return Settings.model_validate_json(json.dumps({"organization": "acme", **sections}))


def user(second: int = 31, **fields: Any) -> dict[str, str]:
    """Return the example user as of that second of 08:15, with these fields; `None` takes one out."""
    moment = f"2026-11-20T08:15:{second:02d}.000Z"
    varied = {**USER, "SystemModstamp": moment, "LastModifiedDate": moment, **fields}
    return {name: value for name, value in varied.items() if value is not None}


def change(
    second: int = 31, organization: Settings | None = None, notification: str = "", **fields: Any
) -> UserChange:
    """Return what Muster understands of the example user, varied as `user` says."""
    listed = (organization or settings()).auto_provision
    number = notification or f"04l0000000000{second:02d}AAA"
    return notifications.read(user(second, **fields), {*listed.fields, *listed.custom_fields}, number, NOW)


def lambda_context() -> LambdaContext:
    """Return the context that a function is invoked with."""
    context = LambdaContext()
    context._function_name = "function"
    context._memory_limit_in_mb = 512
    context._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    context._aws_request_id = "00000000-0000-4000-8000-000000000000"
    return context
