"""How the run of a lab ended, as plain data: what it found, or why it could not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wengert.labs.lab import Lab, LabResult

NOT_YET = "It has not been run yet."


@dataclass(frozen=True)
class Outcome:
    """A lab, with its result as plain data where it ran, else with the reason why there is none."""

    lab: Lab
    content: Mapping[str, Any] | None = None
    reason: str = NOT_YET
    """Of no meaning where there is a result."""

    @staticmethod
    def of(result: LabResult) -> Outcome:
        """The outcome of a lab that ran."""
        return Outcome(result.lab, result.to_dict())

    @staticmethod
    def of_error(lab: Lab, error: Exception) -> Outcome:
        """The outcome of a lab that ended in an error; one that is not about files or packages is named."""
        known = isinstance(error, OSError | ImportError)
        return Outcome(lab, None, str(error) if known and str(error) else f"{type(error).__name__}: {error}")

    @property
    def ran(self) -> bool:
        """Whether there is a result."""
        return self.content is not None

    @property
    def claims(self) -> list[Mapping[str, Any]]:
        """The claims as plain data; none where the lab did not run."""
        return [] if self.content is None else list(self.content["claims"])

    @property
    def failing(self) -> list[Mapping[str, Any]]:
        """The claims that fail."""
        return [claim for claim in self.claims if not claim["holds"]]

    @property
    def holds(self) -> bool:
        """Whether the lab ran and every claim holds."""
        return self.ran and not self.failing

    @property
    def seconds(self) -> float:
        """How long the lab took."""
        return 0.0 if self.content is None else float(self.content["seconds"])

    @property
    def standing(self) -> str:
        """One word for a style sheet or a table: holds, fails, or idle where the lab did not run."""
        return ("holds" if self.holds else "fails") if self.ran else "idle"

    @property
    def verdict(self) -> str:
        """The outcome in a few words, with a sign.

        >>> from wengert.labs import find_lab
        >>> lab = find_lab("vae")
        >>> Outcome(lab).verdict
        '– not run'
        >>> Outcome(lab, {"claims": [{"holds": True}, {"holds": True}], "seconds": 1}).verdict
        '✓ both claims hold'
        >>> Outcome(lab, {"claims": [{"holds": True}, {"holds": False}], "seconds": 1}).verdict
        '✗ 1 of 2 claims fails'
        """
        if not self.ran:
            return "– not run"
        failing, total = len(self.failing), len(self.claims)
        if failing:
            return f"✗ {failing} of {counted(total, 'claim')} {'fails' if failing == 1 else 'fail'}"
        if total <= 2:
            return "✓ the claim holds" if total == 1 else "✓ both claims hold"
        return f"✓ all {total} claims hold"

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data; for a lab that did not run the same keys, empty, and ``error``."""
        if self.content is not None:
            return dict(self.content)
        return {
            "name": self.lab.name,
            "rows": list(self.lab.rows),
            "title": self.lab.title,
            "question": self.lab.question,
            "error": self.reason,
            "claims": [],
            "artifacts": [],
            "tables": [],
            "text": [],
        }


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "claim"), counted(2, "claim")
    ('1 claim', '2 claims')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
