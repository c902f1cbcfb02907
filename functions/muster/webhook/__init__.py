"""The webhook: an outbound message received, queued and followed (OutboundUserWebhook, UserChangeWorker).

messages    an outbound message as received, and the message on the queue
tokens      webhook tokens: issue, hash, compare, rotate (W3)
receiving   who sends a message, whether it is theirs to send, and onto the queue (W1 to W3)
following   the queued changes: users read back, the roster brought in line (W4 to W9)
ports       what the webhook needs: who may call it, and a queue
"""
