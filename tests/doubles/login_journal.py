"""The journal of logins in memory, for tests of clients without a table."""

from threading import Condition

from muster.adapters.aws.login_journal import LoginJournal, Refusal, SecretVersion, Turn


class JournalInMemory(LoginJournal):
    """Gives turns one at a time and remembers refusals, as the table does."""

    def __init__(self) -> None:
        self.refusals: dict[SecretVersion, Refusal] = {}
        self.under_way: set[SecretVersion] = set()
        self._changed = Condition()

    def refusal(self, of: SecretVersion) -> Refusal | None:
        return self.refusals.get(of)

    def take_turn(self, of: SecretVersion, *, again: bool = False) -> Turn | Refusal:
        with self._changed:
            assert self._changed.wait_for(lambda: of not in self.under_way, timeout=30)
            if of in self.refusals and not again:
                return self.refusals[of]
            self.refusals.pop(of, None)
            self.under_way.add(of)
            return Turn(of, "1")

    def give_back(self, turn: Turn) -> None:
        with self._changed:
            self.under_way.discard(turn.of)
            self._changed.notify_all()

    def refuse(self, turn: Turn, code: str) -> Refusal:
        refusal = Refusal(code, "2026-11-21T12:00:00Z")
        self.refusals[turn.of] = refusal
        self.give_back(turn)
        return refusal
