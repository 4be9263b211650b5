"""The pipeline: what front ends hold. Takes documents, and answers for them until each is at rest.

Threads start on the first document. A forked child starts empty: the parent owns what it buffered. The interpreter's
exit, and the exit of a multiprocessing child, come through here in bounded time.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery import logginglock
from elasticecsmetrics.delivery.buffer import LONGEST_WAIT, Buffer, Flush
from elasticecsmetrics.delivery.diagnostics import Diagnostics
from elasticecsmetrics.delivery.inside import inside
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.delivery.stats import Stats
from elasticecsmetrics.delivery.worker import Worker
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.store import Store


class Pipeline:
    """Everything between a front end and a store."""

    def __init__(
        self,
        store: Store,
        *,
        config: DeliveryConfig,
        spool: Spool | None = None,
        drain: bool = True,
        diagnostics: Diagnostics | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            store: where documents go.
            config: the bounds.
            spool: the failure folder; None: what cannot be delivered stays in memory, and is lost at the end.
            drain: whether the folder's files are brought to the store once it answers.
            diagnostics: what says aloud that documents are kept, refused or lost.
            monotonic: seconds that never go back.
        """
        self._store = store
        self._spool = spool
        self._config = config
        self._monotonic = monotonic
        self._diagnostics = diagnostics or Diagnostics()
        self._buffer = Buffer(config, monotonic)
        self._worker = Worker(
            self._buffer, store, config=config, spool=spool, drain=drain, diagnostics=self._diagnostics, monotonic=monotonic
        )
        self._starting = threading.Lock()
        self._late = threading.RLock()
        self._thread: threading.Thread | None = None
        self._started = False
        self._exit_by: float | None = None
        _pipelines.add(self)
        _watch_exit()

    def submit(self, document: Document) -> None:
        """Takes a document. Never raises, never waits for the network; after :meth:`close` it goes to the folder at once."""
        if not self._started and not self._buffer.closed:
            self._start()
        if not self._buffer.put(document):
            self._take_late(document)

    def flush(self, timeout: float | None = None) -> bool:
        """Returns when all that was accepted before has come to rest, or after ``timeout`` seconds (None: ``flush_timeout``).

        What is unacknowledged near the end of that time goes to the failure folder, if there is one.

        Returns:
            True only when all that was accepted since the flush before this one was acknowledged by the store.
        """
        return self._come_to_rest(self._config.flush_timeout if timeout is None else timeout, closing=False)

    def close(self, timeout: float | None = None) -> bool:
        """Flushes, and takes no more. What is not acknowledged goes to the folder, else it is dropped and counted.

        Args:
            timeout: seconds; None: ``close_timeout``.

        Returns:
            As :meth:`flush`. Calling it twice is harmless.
        """
        timeout = self._config.close_timeout if timeout is None else timeout
        with logginglock.released():
            until = self._until(timeout, closing=True)
            done = self._come_to_rest(timeout, closing=True)
            if self._thread is not None and self._thread is not threading.current_thread():
                # A file that is being drained is put away first, if it comes back in time.
                self._thread.join(max(0.0, min(until - self._monotonic(), LONGEST_WAIT)))
        self._worker.close_store()
        _running.discard(self)
        return done

    def release(self) -> None:
        """The owner is gone: what is buffered is delivered in the background, then the threads end. Does not wait."""
        if self._started and not self._buffer.closed:
            self._buffer.begin_flush(self._monotonic() + self._config.flush_timeout, closing=True)

    def stats(self) -> Stats:
        """The figures at this instant."""
        return self._buffer.stats()

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _until(self, timeout: float, *, closing: bool) -> float:
        """The end of a wait that begins now. At the interpreter's exit all of them share one."""
        now = self._monotonic()
        if self._exit_by is None:
            return now + timeout
        # What comes so late still gets the time that the disk needs, or that it takes to say that it is lost.
        last_word = LAST_WORD if closing or self._spool is not None else 0.0
        return min(now + timeout, max(self._exit_by, now + last_word))

    def _come_to_rest(self, timeout: float, *, closing: bool) -> bool:
        with logginglock.released():
            until = self._until(timeout, closing=closing)
            return self._await_rest(self._begin_flush(until, closing=closing), until)

    def _begin_flush(self, until: float, *, closing: bool) -> Flush:
        # The last part of the time is the disk's: what the network did not take by then is written out within it.
        now = self._monotonic()
        is_over = self._exit_by is not None and now >= self._exit_by
        rescue_at = now if is_over else until - min((until - now) * DISK_SHARE, DISK_SECONDS)
        return self._buffer.begin_flush(rescue_at, closing=closing)

    def _await_rest(self, flush: Flush, until: float) -> bool:
        if self._started and (self._thread is None or not self._thread.is_alive()) and not inside.ours:
            # There is no worker, so its work is done here; by one thread at a time, and by none further up its own stack.
            left = max(0.0, until - self._monotonic())
            if self._starting.acquire(timeout=min(left, LONGEST_WAIT)):
                try:
                    self._worker.run_here(closing=flush.closing)
                finally:
                    self._starting.release()
            until = self._monotonic()
        return self._buffer.wait_for_rest(flush, until)

    def begin_exit(self) -> Flush:
        """The interpreter ends: all has to come to rest within ``close_timeout``, counted from the first call."""
        if self._exit_by is None:
            self._exit_by = self._monotonic() + self._config.close_timeout
        return self._begin_flush(self._until(self._config.close_timeout, closing=False), closing=False)

    def exit(self, flush: Flush) -> None:
        """Waits for what :meth:`begin_exit` began, then gives up the store's connections.

        By the time that ``logging.shutdown`` runs, urllib3 has emptied its pools, and a request on one of them would wait for
        ever. A later one is made on new ones.
        """
        self._await_rest(flush, self._until(self._config.close_timeout, closing=False))
        self._worker.exiting = True
        self._worker.close_store()

    def hasten(self) -> None:
        """The time for the exit is over now."""
        self._exit_by = self._monotonic()
        self._worker.exiting = True

    def _take_late(self, document: Document) -> None:
        spooled, evicted = False, 0
        with self._late:
            if self._spool is not None:
                try:
                    evicted = self._spool.write([document]).evicted_documents
                    spooled = True
                except SpoolError as error:
                    self._diagnostics.say("late", f"a document came after close and is lost: {error}", 1)
            self._buffer.count_late(spooled=spooled, evicted=evicted)

    # ---- the beginning ----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Starts the worker's thread, once. Where none can be had, flush and close do its work in their caller's thread."""
        if not self._starting.acquire(blocking=False):
            return  # another thread, or this one further up its stack, is starting it
        try:
            if self._started:
                return
            _enter(self)
            thread = threading.Thread(target=self._run, name="elasticecsmetrics-worker", daemon=True)
            try:
                self._worker.begin()
                thread.start()
                self._thread = thread
            except RuntimeError:  # the interpreter is ending (3.12 on), or the host forbids threads
                self._thread = None
            self._started = True
        finally:
            self._starting.release()

    def _run(self) -> None:
        try:
            self._worker.run()
        finally:
            _running.discard(self)

    def after_fork(self) -> None:
        """In the child: empty, with new locks and no thread. Logs nothing and takes no lock."""
        self._starting = threading.Lock()
        self._late = threading.RLock()
        self._thread = None
        self._started = False
        self._exit_by = None
        self._buffer.reset()
        self._worker.reset()
        self._diagnostics.forget()


#: Seconds that a flush gets for the disk although the time for the exit is used up.
LAST_WORD = 0.5

#: Of a flush's time, the disk's share and its most in seconds.
DISK_SHARE = 0.4
DISK_SECONDS = 2.0

_pipelines: weakref.WeakSet[Pipeline] = weakref.WeakSet()
_running: set[Pipeline] = set()
_exit_is_watched = False
_finalized_pid = 0


def _enter(pipeline: Pipeline) -> None:
    """Keeps a started pipeline alive until it is closed: its owner may be dropped while documents are buffered."""
    _running.add(pipeline)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        # Children of multiprocessing end by os._exit after their own finalizers, and skip atexit. Those set before the
        # child's bootstrap are cleared in it, so the registration is made again there.
        util.register_after_fork(pipeline, _finalize_in_child)
        _finalize_in_child(pipeline)


def _finalize_in_child(_: Pipeline) -> None:
    global _finalized_pid  # noqa: PLW0603  once a process
    if _finalized_pid != os.getpid() or not _finalizer_is_there():
        _finalized_pid = os.getpid()
        sys.modules["multiprocessing.util"].Finalize(_WATCH, at_exit, exitpriority=100)


def _finalizer_is_there() -> bool:
    registry = getattr(sys.modules["multiprocessing.util"], "_finalizer_registry", {})
    return any(getattr(finalizer, "_callback", None) is at_exit for finalizer in list(registry.values()))


class _Watch:
    """What the finalizer of multiprocessing is tied to; it lives as long as the module."""


_WATCH = _Watch()


def at_exit() -> None:
    """The exit hook: brings all running pipelines to rest, at the same time."""
    begun = [(pipeline, pipeline.begin_exit()) for pipeline in list(_running)]
    try:
        for pipeline, flush in begun:
            pipeline.exit(flush)
    except KeyboardInterrupt:  # whoever presses Ctrl-C again does not want to wait; what is left is put away by close
        for pipeline, _ in begun:
            pipeline.hasten()


def _watch_exit() -> None:
    """Registers the exit hook, once, so that it runs before urllib3's pools are emptied.

    Exit hooks run last in, first out, and ``weakref.finalize`` registers its own when the first finalizer is made: one is
    made here, so that ours comes after it in the list, and before it in time.
    """
    global _exit_is_watched  # noqa: PLW0603  once a process
    if not _exit_is_watched:
        _exit_is_watched = True
        weakref.finalize(Pipeline, int)
        atexit.register(at_exit)


def _after_fork_in_child() -> None:
    _running.clear()
    for pipeline in list(_pipelines):
        pipeline.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
