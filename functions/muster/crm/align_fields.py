"""The roster in an Align vault: its object, and the fields that every vault keeps of a record (G9).

How its other fields and its statuses are called, say the settings (`settings.align_names`).
"""

OBJECT = "roster_member__aln"
CREATED = "created_date__v"
CHANGED = "modified_date__v"
