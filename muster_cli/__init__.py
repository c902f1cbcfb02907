"""The command line: `muster`, which asks the deployed functions what an admin would ask in the AWS console.

It has no rule of its own: it finds the functions of a stack, sends them events, and shows what they answer.
It is not deployed; `docs/command_line.md` says how to install and use it.

app                     the commands put together, and the script's way in
options                 what every command takes, and how a command is carried out
settings_commands       plan, apply, validate, settings
run_commands            import, push, runs, run, replay, approve, reject, resume
roster_commands         questions: explain, list, member, history, as-of, diff, changes, seats and more
export_command          export: what was asked for as a file
member_commands         set, groups
file_commands           set-file, groups file: many by a CSV file
account_commands        accounts: adopted, ignored, looked for again
connection_commands     preflight, webhook
event_commands          resend-events
asking                  one event to one function, never sent twice; and what every event carries
deployment              which functions there are, where, and who asks
following               a run that goes on by itself, watched to its end
steps_to_take           what a function says can be done, as the event it names and as a command
outcomes                exit codes
screen                  an answer on the screen, or as JSON
tables_of_answers       the tables that answers hold
failures                what kept a command from being carried out, in words
"""
