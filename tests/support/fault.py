"""What is wrong with a relay, in words for whoever runs it; the verification tells such a fault as it is."""


class FaultError(AssertionError):
    """Something that is not as it should be: ``what is wrong; what to do``."""


def expect(holds: object, words: str, remedy: str) -> None:
    """Have something hold.

    :param holds: whether it does
    :param words: what is wrong where it does not; no endpoint's name, for the same at all is one finding
    :param remedy: what to do about that
    :raises FaultError: where it does not
    """
    if not holds:
        raise FaultError(f"{words}; {remedy}")
