"""A page photographed askew on a table → the page upright. Pure.

Where the page's four edges are certain it is cut out and its perspective corrected; else its
lines of writing are made level. When neither is certain the picture stays as it was: nothing that
was photographed is ever lost.
"""

from typing import Any

import cv2
import numpy as np
from PIL import Image

SEARCH, LEVEL_SEARCH = 800, 640
MARGIN = 0.008
LEAST_AREA, MOST_AREA = 0.2, 0.97
# Bright things beside the page, such as a second card, as part of the page's own area.
MOST_BESIDE = 0.02
LEAST_FIT = 0.96
STEEPEST = 10.0
LEAST_TURN = 0.25
CLEARLY = 1.35

Pixels = Any


def straightened(image: Image.Image, longest: int) -> Image.Image:
    """The page of an RGB picture upright, or the picture itself when in doubt.

    Its long side has about `longest` pixels at most: a page that is a small part of the picture is
    cut out before anything is made smaller.
    """
    pixels = np.asarray(image)
    corners = _page(pixels)
    if corners is not None:
        pixels = _flattened(pixels, corners, longest)
    else:
        image.thumbnail((longest, longest), Image.Resampling.BICUBIC, reducing_gap=2.0)
        pixels = np.asarray(image)
    angle = _slope(pixels)
    if abs(angle) >= LEAST_TURN:
        pixels = _turned(pixels, angle)
    return Image.fromarray(pixels)


def _small(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    scale = min(1.0, longest / max(pixels.shape[:2]))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return grey, scale


def _page(pixels: Pixels) -> Pixels | None:
    """The corners of the one bright sheet on a darker ground, clockwise; None when unsure."""
    grey, scale = _small(pixels, SEARCH)
    _, bright = cv2.threshold(
        cv2.GaussianBlur(grey, (7, 7), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    found, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return None
    hull = cv2.convexHull(max(found, key=cv2.contourArea))
    corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)
    if len(corners) != 4 or not _certain(grey, bright, found, hull, corners):
        return None
    return _in_order(corners.reshape(4, 2).astype(np.float32)) / scale


def _certain(grey: Pixels, bright: Pixels, found: Any, hull: Pixels, corners: Pixels) -> bool:
    """Whether the four corners hold one whole page, and nothing else lies beside it."""
    height, width = grey.shape
    area, page = cv2.contourArea(corners), cv2.contourArea(hull)
    sheet = max(cv2.contourArea(one) for one in found)
    if not LEAST_AREA <= area / (width * height) <= MOST_AREA or min(area, page) < LEAST_FIT * max(
        area, page
    ):
        return False
    # A page whose edge is cut off by the picture's own edge is not seen whole.
    x, y = corners.reshape(4, 2).T
    if min(x) < 2 or min(y) < 2 or max(x) > width - 3 or max(y) > height - 3:
        return False
    inside = np.zeros_like(bright)
    cv2.fillConvexPoly(inside, corners, 255)
    inside = cv2.dilate(inside, np.ones((9, 9), np.uint8))
    beside = cv2.countNonZero(cv2.bitwise_and(bright, cv2.bitwise_not(inside)))
    return bool(sheet >= 0.9 * page and beside <= MOST_BESIDE * area and _square(corners))


def _square(corners: Pixels) -> bool:
    """Whether every corner is between 60 and 120 degrees."""
    points = corners.reshape(4, 2).astype(float)
    for n in range(4):
        one, two = points[n - 1] - points[n], points[(n + 1) % 4] - points[n]
        length = np.linalg.norm(one) * np.linalg.norm(two)
        if abs(np.dot(one, two)) > 0.5 * length:
            return False
    return True


def _in_order(points: Pixels) -> Pixels:
    """Top left, top right, bottom right, bottom left."""
    middle = points.mean(axis=0)
    turned = points[np.argsort(np.arctan2(*(points - middle).T[::-1]))]
    return np.roll(turned, -int(np.argmin(turned.sum(axis=1))), axis=0)


def _flattened(pixels: Pixels, corners: Pixels, longest: int) -> Pixels:
    """The sheet between the corners as a rectangle, with a narrow margin around it."""
    a, b, c, d = corners
    width = float(np.linalg.norm(b - a) + np.linalg.norm(c - d)) / 2
    height = float(np.linalg.norm(d - a) + np.linalg.norm(c - b)) / 2
    scale = min(1.0, longest / max(width, height))
    width, height = width * scale, height * scale
    rim = MARGIN * max(width, height)
    box = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + rim
    size = (round(width + 2 * rim), round(height + 2 * rim))
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), box.astype(np.float32))
    return cv2.warpPerspective(
        pixels, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _slope(pixels: Pixels) -> float:
    """By how many degrees the lines of writing rise to the right; 0 when there are none."""
    grey, _ = _small(pixels, LEVEL_SEARCH)
    ink = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 15
    )
    # The rim of a cut-out page is a line too, and not one of writing.
    rim = max(8, round(0.03 * max(ink.shape)))
    ink = ink[rim:-rim, rim:-rim]
    if ink.size == 0 or cv2.countNonZero(ink) < 200:
        return 0.0
    coarse = np.arange(-STEEPEST, STEEPEST + 0.1, 1.0)
    sharp = [_sharpness(ink, angle) for angle in coarse]
    best = float(coarse[int(np.argmax(sharp))])
    fine = np.arange(best - 1, best + 1.01, 0.1)
    peaks = [_sharpness(ink, angle) for angle in fine]
    if abs(best) >= STEEPEST or max(peaks) < CLEARLY * float(np.median(sharp)):
        return 0.0
    return float(fine[int(np.argmax(peaks))])


def _sharpness(ink: Pixels, angle: float) -> float:
    """How sharply the rows differ when the picture is turned: most when lines are level."""
    height, width = ink.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
    rows = cv2.warpAffine(ink, turn, (width, height)).sum(axis=1, dtype=np.float64)
    return float(np.square(np.diff(rows)).sum())


def _turned(pixels: Pixels, angle: float) -> Pixels:
    """Turned clockwise by `angle` degrees on a larger ground, so that no corner is lost."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
    sine, cosine = abs(turn[0, 1]), abs(turn[0, 0])
    size = round(height * sine + width * cosine), round(height * cosine + width * sine)
    turn[:, 2] += [(size[0] - width) / 2, (size[1] - height) / 2]
    ground = [float(value) for value in np.median(pixels[:: max(1, height // 64), [0, -1]], (0, 1))]
    return cv2.warpAffine(
        pixels, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT,
        borderValue=ground,
    )  # fmt: skip
