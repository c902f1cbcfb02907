"""Edits: members changed by hand (MemberSettingsFunction, GroupAssignmentFunction).

member_edits        what may be edited, by whom, and the effect of an edit (A11)
activity_edits      a member closed or evaluated again by an end date or status (A16)
account_edits       what is said of accounts in apps: adopted, ignored, looked for again (O3)
editing_members     such edits, each judged and written by itself
group_requests      what may be requested about Engage groups by hand (G6)
requesting_groups   such requests, each judged and written by itself
erasing_by_hand     members who have left, erased (T5)
csv_lines           the lines of a CSV file as such edits or requests
carrying_out_lines  such a file, line by line, and in several calls where it is long
answers             what is answered about changes of an event, and of a file
changing_members    what all share: members looked up, changes written
"""
