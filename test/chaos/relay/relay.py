#!/usr/bin/env python3
"""The long line between the two sites: holds every IP packet for a while, in order, and may lose some.

Runs in the network namespace of the lab's router. It makes the TUN device named by its first argument; the routing rules
that send the packets of one site to the other through it are relay.ts's business. Without it the kernel's own queueing
disciplines would do, but netem is a module that not every kernel has.

    relay.py DEVICE SEED

Standard input, one order a line: `delay MILLISECONDS`, `loss PERCENT`. It ends when standard input does, and its device
and with it all routes to that go with it: whoever started it need not clean up. `ready` is its first line.
"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PACKET = 65536
# More than a gigabit's worth of the longest delay would be a loop, not traffic.
QUEUE = 50000


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22s", name.encode(), IFF_TUN | IFF_NO_PI, b""))
    return tun


class Line:
    def __init__(self, tun, seed):
        self.tun = tun
        self.random = random.Random(seed)
        self.delay = 0.0
        self.loss = 0.0
        self.waiting = collections.deque()
        self.last_due = 0.0

    def obey(self, order):
        words = order.split()
        if len(words) == 2 and words[0] == "delay":
            self.delay = float(words[1]) / 1000
        elif len(words) == 2 and words[0] == "loss":
            self.loss = float(words[1]) / 100
        elif words:
            sys.exit("no such order: " + order)

    def take(self):
        for _ in range(256):
            try:
                packet = os.read(self.tun, PACKET)
            except BlockingIOError:
                return
            if len(self.waiting) >= QUEUE or (self.loss > 0 and self.random.random() < self.loss):
                continue
            # Never before an earlier one: a shorter delay reorders nothing.
            self.last_due = max(self.last_due, time.monotonic() + self.delay)
            self.waiting.append((self.last_due, packet))

    def give(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            try:
                os.write(self.tun, self.waiting.popleft()[1])
            except OSError:
                pass  # The device is being taken down, or the kernel has no room: lost, as on any line.

    def patience(self):
        if not self.waiting:
            return None
        return max(0.0, self.waiting[0][0] - time.monotonic())


def main():
    line = Line(open_tun(sys.argv[1]), sys.argv[2])
    print("ready", flush=True)
    orders = b""
    while True:
        readable, _, _ = select.select([line.tun, 0], [], [], line.patience())
        if line.tun in readable:
            line.take()
        if 0 in readable:
            text = os.read(0, 4096)
            if not text:
                return
            *whole, orders = (orders + text).split(b"\n")
            for order in whole:
                line.obey(order.decode())
        line.give()


main()
