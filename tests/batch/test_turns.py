import threading
import time
from concurrent.futures import CancelledError, Future

import pytest

from cxresearch.batch.turns import Turns


def test_turns_come_in_the_order_asked_for_and_a_few_at_a_time():
    turns, futures = Turns(2), [Future() for _ in range(6)]
    begun, at_work, most = [], 0, 0

    def take(number: int) -> None:
        nonlocal at_work, most
        time.sleep(0.02 * (6 - number))  # the last is ready first
        with turns.turn(futures[number]):
            begun.append(number)
            at_work += 1
            most = max(most, at_work)
            time.sleep(0.05)
            at_work -= 1

    for future in futures:
        turns.ask(future)
    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert begun == sorted(begun)
    assert len(begun) == 6
    assert most == 2


def test_who_leaves_or_is_cancelled_holds_nobody_up():
    turns, (gone, cancelled, last) = Turns(1), (Future() for _ in range(3))
    for future in (gone, cancelled, last):
        turns.ask(future)
    cancelled.cancel()
    turns.leave(gone)
    with pytest.raises(CancelledError), turns.turn(cancelled):
        pass
    with turns.turn(last):
        assert last.running()
    turns.leave(last)
