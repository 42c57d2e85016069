"""Pictures that are no picture to decide on: what the terminal must say to each of them stands in
assets/hard/expected.toml."""

import cv2
import numpy as np

import paint


def plain(rng, **changes):
    pose = paint.moment(0, rng)
    pose.update(shift_px=np.zeros(2), scale=1.15, gain=1.0, **changes)
    return pose


def cases(sitters, rng):
    """File name and picture of each case."""
    one, two, three = sitters[0], sitters[1], sitters[2]
    good = one.photograph(plain(rng))
    yield "dark.jpg", np.uint8(np.clip(good.astype(np.float32) * 0.13, 0, 255))
    yield "blurred.jpg", cv2.GaussianBlur(good, (0, 0), 5.0)
    yield "no_face.jpg", np.uint8(np.clip(paint.room(np.random.default_rng(11)), 0, 255))
    far = plain(rng)
    far["scale"] = 0.34
    yield "tiny.jpg", fitted(two, far, rng)
    yield "two_faces.jpg", side_by_side(two, three, rng, (0.78, 0.78))
    yield "one_behind.jpg", side_by_side(three, one, rng, (1.0, 0.36))
    yield "half_covered.jpg", covered(two.photograph(plain(rng)))


def fitted(sitter, pose, rng):
    """A small person whose body still reaches the lower edge: the camera sees further down."""
    size = paint.PICTURE_PX
    behind = paint.room(rng)
    both = sitter.photograph(pose, behind)
    # The stage ends below the shoulders; a desk stands before the rest.
    edge = int(size * 0.47 + pose["scale"] * (300 - 128 - paint.TOP))
    both[edge:] = np.uint8((88, 116, 140))
    both[edge:edge + 3] = np.uint8((60, 84, 104))
    return both


def side_by_side(first, second, rng, scales):
    size = paint.PICTURE_PX
    picture = paint.room(rng)
    order = sorted(zip(scales, (first, second), (-68, 74)), key=lambda part: part[0])
    for scale, sitter, x in order:
        pose = plain(rng)
        pose["scale"], pose["shift_px"] = scale, np.float64([x if scales[0] == scales[1] else
                                                             (-38 if scale == max(scales) else 105), 0])
        picture = sitter.photograph(pose, picture.astype(np.float32))
    edge = int(size * 0.47 + min(scales) * (300 - 128 - paint.TOP))
    if edge < size and scales[0] == scales[1]:
        picture[edge:] = np.uint8((88, 116, 140))
    return picture


def covered(picture):
    """A sheet of paper before one half of the face."""
    size = paint.PICTURE_PX
    sheet = np.int32([[150, 40], [300, 62], [284, 330], [140, 330]])
    inside = np.zeros((size, size), np.uint8)
    cv2.fillPoly(inside, [sheet], 255)
    inside = cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None] / 255.0
    return np.uint8(picture * (1 - inside) + np.float32([225, 228, 230]) * inside)
