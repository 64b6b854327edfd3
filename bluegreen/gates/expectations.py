"""What an answer should be, and what to say when it is something else."""

from bluegreen.gates.answers import Answer
from bluegreen.gates.wording import one_line

__all__ = ["field_problem", "is_same", "status_problem"]


def status_problem(answer: Answer, wanted: int) -> str:
    """What is wrong with the status, in words that follow a request's name; empty when nothing."""
    if answer.status == wanted:
        return ""
    if answer.location is not None:
        where = one_line(answer.mask(answer.location))
        return (
            f"answered {answer.status}, a redirect to {where}, not {wanted};"
            f" redirects are not followed, ask for the path that answers itself"
        )
    said = f": {answer.excerpt}" if answer.excerpt else ""
    return f"answered {answer.status}, not {wanted}{said}"


def field_problem(answer: Answer, field: str, wanted: object) -> str:
    """What is wrong with a field of the JSON body; empty when nothing.

    Args:
        answer: Whose body.
        field: Levels parted by dots.
        wanted: What it must be; None: anything but null.

    Raises:
        UnusableAnswerError: There is no such field, or no JSON.
    """
    found = answer.field(field)
    if wanted is None:
        return f"{field} is null" if found is None else ""
    if is_same(found, wanted):
        return ""
    return f"{field} is {answer.quoted(found)}, not {answer.quoted(wanted)}"


def is_same(found: object, wanted: object) -> bool:
    """Whether two JSON values are the same."""
    # In Python True equals 1; in JSON it does not.
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
