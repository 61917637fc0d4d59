"""What is said where a step does something that a program of array operations cannot do."""

from __future__ import annotations

from typing import Any

from wengert.numbers.graph import Node, calling_line


class CaptureError(TypeError):
    """A step cannot become one program: the message says at which line, why, and what to write instead."""


_BRANCH = (
    "Python asks whether a traced value is true (if, while, assert, and, or, not), but the program must be "
    "the same for every value",
    "compute both sides and let wengert.where choose.\n"
    "  wrong:  y = a if loss > 0 else b\n"
    "  right:  y = wengert.where(loss > 0, a, b)\n"
    "A check of a result belongs behind the compiled step, on what it returns",
)
_COUNT = (
    "a traced value is used as an index or a count, but the length of a loop and the shape of an array must "
    "be known before the step runs",
    "pass the count as an argument of type int (another count compiles again), or index by an array.\n"
    "  wrong:  for k in range(int(n)): ...     with n computed in the step or passed as an array\n"
    "  right:  step(x, 3)                      with n an int among the arguments",
)
_NUMBER = (
    "{what} asks for the number behind a traced value, which is known only when the program runs",
    "keep the value as a tensor, use wengert's functions on it, and read the number from what the step "
    "returns.\n"
    "  wrong:  return loss.item()\n"
    "  right:  return loss               and then step(x, y).item()",
)
_TEXTS: dict[str, tuple[str, str]] = {
    "branch": _BRANCH,
    "index": _COUNT,
    "int": _COUNT,
    "float": _NUMBER,
    "item": _NUMBER,
    "tolist": _NUMBER,
    "array": (
        "a NumPy array is made of a traced value, whose entries are known only when the program runs",
        "use wengert's functions, and make the array of what the step returns.\n"
        "  wrong:  np.asarray(loss), loss.numpy(), x[0] = 1.0\n"
        "  right:  wengert.where(mask, 1.0, x) in the step, step(x, y).numpy() behind it",
    ),
    "write": (
        "an entry of a traced array is written, but a program's arguments and values stay as they are",
        "make a new array of the old one.\n"
        "  wrong:  x[0] = 1.0\n"
        "  right:  x = wengert.concatenate([np.ones(1), x[1:]]), or wengert.where(mask, 1.0, x)",
    ),
    "print": (
        "a traced value is printed or written into a text, but it has no entries before the program runs; "
        "and the compiled step would not print again",
        "return the value and print it behind the step.\n"
        "  wrong:  print(loss)               in the step\n"
        "  right:  loss = step(x, y); print(loss)",
    ),
    "mask": (
        "a boolean mask selects entries, so the result's shape depends on values",
        "keep the shape and let wengert.where choose.\n"
        "  wrong:  x[x > 0].sum()\n"
        "  right:  wengert.where(x > 0, x, 0.0).sum()",
    ),
    "kept": (
        "a value traced earlier was kept and is used again: it belonged to the run that compiled a step, and "
        "has no number",
        "a compiled step stores nothing outside but in tensors; return what is needed later.\n"
        "  wrong:  losses.append(loss)       in the step\n"
        "  right:  losses.append(step(x, y))",
    ),
}
_ASKED = {"float": "float(), or a function of the math module,", "item": "item()", "tolist": "tolist()"}


def refuse_value(kind: str, node: Node) -> None:
    """Raise `CaptureError` for what was asked of a traced value."""
    if node.graph.closed:
        kind = "kept"
    if kind.startswith("np."):
        problem = f"{kind}() of a traced value: wengert's table has no operation of that name"
        cure = (
            "write it in the table's operations (wengert.sum, wengert.where, …), or compute it before the "
            "step and pass the result as an argument"
        )
    else:
        problem, cure = _TEXTS[kind]
        problem = problem.format(what=_ASKED.get(kind, kind))
    raise refusal(problem, cure, _described(node))


def refusal(problem: str, cure: str, value: str = "") -> CaptureError:
    """The error at the user's line."""
    line = calling_line()
    where = f"{line}\n" if line else ""
    traced = f"\nThe value: {value}" if value else ""
    return CaptureError(f"{where}wengert.compile: {problem}.{traced}\nInstead: {cure}.")


def _described(node: Node) -> str:
    value: Any = node.value
    kind = getattr(value, "dtype", type(value).__name__)
    name = node.name or f"v{node.id}"
    made = f", computed by {node.op.name}" if node.op is not None else ""
    at = f" at {node.line}" if node.line else ""
    return f"{name}, {kind} of shape {node.shape}{made}{at}"
