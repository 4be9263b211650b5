"""The worker: one thread that takes batches, gives them to the senders, and owns the disk.

Each turn of its loop collects what the senders gave back, decides on one step from a frozen view of the buffer
(:mod:`~elasticecsmetrics.delivery.decision`, pure), and takes it. Sender threads (``max_in_flight`` of them) own the network,
so a hung request never keeps the overflow from the disk.
"""

from __future__ import annotations

import queue
import random as _random
import threading
import time
from collections.abc import Callable, Sequence
from math import inf

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery.buffer import Buffer, Entry, View
from elasticecsmetrics.delivery.decision import Situation, Step, decide
from elasticecsmetrics.delivery.diagnostics import Diagnostics
from elasticecsmetrics.delivery.drain import Drain
from elasticecsmetrics.delivery.inside import inside
from elasticecsmetrics.delivery.retry import Circuit
from elasticecsmetrics.delivery.sender import Sender, failed, is_content_refused
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.model.store import Store

#: Seconds for which documents that were put off are parked, where there is no folder; doubles up to LONGEST_PARK.
FIRST_PARK = 1.0
LONGEST_PARK = 30.0

#: Seconds of rest after an error that nobody foresaw.
SURPRISE_PAUSE = 1.0

#: Seconds for which a folder that refused is left alone.
DISK_PAUSE = 1.0


class Worker:
    """Runs the loop in a thread of its own, or in the caller's where no thread can be had."""

    def __init__(
        self,
        buffer: Buffer,
        store: Store,
        *,
        config: DeliveryConfig,
        spool: Spool | None,
        drain: bool,
        diagnostics: Diagnostics,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._buffer = buffer
        self._store = store
        self._config = config
        self._spool = spool
        self._drains = drain and spool is not None
        self._diagnostics = diagnostics
        self._monotonic = monotonic
        self._random = random
        self.reset()

    def reset(self) -> None:
        """Nothing started: at birth and in a forked child."""
        self._outbox: queue.SimpleQueue[tuple[int, Sequence[Document]] | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._threads: list[threading.Thread] = []
        self._with_senders: set[int] = set()
        self.exiting = False
        """The interpreter ends: each request is made on new connections, because urllib3 empties its pools at some point."""
        self._circuit = Circuit()
        self._unpark_at = 0.0
        self._park_pause = FIRST_PARK
        self._disk_rests_until = 0.0
        self._hurries_seen = 0
        self._fresh_in_a_row = 0
        self._drain = Drain(self._spool) if self._spool is not None and self._drains else None

    # ---- the loop ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the first sender. Early: once the interpreter is ending, no thread can be had any more (3.12 on)."""
        self._start_sender()

    def run(self) -> None:
        """The thread's main: turns until the buffer is closed and empty, then gives the store's connections up."""
        inside.ours = True
        while self._guarded_turn():
            pass
        for _ in self._threads:
            self._outbox.put(None)
        self._diagnostics.flush()
        self.close_store()

    def run_here(self, *, closing: bool) -> None:
        """Brings all to rest in the calling thread, where there is no other: into the folder, or with one request a batch."""
        was, inside.ours = inside.ours, True
        try:
            for number, outcomes in self._buffer.collect():
                self._came_back(number, outcomes)
            self._buffer.unpark()
            if self._spool is not None:
                while self._spill(None):
                    pass
            else:
                self._send_here()
            if closing:
                self._drop_the_rest()
        finally:
            inside.ours = was
        self._diagnostics.flush()

    def _send_here(self) -> None:
        while True:
            number, entries = self._buffer.take()
            if not entries:
                return
            outcomes = self._sender().send([entry.document for entry in entries])
            self._came_back(number, outcomes)
            if any(outcome.verdict is Verdict.RETRYABLE for outcome in outcomes):
                return

    def close_store(self) -> None:
        """Gives up the store's connections, whatever a user's store makes of it."""
        try:
            self._store.close()
        except Exception as error:  # noqa: BLE001
            self._diagnostics.say("surprise", f"the store's close raised {type(error).__name__}: {error}")

    def _guarded_turn(self) -> bool:
        """A turn that no surprise ends: without this thread nothing would be delivered for the rest of the process."""
        try:
            return self._turn()
        except Exception as error:  # noqa: BLE001  whatever it is (a MemoryError, ...), what is buffered must be tried again
            self._diagnostics.say("surprise", f"the worker goes on after {type(error).__name__}: {error}")
            self._buffer.wait_for_work(self._monotonic() + SURPRISE_PAUSE)
            return True

    def _turn(self) -> bool:
        """One step. False when there is no further one."""
        for number, outcomes in self._buffer.collect():
            self._with_senders.discard(number)
            self._came_back(number, outcomes)
        view = self._buffer.view(self._monotonic())
        self._heed_hurry(view)
        situation = self._situation()
        step = decide(view, self._config, situation)
        if step is Step.SEND:
            self._send_fresh()
        elif step is Step.SPILL:
            self._spill(None)
        elif step is Step.RESCUE:
            self._rescue(view)
        elif step is Step.DRAIN and self._drain is not None:
            self._send_file(self._drain)
        elif step is Step.UNPARK:
            self._unpark_at = inf
            self._buffer.unpark()
        elif step is Step.WAIT:
            self._buffer.wait_for_work(self._wake_at(view, situation))
        else:
            return False
        return True

    def _situation(self) -> Situation:
        return Situation(
            now=self._monotonic(),
            circuit=self._circuit,
            busy_senders=len(self._with_senders),
            senders=self._config.max_in_flight,
            has_folder=self._spool is not None and self._monotonic() >= self._disk_rests_until,
            drain_at=self._drain.due_at if self._drain is not None else inf,
            fresh_in_a_row=self._fresh_in_a_row,
            unpark_at=self._unpark_at,
            draining=self._drain is not None and self._drain.busy,
        )

    def _wake_at(self, view: View, situation: Situation) -> float:
        """The earliest instant at which :func:`decide` could say something else without a signal."""
        instants = [view.rescue_at]
        if view.queued:
            instants += [view.oldest_since + self._config.flush_frequency, self._circuit.retry_at, self._disk_rests_until]
        if view.parked:
            instants.append(self._unpark_at)
        if situation.drain_at < inf:
            instants += [situation.drain_at, self._circuit.retry_at]
        return min((instant for instant in instants if instant > situation.now), default=inf)

    def _heed_hurry(self, view: View) -> None:
        """A flush cuts the backoff short, once each; it does not make a dead store be tried without end."""
        if view.hurries > self._hurries_seen and view.hurry:
            self._circuit = self._circuit.hurried()
            self._unpark_at = 0.0
        self._hurries_seen = view.hurries
        if view.hurry:
            self._hurry.set()
        else:
            self._hurry.clear()

    # ---- sending ----------------------------------------------------------------------------------------------------

    def _send_fresh(self) -> None:
        number, entries = self._buffer.take()
        if entries:
            self._fresh_in_a_row += 1
            self._hand_out(number, [entry.document for entry in entries])

    def _send_file(self, drain: Drain) -> None:
        self._fresh_in_a_row = 0
        claimed = drain.claim(self._monotonic())
        if claimed is not None:
            self._hand_out(Drain.NUMBER, claimed)

    def _hand_out(self, number: int, documents: Sequence[Document]) -> None:
        if self.exiting:
            self.close_store()
        self._with_senders.add(number)
        if len(self._threads) < len(self._with_senders):
            self._start_sender()
        if self._threads:
            self._outbox.put((number, documents))
        else:
            self._buffer.give_back(number, self._sender().send(documents))

    def _start_sender(self) -> None:
        thread = threading.Thread(
            target=_send_all,
            args=(self._outbox, self._sender(), self._buffer),
            name=f"elasticecsmetrics-sender-{len(self._threads) + 1}",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:  # at the exit of the interpreter (3.12 on), or where the host forbids threads
            return
        self._threads.append(thread)

    def _sender(self) -> Sender:
        hurry = self._hurry
        return Sender(self._store, monotonic=self._monotonic, sleep=hurry.wait, random=self._random)

    # ---- what came back ---------------------------------------------------------------------------------------------

    def _came_back(self, number: int, outcomes: Sequence[Outcome]) -> None:
        self._heed_answers(outcomes, fresh=number != Drain.NUMBER)
        if number == Drain.NUMBER and self._drain is not None:
            self._tell_put_off(outcomes, spooled=True)
            self._file_came_back(self._drain, outcomes)
            return
        entries = self._buffer.entries(number)
        if not entries:  # it was rescued while the request hung: it rests in the folder
            return
        pairs = list(zip(entries, outcomes, strict=True))
        rejected = [(entry, outcome) for entry, outcome in pairs if outcome.verdict is Verdict.REJECTED]
        left = [entry for entry, outcome in pairs if outcome.verdict is Verdict.RETRYABLE]
        kept, crowded_out = self._keep_rejected(rejected)
        refused = [entry for entry, _ in rejected]
        spooled, evicted = self._keep(left)
        self._tell_put_off(outcomes, spooled=spooled)
        # Where there is no folder, what was put off while others of its batch were taken must not hold up the fresh ones.
        parks = not spooled and len(left) < len(pairs) and not any(outcome.whole_request for _, outcome in pairs)
        if left and parks:
            self._park()
        self._buffer.settle(
            number,
            delivered=len(pairs) - len(rejected) - len(left),
            diverted=sum(outcome.failure_store for outcome in outcomes),
            spooled=left if spooled else (),
            rejected=refused if kept else (),
            dropped=() if kept else [(entry, "spool_failed") for entry in refused],
            handed_back=() if spooled or parks else left,
            parked=left if parks else (),
            evicted=evicted + crowded_out,
        )

    def _park(self) -> None:
        self._unpark_at = self._monotonic() + self._park_pause
        self._park_pause = min(self._park_pause * 2, LONGEST_PARK)

    def _heed_answers(self, outcomes: Sequence[Outcome], *, fresh: bool) -> None:
        """Opens or closes the circuit, and tells of what failed.

        A file whose documents are put off one by one says nothing of the store: fresh documents go on.
        """
        now = self._monotonic()
        failures = [outcome for outcome in outcomes if outcome.verdict is Verdict.RETRYABLE]
        asked = max((failure.retry_after or 0.0 for failure in failures), default=0.0) or None
        unanswered = any(failure.whole_request and not is_content_refused(failure) for failure in failures)
        if failures and len(failures) == len(outcomes) and (fresh or unanswered):
            self._circuit = self._circuit.failed(now, retry_after=asked, random=self._random())
        elif outcomes:
            was_open = self._circuit.is_probing
            self._circuit = self._circuit.succeeded()
            if was_open and self._drain is not None:
                self._drain.look_again(now)
        if fresh and not failures:
            self._park_pause = FIRST_PARK

    def _tell_put_off(self, outcomes: Sequence[Outcome], *, spooled: bool) -> None:
        failures = [outcome for outcome in outcomes if outcome.verdict is Verdict.RETRYABLE]
        if failures:
            where = "the failure folder" if spooled else "memory"
            text = f"the store does not take documents now ({_describe(failures[-1])}); they wait in {where}"
            self._diagnostics.say("retryable", text)

    def _keep_rejected(self, rejected: Sequence[tuple[Entry, Outcome]]) -> tuple[bool, int]:
        """Brings refused documents to ``rejected/``: False when the disk did not take them; how many others had to go."""
        if not rejected:
            return True, 0
        reason = rejected[0][1]
        kept = "kept in rejected/" if self._spool is not None else "lost: there is no flush_failure_folder"
        self._diagnostics.say("rejected", f"the store refused documents ({_describe(reason)}); {kept}", len(rejected))
        if self._spool is None:
            return True, 0
        attempts = max(outcome.attempts for _, outcome in rejected)
        try:
            written = self._spool.reject([(entry.document, outcome) for entry, outcome in rejected], attempts)
        except SpoolError as error:
            self._diagnostics.say("spool", f"refused documents are lost: {error}", len(rejected))
            return False, 0
        self._tell_evicted(written.evicted_documents)
        return True, written.evicted_documents

    def _keep(self, entries: Sequence[Entry]) -> tuple[bool, int]:
        """Brings documents to the folder: whether they rest there, and how many others had to go for them."""
        if not entries or self._spool is None:
            return False, 0
        try:
            written = self._spool.write([entry.document for entry in entries])
        except SpoolError as error:
            self._diagnostics.say("spool", f"the failure folder takes nothing: {error}")
            self._disk_rests_until = self._monotonic() + DISK_PAUSE
            return False, 0
        if self._drain is not None:
            self._drain.look_again(self._monotonic())
        self._tell_evicted(written.evicted_documents)
        return True, written.evicted_documents

    def _tell_evicted(self, documents: int) -> None:
        if documents:
            self._diagnostics.say(
                "evicted", "the failure folder is at its bounds: its oldest documents were deleted", documents
            )

    def _file_came_back(self, drain: Drain, outcomes: Sequence[Outcome]) -> None:
        try:
            settled = drain.settle(outcomes, self._monotonic())
        except SpoolError as error:
            self._diagnostics.say("spool", f"a replayed file could not be put away: {error}", len(outcomes))
            return
        self._buffer.count_replayed(delivered=settled.delivered, rejected=settled.rejected, left=settled.left)
        evicted = self._spool.take_evicted().documents if self._spool is not None else 0
        self._tell_evicted(evicted)
        self._buffer.count_evicted(evicted)

    # ---- the disk ---------------------------------------------------------------------------------------------------

    def _spill(self, up_to: int | None) -> bool:
        """The oldest batch to the folder. False when there was none, or the disk did not take it."""
        number, entries = self._buffer.take(up_to)
        if not entries:
            return False
        spooled, evicted = self._keep(entries)
        if spooled:
            self._buffer.settle(number, spooled=entries, evicted=evicted)
        else:
            self._buffer.settle(number, handed_back=entries)
        return spooled

    def _rescue(self, view: View) -> None:
        """All that a flush whose time is up waits for leaves: for the folder, or at the end for nowhere."""
        self._buffer.unpark()
        for number in self._buffer.out_batches():
            entries = self._buffer.entries(number)
            if entries and entries[0].seq <= view.rescue_to:
                self._put_away(number, entries, dropping=view.dropping)
        while self._spool is not None and self._spill(view.rescue_to):
            pass
        if view.dropping:
            self._drop_the_rest()
        self._buffer.end_rescue(self._monotonic())

    def _drop_the_rest(self) -> None:
        while True:
            number, entries = self._buffer.take()
            if not entries:
                return
            self._put_away(number, entries, dropping=True)

    def _put_away(self, number: int, entries: Sequence[Entry], *, dropping: bool) -> None:
        """A batch whose answer is not waited for any longer."""
        spooled, evicted = self._keep(entries)
        if spooled:
            self._buffer.settle(number, spooled=entries, evicted=evicted)
        elif dropping:
            reason = "closed" if self._spool is None else "spool_failed"
            self._diagnostics.say("dropped", "documents are lost: the store did not take them in time", len(entries))
            self._buffer.settle(number, dropped=[(entry, reason) for entry in entries])


def _describe(outcome: Outcome) -> str:
    status = f"status {outcome.status}" if outcome.status is not None else ""
    return ", ".join(part for part in (status, outcome.type, outcome.reason) if part) or "no reason given"


def _send_all(outbox: queue.SimpleQueue[tuple[int, Sequence[Document]] | None], sender: Sender, buffer: Buffer) -> None:
    """A sender thread's main."""
    inside.ours = True
    while (batch := outbox.get()) is not None:
        number, documents = batch
        try:
            outcomes = sender.send(documents)
        except BaseException as error:  # noqa: BLE001  (a MemoryError, a SystemExit of the store's) or nobody would settle it
            outcomes = [failed(type(error).__name__, str(error))] * len(documents)
        buffer.give_back(number, outcomes)
