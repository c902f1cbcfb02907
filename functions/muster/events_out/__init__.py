"""Member events, told outward on an EventBridge bus (O1).

bus_events     history entry → events, as they go on the bus
packing        events → calls of PutEvents
publishing     the entries of a batch of the table's stream, up to the first that fails
resending      entries of the history once more, since a moment or of a member
schema         the JSON Schema of the events, for those who receive them
ports          the bus, the history, and where entries go that nobody can read
"""
