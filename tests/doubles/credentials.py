"""What clients log in with: a secret of their own each, and keys of the JWT bearer flow."""

import hashlib
import json
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from muster.adapters.aws.secrets import Secrets

# Nothing that a test reads may hold it.
CANARY = "c4n4ry-0f-4-s3cr3t"


class Shelf:
    """Stands in for Secrets Manager: one secret, and how often it was read."""

    def __init__(self, name: str, **secret: str) -> None:
        self.name = name
        self.secret = secret
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        assert SecretId == self.name
        self.reads += 1
        text = json.dumps(self.secret)
        # Whoever writes something else makes another version.
        return {"SecretString": text, "VersionId": hashlib.sha256(text.encode()).hexdigest()}

    def secrets(self) -> Secrets:
        """Return what a client reads it through."""
        organization = self.name.split("/")[1]
        return Secrets(cast(Any, self), organization)


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    """Return a private key as text."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem.decode()


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return the public part of a private key as text, as it is uploaded."""
    public = key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()
