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
    yield "blurred.jpg", cv2.GaussianBlur(good, (0, 0), 7.0)
    yield "no_face.jpg", np.uint8(np.clip(paint.room(np.random.default_rng(11)), 0, 255))
    far = plain(rng)
    far["scale"] = 0.34
    yield "tiny.jpg", desk(two.photograph(far), far)
    near, beside = plain(rng), plain(rng)
    near.update(scale=0.78, shift_px=np.float64([-68, 0]))
    beside.update(scale=0.78, shift_px=np.float64([74, 0]))
    alone = two.photograph(near).astype(np.float32)
    yield "two_faces.jpg", desk(three.photograph(beside, alone), beside)
    near, waiting = plain(rng), plain(rng)
    near.update(scale=1.0, shift_px=np.float64([-38, 0]))
    waiting.update(scale=0.36, shift_px=np.float64([105, 0]))
    room = desk(one.photograph(waiting), waiting).astype(np.float32)
    yield "one_behind.jpg", three.photograph(near, room)
    yield "half_covered.jpg", covered(two.photograph(plain(rng)))


def desk(picture, pose):
    """A table before whoever ends where the stage ends, below the shoulders."""
    edge = int(paint.PICTURE_PX * 0.47 + pose["scale"] * (300 - 128 - paint.TOP))
    picture[edge:] = np.uint8((88, 116, 140))
    picture[edge:edge + 3] = np.uint8((60, 84, 104))
    return picture


def covered(picture):
    """A sheet of paper before one half of the face."""
    size = paint.PICTURE_PX
    sheet = np.int32([[150, 40], [300, 62], [284, 330], [140, 330]])
    inside = np.zeros((size, size), np.uint8)
    cv2.fillPoly(inside, [sheet], 255)
    inside = cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None] / 255.0
    return np.uint8(picture * (1 - inside) + np.float32([225, 228, 230]) * inside)
