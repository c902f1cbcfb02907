"""Salesforce's APIs over HTTP.

login             the access token, and where Muster may call
calls             a call in a session: limits, retries, what a refusal means
client            queries, batches of queries, describe
metadata_client   the Metadata and Tooling APIs
setup_answers     what those answer, as values
"""
