"""Charts as SVG text: axes, lines, bands and marks, coloured by the page's styles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def tag(name: str, *inside: str, **attributes: object) -> Markup:
    """Return an element; everything but markup in it is escaped.

    Example:
        >>> print(tag("text", "a < b", x=1, class_="label"))
        <text x="1" class="label">a &lt; b</text>
    """
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _short(value))
        for key, value in attributes.items()
        if value is not None
    )
    opened = Markup("<{}{}>").format(Markup(name), given)
    return opened + Markup("").join(inside) + Markup("</{}>").format(Markup(name))


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from ``low`` to ``high``.

    Example:
        >>> ticks(0, 1), ticks(0, 200_000, 3)
        ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 100000.0, 200000.0])
    """
    width = high - low
    if not width > 0 or not math.isfinite(width):
        return [low]
    rough = width / max(1, most - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * next(nice for nice in _NICE if nice * size >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Axes:
    """A rectangle of a chart, and where values lie in it.

    Example:
        >>> axes = Axes(100, 60, (0.0, 10.0), (0.0, 1.0), left=0, bottom=0, top=0, right=0)
        >>> axes.x(5.0), axes.y(1.0)
        (50.0, 0.0)
    """

    width: float
    height: float
    across: tuple[float, float]
    """The values at the left and at the right end."""
    up: tuple[float, float]
    """The values at the bottom and at the top."""
    left: float = 44
    right: float = 22
    top: float = 10
    bottom: float = 36

    def x(self, value: float) -> float:
        """Return where a value lies from the left."""
        inside = self.width - self.left - self.right
        return self.left + inside * _place(value, self.across)

    def y(self, value: float) -> float:
        """Return where a value lies from the top."""
        inside = self.height - self.top - self.bottom
        return self.height - self.bottom - inside * _place(value, self.up)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        """Return coordinates for ``points=``; what is not finite is left out."""
        pairs = zip(xs, ys, strict=True)
        return " ".join(
            f"{self.x(x):.1f},{self.y(y):.1f}"
            for x, y in pairs
            if math.isfinite(x) and math.isfinite(y)
        )

    def line(self, xs: Sequence[float], ys: Sequence[float], **more: object) -> Markup:
        """Return a line through points."""
        return tag("polyline", points=self.points(xs, ys), fill="none", **more)

    def band(
        self,
        xs: Sequence[float],
        low: Sequence[float],
        high: Sequence[float],
        **more: object,
    ) -> Markup:
        """Return the area between two lines."""
        back = self.points(reversed(xs), reversed(high))
        return tag("polygon", points=f"{self.points(xs, low)} {back}", **more)

    def frame(
        self,
        label_x: Callable[[float], str],
        label_y: Callable[[float], str],
        title_x: str = "",
        most_x: int = 5,
        most_y: int = 6,
    ) -> Markup:
        """Return gridlines, the numbers beside them, and what runs across.

        With ``most_y=0`` the gridlines stand upright.
        """
        heights = ticks(*self.up, most_y) if most_y else []
        parts = [self._row(value, label_y(value)) for value in heights]
        foot = self.height - self.bottom
        for value in ticks(*self.across, most_x):
            at = self.x(value)
            text = label_x(value)
            if not most_y:
                parts.append(tag("line", x1=at, x2=at, y1=self.top, y2=foot))
            parts.append(tag("text", text, x=at, y=foot + 15, text_anchor="middle"))
        middle = (self.left + self.width - self.right) / 2
        place = {"x": middle, "y": self.height - 4, "text_anchor": "middle"}
        parts.append(tag("text", title_x, class_="axis-title", **place))
        return tag("g", *parts, class_="frame")

    def _row(self, value: float, label: str) -> Markup:
        at = self.y(value)
        end = self.width - self.right
        rule = tag("line", x1=self.left, x2=end, y1=at, y2=at)
        words = tag("text", label, x=self.left - 6, y=at + 4, text_anchor="end")
        return rule + words

    def drawn(self, *parts: Markup, label: str, class_: str = "chart") -> Markup:
        """Return the whole chart, with what a screen reader says of it."""
        box = f"0 0 {self.width:g} {self.height:g}"
        size = {"viewBox": box, "width": self.width, "height": self.height}
        return tag("svg", *parts, role="img", aria_label=label, class_=class_, **size)


def _place(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return (value - low) / (high - low) if high > low else 0.5
