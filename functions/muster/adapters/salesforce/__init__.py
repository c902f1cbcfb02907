"""Salesforce's APIs over HTTP.

login             the access token, and the hosts that Muster may call
calls             one call in a session: limits, retries, what a refusal means
client            queries, batches of queries, describe
metadata_client   the Metadata and Tooling APIs
setup_answers     their answers, read into values
"""
