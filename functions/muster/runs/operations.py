"""The operations that the guard counts (I5)."""

CREATE, UPDATE, DEACTIVATE, GRANT, REVOKE = "create", "update", "deactivate", "grant", "revoke"
OPERATIONS = (CREATE, UPDATE, DEACTIVATE, GRANT, REVOKE)
