"""Adapters: one folder per outside system; each turns that system's errors into `muster.errors`.

aws/               DynamoDB, S3, SQS, SES, Secrets Manager
salesforce/        Salesforce's REST, Metadata and Tooling APIs
vault/             the REST API of Vault CRM and Align
outgoing           how any outside system is called: its own hosts only, over https (T2)
outbound_message   Salesforce's SOAP message to values, and its acknowledgement (W1, W2)
"""
