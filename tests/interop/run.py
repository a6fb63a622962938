#!/usr/bin/env python3
"""Transfers between our program and others, in both directions, by the command lines that their users have.

run.py --fyris PATH [--only WORD] [--jobs N] [--strict] [--keep] [--self-check] [--list]

The last line counts what passed, failed and was skipped; --strict makes a skipped one a failure."""

import argparse
import concurrent.futures
import os
import sys
import time
import traceback
from pathlib import Path

import world as worlds
from scenarios import all_scenarios

HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fyris", help="the program to try")
    parser.add_argument("--only", help="only scenarios whose name has this word")
    parser.add_argument("--jobs", type=int, default=4, help="scenarios at a time")
    parser.add_argument("--strict", action="store_true", help="what cannot be run counts as failed")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all scenarios")
    parser.add_argument("--self-check", action="store_true", help="try the scenarios themselves, with libtorrent for ours")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    options = parser.parse_args()
    scenarios = [s for s in all_scenarios() if not options.only or options.only in s[0]]
    if options.list:
        print("\n".join(name for name, _, _ in scenarios))
        return 0
    if options.self_check:
        options.fyris = HERE / "stand_in.py"
    if not options.fyris or not os.access(options.fyris, os.X_OK):
        parser.error(f"--fyris: {options.fyris} is not a program")
    worlds.enter_namespace([sys.executable, *sys.argv])
    programs = {"fyris": str(Path(options.fyris).resolve()), "rqbit": os.environ.get("RQBIT") or "rqbit"}
    if os.sep in programs["rqbit"]:
        programs["rqbit"] = str(Path(programs["rqbit"]).resolve())

    begun = time.monotonic()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tries = [pool.submit(attempt, *scenario, number, programs, options.keep)
                 for number, scenario in enumerate(scenarios)]
        for done in concurrent.futures.as_completed(tries):
            result, line = done.result()
            counts[result] += 1
            print(line, flush=True)
    print(f"{', '.join(f'{count} {word}' for word, count in counts.items())} in {time.monotonic() - begun:.0f} s")
    return 1 if counts["failed"] or options.strict and counts["skipped"] else 0


def attempt(name, seconds, function, number, programs, keep):
    """Runs one scenario; ("passed", "failed" or "skipped", and the line to print)."""
    begun = time.monotonic()
    world = None
    failed = True
    try:
        world = worlds.World(name, number, programs, seconds)
        function(world)
        failed = False
        return "passed", f"ok       {name} ({time.monotonic() - begun:.1f} s)"
    except worlds.Skip as reason:
        failed = False
        return "skipped", f"not run: {name}: {reason}"
    except worlds.Failed as reason:
        return "failed", f"FAILED   {name}: {reason}\n         logs in {world.folder}"
    except Exception:  # a fault of the scenario or of a client's interface; the others go on
        where = world.folder if world else "no folder"
        return "failed", f"FAILED   {name}: logs in {where}\n{traceback.format_exc()}"
    finally:
        if world:
            world.close(keep or failed)


if __name__ == "__main__":
    sys.exit(main())
