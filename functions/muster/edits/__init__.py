"""Edits: members changed by hand (MemberSettingsFunction, GroupAssignmentFunction).

member_edits        what may be edited, by whom, and what an edit makes of a member (A11)
editing_members     such edits, each judged by itself and written whole
group_requests      what may be asked about Engage groups by hand (G6)
requesting_groups   such requests, each judged by itself and written whole
changing_members    what both share: members found, changes judged, written, reported
"""
