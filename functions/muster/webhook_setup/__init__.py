"""Webhook setup: the outbound message and the flow in Salesforce (WebhookSetupFunction, U7).

setting_up       install, refresh, status, rotate the token, remove
deploying        one set-up at a time; deploy a package and wait for the result
package          what is deployed: an outbound message and a flow
metadata         outbound message, flow, deployment and user, as a Salesforce org shows them
delivery_chain   each link from a change in Salesforce to Muster, and whether it works
setup_record     the stored record of a set-up
ports            what setting up needs of the outside world
"""
