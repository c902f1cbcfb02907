"""Connections: preflight and health (PreflightFunction, U1 to U6, P6).

checking            each connection checked, from its secret to its last permission
access_checks     what every connection is checked for: secret, host, login, place, limits
salesforce_checks   what the Salesforce integration user needs (U4)
vault_checks        what the integration users of Vault CRM and Align need (U2, U3)
credential_expiry   how many days are left until credentials end
quarantine          when a connection that keeps failing is tried again (P6)
tracking_health     each call's success or failure recorded; who is in quarantine is left alone
ports               what checking needs of secrets, Salesforce and vaults
"""
