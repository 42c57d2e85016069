"""What faces look like: a statistical model of shape and texture, made from many portraits.

Every portrait is brought to one canvas by its five points, and then point by point onto the mean
(optical flow towards its own low-rank approximation, after Kemelmacher-Shlizerman and Seitz,
"Collection Flow", CVPR 2012). What is left is an active appearance model (Cootes, Edwards and
Taylor, ECCV 1998): principal components of the flow (shape) and of the picture without it
(texture). Hair, neck and clothes are not in it: paint.py invents them.
"""

import tarfile
import zlib

import cv2
import numpy as np

# The canvas in pixels, and where the five points of the mean face are on it: the usual points of
# a 112 x 112 face, moved and scaled.
W, H = 240, 256
CENTRE, EYES_Y, EYES_APART = W / 2, 112.0, 50.0
FACE = np.float64([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366],
                   [41.5493, 92.3655], [70.7299, 92.2041]])
POINTS = (FACE - [56.0, 51.6]) * EYES_APART / (FACE[1, 0] - FACE[0, 0]) + [CENTRE, EYES_Y]
GRID = np.dstack(np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)))
# First names that say "she" in the archive: faces are mixed from hers or from his, roughly.
SHE = set("""Adriana Alexandra Alice Alicia Alison Amanda Amelia Amy Ana Andrea Angela Angelina Ann
Anna Anne Annette Annie Ashley Barbara Betsy Beth Betty Beyonce Bonnie Brenda Britney Brittany
Cameron Carla Carmen Carol Caroline Carolina Carrie Catherine Cathy Celine Charlize Charlotte
Chelsea Cherie Christina Christine Cindy Claire Claudia Conchita Condoleezza Courtney Cristina
Cynthia Debra Denise Diana Diane Dolores Donna Drew Elena Eliza Elizabeth Ellen Emily Emma Erika
Eva Faye Fiona Florecita Frances Gina Gloria Grace Gwyneth Halle Heather Heidi Helen Hilary Hillary
Holly Ingrid Irina Isabel Jacqueline Jane Janet Janica Jeanne Jelena Jennifer Jenny Jessica Jill Joan Joanna
Jodie Juliette Julia Julianna Julianne Julie Justine Kalpana Karen Kate Katharine Katherine
Kathleen Kathryn Katie Katrin Kelly Kim Kimberly Kirsten Kristen Kristin Laura Lauren Lea Leslie
Linda Lindsay Lisa Liza Lucia Lucy Lynn Madonna Magdalena Mandy Margaret Maria Mariah Marie Marion
Martha Martina Mary Meg Megan Megawati Melanie Melissa Meryl Michelle Mireya Miriam Monica Monique Nadia Nancy
Naomi Natalia Natalie Natasha Nathalie Nia Nicole Nina Norah Olga Olivia Oprah Pamela Patricia
Paula Penelope Queen Rachel Rebecca Renee Rita Rosa Ruth Salma Samantha Sandra Sarah Serena Shakira
Sharon Sheila Shirley Sigourney Silvia Sophia Stephanie Susan Svetlana Tatiana Teresa Thalia
Tina Tonya Tracy Uma Valerie Vanessa Venus Veronica Victoria Virginia Whoopi Winona Yoko
Yolanda""".split())
# Portraits of one person: so that nobody weighs more than others.
PER_PERSON = 2
TEXTURES, SHAPES, COLOURS = 500, 60, 40


def similarity(source, target):
    """The 2 x 3 matrix that brings one set of points nearest to the other (Umeyama 1991)."""
    ms, mt = source.mean(0), target.mean(0)
    a, b = source - ms, target - mt
    u, s, v = np.linalg.svd(b.T @ a / len(source))
    d = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    r = u @ np.diag(d) @ v
    c = (s * d).sum() / a.var(0).sum()
    return np.hstack([c * r, (mt - c * r @ ms)[:, None]])


def ease(x):
    """0 to 1 with level ends."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def egg(grow=0.0):
    """How far inside a face a point of the canvas is; 0 outside."""
    y = GRID[..., 1]
    half = np.interp(y, [40, 46, 60, 85, 125, 150, 175, 190, 200, 206, 210],
                     [0, 28, 44, 51, 55, 51.5, 43, 34, 24, 13, 0])
    half = np.where((y > 40 - grow) & (y < 210 + grow), half + grow, 0)
    x = np.abs(GRID[..., 0] - CENTRE + 0.5)
    inside = cv2.distanceTransform(np.uint8(x < half), cv2.DIST_L2, 5)
    return cv2.GaussianBlur(inside, (0, 0), 1.0)


# Where texture is modelled, and how flow fades towards its border.
MASK = egg(9) > 0
FADE = ease(cv2.GaussianBlur(np.float32(egg(14) > 0), (0, 0), 6) * 1.3 - 0.15)[..., None]


def the_one(found, shape):
    """The large face near the middle of a picture, of all that were found."""
    middle = np.array(shape[1::-1]) / 2
    off = np.hypot(*(found[:, :2] + found[:, 2:4] / 2 - middle).T) / middle[0]
    return found[np.argmax(found[:, 2] * found[:, 3] * np.maximum(1 - off**2, 0.1))]


def sources(tar):
    """Every picture of the archive, and who it shows."""
    with tarfile.open(tar) as files:
        for member in files:
            if not member.name.endswith(".jpg"):
                continue
            picture = cv2.imdecode(np.frombuffer(files.extractfile(member).read(), np.uint8), 1)
            yield member.name.split("/")[-2], picture


def portrait(picture, face):
    """A sharp, nearly frontal face on the canvas with its points; None if it is not."""
    points = face[4:14].reshape(5, 2).astype(np.float64)
    apart = np.linalg.norm(points[1] - points[0])
    across = (points[1] - points[0]) / apart
    yaw = (points[2] - points[[0, 1, 3, 4]].mean(0)) @ across / apart
    if face[14] < 0.86 or abs(yaw) > 0.17 or apart < 36:
        return None
    m = similarity(points, POINTS)
    canvas = cv2.warpAffine(picture, m, (W, H), flags=cv2.INTER_CUBIC,
                            borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(canvas[60:190, 65:175], cv2.COLOR_BGR2GRAY)
    if cv2.Laplacian(grey, cv2.CV_32F).var() < 25:
        return None
    return canvas, points @ m[:, :2].T + m[:, 2]


def moved(picture, flow):
    """picture(x + flow(x))."""
    return cv2.remap(picture, GRID + flow, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def inverse(flow):
    """The field that undoes a smooth field."""
    back = -flow
    for _ in range(6):
        back = -cv2.remap(flow, GRID + back, None, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)
    return back


def even(canvas):
    """Grey with the light taken out, so that flow follows features and not shadows."""
    grey = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low = cv2.GaussianBlur(grey, (0, 0), 12)
    spread = np.sqrt(cv2.GaussianBlur((grey - low) ** 2, (0, 0), 16)) + 8
    return (grey - low) / spread


def flows(canvases, ranks=(5, 15, 30, 30)):
    """For each portrait the field that leads from the mean's points to its own."""
    size, half = (W, H), (W // 2, H // 2)
    weight = 0.1 + 0.9 * FADE[..., 0]
    greys = np.stack([even(c) * weight for c in canvases])
    field = np.zeros((len(greys), H, W, 2), np.float16)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(1)

    def byte(grey):
        return np.uint8(np.clip(grey * 42 + 128, 0, 255))

    for rank in ranks:
        now = [moved(g, f.astype(np.float32)) for g, f in zip(greys, field)]
        low = np.stack([cv2.resize(g, half, interpolation=cv2.INTER_AREA).ravel() for g in now])
        mean = low.mean(0)
        low -= mean
        top = np.linalg.eigh(low @ low.T)[1][:, -rank:]
        likeness = top @ (top.T @ low) + mean
        for i, grey in enumerate(now):
            target = cv2.resize(likeness[i].reshape(half[::-1]), size,
                                interpolation=cv2.INTER_CUBIC)
            step = dis.calc(byte(target), byte(grey), None)
            step = np.clip(cv2.GaussianBlur(step, (0, 0), 4), -5, 5)
            new = step + cv2.remap(field[i].astype(np.float32), GRID + step, None,
                                   cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            field[i] = cv2.GaussianBlur(np.clip(new, -11, 11), (0, 0), 2.5)
    return field


def components(rows, count):
    """Mean, unit axes of the first components, and each row's place on them. Centres `rows`."""
    mean = rows.mean(0)
    rows -= mean
    value, vector = np.linalg.eigh(rows @ rows.T)
    value, vector = np.maximum(value[::-1][:count], 1e-6), vector[:, ::-1][:, :count]
    axes = (vector / np.sqrt(value)).T.astype(np.float32) @ rows
    # A sign of its own for each axis, so that it does not hang on the linear algebra at hand.
    sign = np.sign(axes[:, ::7].sum(1, keepdims=True)).astype(np.float32)
    return mean, axes * sign, (vector * np.sqrt(value)).astype(np.float32) * sign.T


def one_light(canvases):
    """Gains per portrait that take coloured light away: skin keeps its lightness and gets the hue
    that goes with it."""
    tone = np.stack([c[125:165, 84:156].reshape(-1, 3).mean(0) for c in canvases])
    log = np.log(np.maximum(tone, 8))
    level = log.mean(1)
    line = np.c_[np.ones(len(level)), level - level.mean()]
    hue = log - level[:, None]
    return np.exp((line @ np.linalg.lstsq(line, hue, rcond=None)[0] - hue) * 0.85), level


class Model:
    """Mean and axes of texture and shape, where the sources lie on them, and how both go with
    what can be measured of a portrait (turned, nodding, smiling, lit)."""

    def __init__(self, names, portraits):
        canvases = np.stack([c for c, _ in portraits])
        points = np.stack([p for _, p in portraits])
        field = flows(canvases)
        gains, level = one_light(canvases)
        texture = np.empty((len(canvases), int(MASK.sum()) * 3), np.float32)
        shape = np.empty((len(canvases), H // 4 * (W // 4) * 2), np.float32)
        for i, (canvas, flow) in enumerate(zip(canvases, field)):
            flow = flow.astype(np.float32) * FADE
            plain = np.clip(moved(canvas, flow), 0, 255) * gains[i]
            texture[i] = np.clip(plain, 0, 255)[MASK].ravel()
            shape[i] = cv2.resize(flow, (W // 4, H // 4), interpolation=cv2.INTER_AREA).ravel()
        self.texture_mean, self.texture_axes, self.texture = components(texture, TEXTURES)
        self.shape_mean, self.shape_axes, self.shape = components(shape, SHAPES)

        apart = points[:, 1, 0] - points[:, 0, 0]
        eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
        side = np.stack([c[80:180, 70:115].mean() - c[80:180, 125:170].mean() for c in canvases])
        measured = np.stack([
            (points[:, 2, 0] - (eyes + mouth)[:, 0] / 2) / apart,
            (points[:, 2, 1] - eyes[:, 1]) / (mouth - eyes)[:, 1],
            (points[:, 4, 0] - points[:, 3, 0]) / apart,
            side,
            level,
        ], 1)
        measured = (measured - measured.mean(0)) / measured.std(0)
        solve = np.linalg.lstsq(measured, np.c_[self.texture, self.shape], rcond=None)[0]
        self.effect = dict(zip(("yaw", "nod", "smile", "side", "level"), solve.astype(np.float32)))
        # What is left when those are taken away is who somebody is.
        rest = np.c_[self.texture, self.shape] - measured @ solve
        self.who = rest.astype(np.float32)
        self.she = np.array([name.split("_")[0] in SHE for name in names])
        self.far = float(np.median(np.linalg.norm(self.who, axis=1)))

    def picture(self, place):
        """Texture on the canvas and the flow to its shape, of a place on all axes."""
        count = len(self.texture_axes)
        plain = self.texture_mean + place[:COLOURS] @ self.texture_axes[:COLOURS]
        fine = (place[COLOURS:count] @ self.texture_axes[COLOURS:]).reshape(-1, 3)
        texture = np.zeros((H, W, 3), np.float32)
        # Fine axes may change light and dark only: their colours are other people's shadows.
        texture[MASK] = plain.reshape(-1, 3) + fine @ np.float32([[0.114], [0.587], [0.299]])
        flow = (self.shape_mean + place[count:] @ self.shape_axes).reshape(H // 4, W // 4, 2)
        return texture, flow.astype(np.float32)
