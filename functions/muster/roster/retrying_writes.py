"""The one retry loop for optimistic writes: decide on what is stored, write, decide again on conflict."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from muster.roster.decisions import Decision

# Others may write the same member meanwhile; more than this many times in a row is a fault to retry later.
ATTEMPTS = 8


def write_until_it_holds[K](
    keys: Iterable[K],
    decide: Callable[[Sequence[K]], Mapping[K, Decision]],
    write: Callable[[Sequence[Decision]], Sequence[Decision]],
) -> tuple[dict[K, Decision], list[K]]:
    """Return the decisions that hold, by key, and the keys that others overtook every time.

    `decide` reads what is stored and decides about the keys it is given; a key that it leaves out needs
    nothing. `write` writes decisions and returns the void ones, which are decided again. What either
    raises is raised.
    """
    held: dict[K, Decision] = {}
    left = list(keys)
    for _ in range(ATTEMPTS):
        if not left:
            break
        decided = decide(left)
        void = {id(decision) for decision in write([each for each in decided.values() if each.writes])}
        held |= {key: decision for key, decision in decided.items() if id(decision) not in void}
        left = [key for key, decision in decided.items() if id(decision) in void]
    return held, left
