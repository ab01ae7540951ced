"""Writes pictures of rewards: a PNG file or a page, as the name ends."""

from __future__ import annotations

from pathlib import Path

from reward_synth.errors import UsageError
from reward_synth.report.plots_apart import Apart
from reward_synth.report.plots_data import Made, RewardPlots
from reward_synth.report.plots_page import apart_page, reward_page
from reward_synth.report.plots_png import write_apart_png, write_reward_png

_ENDS = (".png", ".html")


def picture_path(name: str | Path) -> Path:
    """Return where a picture can be written, before anything is computed for it.

    Raises:
        UsageError: It ends in neither ``.png`` nor ``.html``, or lies in no folder.

    Example:
        >>> picture_path("map.png").name
        'map.png'
    """
    path = Path(name)
    if path.suffix.lower() not in _ENDS:
        raise UsageError(
            f"A picture is written as .png or .html; received {str(name)!r}. Name it for "
            f"example {path.stem or 'plot'}.html."
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give a file's name in it.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} to write {path.name} into.")
    return path


def write_plots(
    found: RewardPlots | Apart,
    path: str | Path,
    made: Made | None = None,
) -> None:
    """Write pictures as a PNG file, or as one HTML file that loads nothing.

    Args:
        found: From ``plot_reward`` or ``disagreement_map``.
        path: Ends in ``.png`` or ``.html``.
        made: How they were made; stands in the page.

    Raises:
        UsageError: The path cannot be written, or there is nothing to draw.
        MissingExtraError: The extra ``report`` is not installed.
    """
    place = picture_path(path)
    if place.suffix.lower() == ".png":
        if isinstance(found, Apart):
            write_apart_png(found, place)
        else:
            write_reward_png(found, place)
        return
    if isinstance(found, Apart):
        text = apart_page(found, made)
    else:
        text = reward_page(found, made)
    place.write_text(text, encoding="utf-8")
