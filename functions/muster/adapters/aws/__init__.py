"""AWS: one module per kind of item in the roster table, and per service.

roster_table, roster_writes, roster_keys, roster_views   members, links, seats, lines, error log
run_table, run_archive                                   runs and the lease; what runs read and planned (S3)
settings_table, webhook_registry, webhook_journal        settings; who may call the webhook; its set-up
change_queue                                             the queue between webhook and worker (SQS)
mail, mail_outbox                                        mails (SES), and those not sent yet
secrets                                                  credentials (Secrets Manager)
dynamodb_reads, aws_errors                               reads of many items; botocore's errors as ours
"""
