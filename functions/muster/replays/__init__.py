"""A run's plan made again from the run archive (Q4). A room of its own, for it knows every kind of run.

replaying           make the plan of an attempt again, and say whether it is the same
replaying_offline   likewise from a copy of the archive, without AWS
ports               what replaying needs of the outside world
"""
