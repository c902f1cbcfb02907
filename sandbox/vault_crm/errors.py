"""What Vault answers when it refuses: HTTP 200, a `responseStatus` and a list of errors."""

from typing import Any


def error(kind: str, message: str) -> dict[str, str]:
    """Return one entry of `errors`; `type` is what callers branch on, the message may change."""
    return {"type": kind, "message": message}


class VaultError(Exception):
    """A call that is refused as a whole: nothing of it was processed."""

    def __init__(self, kind: str, message: str, *, error_type: str | None = None) -> None:
        """Take what the answer says; `error_type` is the extra key that a failed login has."""
        super().__init__(kind)
        self.kind = kind
        self.message = message
        self.error_type = error_type

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer; EXCEPTION stands for an error of the system, not of the caller."""
        if self.kind == "EXCEPTION":
            return {"responseStatus": "EXCEPTION", "errors": [error("UNEXPECTED_ERROR", self.message)]}
        body: dict[str, Any] = {"responseStatus": "FAILURE", "errors": [error(self.kind, self.message)]}
        if self.error_type is not None:
            body["errorType"] = self.error_type
        return body


class RecordError(Exception):
    """A record that is refused, while others of the same call may succeed."""

    def __init__(self, kind: str, message: str) -> None:
        """Take what the record's entry in the answer says."""
        super().__init__(kind)
        self.kind = kind
        self.message = message

    def as_json(self) -> dict[str, Any]:
        """Return the record's entry, which has no `data`."""
        return {"responseStatus": "FAILURE", "errors": [error(self.kind, self.message)]}
