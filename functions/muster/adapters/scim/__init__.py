"""SCIM 2.0: an app's users and groups, read and written in the name of a token.

client    users and groups found, listed, read, made, changed and removed
calls     calls in the name of the token, paced and repeated where that is harmless
token     the token in the secret; one that was refused is not sent again (U5)
answers   what an answer means: for the whole target, or for the one user or group (O2)
pace      calls within the target's limits
"""
