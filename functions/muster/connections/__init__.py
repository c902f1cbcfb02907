"""Connections: preflight and health (PreflightFunction, U1 to U6, P6).

checking            check each connection, from its secret to its last permission
access_checks       checks that all connections share: secret, host, login, right place, expiry, limits
salesforce_checks   what the Salesforce integration user needs (U4)
vault_checks        what the integration users of Vault CRM and Align need (U2, U3)
scim_checks         what a SCIM target has to answer, and what its profile presumes (O2)
user_pool_checks    what a Cognito user pool has to answer (O4)
licence_checks      whether users can still be made active in Vault CRM
written_field_checks  what the fields need that custom mappings write (G5)
credential_expiry   how many days are left until credentials expire
quarantine          when a connection that keeps failing is tried again (P6)
tracking_health     record whether calls succeed; skip a connection in quarantine
ports               what the room needs of secrets, Salesforce, vaults, apps and stored health
"""
