"""Which host is asked next."""

from __future__ import annotations

from elasticecsmetrics.cluster.rotation import LONGEST_REST, Rotation


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def first(rotation: Rotation[str]) -> str:
    return rotation.nodes[rotation.order()[0]]


def test_each_host_is_asked_in_turn() -> None:
    rotation = Rotation(["a", "b", "c"])
    assert [first(rotation) for _ in range(7)] == ["a", "b", "c", "a", "b", "c", "a"]


def test_every_host_is_in_the_order() -> None:
    rotation = Rotation(["a", "b", "c"])
    rotation.failed(1)
    assert sorted(rotation.order()) == [0, 1, 2]


def test_host_that_failed_rests_and_comes_back() -> None:
    clock = Clock()
    rotation = Rotation(["a", "b"], monotonic=clock)
    rotation.failed(0)
    assert [first(rotation) for _ in range(4)] == ["b"] * 4
    clock.now += 1.1
    assert {first(rotation) for _ in range(2)} == {"a", "b"}


def test_rest_doubles_up_to_a_bound_and_ends_with_an_answer() -> None:
    clock = Clock()
    rotation = Rotation(["a", "b"], monotonic=clock)
    rests = []
    for _ in range(50):
        rotation.failed(0)
        rests.append(rotation._rests_until[0] - clock.now)
    assert rests[:4] == [1, 2, 4, 8]
    assert rests[-1] == LONGEST_REST
    rotation.answered(0)
    assert {first(rotation) for _ in range(2)} == {"a", "b"}


def test_when_all_rest_the_first_to_come_back_is_asked() -> None:
    clock = Clock()
    rotation = Rotation(["a", "b"], monotonic=clock)
    rotation.failed(0)
    rotation.failed(0)
    rotation.failed(1)
    assert [first(rotation) for _ in range(3)] == ["b"] * 3
