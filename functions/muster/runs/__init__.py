"""Runs of any kind: one at a time, recorded, guarded, resumed (I1, I5, I7).

run              the record of a run
import_state     what imports remember between runs, of each connection
settings_change  what a change of settings is about, kept for who approves it
operations       the operations that the guard counts
guard            when a plan waits for approval (I5)
reasons          why a plan waits for approval
clock            the time an invocation has left, and the lease kept alive
archive          where an attempt keeps what it read and planned
kinds            the kinds of runs, and what differs between them
hooks            what a kind of run hands to the loop: its plan, progress, end
work             the loop: gather, decide, park or go on, apply in chunks, end
running          begin, go on, approve, reject
closing          close what failed, or whose function died
parking          whether a planned run goes on: preview, park until approved, refuse, end
ports            the job of a run, and what runs need of the run table and the archive
answer           what a run answers
"""
