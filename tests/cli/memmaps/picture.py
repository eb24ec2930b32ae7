#!/usr/bin/python3
"""Judges a picture of memmaps --pid PID --scale 1 by another way: the PFNs of a
known allocation are looked up in pagemap, their places in the picture found by
walking the curve forward (memmaps goes from place to page), and the pixels read
from what pngtopnm made of the file.

usage: picture.py PICTURE.ppm IOMEM ENTRIES RESIDENT

ENTRIES: the allocation's part of pagemap; RESIDENT: pages of the process"""
import struct
import sys


def ranges(path):
    ram = []
    for line in open(path):
        span, name = line.split(" : ")
        if not name.startswith("System RAM"):
            continue
        a, b = (int(x, 16) for x in span.split("-"))
        ram.append((-(-a // 4096), (b + 1) // 4096))
    merged = []
    for a, b in sorted(ram):
        if merged and a <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return merged


def curve(d, side):
    """Hilbert's curve, d to x, y."""
    x = y = 0
    s = 1
    while s < side:
        rx = 1 & (d // 2)
        ry = 1 & (d ^ rx)
        if ry == 0:
            if rx == 1:
                x, y = s - 1 - x, s - 1 - y
            x, y = y, x
        x += s * rx
        y += s * ry
        d //= 4
        s *= 2
    return x, y


def layout(pages):
    shift = 14
    while shift and pages >> 2 * shift < 16:
        shift -= 1
    blocks = -(-pages // 4 ** shift)
    best = None
    for c in range(1, blocks + 1):
        rows = -(-blocks // c)
        if rows <= c <= 2 * rows + 1:
            empty = c * rows - blocks
            if best is None or empty < best[0]:
                best = (empty, c, rows)
    return shift, best[1], best[2], 1 - pages / (best[1] * best[2] * 4 ** shift)


def main():
    picture, iomem, allocation, resident = sys.argv[1:]
    data = open(picture, "rb").read()
    magic, size, depth, pixels = data.split(b"\n", 3)
    assert magic == b"P6" and depth == b"255", (magic, depth)
    width, height = map(int, size.split())
    assert len(pixels) == width * height * 3

    ram = ranges(iomem)
    pages = sum(b - a for a, b in ram)
    shift, columns, rows, filler = layout(pages)
    side = 1 << shift
    assert width == max(600, columns * side), (width, columns, side)
    assert filler < 0.25, filler
    line = 8 * (1 if width < 1400 else 2) + 2

    def color(pfn):
        at = 0
        for a, b in ram:
            if a <= pfn < b:
                at += pfn - a
                break
            at += b - a
        else:
            raise SystemExit("PFN %x is no RAM" % pfn)
        block = at >> 2 * shift
        x, y = curve(at & (side * side - 1), side)
        x += block % columns * side
        y += block // columns * side
        y += line * (2 + block // columns)
        return tuple(pixels[(y * width + x) * 3:][:3])

    data = open(allocation, "rb").read()
    n = len(data) // 8
    entries = struct.unpack("%dQ" % n, data)
    pfns = [e & (1 << 55) - 1 for e in entries if e >> 63]
    assert len(pfns) == n, "%d of %d pages are there" % (len(pfns), n)
    wrong = [p for p in pfns if color(p) != (0xff, 0x50, 0x50)]
    assert len(wrong) * 100 <= len(pfns), "%d of %d pixels are not red" % (
        len(wrong), len(pfns))
    red = pixels.count(b"\xff\x50\x50")
    # and the legend's square
    assert red <= int(resident) + 100, "%d red pixels, %s pages resident" % (
        red, resident)
    print("%d pages, %d red pixels" % (len(pfns), red))


main()
