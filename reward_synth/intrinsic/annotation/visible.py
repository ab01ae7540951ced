"""Which labels the learner sees, and from when on."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Literal, TypeAlias, get_args

from reward_synth.errors import UsageError
from reward_synth.intrinsic.annotation.label import Label

Visibility: TypeAlias = Literal["at_once", "at_publish"]


class VisibleLabels:
    """Labels by caption; those that came since the last boundary may be hidden.

    Reading needs no lock; all else does.

    Args:
        visible: ``at_once`` or ``at_publish``.
        most: Labels that are held; then the oldest is forgotten.

    Raises:
        UsageError: There is no such choice, or ``most`` is below 1.

    Example:
        >>> labels = VisibleLabels("at_publish", 10)
        >>> labels.add("a key", Label("known", "helpful", 1.0))
        >>> labels.get("a key") is None, list(labels.publish()), labels.get("a key").value
        (True, ['a key'], 1.0)
    """

    def __init__(self, visible: Visibility = "at_once", most: int = 200_000) -> None:
        if visible not in get_args(Visibility) or most < 1:
            raise UsageError(
                f"visible must be one of {', '.join(get_args(Visibility))} and most_known "
                f"at least 1; received {visible!r} and {most}."
            )
        self.visible = visible
        self.most = most
        # A plain dict would look for its oldest among all that it forgot.
        self._shown: OrderedDict[str, Label] = OrderedDict()
        self._fresh: dict[str, Label] = {}

    def __contains__(self, caption: object) -> bool:
        """Return whether a caption has a label, shown or not."""
        return caption in self._shown or caption in self._fresh

    def add(self, caption: str, label: Label) -> None:
        """Add a label."""
        if self.visible == "at_once":
            self._show(caption, label)
        else:
            self._fresh[caption] = label

    def get(self, caption: str) -> Label | None:
        """Return the label that the learner sees, None if it sees none."""
        return self._shown.get(caption)

    def shows(self, caption: str) -> bool:
        """Return whether the learner sees something that is worth a reward."""
        label = self._shown.get(caption)
        return label is not None and label.value is not None

    def publish(self) -> dict[str, Label]:
        """Show what came since the last time, and return it, sorted by caption."""
        fresh = dict(sorted(self._fresh.items()))
        self._fresh = {}
        for caption, label in fresh.items():
            self._show(caption, label)
        return fresh

    def _show(self, caption: str, label: Label) -> None:
        self._shown[caption] = label
        if len(self._shown) > self.most:
            self._shown.popitem(last=False)


def row(label: Label) -> dict[str, Any]:
    """Return a label as JSON data.

    Example:
        >>> row(Label("known", "helpful", 1.0, "rule"))["value"]
        1.0
    """
    return {
        "status": label.status,
        "name": label.name,
        "value": label.value,
        "origin": label.origin,
        "confidence": label.confidence,
    }
