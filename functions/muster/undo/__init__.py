"""A run undone: what it changed is put back through the rules in force, as far as they let it (Q2, I5).

undoing            an undo begun: as a run of its own, in the function that made the run
steps              what such a run does: gather, decide, apply
gathering          whom the run changed, what has become of that, and the users as they are
looking_up         what the roster knows of them, read and kept
deciding           the whole plan, of what was gathered and looked up
reversing          the plan applied, each member decided about again
undoable_runs      which runs can be undone, and where; why others cannot
undo_plan          the plan: each member's reversal, in the order of applying
reversal           one member: what is written, and what is held back
by_hand            what people set by hand, put back by the rules of edits
held_back          what is said of what cannot be put back: why, and what to do first
topics             what is compared, put back and told as one: a seat, a setting, a request
undo_basis         what an undo was decided with, in the archive
touched            a member as gathered, and how the archive keeps it
undone             what a run changed about each member, and what has changed there since
ports              what undoing needs from the outside world
"""
