"""The OAuth JWT bearer flow: a short-lived assertion, signed by the client, in place of its secret.

Source: Salesforce help, remoteaccess_oauth_jwt_flow, and reports of its errors, which are all named
`invalid_grant` and tell the cause in their description.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sandbox.salesforce.errors import OAuthError

if TYPE_CHECKING:
    from jwt.types import SigOptions

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_LIFE_S = 300
SMALLEST_KEY = 2048


def public_key(pem: object) -> str:
    """Return the public key in a PEM certificate or PEM public key. Raises ValueError."""
    allowed = f"public_key is a PEM certificate or public key, RSA of at least {SMALLEST_KEY} bits"
    if not isinstance(pem, str):
        raise ValueError(allowed)
    try:
        is_certificate = "BEGIN CERTIFICATE" in pem
        key: object = (
            x509.load_pem_x509_certificate(pem.encode()).public_key()
            if is_certificate
            else load_pem_public_key(pem.encode())
        )
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(allowed) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise ValueError(allowed)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def check_assertion(
    assertion: str, *, client_id: str, username: str, key: str | None, host: str, now: datetime
) -> None:
    """Return if the assertion lets the client in as the integration user; `host` is our own address.

    Raises OAuthError. That another user is named, known or not, is no different from one who is not
    pre-authorised.
    """
    claims = _claims(assertion, None)
    if claims.get("iss") != client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if key is None:
        raise OAuthError("invalid_grant", "invalid assertion")
    claims = _claims(assertion, key)
    if claims.get("aud") not in (*AUDIENCES, host):
        raise OAuthError("invalid_grant", "audience is invalid")
    match claims.get("exp"):
        case int() | float() as ends if 0 < ends - now.timestamp() <= LONGEST_LIFE_S:
            pass
        case _:  # over, or too far off: by minutes or, with milliseconds for seconds, by millennia
            raise OAuthError("invalid_grant", "expired authorization code")
    subject = claims.get("sub")
    if not isinstance(subject, str) or subject.casefold() != username.casefold():
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")


def _claims(assertion: str, key: str | None) -> dict[str, Any]:
    """Return the claims, with the signature checked where there is a key to check it with."""
    # PyJWT would check the claims too, against the machine's clock and with errors that are not Salesforce's.
    options: SigOptions = {"verify_signature": key is not None}
    try:
        claims = json.loads(jwt.PyJWS().decode(assertion, key or "", algorithms=["RS256"], options=options))
    except (jwt.PyJWTError, ValueError):
        claims = None
    if not isinstance(claims, dict):
        raise OAuthError("invalid_grant", "invalid assertion")
    return claims
