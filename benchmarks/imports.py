"""What importing costs: `import rrsis_core` and `rrsis --help` beside `import click, tqdm`, as whole processes."""

import statistics
import subprocess
import sys
import time

CASES = {
    "import click, tqdm": "import click, tqdm",
    "import rrsis_core": "import rrsis_core",
    "rrsis --help": "import rrsis_core.cli as c; c.rrsis.main(['--help'], prog_name='rrsis', standalone_mode=False)",
}


def seconds(code: str) -> float:
    """Run code in a new interpreter."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(rounds: int = 15) -> None:
    """Print medians and the ratio to the floor."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds + 1):
        for name, code in CASES.items():
            times[name].append(seconds(code))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    floor = medians["import click, tqdm"]
    for name, median in medians.items():
        print(f"{name:22s} {median * 1000:6.0f} ms   {median / floor:4.2f}x")


if __name__ == "__main__":
    main()
