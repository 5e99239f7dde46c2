"""The gate: how many requests are in flight, when they may go out, when they are tried again, and how it closes."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from judge import gate
from judge.chat import Trouble
from judge.contract import Sent, Terms
from judge.gate import FIRST_DELAY, LONGEST_DELAY, LONGEST_WISH, Gate, Stopped
from judge.verdict import FailureKind

ANSWER = Sent({"answer": 1})
EARLY = 0.005  # seconds by which a clock may be early


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(gate, "LONGEST_DELAY", 0.01)


def throttled(after: float | None = None) -> Trouble:
    return Trouble(FailureKind.RATE_LIMITED, "too many", again=True, after=after, throttled=True)


def passing() -> Trouble:
    return Trouble(FailureKind.SERVER_ERROR, "try again", again=True)


def in_a_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work()

    asyncio.run(bounded())


async def answered() -> Sent:
    await asyncio.sleep(0)
    return ANSWER


class Server:
    """Answers each send by the next of `script` (a trouble is raised), then well; counts sends, and how many were there at once."""

    def __init__(self, *script: Trouble, seconds: float = 0.0) -> None:
        self.script, self.seconds = list(script), seconds
        self.at: list[float] = []
        self.here = self.most = 0

    async def __call__(self) -> Sent:
        self.at.append(time.monotonic())
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            await asyncio.sleep(self.seconds)
            if self.script:
                raise self.script.pop(0)
            return ANSWER
        finally:
            self.here -= 1


async def many(send: Callable[[], Awaitable[Sent]], door: Gate, count: int, tokens: int = 1) -> list[Sent | BaseException]:
    return await asyncio.gather(*(door.run(send, tokens) for _ in range(count)), return_exceptions=True)


@pytest.mark.parametrize("ceiling", [1, 7, 32])
def test_never_more_than_the_ceiling_is_in_flight_and_all_are_answered(ceiling: int) -> None:
    async def work() -> None:
        server, door = Server(*(passing() for _ in range(20)), seconds=0.001), Gate(Terms(concurrency=ceiling))
        assert await many(server, door, 150) == [ANSWER] * 150
        assert (server.most, door.most_in_flight, door.in_flight) == (ceiling, ceiling, 0)
        assert (len(server.at), door.retries) == (170, 20)

    in_a_loop(work)


def test_a_closed_door_halves_the_number_in_flight_round_by_round_and_an_open_one_brings_it_back() -> None:
    async def work() -> None:
        door, closed, limits = Gate(Terms(concurrency=32, max_retries=1000)), True, [32]

        async def send() -> Sent:
            await asyncio.sleep(0)
            if int(door.limit) != limits[-1]:
                limits.append(int(door.limit))
            if closed:
                raise throttled()
            return ANSWER

        asking = asyncio.gather(*(door.run(send, 1) for _ in range(64)))
        while limits[-1] > 1:
            await asyncio.sleep(0.001)
        assert limits == [32, 16, 8, 4, 2, 1]
        closed = False
        await asking
        while door.limit < 32:
            await many(send, door, 32)
        assert limits[:5] == [32, 16, 8, 4, 2]
        assert limits[5:] == list(range(1, limits[-1] + 1))  # one more a round, not by leaps

    in_a_loop(work)


@pytest.mark.parametrize(("share", "usual"), [(0.02, 30), (0.05, 26)])
def test_a_few_scattered_refusals_cost_little(share: float, usual: float) -> None:
    async def work() -> None:
        rng, door, limits = random.Random(3), Gate(Terms(concurrency=32, max_retries=50)), list[float]()

        async def send() -> Sent:
            await asyncio.sleep(0)
            limits.append(door.limit)
            if rng.random() < share:
                raise throttled(after=0.0)
            return ANSWER

        assert await many(send, door, 4000) == [ANSWER] * 4000
        assert sum(limits) / len(limits) > usual

    in_a_loop(work)


@pytest.mark.parametrize("seconds", [0.1, 0.25])
def test_the_server_s_wish_to_wait_is_honoured(seconds: float) -> None:
    async def work() -> None:
        server = Server(throttled(after=seconds), throttled(after=seconds))
        assert await Gate(Terms()).run(server, 1) == ANSWER
        first, second, third = server.at
        assert second - first >= seconds - EARLY and third - second >= seconds - EARLY

    in_a_loop(work)


@pytest.mark.parametrize(("rpm", "tpm", "tokens"), [(1200.0, None, 1), (None, 120_000.0, 100), (6000.0, 60_000.0, 50)])
def test_caps_a_minute_space_the_requests_out(rpm: float | None, tpm: float | None, tokens: int) -> None:
    async def work() -> None:
        server, door = Server(), Gate(Terms(rpm=rpm, tpm=tpm))
        assert await many(server, door, 9, tokens) == [ANSWER] * 9
        begun = server.at[0]
        assert all(at - begun >= 0.05 * number - EARLY for number, at in enumerate(server.at))  # every 50 ms by the narrower cap

    in_a_loop(work)


def test_headers_that_ask_to_wait_hold_up_what_comes_after() -> None:
    async def work() -> None:
        server, door = Server(), Gate(Terms())

        async def spent() -> Sent:
            return Sent({}, wait=0.2)

        begun = time.monotonic()
        await door.run(spent, 1)
        assert time.monotonic() - begun < 0.2  # the answer itself is not held up
        await many(server, door, 5)
        assert min(server.at) - begun >= 0.2 - EARLY

    in_a_loop(work)


@pytest.mark.parametrize("attempt", [0, 1, 3, 6, 20, 100])
def test_the_back_off_doubles_up_to_a_limit_with_jitter(monkeypatch: pytest.MonkeyPatch, attempt: int) -> None:
    monkeypatch.setattr(gate, "FIRST_DELAY", FIRST_DELAY)
    monkeypatch.setattr(gate, "LONGEST_DELAY", LONGEST_DELAY)
    whole = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
    drawn = [Gate.delay(attempt, None) for _ in range(500)]
    assert whole / 2 <= min(drawn) < whole * 0.6 and whole * 0.9 < max(drawn) <= whole


@pytest.mark.parametrize(("wish", "shortest"), [(0.0, 0.0), (0.3, 0.3), (60.0, 60.0), (86_400.0, LONGEST_WISH)])
def test_a_wish_counts_instead_of_the_back_off_but_not_beyond_reason(wish: float, shortest: float) -> None:
    drawn = [Gate.delay(attempt, wish) for attempt in range(20) for _ in range(20)]
    assert shortest <= min(drawn) and max(drawn) <= 1.1 * shortest
    assert wish == 0 or len(set(drawn)) > 1  # those who wait together do not come back together


def test_closing_stops_what_waits_and_sleeps_and_lets_what_is_in_flight_come_home() -> None:
    async def work() -> None:
        door, let_go, sent = Gate(Terms(concurrency=2, rpm=60_000)), asyncio.Event(), []

        async def held() -> Sent:
            sent.append("held")
            await let_go.wait()
            return ANSWER

        sleeping = asyncio.create_task(door.run(Server(throttled(after=100)), 1))
        await asyncio.sleep(0.01)
        flying = [asyncio.create_task(door.run(held, 1)) for _ in range(2)]
        await asyncio.sleep(0.02)
        waiting = [asyncio.create_task(door.run(held, 1)) for _ in range(3)]
        await asyncio.sleep(0.02)
        assert (door.in_flight, len(sent)) == (2, 2)
        door.close()
        stopped = await asyncio.gather(sleeping, *waiting, return_exceptions=True)
        assert [type(result) for result in stopped] == [Stopped] * 4
        assert not any(task.done() for task in flying)
        let_go.set()
        assert await asyncio.gather(*flying) == [ANSWER] * 2
        assert (door.in_flight, len(sent)) == (0, 2)

    in_a_loop(work)


@pytest.mark.parametrize("terms", [Terms(rpm=1.0), Terms(tpm=1.0)])
def test_closing_stops_what_waits_for_its_minute(terms: Terms) -> None:
    async def work() -> None:
        server, door = Server(), Gate(terms)
        assert await door.run(server, 1) == ANSWER
        pacing = asyncio.create_task(door.run(server, 1))
        await asyncio.sleep(0.01)
        door.close()
        with pytest.raises(Stopped):
            await pacing
        assert len(server.at) == 1

    in_a_loop(work)


def test_after_the_closing_nothing_new_goes_out() -> None:
    async def work() -> None:
        server, door = Server(throttled(after=0.0), seconds=0.02), Gate(Terms())
        flying = asyncio.create_task(door.run(server, 1))
        await asyncio.sleep(0.01)
        door.close()
        with pytest.raises(Stopped):
            await door.run(server, 1)
        with pytest.raises(Stopped):
            await flying
        assert (len(server.at), door.in_flight) == (1, 0)

    in_a_loop(work)


def test_what_fails_after_the_closing_is_not_tried_again() -> None:
    async def work() -> None:
        server, door = Server(passing(), seconds=0.03), Gate(Terms())
        asking = asyncio.create_task(door.run(server, 1))
        await asyncio.sleep(0.01)
        door.close()
        with pytest.raises(Stopped):
            await asking
        assert (len(server.at), door.in_flight) == (1, 0)

    in_a_loop(work)


@pytest.mark.parametrize("seed", range(12))
def test_cancelled_requests_leave_no_place_taken_and_nobody_waiting_for_ever(seed: int) -> None:
    async def work() -> None:
        rng, ceiling = random.Random(seed), 1 + seed % 5
        door, here, most = Gate(Terms(concurrency=ceiling, max_retries=3, timeout=0.01)), 0, 0

        async def send() -> Sent:
            nonlocal here, most
            here += 1
            most = max(most, here)
            try:
                await asyncio.sleep(rng.choice([0.0, 0.0, 0.001, 0.02]))
                if rng.random() < 0.3:
                    raise rng.choice([throttled(after=0.0), throttled(), passing(), Trouble(FailureKind.REJECTED, "no")])
                return ANSWER
            finally:
                here -= 1

        tasks = [asyncio.create_task(door.run(send, 1)) for _ in range(80)]
        for task in rng.sample(tasks, 40):
            await asyncio.sleep(rng.choice([0.0, 0.0, 0.0, 0.002]))
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, asyncio.CancelledError) for result in results) >= 5
        assert all(isinstance(result, Sent | Trouble | asyncio.CancelledError) for result in results)
        assert (door.in_flight, here) == (0, 0)
        assert most <= ceiling
        assert await many(answered, door, 50) == [ANSWER] * 50
        assert door.in_flight == 0

    in_a_loop(work)


def test_a_request_without_an_answer_in_time_is_tried_again_and_then_told() -> None:
    async def work() -> None:
        server, door = Server(seconds=30), Gate(Terms(timeout=0.03, max_retries=2))
        with pytest.raises(Trouble) as caught:
            await door.run(server, 1)
        assert (caught.value.kind, caught.value.detail) == (FailureKind.TIMED_OUT, "no answer within 0.03 s (3 times)")
        assert (len(server.at), server.here, door.in_flight, door.retries) == (3, 0, 0, 2)

    in_a_loop(work)


def test_time_spent_waiting_for_a_place_does_not_count_against_the_request() -> None:
    async def work() -> None:
        server, door = Server(seconds=0.05), Gate(Terms(concurrency=1, timeout=0.5, max_retries=0))
        assert await many(server, door, 15) == [ANSWER] * 15

    in_a_loop(work)


def test_what_cannot_be_helped_by_asking_again_is_told_at_once() -> None:
    async def work() -> None:
        server, door = Server(Trouble(FailureKind.REJECTED, "no such thing")), Gate(Terms())
        with pytest.raises(Trouble, match=r"^no such thing$"):
            await door.run(server, 1)
        assert (len(server.at), door.retries, door.in_flight) == (1, 0, 0)

    in_a_loop(work)


def test_a_bug_in_sending_frees_its_place() -> None:
    async def broken() -> Sent:
        raise KeyError("oops")

    async def work() -> None:
        door = Gate(Terms(concurrency=1))
        assert [type(result) for result in await many(broken, door, 3)] == [KeyError] * 3
        assert await door.run(answered, 1) == ANSWER

    in_a_loop(work)
