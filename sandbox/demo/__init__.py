"""`make demo`: Muster shown from end to end; each change is made for real, each answer is Muster's.

connecting          chapter 1: preflight finds what is wrong, and the webhook is installed and looked after
auto_provisioning   chapter 2: one user followed by the webhook, as the product's documentation tests it
importing           chapter 3: three assignments over a company of a few hundred people
staying_safe        chapter 4: a seat that becomes free, and a broken filter that is parked
licences            chapter 5: Engage groups of Vault CRM, asked for, waited for and taken back
lost_licences       chapter 6: a removal that fails and heals by itself, and a licence that nobody has
apps                chapter 7: accounts made, adopted and closed in an app, and a session ended
subscribing         an app that is told what changes: a rule and a queue
acme                the settings of chapters 3 to 7
walk                takes the steps, and remembers how each went
by_hand             commands to paste, for who keeps the stack (KEEP=1)
"""

import sys
from pathlib import Path

# The tables that are drawn are Muster's own.
sys.path.append(str(Path(__file__).parents[2] / "functions"))
