"""Ed25519 by RFC 8032, section 5.1: strict verification as record-v1.md asks for it, and signing for
the vectors. Plain arithmetic on Python's integers, so that nothing has to be installed. It is not
constant in time: never sign anything secret with it."""

import functools
import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)

# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x·y = T/Z.
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(a):
    xx, yy, zz = a[0] * a[0] % P, a[1] * a[1] % P, 2 * a[2] * a[2] % P
    h = xx + yy
    e, g = h - (a[0] + a[1]) ** 2 % P, xx - yy
    f = zz + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def negative(a):
    return -a[0] % P, a[1], a[2], -a[3] % P


def sum_of(n, a, m, b):
    """n·a + m·b, both in one pass (Straus 1964)."""
    either = (None, a, b, add(a, b))
    total = NEUTRAL
    for bit in reversed(range(max(n.bit_length(), m.bit_length()))):
        total = double(total)
        chosen = either[n >> bit & 1 | (m >> bit & 1) << 1]
        if chosen:
            total = add(total, chosen)
    return total


def times(n, a):
    return sum_of(n, a, 0, NEUTRAL)


def equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(data):
    """The point of 32 bytes, or None (section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode(a):
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point(bytes([0x58]) + bytes([0x66]) * 31)


def small(a):
    return equal(times(8, a), NEUTRAL)


@functools.cache
def key(public):
    """The point of a verification key; None for bytes that are none, or a point of small order."""
    a = point(public)
    return None if a is None or small(a) else a


def usable(public):
    return key(public) is not None


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def verify(public, message, signature):
    a, r = key(public), key(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER or a is None or r is None:
        return False
    k = number(signature[:32], public, message)
    return equal(sum_of(s, BASE, k, negative(a)), r)


def public_key(secret):
    half = bytearray(hashlib.sha512(secret).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 63 | 64
    return encode(times(int.from_bytes(half, "little"), BASE))
