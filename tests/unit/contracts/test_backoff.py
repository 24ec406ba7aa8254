from contracts.backoff import Backoff


def test_waits_double_up_to_the_most_and_begin_small_after_success() -> None:
    backoff = Backoff(0.5, 3.0, chance=lambda: 0.0)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.next_s() == 0.5


def test_chance_shortens_a_wait_by_up_to_half() -> None:
    assert Backoff(8.0, 8.0, chance=lambda: 0.999).next_s() > 4.0
    waits = {Backoff(8.0, 8.0).next_s() for _ in range(20)}
    assert len(waits) > 1
    assert all(4.0 <= wait <= 8.0 for wait in waits)
