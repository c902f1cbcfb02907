"""A vault's REST API over HTTP, for Vault CRM and Align alike.

login         the shared session, opened with username and password
burst_limit   pacing of calls within a vault's burst limit
client        VQL, updates, metadata
answers       the envelope of an answer, and what its errors mean
metadata      objects, fields, picklists, users and permissions, as values
writes        the result of an update, record by record
"""
