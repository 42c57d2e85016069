"""The tree of RFC 9162, section 2.1, by its recursive definitions."""

import hashlib

PROOF_MAX = 63


def leaf(sealed):
    """Leaf of a sealed statement: log-v1.md, "Entries"."""
    return hashlib.sha256(b"\x00" + hashlib.sha256(sealed).digest()).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def include(index, size, hash, proof):
    """The root that `proof`, read from its end, gives; None where it has not the right length."""
    if size == 1:
        return hash
    if not proof:
        return None
    sibling, left = proof.pop(), split(size)
    if index < left:
        below = include(index, left, hash, proof)
        return below and node(below, sibling)
    below = include(index - left, size - left, hash, proof)
    return below and node(sibling, below)


def includes(hash, index, size, proof, root):
    """Section 2.1.3."""
    if not 0 <= index < size or len(proof) > PROOF_MAX or any(len(h) != 32 for h in proof):
        return False
    rest = list(proof)
    return include(index, size, hash, rest) == root and not rest


def roots(old, new, whole, proof, old_root):
    """The roots of the old and the new tree that `proof` gives; None where it is too short."""
    if old == new:
        if whole:
            return old_root, old_root
        return (proof[-1], proof.pop()) if proof else None
    if not proof:
        return None
    sibling, left = proof.pop(), split(new)
    if old <= left:
        below = roots(old, left, whole, proof, old_root)
        return below and (below[0], node(below[1], sibling))
    below = roots(old - left, new - left, False, proof, old_root)
    return below and (node(sibling, below[0]), node(sibling, below[1]))


def continues(old, old_root, new, new_root, proof):
    """Section 2.1.4; each tree continues itself and the empty one, by the empty proof."""
    if old > new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == hashlib.sha256(b"").digest()
    rest = list(proof)
    return roots(old, new, True, rest, old_root) == (old_root, new_root) and not rest
