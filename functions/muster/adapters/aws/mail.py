"""Send mails with Amazon SES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from muster.adapters.aws.aws_errors import translated
from muster.errors import Misconfigured, Problem, Rejected

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


# Faults of this one mail, such as an unverified recipient in the SES sandbox.
_REFUSED = frozenset({"BadRequestException", "MessageRejected"})
# Faults of all mails, until an admin acts.
_NOT_ALLOWED = frozenset(
    {
        "AccountSuspendedException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "SendingPausedException",
    }
)


class Mail:
    """Sends mails from one address."""

    def __init__(self, client: SESV2Client, sender: str) -> None:
        """Send from `sender`, an address that is verified in SES, itself or by its domain."""
        self._client = client
        self._sender = sender

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        """Send a mail to one address; if the answer is lost, it may have been sent all the same.

        Raises `Rejected` if SES refuses this mail, `Misconfigured` if it would refuse any, and
        `Unavailable` if it is down or the account's sending rate or daily quota is used up.
        """
        with translated("SES"):
            try:
                self._client.send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [to]},
                    Content={
                        "Simple": {
                            "Subject": {"Data": subject, "Charset": "UTF-8"},
                            "Body": {
                                "Text": {"Data": text, "Charset": "UTF-8"},
                                "Html": {"Data": html, "Charset": "UTF-8"},
                            },
                        }
                    },
                )
            except ClientError as error:
                # Only the code: the message of SES quotes addresses.
                code = error.response["Error"]["Code"]
                if code in _REFUSED:
                    remedy = "Verify MailFrom in SES; in the sandbox of SES, the manager's address as well."
                    raise Rejected(Problem("mail", f"was refused by SES with {code}", remedy)) from error
                if code in _NOT_ALLOWED:
                    raise Misconfigured(
                        f"SES sends no mails for this account: {code}; see SES, Account dashboard"
                    ) from error
                raise
