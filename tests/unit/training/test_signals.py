"""Signals while training: the first is kept, the second has its usual effect, and afterwards all is as before."""

import signal

import pytest

from s2s.training.signals import polite_stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_kept_and_handlers_come_back(number: signal.Signals) -> None:
    own = [lambda *_: None, lambda *_: None]
    before = [signal.signal(one, handler) for one, handler in zip((signal.SIGINT, signal.SIGTERM), own, strict=True)]
    try:
        with polite_stop() as received:
            assert received() is None
            signal.raise_signal(number)
            assert received() == number
            assert signal.getsignal(number) in own
        assert [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)] == own
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
