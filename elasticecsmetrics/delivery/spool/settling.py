"""What becomes of a claimed file once its documents have outcomes. The order of the steps is what a kill cannot harm."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from elasticecsmetrics.config import IndexNameFrequency
from elasticecsmetrics.delivery.spool import claims, fileform, listing
from elasticecsmetrics.delivery.spool.claims import Claim
from elasticecsmetrics.delivery.spool.eviction import Eviction
from elasticecsmetrics.delivery.spool.fileform import Item
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.outcome import Outcome, Verdict


class Settled(NamedTuple):
    """What became of a claimed file's documents."""

    delivered: int
    rejected: int
    left: int
    """They are still in the file."""


class Aside(NamedTuple):
    """Where rejected documents go."""

    folder: Path
    eviction: Eviction
    """Makes room there."""
    now: int
    """Nanoseconds since 1970."""


def settle(claim: Claim, outcomes: Sequence[Outcome | None], *, attempts: int, aside: Aside) -> Settled:
    """See :meth:`elasticecsmetrics.delivery.spool.Spool.settle`."""
    stay = claim.path.parent == aside.folder
    keep: list[Item] = []
    rejected: list[Item] = []
    for item, outcome in zip(claim.items, outcomes, strict=True):
        if outcome is None or outcome.verdict is Verdict.RETRYABLE:
            keep.append(item)
        elif outcome.verdict is Verdict.REJECTED:
            refused = Item(item.document, reason(outcome, attempts, aside.now, before=item.error))
            rejected.append(refused)
            keep += [refused] if stay else []
    left = len(keep) - (len(rejected) if stay else 0)
    # First where they go, then where they came from: killed in between, a document lies in both, and the next time
    # replaces itself in rejected/.
    if rejected and not stay:
        _set_aside(aside, claim.path.name, rejected)
    if not claim.torn and (left < len(claim.items) or not keep):
        claim.rewrite(keep)
    return Settled(len(outcomes) - len(rejected) - left, len(rejected), left)


def reason(outcome: Outcome, attempts: int, now: int, before: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The ``error`` of a rejected document; attempts add up over replays."""
    earlier = before.get("attempts") if before else 0
    return {
        "status": outcome.status,
        "type": outcome.type,
        "reason": outcome.reason,
        "attempts": attempts + (earlier if isinstance(earlier, int) else 0),
        "time": timestamp.render(now),
    }


def _set_aside(aside: Aside, name: str, items: Sequence[Item]) -> None:
    listing.make(aside.folder)
    # Whatever is wrong with the file of that name (foreign, unreadable), the documents still have to go somewhere.
    with contextlib.suppress(SpoolError):
        if _joined(aside, name, items):
            return
    data = fileform.file_bytes(items)
    aside.eviction.make_room(aside.folder, len(data))
    claims.write_new(aside.folder, fileform.new_name(aside.now), data)


def _joined(aside: Aside, name: str, items: Sequence[Item]) -> bool:
    """Puts items into the file of this name, each once; False when somebody else has it, or it is torn."""
    path = aside.folder / name
    there = claims.claim(path, IndexNameFrequency.DAILY)
    if there is None:
        if listing.exists(path):
            return False
        # Over, not new: what a killed predecessor left half done is worth nothing, since the documents still wait too.
        data = fileform.file_bytes(items)
        aside.eviction.make_room(aside.folder, len(data))
        claims.write_over(path, data)
        return True
    with there:
        if there.torn:
            return False
        new = {_key(item) for item in items}
        joined = [*(item for item in there.items if _key(item) not in new), *items]
        growth = len(fileform.file_bytes(joined)) - len(fileform.file_bytes(there.items))
        aside.eviction.make_room(aside.folder, max(growth, 0))
        there.rewrite(joined)
        return True


def _key(item: Item) -> tuple[str, str]:
    return item.document.index, item.document.id
