"""The errors: an array of code, message and perhaps fields; of the token endpoint, an object."""

from typing import Any


class SalesforceError(Exception):
    """A call that Salesforce refuses, with the HTTP status, the error code and the fields at fault."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        """Take what the answer says; `fields` is left out of it when None."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def as_json(self) -> list[dict[str, Any]]:
        """Return the body of the answer."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]


class OAuthError(Exception):
    """A request for a token that Salesforce refuses, always with status 400."""

    def __init__(self, code: str, description: str) -> None:
        """Take what the answer says."""
        super().__init__(code)
        self.code = code
        self.description = description

    def as_json(self) -> dict[str, str]:
        """Return the body of the answer."""
        return {"error": self.code, "error_description": self.description}


def malformed(message: str) -> SalesforceError:
    """Return the answer for a body that is not JSON, or not of the form that the resource takes."""
    return SalesforceError(400, "JSON_PARSER_ERROR", message)


def not_found() -> SalesforceError:
    """Return the answer for a path, version, object or record that does not exist."""
    return SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
