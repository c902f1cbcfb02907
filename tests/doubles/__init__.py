"""What stands in for the world in the tests, in one place.

acme                    Acme with a Salesforce, a Vault CRM and an Align, all set up rightly
aws                     AWS services in moto, made from the template
clocks                  clocks that a test sets
credentials             a secret, and keys of the JWT bearer flow
host                    a host that answers as it is told
metadata_packages       packages for Salesforce's Metadata API
outbound_messages       outbound messages, and the events that API Gateway makes of them
receiver                a webhook that keeps what it gets
salesforce_host         a host in Salesforce's place, and clients of it
salesforce_in_process   the stand-in of Salesforce without a socket
salesforce_over_http    a client of the stand-in of Salesforce
sandbox_doors           the stand-ins' own doors under /sandbox/
strict_message          an outbound message read strictly by its WSDL
vault_host              a host in a vault's place, clients of it, and an admin of a vault
vault_in_process        the stand-in of a vault without a socket
"""
