"""Several workers at once, one step at a time.

Only one thread ever runs; it hands the baton back before each of its AWS calls, and a choice says who
goes on. The same choices are the same schedule again: a failing one replays.
"""

import random
import threading
from collections.abc import Callable, Sequence

# From the tasks that can go on, and the schedule so far, to who does.
type Choice = Callable[[Sequence[int], Sequence[int]], int]


def seeded(seed: int) -> Choice:
    """Anyone, as a seed says."""
    chance = random.Random(seed)  # noqa: S311 - a schedule, not a secret
    return lambda ready, _: chance.choice(ready)


def stalled(victim: int, steps: int) -> Choice:
    """One task first, for so many steps; then it stalls until all others, one after another, are done."""

    def choose(ready: Sequence[int], schedule: Sequence[int]) -> int:
        others = [task for task in ready if task != victim]
        return victim if not others or (victim in ready and len(schedule) < steps) else others[0]

    return choose


class Scheduler:
    """Runs tasks in threads of their own; `pause` is where one may be overtaken."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._back = threading.Semaphore(0)
        self._batons: dict[int, threading.Semaphore] = {}
        self._local = threading.local()
        # Which task ran up to its next call, in order: what a failing seed shows.
        self.schedule: list[int] = []

    def run(self, tasks: Sequence[Callable[[], None]]) -> list[BaseException | None]:
        """Run all tasks to their end; returns what each raised."""
        raised: list[BaseException | None] = [None] * len(tasks)
        self._batons = {number: threading.Semaphore(0) for number in range(len(tasks))}

        def body(number: int) -> None:
            self._local.number = number
            self._batons[number].acquire()
            try:
                tasks[number]()
            except BaseException as error:  # noqa: BLE001 - handed to who asked for it
                raised[number] = error
            finally:
                del self._batons[number]
                self._back.release()

        threads = [threading.Thread(target=body, args=[number], daemon=True) for number in range(len(tasks))]
        for thread in threads:
            thread.start()
        while self._batons:
            number = self._choice(sorted(self._batons), self.schedule)
            self.schedule.append(number)
            self._batons[number].release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        return raised

    def pause(self) -> None:
        """Let another task go on first, perhaps; called by a task."""
        number = self._local.number
        self._back.release()
        self._batons[number].acquire()
