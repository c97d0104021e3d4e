"""What the exit codes of the program mean, as exceptions."""

from __future__ import annotations


class LlmProfError(Exception):
    """The program could not do what was asked. The text is what it said."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message, exit_code)
        self.message = message
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.message


class UsageError(LlmProfError):
    """2: wrong usage or configuration, such as an option that does not exist."""


class InputError(LlmProfError):
    """3: an input cannot be read: missing, no trace, no report."""


class RulesError(LlmProfError):
    """4: the rules cannot be loaded."""


class UnfitError(LlmProfError):
    """5: the trace was read but is unfit for the question."""


class InternalError(LlmProfError):
    """101: a bug of llm-prof; please report it with the text."""


class Interrupted(LlmProfError):
    """130, 143 or a signal: the program was ended from outside, such as for want of memory."""


class LlmProfWarning(UserWarning):
    """What the program said beside a result."""


_BY_CODE: dict[int, type[LlmProfError]] = {
    2: UsageError,
    3: InputError,
    4: RulesError,
    5: UnfitError,
    101: InternalError,
    130: Interrupted,
    143: Interrupted,
}


def of(exit_code: int, said: str) -> LlmProfError:
    """The exception of an exit code; one below 0 is the number of a signal."""
    kind = Interrupted if exit_code < 0 else _BY_CODE.get(exit_code, LlmProfError)
    text = said.strip().removeprefix("error: ")
    if exit_code < 0:
        text = f"ended by signal {-exit_code}{': ' if text else ''}{text}"
    return kind(text or f"llm-prof ended with {exit_code}", exit_code)
