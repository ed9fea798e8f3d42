"""What a script test prints: one line per claim, in the form that tests/run reads."""

import sys


class Report:
    """Collects claims; exit() ends the script with 1 when one did not hold."""

    def __init__(self):
        self.failures = 0

    def check(self, name, holds, why):
        """The claim `name` holds, or it does not and `why` says what was seen."""
        if holds:
            print(f"ok {name}")
        else:
            self.failures += 1
            print(f"not ok {name}: {why}")

    def skip(self, name, reason):
        print(f"skip {name}: {reason}")

    def exit(self):
        sys.exit(1 if self.failures else 0)
