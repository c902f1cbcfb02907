"""Webhook setup: the sender in Salesforce, installed and kept (WebhookSetupFunction, U7).

setting_up     install, refresh, status, rotate the token, remove
deploying      one set-up at a time, and its deployment waited for
package        what is deployed: an outbound message and a flow
metadata       outbound message, flow, deployment and user, as a Salesforce org shows them
chain          each link from a change in Salesforce to Muster, and whether it holds
setup_record   what is recorded of a set-up
ports          what setting up needs of the world outside
"""
