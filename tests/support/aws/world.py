"""What the corrections share: changes that take a while, and what a test has asked the emulator to do wrong."""

import datetime
import time


class World:
    """One lock around each request (see emulator.py) guards it."""

    def __init__(self):
        # How long a change of state takes, in milliseconds: 0 makes all changes at once.
        self.transition_ms = 300
        # The status in which the next promotion ends instead of `available`, or None.
        self.fail_next_promotion = None
        # The status in which what the next restore makes ends instead of `available`, or None.
        self.fail_next_restore = None
        # Operations such as `rds:PromoteReadReplica` that are refused.
        self.deny = []
        # Health check id to what Route 53's checkers say of it, such as "Failure: Connection timed out".
        self.health_checks = {}
        # The beginning of a thing's name to what makes it older; filled by the corrections.
        self.agers = {}
        # Text messages that phones got.
        self.texts = []
        self.calls = {}
        self._due = []

    def later(self, part, change):
        """Does `change` once this part (0 to 1) of the transition time is over."""
        if self.transition_ms == 0:
            change()
            return
        self._due.append((time.monotonic() + part * self.transition_ms / 1000, len(self._due), change))

    def settle(self):
        """Does all changes whose time has come; called before each request."""
        while ready := sorted(entry for entry in self._due if entry[0] <= time.monotonic()):
            for entry in ready:
                self._due.remove(entry)
                entry[2]()

    def control(self, wishes):
        """What `POST /lifeboat/control` sets; answers all settings."""
        settings = ("transition_ms", "fail_next_promotion", "fail_next_restore", "deny", "health_checks")
        for name, seconds in wishes.pop("ages", {}).items():
            self.agers[name.partition(":")[0] + ":"](name, datetime.timedelta(seconds=seconds))
        unknown = set(wishes) - set(settings)
        if unknown:
            raise ValueError(f"no setting {', '.join(sorted(unknown))}; there are {', '.join(settings)}")
        for name, value in wishes.items():
            setattr(self, name, value)
        return {name: getattr(self, name) for name in settings}

    def count(self, call):
        self.calls[call] = self.calls.get(call, 0) + 1


WORLD = World()


def steps(change, *stages):
    """A change that goes through `(part, value)` stages, for example statuses."""
    for part, value in stages:
        WORLD.later(part, lambda value=value: change(value))
