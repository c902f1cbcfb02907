"""A run undone: what it changed is put back through the rules in force, as far as they let it (Q2, I5).

undone             what a run changed about each member, and what has changed there since
topics             what of it is compared, put back and told as one: a seat, a setting, a request
held_back          what is said of what cannot be put back: why, and what to do first
by_hand            what people set by hand, put back by the rules of edits
reversal           one member: what is written, and what is held back
"""
