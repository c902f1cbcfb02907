"""One logger and one set of metrics for every function.

The logger writes one JSON object a line, so a line break in a name cannot forge an entry. What goes
in: ids, counts, codes. What never does: names, e-mail addresses, tokens, message bodies, and the
text of a parser's exception, which quotes its input (`docs/operations.md` lists each metric).
"""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(service="muster", log_uncaught_exceptions=True)
metrics = Metrics(namespace="Muster", service="muster")
