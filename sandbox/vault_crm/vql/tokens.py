"""Cuts a VQL query into tokens, each knowing where it stands."""

import re
from dataclasses import dataclass

from sandbox.vault_crm.errors import VaultError

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<text>'(?:[^'\\]|\\.|'')*')
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<sign><=|>=|!=|[=<>(),])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)|''|(%)", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A piece of the query: its kind (a group of the pattern above, or `end`), its text and its offset."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, whatever its case."""
        return self.kind == "word" and self.text.upper() in words


def tokenize(vql: str) -> list[Token]:
    """Return the tokens of the query, ended by one of kind `end`. Raises VaultError."""
    tokens: list[Token] = []
    at = 0
    while at < len(vql):
        match = _TOKEN.match(vql, at)
        if match is None:
            raise syntax_error(f"unexpected character at position {at + 1}")
        if match.lastgroup != "blank":
            tokens.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    tokens.append(Token("end", "end of query", at))
    return tokens


def unquoted(token: Token) -> str:
    r"""Return the text that a literal stands for: `\\`, `\'`, `''`, `\"` and `\%` are one character each."""
    return _ESCAPE.sub(lambda match: _escaped(match) if match[1] else match[0][-1], token.text[1:-1])


def glob(token: Token) -> str:
    r"""Return a LIKE pattern as SQLite's GLOB takes it: `%` stands for anything, `\%` for itself.

    Raises VaultError for a `%` at the beginning, which Vault refuses.
    """
    body = token.text[1:-1]
    if body.startswith("%"):
        raise syntax_error("a LIKE pattern cannot begin with %")

    def pattern(match: re.Match[str]) -> str:
        if match[2]:
            return "*"
        return _escaped(match) if match[1] else "'"

    # What GLOB reads as a wildcard goes into brackets before % becomes one.
    return _ESCAPE.sub(pattern, re.sub(r"[*?\[]", r"[\g<0>]", body))


def _escaped(match: re.Match[str]) -> str:
    if match[1] not in "\\'\"%":
        raise syntax_error(f"a backslash in a text is written twice, found \\{match[1]}")
    return match[1]


def syntax_error(message: str) -> VaultError:
    """Return the refusal of a query that is not VQL."""
    return VaultError("INCORRECT_QUERY_SYNTAX_ERROR", f"Incorrect query syntax: {message}")
