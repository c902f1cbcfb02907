"""AWS: one module per kind of item in the roster table, and one per service.

roster_table, roster_writes, roster_keys, roster_views   members, links, seats, lines, error log
app_table                                                what pushes remember of apps: their groups (O2)
unlinked_holder_table                                    users of Vault CRM with a group, linked to nobody
journal                                                  changes of members and the error log, by time
run_table, run_archive                                   runs and the lease; the pages and plans of runs (S3)
login_journal                                            turns to log in to vaults, and refusals (U5)
export_files                                             files for people to fetch (S3)
snapshot_files                                           snapshots of the roster (S3)
settings_table, webhook_registry, webhook_journal        settings; callers of the webhook; its set-up
delivery_journal                                         which notifications were followed (W13)
loss_table                                               what messages took from members in the last hour
change_queue                                             the queue between webhook and worker (SQS)
history_stream, event_bus, failure_queue                 history entries told on a bus (EventBridge, SQS)
member_stream                                            members who have left, as the stream hands them over
queue_counts                                             how many messages wait, and were given up (SQS)
digest_note, inform_topic                                the note of the last digest; who is informed (SNS)
mail, mail_outbox                                        mails (SES), and those still to be sent
secrets                                                  credentials (Secrets Manager)
user_pool                                                accounts in a Cognito user pool (Cognito)
workflow                                                 what goes on with runs (Step Functions)
dynamodb_reads, aws_errors                               reads of many items; botocore's errors translated
"""
