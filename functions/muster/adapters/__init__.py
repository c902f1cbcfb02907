"""Adapters: one folder per outside system, which translates that system's errors into `muster.errors`.

aws/               DynamoDB, S3, SQS, SES, Secrets Manager, Step Functions
salesforce/        Salesforce's REST, Metadata and Tooling APIs
vault/             the REST API of Vault CRM and Align
scim/              apps that are provisioned by SCIM 2.0
http_calls         calls to any outside system: to its own hosts only, over https (T2)
outbound_message   parse Salesforce's SOAP message, and write its acknowledgement (W1, W2)
"""
