"""The webhook: an outbound message received, queued and followed (OutboundUserWebhook, UserChangeWorker).

messages            an outbound message as received, and the message on the queue
tokens              webhook tokens: issue, hash, compare, rotate (W3)
receiving           authenticate the sender of a message, then queue it (W1 to W3)
deliveries          which notifications are worth following, and how many calls they may take (W13)
following_messages  follow a message as far as it is worth it, and remember it
losses              what messages take from members, and how much passes in an hour (W12)
guarding_losses     hold what goes beyond that, and record what passes
applying_changes    read the queued users back from Salesforce and update the roster (W4 to W9)
ports               what the webhook needs: the registry of callers, a queue, what was followed and taken
"""
