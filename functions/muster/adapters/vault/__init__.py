"""A vault's REST API over HTTP, Vault CRM and Align alike.

login      the session, opened with username and password, and shared
burst      how fast a vault may be called
client     VQL, updates, metadata
answers    the envelope of an answer, and what its errors mean
metadata   objects, fields, picklists, users and permissions, as values
writes     what became of each record of an update
"""
