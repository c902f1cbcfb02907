"""Cuts a SOQL query into tokens, each knowing where it stands."""

import re
from dataclasses import dataclass

from sandbox.salesforce.errors import SalesforceError

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<datetime>\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)
      | (?P<date>\d{4}-\d{2}-\d{2})
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<sign><=|>=|!=|<>|[=<>(),:])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL | re.IGNORECASE)
LONGEST_TEXT = 4000


@dataclass(frozen=True)
class Token:
    """A piece of the query: its kind (a group of the pattern above, or `end`), its text and its offset."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, whatever its case."""
        return self.kind == "word" and self.text.upper() in words


def tokenize(soql: str) -> list[Token]:
    """Return the tokens of the query, ended by one of kind `end`. Raises SalesforceError."""
    tokens: list[Token] = []
    at = 0
    while at < len(soql):
        match = _TOKEN.match(soql, at)
        if match is None:
            if soql[at] == "'":
                raise query_error(soql, at, "unterminated string literal")
            raise query_error(soql, at, f"unexpected token: '{soql[at]}'")
        if match.lastgroup != "blank":
            tokens.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    tokens.append(Token("end", "<EOF>", at))
    return tokens


def unquoted(soql: str, token: Token, *, for_like: bool = False) -> str:
    r"""Return the text that a string literal stands for; for LIKE, `\%`, `\_` and `\\` stay as they are."""
    body = token.text[1:-1]
    if len(body) > LONGEST_TEXT:
        raise query_error(
            soql, token.at, f"string literals must not be longer than {LONGEST_TEXT} characters"
        )

    def replace(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) == 5:
            return chr(int(escape[1:], 16))
        if for_like and escape in "%_\\":
            return match[0]
        known = _ESCAPES.get(escape.lower())
        if known is None:
            message = f"Invalid string literal {token.text}. Illegal character sequence '{match[0]}'"
            raise query_error(soql, token.at, f"{message} in string literal")
        return known

    return _ESCAPE.sub(replace, body)


def query_error(soql: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> SalesforceError:
    """Return the error of a query, with the place as Salesforce shows it."""
    start = soql.rfind("\n", 0, at) + 1
    row = soql.count("\n", 0, at) + 1
    column = at - start + 1
    shown = soql[max(start, at - 40) : at + 40].split("\n")[0]
    pointer = " " * min(at - start, 40) + "^"
    return SalesforceError(400, code, f"\n{shown}\n{pointer}\nERROR at Row:{row}:Column:{column}\n{message}")
