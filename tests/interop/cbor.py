"""CBOR as record-v1.md, "Encoding", narrows it: one way to write each value, so that reading can be
strict from the start."""


DEPTH_MAX = 16


class Refused(Exception):
    """Some bytes are not what they should be; says why, in the words of invalid.json's `error` where
    it reaches the outside."""


def read(data, at=0, depth=0):
    """One value and the position after it. Maps with whole numbers as keys; nothing of ours is deeper."""
    if depth > DEPTH_MAX:
        raise Refused("too deep")

    def need(n):
        if at + n > len(data):
            raise Refused("cut short")
        return data[at : at + n]

    major, info = need(1)[0] >> 5, data[at] & 31
    at += 1
    if info < 24:
        n = info
    elif info in (24, 25, 26, 27):
        width = 1 << (info - 24)
        n = int.from_bytes(need(width), "big")
        at += width
        if n < 24 or (width > 1 and n < 1 << (4 * width)):
            raise Refused("not the shortest form")
    else:
        raise Refused("indefinite or reserved length")
    if major == 0:
        return n, at
    if major == 1:
        return -1 - n, at
    if major in (2, 3):
        content = need(n)
        at += n
        if major == 2:
            return bytes(content), at
        try:
            return content.decode("utf-8"), at
        except UnicodeDecodeError:
            raise Refused("not UTF-8")
    if major == 4:
        items = []
        for _ in range(n):
            item, at = read(data, at, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        fields, last = {}, -1
        for _ in range(n):
            key, at = read(data, at)
            if not isinstance(key, int) or isinstance(key, bool) or key <= last:
                raise Refused("keys do not ascend")
            last = key
            fields[key], at = read(data, at, depth + 1)
        return fields, at
    if major == 7 and info in (20, 21):
        return info == 21, at
    if major == 7 and info == 22:
        return None, at
    raise Refused("a tag, a float or another simple value")


def whole(data):
    value, end = read(data)
    if end != len(data):
        raise Refused("bytes follow the end")
    return value


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    width = 1 if n < 1 << 8 else 2 if n < 1 << 16 else 4
    return bytes([major << 5 | 24 + width.bit_length() - 1]) + n.to_bytes(width, "big")


def string(b):
    return head(2, len(b)) + b
