# p2phlssrc: presses the keys of gst-play-1.0.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Obeys the orders of tests/e2e/drive at a terminal of its own. What there is
no key for is left to the player: it seeks by a part of the stream."""

import os
import pty
import re
import threading
import time

import procs

RIGHT, LEFT = "\x1b[C", "\x1b[D"
# After the last track comes silence, then the first.
KEYS = {"pause": " ", "audio=1": "a", "audio=0": "aa"}
STEPS_MAX = 20


def terminal():
    """(our end, the player's end)"""
    return pty.openpty()


class Typist(threading.Thread):
    """undone: the order that it is at, None after all."""

    def __init__(self, player, keyboard, orders):
        super().__init__(daemon=True)
        self.player, self.keyboard, self.orders = player, keyboard, orders
        self.undone, self.paused = orders[0], False
        self.start()

    def run(self):
        try:
            for self.undone in self.orders:
                self.obey(*self.undone.partition("=")[::2])
            if self.orders[-1] != "end":
                self.press("q")
                self.wait_for(lambda: False)
            self.undone = None
        except (TimeoutError, OSError):
            pass  # as undone tells
        os.close(self.keyboard)

    def press(self, keys):
        for key in re.findall("\x1b..|.", keys):
            os.write(self.keyboard, key.encode())

    def tells(self):
        return any(" / " in line for line in self.player.words)

    def position(self):
        """In seconds, as it last told."""
        for line in reversed(self.player.words):
            told = re.match(r"(\d+):(\d\d):(\d\d\.\d) / ", line)
            if told:
                hours, minutes, seconds = told.groups()
                return (int(hours) * 60 + int(minutes)) * 60 + float(seconds)
        return 0.0

    def wait_for(self, condition):
        procs.wait_for(self.undone, lambda: condition()
                       or not self.player.running())

    def obey(self, word, value):
        if word == "for":
            self.wait_for(self.tells)  # live does not begin at 0
            end = self.position() + float(value)
            self.wait_for(lambda: self.position() >= end)
        elif word == "wait":
            time.sleep(float(value))  # what the viewer does, not the test
        elif word == "seek":
            self.seek(float(value))
        elif word == "end":
            self.wait_for(lambda: False)
        elif word == "play" and self.paused:
            self.press(KEYS["pause"])
        elif self.undone in KEYS:
            self.press(KEYS[self.undone])
        self.paused = word == "pause" or self.paused and word != "play"

    def seek(self, target):
        forward = target > self.position()
        for _ in range(STEPS_MAX):
            if (self.position() < target) != forward:
                return
            told = len(self.player.words)
            self.press(RIGHT if forward else LEFT)
            self.wait_for(lambda: self.has_sought(told))
        raise TimeoutError

    def has_sought(self, told):
        words = self.player.words[told:]
        return "Prerolled." in words and " / " in "".join(
            words[words.index("Prerolled."):])
