"""From a face of the model to a picture as a kiosk takes it: head, hair, clothes, room, light.

Everything but the face itself is drawn from numbers. Lengths are canvas units (basis.py: 50 between
the eyes) unless their name ends in _px.
"""

import cv2
import numpy as np

from basis import CENTRE, H, MASK, W, ease, egg, inverse, moved

# The stage is larger than the canvas, and drawn finer.
FINE, LEFT, TOP, SIDE = 1.25, 40, 20, 320
STAGE_PX = int(SIDE * FINE)
X, Y = np.meshgrid((np.arange(STAGE_PX, dtype=np.float32) + 0.5) / FINE - LEFT,
                   (np.arange(STAGE_PX, dtype=np.float32) + 0.5) / FINE - TOP)
PICTURE_PX = 320

HAIR = np.float32([[22, 20, 20], [26, 26, 30], [28, 34, 44], [34, 46, 66], [52, 74, 104],
                   [96, 98, 100], [150, 150, 152], [96, 138, 176]])
HAIR_OFTEN = [0.30, 0.22, 0.16, 0.10, 0.06, 0.07, 0.05, 0.04]
CLOTHES = np.float32([[92, 60, 40], [60, 48, 44], [140, 110, 70], [70, 96, 60], [60, 60, 150],
                      [190, 180, 170], [120, 60, 90], [48, 110, 170], [110, 120, 120],
                      [170, 160, 100], [70, 70, 74], [150, 130, 190]])
STYLES = {False: ("short", "parted", "crop", "receding", "short", "parted"),
          True: ("fringe", "bob", "long", "tied", "long", "tied")}
COLLARS = ("crew", "shirt", "jacket", "vee")
# One face is mixed from so many of the faces that are most alike on the first axes, and brought to
# this share of a real face's distance from the mean.
MIXED, ALIKE, ALIKE_AXES, REACH = 9, 40, 60, 0.95
MOMENT = ("yaw", "nod", "smile", "side")


def invent(model, rng, she):
    """Somebody: a face mixed from many that are alike, none of them much; hair, clothes."""
    among = np.flatnonzero(model.she == she)
    anchor = model.who[rng.choice(among)]
    near = np.linalg.norm((model.who[among] - anchor)[:, :ALIKE_AXES], axis=1)
    alike = among[np.argsort(near)[1:ALIKE + 1]]
    share = rng.dirichlet(np.full(MIXED, 5.0)).astype(np.float32)
    place = share @ model.who[rng.choice(alike, MIXED, replace=False)]
    place *= REACH * model.far / np.linalg.norm(place)
    place += rng.uniform(-1.3, 1.0) * model.effect["level"]
    style = STYLES[she][rng.integers(6)]
    return {
        "place": place.astype(np.float32),
        "style": style,
        "hair": HAIR[rng.choice(len(HAIR), p=HAIR_OFTEN)] * rng.uniform(0.85, 1.15),
        "clothes": CLOTHES[rng.integers(len(CLOTHES))] * rng.uniform(0.8, 1.1),
        "collar": COLLARS[rng.integers(len(COLLARS))],
        "neck": rng.uniform(28, 31) if she else rng.uniform(32, 36),
        "seed": int(rng.integers(1 << 30)),
    }


def moment(number, rng):
    """When a picture is taken: the first is plain, the others differ in pose, light, expression."""
    much = 0.15 if number == 0 else 1.0
    return {
        "yaw": much * rng.uniform(-0.8, 0.8), "nod": much * rng.uniform(-0.8, 0.8),
        "smile": much * rng.uniform(-1.4, 1.7), "side": much * rng.uniform(-1.2, 1.2),
        "turn": much * rng.uniform(-14, 14), "tip": much * rng.uniform(-5, 5),
        "roll": much * rng.uniform(-8, 8),
        "scale": rng.uniform(1.06, 1.24), "shift_px": rng.uniform(-13, 13, 2),
        "light": much * rng.uniform(0, 0.42), "from": rng.uniform(0, 2 * np.pi),
        "gain": rng.uniform(0.82, 1.10), "warm": rng.uniform(-0.05, 0.05),
        "seed": int(rng.integers(1 << 30)),
    }


# ---- drawing ------------------------------------------------------------------------------------


def noise(rng, size, cell):
    """Smooth noise, about -1 to 1, `size` pixels square with features of `cell` pixels."""
    small = rng.standard_normal((int(size / cell) + 3,) * 2).astype(np.float32)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC) * 0.6


def distance(points):
    """How far inside (above 0) or outside (below 0) of a closed line a point of the stage is."""
    at = np.round((np.float64(points) + [LEFT, TOP]) * FINE * 16).astype(np.int32)
    inside = np.zeros((STAGE_PX, STAGE_PX), np.uint8)
    cv2.fillPoly(inside, [at], 1, shift=4)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    without = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return (within - without) / FINE


def curve(points, steps=8):
    """A closed smooth line (Catmull and Rom) through the points."""
    p = np.float64(points)
    before, after, last = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p, before, after, last = (q[:, None] for q in (p, before, after, last))
    line = 0.5 * (2 * p + (after - before) * t
                  + (2 * before - 5 * p + 4 * after - last) * t**2
                  + (3 * p - before - 3 * after + last) * t**3)
    return line.reshape(-1, 2)


def across(half):
    """From a half outline (x to the right of the middle, y; from the middle outwards) the whole,
    from left to right over the middle."""
    half = np.float64(half)
    left = (half * [-1, 1])[::-1]
    return np.concatenate([left[left[:, 0] < -0.5], half]) + [CENTRE, 0]


class Layer:
    """A picture and its coverage, on the stage; colours are weighted by coverage."""

    def __init__(self):
        self.colour = np.zeros((STAGE_PX, STAGE_PX, 3), np.float32)
        self.cover = np.zeros((STAGE_PX, STAGE_PX, 1), np.float32)

    def put(self, colour, cover):
        """Paints over what is there."""
        cover = np.clip(cover, 0, 1)[..., None]
        self.colour = self.colour * (1 - cover) + colour * cover
        self.cover = self.cover * (1 - cover) + cover

    def copy(self):
        other = Layer()
        other.colour, other.cover = self.colour.copy(), self.cover.copy()
        return other

    def over(self, low):
        """This layer over another one."""
        both = Layer()
        both.colour = low.colour * (1 - self.cover) + self.colour
        both.cover = low.cover * (1 - self.cover) + self.cover
        return both

    def turned(self, turn, tip, roll):
        """As an ellipsoid that turns, nods and leans by so many degrees."""
        a = np.deg2rad(roll)
        dx, dy = X - CENTRE, Y - 205
        x, y = CENTRE + dx * np.cos(a) + dy * np.sin(a), 205 - dx * np.sin(a) + dy * np.cos(a)
        for_x, for_y = [], []
        for at, middle, half, angle, out in ((x, CENTRE, 76.0, turn, for_x),
                                             (y, 125.0, 128.0, tip, for_y)):
            s = np.clip((at - middle) / half, -1, 1)
            out.append(at - s * half
                       + half * np.sin(np.arcsin(s) - np.deg2rad(angle) * (1 - s**4)))
        both = Layer()
        map_x = ((for_x[0] + LEFT) * FINE - 0.5).astype(np.float32)
        map_y = ((for_y[0] + TOP) * FINE - 0.5).astype(np.float32)
        both.colour = cv2.remap(self.colour, map_x, map_y, cv2.INTER_CUBIC)
        both.cover = cv2.remap(self.cover, map_x, map_y, cv2.INTER_LINEAR)[..., None]
        return both


def on_stage(canvas):
    """A picture of the canvas at its place on the stage."""
    size = (int(W * FINE), int(H * FINE))
    large = cv2.resize(canvas, size, interpolation=cv2.INTER_CUBIC)
    out = np.zeros((STAGE_PX, STAGE_PX) + large.shape[2:], np.float32)
    x, y = int(LEFT * FINE), int(TOP * FINE)
    out[y:y + size[1], x:x + size[0]] = large
    return out


# ---- the parts of a person ------------------------------------------------------------------------


def face_of(model, person, pose):
    """The face on the stage and how far inside it a point is. Nearly as symmetric as faces are."""
    texture, flow = model.picture(person["place"])
    keep = 0.68
    texture = keep * texture + (1 - keep) * texture[:, ::-1]
    flow = keep * flow + (1 - keep) * flow[:, ::-1] * np.float32([-1, 1])
    change = sum(pose[name] * model.effect[name] for name in MOMENT)
    (other, lead), (none, rest) = model.picture(change), model.picture(0 * change)
    texture, flow = np.clip(texture + other - none, 0, 255), flow + lead - rest
    # A sum of faces is softer than a face: unsharp masking, on both scales.
    flat = np.where(MASK[..., None], texture, texture[MASK].mean(0))
    texture = (flat + 0.6 * (flat - cv2.GaussianBlur(flat, (0, 0), 1.0))
               + 0.2 * (flat - cv2.GaussianBlur(flat, (0, 0), 3.0)))
    back = inverse(cv2.resize(flow, (W, H), interpolation=cv2.INTER_CUBIC).astype(np.float32))
    return np.clip(on_stage(moved(texture, back)), 0, 255), on_stage(moved(egg(), back))


def hair_lines(person, rng):
    """Outline of the hair behind the head (or None) and before it, the hairline, the crown."""
    style = person["style"]
    top, line, wide = rng.uniform(25, 32), rng.uniform(59, 67), rng.uniform(59, 63)
    if style == "crop":
        top, wide = rng.uniform(27, 32), 57.5
    behind = None
    outer = [(0, top), (22, top + 2), (42, top + 14), (wide - 4, 58), (wide, 84)]
    if style in ("short", "crop", "parted"):
        ear = rng.uniform(108, 120)
        outer += [(wide - 1.5, 102), (wide - 4, ear), (54, ear + 4), (30, ear + 24)]
        inner = [(0, line - 5), (16, line - 6), (32, line - 2), (42, line + 6), (46, 80), (51, 92),
                 (52.5, 104), (54, ear)]
    elif style == "receding":
        outer += [(wide - 1, 102), (wide - 4, 116), (54, 120), (30, 140)]
        inner = [(0, 38), (12, 37), (26, 40), (40, 52), (49, 70), (53, 92), (54, 113)]
    elif style == "fringe":
        low = rng.uniform(80, 87)
        outer += [(wide + 1, 110), (wide - 3, 132), (54, 136), (30, 156)]
        inner = [(0, low), (16, low - 2), (34, low), (47, low + 6), (51.5, 104), (52, 128)]
    elif style == "tied":
        outer += [(wide - 2, 104), (wide - 5, 118), (53, 121), (30, 140)]
        inner = [(0, line - 9), (18, line - 8), (36, line - 2), (49, 80), (53, 98), (54, 118)]
        if rng.random() < 0.6:
            behind = [(0, top - 14), (14, top - 10), (19, top + 2), (10, top + 14), (0, top + 16)]
    else:
        end = rng.uniform(172, 196) if style == "bob" else 290
        flare, stop = rng.uniform(66, 75), min(end, 212)
        outer += [(wide + 4, 112), (flare, 150), (flare - 1, stop - 14), (flare - 10, stop)]
        inner = [(0, line - 2), (8, line - 5), (28, line), (45, 74), (52, 96), (55, 128),
                 (52, 160), (50, stop - 4)]
        behind = [(0, top + 4), (40, top + 18), (wide, 84), (wide + 4, 112), (flare, 150),
                  (flare + 2, 185), (flare, end), (40, end + 8), (0, end + 8)]
    hairline = across(inner)
    if style in ("parted", "bob", "long"):
        # Parted on one side: the hairline leans.
        lean = rng.choice([-1, 1]) * rng.uniform(4, 9)
        near = np.exp(-((hairline[:, 1] - line) / 16) ** 2)
        hairline[:, 1] -= lean * near * np.clip((hairline[:, 0] - CENTRE) / 36, -1, 1)
    return behind, across(outer), hairline, top


def strands(rng, crown, swept):
    """Lines of hair: they fan out from the crown and run down, or are swept to one side."""
    fan = np.sqrt(np.clip((Y - crown + 26) / 100, 0.02, 1.6))
    along = (X - CENTRE) / fan + 2.5 * np.sin(Y / 23 + rng.uniform(0, 6))
    if swept:
        way = rng.choice([-1, 1])
        x = (X - CENTRE) * way
        along = (Y - 60) * 1.1 + 0.35 * x + 0.011 * (x + 22) ** 2 + 2 * np.sin(x / 17)
    shape = (64, 1024)
    fine = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=0.8,
                            sigmaY=6) * 4
    wide = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=4,
                            sigmaY=10) * 14
    u, v = (along * 2.2 + 512).astype(np.float32), ((Y + 40) * 0.18).astype(np.float32)
    return np.clip(cv2.remap(fine + wide, u, v, cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_REFLECT), -2, 2)


def body(person, skin, rng):
    """Neck, shoulders and clothes."""
    layer, cloth, neck, collar = Layer(), person["clothes"], person["neck"], person["collar"]
    fall = noise(rng, STAGE_PX, 46) * 0.07 + noise(rng, STAGE_PX, 14) * 0.025
    weave = 0.02 * rng.standard_normal((STAGE_PX, STAGE_PX)).astype(np.float32)
    shade = ((1 - 0.25 * ease(np.abs(X - CENTRE) / 150) + fall) * (1 + weave))[..., None]

    throat = distance(across([(0, 176), (18, 178), (neck - 3, 192), (neck - 1, 206),
                              (neck + 3, 222), (neck + 16, 236), (40, 290)]))
    under = 1 - 0.42 * ease(1 - (Y - 196) / 30) * ease(1 - np.abs(X - CENTRE) / 60)
    rounded = 1 - 0.25 * ease((np.abs(X - CENTRE) - neck * 0.45) / (neck * 0.7))
    layer.put(skin * (under * rounded)[..., None], ease(throat / 1.6 + 0.5))

    drop = rng.uniform(-4, 5)
    sides = across([(0, 226), (neck + 4, 222 + drop / 2), (74, 236 + drop), (104, 249 + drop),
                    (124, 275), (134, 330)])
    shoulders = ease(distance(curve(sides)) / 1.2 + 0.5)
    depth = {"crew": 238, "vee": 262, "shirt": 246, "jacket": 246}[collar]
    edge = distance(curve(across([(0, depth), (neck * 0.62, depth - 7 if collar == "crew" else 236),
                                  (neck + 1, 222), (neck + 1, 205)])))
    cover = shoulders * (1 - ease(edge / 1.2 + 0.5))
    if collar == "jacket":
        layer.put(np.float32([225, 222, 220]) * shade, cover)
        front = distance(across([(0, 300), (10, 276), (neck + 6, 216), (neck, 200)]))
        layer.put(cloth * shade, cover * (1 - ease(front / 1.2 + 0.5)))
        layer.put(cloth * 0.5, cover * np.exp(-((front / 1.3) ** 2)) * 0.5)
    else:
        layer.put(cloth * shade, cover)
    if collar == "crew":
        layer.put(cloth * 0.84 * shade, cover * np.exp(-(((edge + 3.5) / 2.8) ** 4)) * 0.8)
    if collar in ("shirt", "jacket"):
        tint = np.clip(cloth * 1.1, 0, 235) if collar == "shirt" else np.float32([228, 226, 224])
        for side in (-1, 1):
            flap = np.float64([(neck - 2, 213), (neck + 7, 218), (neck + 6, 232), (15, 256),
                               (5, 247), (neck - 9, 231)]) * [side, 1] + [CENTRE, 0]
            near = distance(flap)
            layer.put(tint * shade, ease(near / 1.2 + 0.5))
            layer.put(tint * 0.5, np.exp(-((near / 0.9) ** 2)) * 0.35)
    layer.put(cloth * 0.4, np.exp(-((edge / 2.0) ** 2)) * cover * 0.3)
    return layer


class Sitter:
    """Somebody, ready to be photographed: all that no moment changes is drawn once."""

    def __init__(self, model, person):
        self.model, self.person = model, person
        rng = np.random.default_rng(person["seed"])
        texture, _ = face_of(model, person, dict.fromkeys(MOMENT, 0.0))
        cheeks = (np.abs(np.abs(X - CENTRE) - 33) < 8) & (np.abs(Y - 150) < 14)
        skin = np.median(texture[cheeks], 0)
        self.skin = skin
        self.body = body(person, skin, rng)

        behind, outer, hairline, crown = hair_lines(person, rng)
        lines = strands(rng, crown, person["style"] in ("short", "crop", "parted", "receding"))
        ring = np.hypot((X - CENTRE) * 0.8, Y - 118)
        gloss = np.exp(-((ring - 78) / 12) ** 2)
        rim = ease(np.hypot((X - CENTRE) / 64, (Y - 100) / 80) * 2.2 - 1.35)
        strand = (0.74 + 0.17 * lines + 0.5 * gloss * (0.6 + 0.4 * lines)) * (1 - 0.35 * rim)
        self.hair = person["hair"] * np.clip(strand, 0.15, 2.2)[..., None] + 6

        self.far = Layer()
        if behind is not None:
            at = distance(curve(across(behind)))
            self.far.put(self.hair * 0.62, ease(at / 3 + 0.5 + 0.35 * lines))
        back = Layer()
        for side in (-1, 1):
            far = np.hypot((X - CENTRE - side * (55 + (Y - 130) * -0.06)) / 6.8, (Y - 129) / 15)
            hollow = np.exp(-((far / 0.55) ** 2))
            back.put(skin * (0.86 - 0.3 * hollow)[..., None], ease((1 - far) * 3 + 0.3))
        skull = np.hypot((X - CENTRE) / 55.5, (Y - 98) / 69)
        brow = (np.abs(X - CENTRE) < 30) & (np.abs(Y - 86) < 7)
        brow = np.median(texture[brow], 0)
        back.put(brow * (1.0 - 0.35 * ease(skull**3 - 0.1))[..., None],
                 ease((1 - skull) * 14 + 0.3) * (Y < 135))
        self.back = back

        # Hair before the face: its outline less what the hairline leaves free.
        within = distance(curve(outer))
        smooth = curve(hairline)[:-8]
        free = distance(np.concatenate([smooth, [(smooth[-1, 0], 400), (smooth[0, 0], 400)]]))
        thin = {"crop": 0.85, "receding": 0.75}.get(person["style"], 1.0)
        self.front = (ease(within / 1.6 + 0.5 + 0.3 * lines)
                      * ease(-free / 4.2 + 0.5 + 0.45 * lines) * thin)
        self.shadow = ease(0.5 - (free - 5) / 10) * ease(within / 3) * 0.25

    def stage(self, pose):
        """Head over body, lit, on the stage."""
        texture, inside = face_of(self.model, self.person, pose)
        head = self.back.copy()
        head.put(self.skin * (1 - 0.3 * ease((Y - 120) / 80))[..., None],
                 ease(inside / 1.6) * (Y > 100))
        # High on the forehead the model is of two minds: hair or skin.
        head.put(texture, ease(inside / 9) * ease((Y - 54) / 26))
        head.put(head.colour * 0.45, self.shadow * head.cover[..., 0])
        head.put(self.hair, self.front)
        head = head.turned(pose["turn"], pose["tip"], pose["roll"])
        both = head.over(self.body.turned(pose["turn"] * 0.15, 0, pose["roll"] * 0.15))
        both = both.over(self.far.turned(pose["turn"], pose["tip"], pose["roll"]))
        nx, ny = (X - CENTRE) / 95, (Y - 140) / 120
        lit = 1 + 1.2 * pose["light"] * (np.cos(pose["from"]) * nx + 0.6 * np.sin(pose["from"]) * ny)
        both.colour *= np.clip(lit, 0.4, 1.6)[..., None]
        return both

    def photograph(self, pose, behind=None):
        """The picture: BGR bytes. `behind` is what else is in it."""
        rng = np.random.default_rng(pose["seed"])
        both = self.stage(pose)
        s = pose["scale"] / FINE
        dx = PICTURE_PX / 2 + pose["shift_px"][0] - pose["scale"] * (CENTRE + LEFT)
        dy = PICTURE_PX * 0.47 + pose["shift_px"][1] - pose["scale"] * (128 + TOP)
        m, size = np.float32([[s, 0, dx], [0, s, dy]]), (PICTURE_PX, PICTURE_PX)
        colour = cv2.warpAffine(both.colour, m, size, flags=cv2.INTER_AREA)
        cover = cv2.warpAffine(both.cover, m, size, flags=cv2.INTER_AREA)[..., None]
        behind = room(rng) if behind is None else behind
        out = colour + behind * (1 - cover)
        out *= pose["gain"] * np.float32([1 - pose["warm"], 1, 1 + pose["warm"]])
        out += 1.5 * cv2.GaussianBlur(rng.standard_normal(out.shape).astype(np.float32), (0, 0), 0.6)
        return np.uint8(np.clip(out, 0, 255))


def room(rng):
    """A background out of focus: wall, board, windows, shelves."""
    size = PICTURE_PX
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wall = np.float32([[200, 205, 208], [176, 170, 160], [190, 200, 190], [150, 165, 180],
                       [214, 210, 198], [120, 128, 134]])[rng.integers(6)] * rng.uniform(0.75, 1.05)
    out = wall * (1 - 0.25 * (x * rng.uniform(-1, 1) + y * rng.uniform(0, 0.8)))[..., None]
    kind = rng.integers(4)
    if kind == 1:  # a board, white or green
        left, right = rng.uniform(-0.2, 0.25), rng.uniform(0.7, 1.2)
        low = rng.uniform(0.45, 0.7)
        board = np.float32([[222, 224, 220], [70, 92, 60]])[rng.integers(2)]
        out[(x > left) & (x < right) & (y < low) & (y > 0.06)] = board
        out[(x > left) & (x < right) & (np.abs(y - low) < 0.012)] = (110, 120, 130)
    elif kind == 2:  # windows
        left, step = rng.uniform(-0.3, 0.1), rng.uniform(0.42, 0.5)
        for k in range(3):
            at = left + k * step
            out[(x > at) & (x < at + 0.34) & (y < 0.72) & (y > 0.05)] = (226, 220, 210)
            out[(np.abs(x - at - 0.17) < 0.012) & (y < 0.72)] = wall * 0.7
    elif kind == 3:  # shelves
        tint = rng.uniform(60, 190, (5, 3))
        for row in np.arange(0.12, 1.0, rng.uniform(0.2, 0.28)):
            at = rng.uniform(-0.05, 0.05)
            while at < 1:
                w, h = rng.uniform(0.03, 0.09), rng.uniform(0.08, 0.17)
                thing = tint[rng.integers(5)] * 0.5 + wall * 0.4
                out[(x > at) & (x < at + w) & (y < row) & (y > row - h)] = thing
                at += w + rng.uniform(0.0, 0.05)
            out[np.abs(y - row) < 0.012] = (70, 96, 122)
    out = cv2.GaussianBlur(np.float32(out), (0, 0), rng.uniform(5, 10))
    return out * (1 + 0.05 * noise(rng, size, 90))[..., None]
