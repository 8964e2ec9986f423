"""Just enough SVG for the plots of docs/scoring.md: axes, lines, bars, points and whiskers on a light ground."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 680, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 44, 52
COLOURS = ("#1f5fa8", "#c2410c", "#15803d", "#7e22ce")


@dataclass(frozen=True)
class Axis:
    """A range of values, the marks on it, and what it measures."""

    low: float
    high: float
    marks: Sequence[float]
    title: str
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies between the axis' ends, 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass
class Plot:
    """A drawing that grows call by call; coordinates are in the axes' units."""

    title: str
    x: Axis
    y: Axis
    legend_left: int = WIDTH - 260
    _parts: list[str] = field(default_factory=list)
    _legend: int = 0

    def line(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        """Draw a line with a dot at each point."""
        places = [(self._x(x), self._y(y)) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in places:
            self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def whisker(self, x: float, low: float, high: float, colour: str) -> None:
        """Draw a vertical stroke from low to high."""
        at = self._x(x)
        ends = f'y1="{self._y(low):.1f}" y2="{self._y(high):.1f}"'
        self._parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" {ends} stroke="{colour}" stroke-width="1.5"/>')

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a point."""
        self._parts.append(f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="2.5" fill="{colour}"/>')

    def bar(self, x: float, width: float, y: float, colour: str) -> None:
        """Draw a bar from the ground to y, `width` wide around x."""
        left, right, top = self._x(x - width / 2), self._x(x + width / 2), self._y(y)
        size = f'width="{right - left:.1f}" height="{HEIGHT - BOTTOM - top:.1f}"'
        self._parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{colour}" fill-opacity="0.8"/>')

    def level(self, y: float, colour: str) -> None:
        """Draw a dashed line across."""
        at = f'y1="{self._y(y):.1f}" y2="{self._y(y):.1f}"'
        ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}"'
        self._parts.append(f'<line {ends} {at} stroke="{colour}" stroke-dasharray="5 4"/>')

    def legend(self, words: str, colour: str) -> None:
        """Name a colour, one row further down each time."""
        y = TOP + 14 + 18 * self._legend
        self._legend += 1
        self._parts.append(
            f'<rect x="{self.legend_left}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        )
        self._parts.append(_text(self.legend_left + 18, y, words))

    def label(self, x: float, words: str) -> None:
        """Write below the x axis."""
        self._parts.append(_text(self._x(x), HEIGHT - BOTTOM + 18, words, "middle"))

    def save(self, path: Path) -> None:
        """Write the drawing."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
        ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        title = f"<title>{escape(self.title)}</title>"
        name = f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold" fill="#1a1a1a">{escape(self.title)}</text>'
        path.write_text("\n".join([head, title, ground, name, *self._frame(), *self._parts, "</svg>"]) + "\n")

    def _frame(self) -> Iterable[str]:
        for value in self.y.marks:
            y = f"{self._y(value):.1f}"
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#d4d4d4"/>'
            yield _text(LEFT - 8, self._y(value) + 4, f"{value:g}", "end")
        for value in self.x.marks:
            yield _text(self._x(value), HEIGHT - BOTTOM + 18, f"{value:g}", "middle")
        yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.x.title, "middle")
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle" fill="#404040">{escape(self.y.title)}</text>'

    def _x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * self.x.share(value)

    def _y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * self.y.share(value)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#404040">{escape(words)}</text>'
