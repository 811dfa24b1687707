"""How many requests at once serve the throughput of one server: measured, never guessed. Pure, with a clock passed in.

A server that answered each request in R seconds with n of them on their way answers n / R a second; one that lets them
wait in line answers no more at 2n, since R doubles as well. This is known after a few answers, however they bunch.

It begins with 2 and doubles while that rate grows. When it does not, it stays at the last number that gained, with a
quarter more, so that a place at the server is never empty on the way of an answer, and looks now and then whether more
serves. Trouble halves it once for all requests that were on their way, and growth is careful from then on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

BEGIN, MOST = 2, 64
GAIN = 1.2  # more rows per second than that, of twice as many at once, are growth, and not chance
LATE = 0.1  # of its time, after which a request is accompanied by as many as the limit allows: several are sent in turn
SETTLED = 2  # answers for each request at once that make a measurement of a settled number; while it is found, one
WAITING = 4  # one more is sent for so many at once, to wait at the server
PATIENCE = 8  # at most so many measurements until a larger number is tried: at first one, then ever more
REST_S = (0.25, 30.0)  # of a server that is busy and does not say how long: at first, and at most


@dataclass
class Sent:
    """A request as it was sent: when, before which trouble, and since when how many were on their way with it."""

    at: float
    epoch: int
    at_once: int = 0
    since: float = 0.0


class Pace:
    """The number of requests at once for one server; `fixed` is the user's own number, which stays."""

    def __init__(self, fixed: int | None = None) -> None:
        self.limit = fixed or BEGIN
        self.rests_until = 0.0
        self._fixed = fixed
        self._climbing, self._careful = True, False
        self._best, self._level = 0.0, self.limit  # rows per second, and the number that reached them
        self._tried = self.limit
        self._settled, self._patience = 0, 1
        self._epoch, self._rests = 0, 0
        self._alone = deque[Sent](maxlen=MOST)  # sent since as many as the limit allows were last on their way
        self._measure(skip=0)

    def sent(self, now: float, at_once: int) -> Sent:
        """Note that a request is sent; `at_once` are on their way, with this one."""
        sent = Sent(now, self._epoch)
        self._alone.append(sent)
        if at_once >= self.limit:
            for one in self._alone:
                one.at_once, one.since = at_once, now
            self._alone.clear()
        return sent

    def answered(self, now: float, sent: Sent) -> None:
        """Count an answered row."""
        self._rests = 0
        if self._fixed is not None or sent.epoch != self._epoch or sent.at_once < self.limit:
            return
        if sent.since - sent.at > LATE * (now - sent.at):
            return  # fewer were on their way for too long
        if self._skipped:  # of those that a larger number sent at once, it is not known how long they stood in line
            self._skipped -= 1
            return
        self._at_once += sent.at_once
        self._seconds += max(now - sent.at, 1e-6)
        self._count += 1
        if self._count >= self.limit * (1 if self._climbing or self._patience == 1 else SETTLED):
            self._measured(self._at_once / self._seconds)

    def trouble(self, now: float, sent: Sent, retry_after: float | None = None) -> None:
        """Halve after a refusal for lack of room, a time-out or a lost connection.

        Args:
            now: The time.
            sent: The request.
            retry_after: Seconds that the server asks to wait.
        """
        if retry_after is not None:
            self.rests_until = max(self.rests_until, now + retry_after)
        if sent.epoch != self._epoch:
            return
        self._epoch += 1
        if retry_after is None:
            rest = min(REST_S[1], REST_S[0] * 2**self._rests)
            self.rests_until = max(self.rests_until, now + rest)
            self._rests += 1
        if self._fixed is None:
            self.limit = self._tried = self._level = max(1, self.limit // 2)
            self._best, self._climbing, self._careful = 0.0, True, True
        self._measure(skip=0)

    def _measured(self, rate: float) -> None:
        """Decide about the next number from the rows per second of this one."""
        more = (self._tried - self._level) / self._level or 1.0  # a step of one has to gain less than a doubling
        if self._climbing and rate > self._best * (1 + (GAIN - 1) * more):
            self._best, self._level, self._patience = rate, self._tried, 1
            self._try(self._level + 1 if self._careful else 2 * self._level)
        elif self._climbing:
            self._settle()
        else:
            self._best, self._settled = rate, self._settled + 1
            if self._settled >= self._patience and self._level < MOST:
                self._climbing, self._careful = True, False
                self._patience = min(PATIENCE, 2 * self._patience)
                self._try(2 * self._level)
            else:
                self._measure(skip=0)

    def _try(self, number: int) -> None:
        """Try a larger number."""
        self._tried = self.limit = min(MOST, number)
        if self._tried == self._level:
            self._settle()
        self._measure(skip=self._tried - self._level)

    def _settle(self) -> None:
        """Stay at the last number that gained."""
        self._climbing, self._settled = False, 0
        self.limit = min(MOST, self._level + max(1, self._level // WAITING))
        self._measure(skip=0)

    def _measure(self, skip: int) -> None:
        self._skipped, self._count, self._at_once, self._seconds = skip, 0, 0, 0.0
