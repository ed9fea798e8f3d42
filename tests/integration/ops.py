#!/usr/bin/env python3
"""What ops/ holds is true of these programs: the example files load, the alert rules and the
dashboard name series that exist and fire when they should, the units are valid and as closed as
they say."""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.request

from cluster import BIN, ROOT, TOOLS, Cluster, Skip, free_address, run_checks, wait_for

OPS = ROOT / "ops"
UNITS = (OPS / "systemd/pump.service", OPS / "systemd/drainer@.service")
EXPOSURE_MAX = 2.0
OURS = re.compile(r"\b(?:binlog|sluice)_\w+|\bprocess_\w+")
SUFFIX = re.compile(r"_(?:bucket|count|sum)$")


def tool(name, package):
    path = shutil.which(name) or shutil.which(name, path=ROOT / ".tools/usr/bin")
    if path is None:
        raise Skip(f"{name} is not installed (Debian: {package})")
    return path


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def families():
    """Every family of metrics, by the manual that the code prints."""
    manual = run(TOOLS / "manual", "metrics").stdout
    found = set(re.findall(r"^\| `(\w+)` \|", manual, re.M))
    assert len(found) > 30, manual
    return found


def expressions():
    """Where each expression of PromQL stands, and its text."""
    board = json.loads((OPS / "grafana.json").read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) > 20
    for panel in panels:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]["query"]
    alerts = (OPS / "alerts.yml").read_text()
    for name, expr in re.findall(r"- alert: (\w+)\n\s+expr: (.*?)\n\s+(?:for|labels):", alerts,
                                 re.S):
        yield f"alert {name}", expr


def every_series_is_one_that_the_programs_have(_):
    known = families()
    alerts = 0
    for place, expr in expressions():
        alerts += place.startswith("alert ")
        for name in OURS.findall(expr):
            whole = name if name in known else SUFFIX.sub("", name)
            assert whole in known, f"{place}: nobody exports {name}"
    assert alerts == (OPS / "alerts.yml").read_text().count("- alert:"), alerts


def every_rule_is_tested_and_fires_when_it_should(folder):
    promtool = tool("promtool", "prometheus")
    names = set(re.findall(r"- alert: (\w+)", (OPS / "alerts.yml").read_text()))
    fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n\s+- ",
                           (OPS / "alerts_test.yml").read_text()))
    quiet = {"binlog_pump_storage_write_binlog_duration_time_bucket"}
    assert names - fired == quiet, names - fired
    done = run(promtool, "test", "rules", OPS / "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    # A rule that is wrong is found.
    shutil.copy(OPS / "alerts_test.yml", folder)
    rules = (OPS / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(rules.replace("sluice_drainer_state >= 3",
                                                     "sluice_drainer_state >= 4"))
    assert run(promtool, "test", "rules", folder / "alerts_test.yml").returncode != 0


def units_are_valid_and_closed(folder):
    analyze = tool("systemd-analyze", "systemd")
    for unit in UNITS:
        text = unit.read_text()
        start = re.search(r"^ExecStart=(\S+)(.*)$", text, re.M)
        program = BIN / pathlib.Path(start.group(1)).name
        flags = run(program, "-help").stderr
        for flag in re.findall(r"-[a-z-]+(?= )", start.group(2)):
            assert f"  {flag} " in flags, f"{unit.name}: {program.name} has no flag {flag}"
        copy = folder / unit.name
        copy.write_text(text.replace(start.group(1), str(program)))
        done = run(analyze, "verify", copy)
        assert done.returncode == 0 and not done.stderr, done.stderr
        told = run(analyze, "security", "--offline=true", copy).stdout
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", told).group(1))
        assert exposure <= EXPOSURE_MAX, told


def logrotate_takes_its_file(folder):
    logrotate = tool("logrotate", "logrotate")
    text = (OPS / "logrotate.conf").read_text().replace("/var/log/sluice", str(folder))
    (folder / "conf").write_text(text)
    (folder / "conf").chmod(0o644)
    done = run(logrotate, "--debug", "--state", folder / "state", folder / "conf")
    assert done.returncode == 0 and "error" not in done.stderr, done.stderr


def ready(address):
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=10) as page:
            return page.status == 200
    except OSError:
        return False


def example_files_start_the_programs(folder):
    with Cluster(folder, 42) as cluster:
        (folder / "registry/ddl-history.jsonl").touch()
        for name, more in (("pump", ()), ("drainer", ("-dest-db-type", "stdout"))):
            address = free_address()
            with open(folder / f"{name}.log", "wb") as log:
                process = subprocess.Popen(
                    [BIN / name, "-config", OPS / f"{name}.toml", "-addr", address, "-pd-urls",
                     cluster.url, "-data-dir", folder / name, *more], stdout=log, stderr=log)
            cluster.processes.append(process)

            def up():
                assert process.poll() is None, (folder / f"{name}.log").read_text()
                return ready(address)

            wait_for(f"{name} is ready", up)


if __name__ == "__main__":
    run_checks([every_series_is_one_that_the_programs_have,
                every_rule_is_tested_and_fires_when_it_should, units_are_valid_and_closed,
                logrotate_takes_its_file, example_files_start_the_programs])
