#!/usr/bin/env python3
"""binlogctl: the original's commands print what its own program printed on a real cluster, and fail
where that only looked away; the verbs of ours tell how a cluster is, steer real pumps, and wait. On
a local directory, and on etcd behind a stand-in for PD (skipped without etcd-server)."""

import base64
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.parse

from cluster import BIN, ROOT, Cluster, Skip, run_checks, wait_for
from live_cluster import CLUSTER, Place, etcdctl_put
from pairs import config, some_pairs

GOLDEN = ROOT / "tests/corpus/ops"
SCHEMA = json.loads((ROOT / "docs/binlogctl.schema.json").read_text())
BUILT_IN_KEY = "a529b7665997f043a30ac8fadcb51d6aa032c226ab5b7750530b12b8c1a16a48"
NOW = 470615689911336961  # of the recorded cluster
SECONDS_MAX = 60


def ctl(*args, **env):
    """Run it to its end: exit code, standard output, standard error."""
    environment = {**os.environ, "TZ": "UTC0", **env}
    done = subprocess.run([BIN / "binlogctl", *map(str, args)], capture_output=True, text=True,
                          timeout=SECONDS_MAX, check=False, env=environment)
    assert "Sanitizer" not in done.stderr and "panic" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def ok(*args):
    code, out, err = ctl(*args)
    assert (code, err) == (0, ""), f"{args}: exit {code}: {out}{err}"
    return out


def fails(code, *args):
    """It ends with this code; what it said."""
    got, out, err = ctl(*args)
    assert got == code, f"{args}: exit {got}, wanted {code}: {out}{err}"
    return out + err


def timeless(text):
    """Without what no two runs have in common: the moment of a log line."""
    return re.sub(r"(?m)^\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00\]", "[TIME]", text)


def golden(name):
    """What the original printed, without the lines of PD's client, and with the one capital that
    all versions since v3.0.2 have."""
    lines = (GOLDEN / f"binlogctl-{name}.txt").read_text().splitlines(keepends=True)
    assert lines[0].startswith("$ ") and lines[-1].startswith("[exit "), name
    text = timeless("".join(line for line in lines[1:-1] if not line.startswith("time=")))
    return text.replace('["apply action on node', '["Apply action on node')


def recorded_nodes():
    """(kind, record as text) of each node of the recorded cluster."""
    lines = (GOLDEN / "registry-end.txt").read_text().splitlines()
    for key, value in zip(lines[1:-1:2], lines[2:-1:2]):
        yield key.split("/")[3], value


class Node:
    """Who answers over HTTP as a node does: `bodies` by path; else 404."""

    def __init__(self):
        self.bodies = {}
        self.asked = []
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                path = urllib.parse.unquote(self.path)
                node.asked.append((self.command, path))
                body = node.bodies.get(path)
                self.send_response(200 if body is not None else 404)
                self.end_headers()
                self.wfile.write((body or "404 page not found\n").encode())

            do_GET = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Ctl(Cluster):
    """A local cluster that is asked about."""

    def __init__(self, folder, first_tso=None):
        super().__init__(folder, 42, first_tso)
        self.at = ("--pd-urls", self.url)

    def put(self, kind, record):
        path = self.folder / f"registry/{kind}/{record['nodeId']}.json"
        path.parent.mkdir(exist_ok=True)
        part = path.parent / ".part"
        part.write_text(json.dumps(record))
        part.rename(path)

    def drainer(self, name, host, state, max_commit_ts):
        self.put("drainers", {"nodeId": name, "host": host, "state": state, "isAlive": False,
                              "score": 0, "label": None, "maxCommitTS": max_commit_ts,
                              "updateTS": max_commit_ts})

    def record(self, kind, name):
        return json.loads((self.folder / f"registry/{kind}/{name}.json").read_text())

    def now(self):
        """A timestamp of the cluster."""
        ok("-cmd", "generate_meta", "-data-dir", self.folder / "now", *self.at)
        return int((self.folder / "now/savepoint").read_text().split("=")[1])


def order(code, message):
    return json.dumps({"message": message, "code": code, "data": None}, indent=2) + "\n"


# ---- the original's commands ----


def recorded_cluster_is_listed_as_the_original_did(folder):
    with Ctl(folder) as cluster:
        for kind, value in recorded_nodes():
            cluster.put(kind, json.loads(value))
        out = ok("-cmd", "pumps", "-show-offline-nodes", *cluster.at)
        assert timeless(out) == golden("pumps-after-offline"), out
        assert "gopump-1" not in ok("-cmd", "pumps", *cluster.at)
        assert timeless(ok(*cluster.at)) == timeless(ok("--cmd=pumps", *cluster.at))
        out = ok("-cmd", "update-drainer", "-node-id", "vm:18248", "-state", "paused", *cluster.at)
        assert out == golden("update-drainer-offline") == "", out
        assert timeless(ok("-cmd", "drainers", *cluster.at)) == golden("drainers-after-pause")
        ok("-cmd", "update-drainer", "-node-id", "vm:18248", "-state", "offline", *cluster.at)
        for kind, value in recorded_nodes():
            path = folder / f"registry/{kind}/{json.loads(value)['nodeId']}.json"
            assert json.loads(path.read_text()) == json.loads(value), path


def orders_reach_the_node_and_its_refusal_fails(folder):
    with Ctl(folder) as cluster, Node() as node:
        for kind, value in recorded_nodes():
            cluster.put(kind, {**json.loads(value), "host": node.address})
        node.bodies["/state/vm:18248/pause"] = order(200, "apply action pause success!")
        node.bodies["/state/gopump-1/close"] = order(200, "apply action close success!")
        out = ok("-cmd", "pause-drainer", "-node-id", "vm:18248", *cluster.at)
        assert timeless(out) == golden("pause-drainer"), out
        out = ok("-cmd", "offline-pump", "-node-id", "gopump-1", *cluster.at)
        assert timeless(out) == golden("offline-pump"), out
        assert node.asked == [("PUT", "/state/vm:18248/pause"), ("PUT", "/state/gopump-1/close")]
        why = "this pump's state is paused, apply pause failed!"
        node.bodies["/state/vm:18248/pause"] = order(3, why)
        out = fails(1, "-cmd", "pause-drainer", "-node-id", "vm:18248", *cluster.at)
        assert timeless(out) == ('[TIME] [FATAL] [main.go:65] ["fail to execute command"] '
                                 f'[command=pause-drainer] [error="{why}"]\n'), out
        assert "404" in fails(1, "-cmd", "pause-pump", "-node-id", "gopump-0", *cluster.at)
    with Ctl(folder / "other") as cluster:
        cluster.drainer("d", "127.0.0.1:1", "online", 1)
        out = fails(1, "-cmd", "offline-drainer", "-node-id", "d", *cluster.at)
        assert "Connection refused" in out and "success" not in out, out


def unknown_nodes_states_and_commands_fail(folder):
    with Ctl(folder) as cluster:
        out = timeless(fails(1, "-cmd", "pause-pump", "-node-id", "nobody", *cluster.at))
        assert golden("unknown-node").startswith(out.rstrip("\n")), out
        out = fails(1, "-cmd", "update-pump", "-node-id", "nobody", "-state", "paused", *cluster.at)
        assert "nodeID nobody not found" in out, out
        out = fails(1, "-cmd", "update-pump", "-node-id", "nobody", "-state", "gone", *cluster.at)
        assert "state gone is illegal" in out, out
        out = fails(1, "-cmd", "nonsense", *cluster.at)
        assert '[command=nonsense] [error="cmd nonsense not supported"]' in out, out
        out = fails(1, "-cmd", "pumps", "-pd-urls", f"local:{folder}/none")
        assert f"{folder}/none" in out, out
        assert "Connection refused" in fails(1, "-cmd", "pumps", "-pd-urls", "127.0.0.1:1")


def many_nodes_are_all_listed(folder):
    with Ctl(folder) as cluster:
        for i in range(50):
            cluster.drainer(f"d{i:02}", "127.0.0.1:1", "online", 1)
        assert ok("-cmd", "drainers", *cluster.at).count("query node") == 50


def wrong_usage_is_refused_before_anything_is_done(folder):
    for words, part in (
            (["-cmd"], "cmd"), (["-nonsense", "1"], "-nonsense"), (["-cmd", "pumps", "x"], "'x'"),
            (["-pd-urls", "http://"], "http://"),
            (["-pd-urls", "nonsense"], "parse EtcdURLs error: nonsense: "),
            (["-ssl-ca", "/ca.pem"], "-ssl-ca"),
            (["status", "--max-lag", "5"], "-max-lag"), (["stauts"], "did you mean 'status'?"),
            (["pause"], "NODE must come first"), (["wait"], "--caught-up"),
            (["status", "-pd-urls", ""], "")):
        code, out, err = ctl(*words)
        assert code == 2 and out == "" and err.count("\n") == 1 and part in err, (words, out, err)
    code, out, err = ctl("-V")
    assert code == 0 and out.startswith("Release Version: v") and err == "", (code, out, err)
    for words in (["-h"], ["--help"]):
        code, out, err = ctl(*words)
        assert code == 0 and out == "" and "Usage of binlogctl:" in err, (code, out, err)
        for flag in re.findall(r"(?m)^  -(\S+)", (GOLDEN / "binlogctl-help.txt").read_text()):
            assert re.search(rf"(?m)^  -{re.escape(flag)}\b", err), flag
    for verb in ("status", "pumps", "drainers", "pause", "offline", "resume", "wait",
                 "explain-error"):
        code, out, err = ctl(verb, "--help")
        assert code == 0 and err == "" and out.startswith(f"binlogctl {verb}"), (code, out, err)
    for words in (["SL-2201"], ["sl-2201"], ["pump"]):
        code, out, err = ctl("explain-error", *words)
        assert code == 0 and out.startswith("SL-2201 pump: a pump is awaited\ncause   A pump "), out
        assert [line[:8].strip() for line in out.splitlines() if line[0] != " "][1:] == [
            "cause", "effect", "do"] and max(map(len, out.splitlines())) <= 88, out
    code, out, err = ctl("explain-error", "SL-9999")
    assert code == 2 and out == "" and "SL-9999 is no code" in err, (code, out, err)
    code, out, err = ctl("explain-error", "all")
    assert code == 0 and out.count("\nSL-") > 15, out
    with open("/dev/full", "w", encoding="utf-8") as full, Ctl(folder) as cluster:
        cluster.drainer("d", "127.0.0.1:1", "online", 1)
        for words in (["-cmd", "drainers"], ["drainers"]):
            done = subprocess.run([BIN / "binlogctl", *words, *cluster.at], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 1 and "standard output" in done.stderr, done


def savepoint_is_the_originals(folder):
    with Ctl(folder, NOW) as cluster:
        out = timeless(ok("-cmd", "generate_meta", "-data-dir", folder / "a/b", *cluster.at))
        ts = int(re.search(r"commitTS: (\d+)", out)[1])
        assert ts >= NOW
        assert re.sub(r"\d{18}", "N", out) == re.sub(r"\d{18}", "N", golden("generate_meta")), out
        text = (folder / "a/b/savepoint").read_text()
        assert text == (GOLDEN / "savepoint.txt").read_text().replace("470615525704073217", str(ts))
        out = ok("-cmd", "generate_meta", "-data-dir", folder / "a/b", "-time-zone", "No/Zone",
                 *cluster.at)
        assert '[WARN] [meta.go' in out and "unknown time zone No/Zone" in out, out
        assert (folder / "a/b/savepoint").read_text().count("\n") == 1
        done = subprocess.run([BIN / "binlogctl", "-cmd", "generate_meta", "-data-dir", "",
                               *cluster.at], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0 and (folder / "binlog_position/savepoint").exists(), done
        (folder / "file").touch()
        out = fails(1, "-cmd", "generate_meta", "-data-dir", folder / "file", *cluster.at)
        assert f"{folder}/file" in out and "save meta" not in out, out


def decrypted(text, key):
    """By another hand."""
    whole = base64.b64decode(text, validate=True)
    assert whole[16:17] == b"@"
    cipher = f"-aes-{len(key) * 4}-cfb"
    done = subprocess.run(["openssl", "enc", "-d", cipher, "-K", key, "-iv", whole[:16].hex()],
                          input=whole[17:], capture_output=True, check=True)
    return done.stdout.decode()


def password_is_encrypted_as_the_original_does(_folder):
    if shutil.which("openssl") is None:
        raise Skip("no openssl here")
    for key in (None, "00112233445566778899aabbccddeeff", BUILT_IN_KEY[::-1]):
        env = {} if key is None else {"BINLOG_SECRET_KEY": key}
        code, out, err = ctl("-cmd", "encrypt", "-text", "pa ss=word", **env)
        assert code == 0 and ("BINLOG_SECRET_KEY is not set" in err) == (key is None), (code, err)
        found = re.search(r'\["encrypt text"\] \[encrypted="?([^"\]]+)"?\]\n', out)
        assert decrypted(found[1], key or BUILT_IN_KEY) == "pa ss=word", out
        assert "pa ss" not in out + err
    assert "need to specify the text" in fails(1, "-cmd", "encrypt")
    code, out, _ = ctl("-cmd", "encrypt", "-text", "x", BINLOG_SECRET_KEY="xyz")
    assert code == 1 and "BINLOG_SECRET_KEY" in out and "xyz" not in out, out


# ---- verbs ----


def conforms(value, schema, at="$"):
    """The value is what the JSON Schema says, of which these words suffice here."""
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
             "number": (int, float), "null": type(None)}
    if "enum" in schema:
        assert value in schema["enum"], f"{at}: {value!r}"
        return
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, kinds[t]) and (t == "boolean" or not isinstance(value, bool))
               for t in types), f"{at}: {value!r} is no {types}"
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), f"{at}: {sorted(value)}"
        assert set(value) <= set(schema["properties"]), f"{at}: more than the schema says"
        for name, member in value.items():
            conforms(member, schema["properties"][name], f"{at}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            conforms(item, schema["items"], f"{at}[{i}]")


def status(code, *args):
    """What programs get, checked against the schema."""
    got, out, err = ctl(*args, "--json")
    assert (got, err) == (code, "") and out.count("\n") == 1, f"{args}: exit {got}: {out}{err}"
    answer = json.loads(out)
    conforms(answer, SCHEMA)
    return answer


def vague(text):
    """A report without its times and addresses."""
    text = re.sub(r"\d\d:\d\d:\d\d \+00:00", "CLOCK", text)
    text = re.sub(r"local:\S+", "DIR", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDR", text)
    text = re.sub(r"\d+\.\d s( ago)?", r"SPAN\1", text)
    text = re.sub(r"\d+ / \d+ [KMGTP]iB +(\d+d \d\dh|-)", "DISK BACK", text)
    return re.sub(r" +", " ", text)


def status_of_a_real_pump_in_all_its_states(folder):
    with Ctl(folder) as cluster:
        assert status(10, "status", *cluster.at)["notes"][0]["text"] == "no pump is registered"
        pump = cluster.pump("p", "-config", config(folder, 2)).start()
        some_pairs(cluster, pump, 20)
        wait_for("the heart has beaten", lambda: pump.state()["maxCommitTS"] > 0)
        out = vague(ok("status", *cluster.at))
        assert out == (
            "cluster 42 pd DIR checked CLOCK OK, 1 note\n\n"
            "PUMP ADDR STATE NEWEST COMMIT HEARTBEAT WRITES DISK USED KEEPS BACK\n"
            "p ADDR online SPAN ago SPAN ago taken DISK BACK\n\n"
            "note no drainer is registered: nobody reads what the pumps take\n"), out
        node = status(0, "pumps", *cluster.at)["pumps"][0]
        assert node["answers"] and node["takes_writes"] is True and node["addr"] == pump.address
        pump.kill()
        out = vague(fails(20, "status", *cluster.at))
        assert "p ADDR online, silent SPAN ago SPAN ago - - -\n" in out, out
        assert "DATA AT RISK" in out and "start it again: it is the pump at ADDR" in out, out
        answer = status(20, "status", *cluster.at)
        assert not answer["pumps"][0]["answers"] and answer["verdict"] == "at_risk"
        assert "Connection refused" in answer["pumps"][0]["answer_error"]
        pump.start()
        ok("status", *cluster.at)
        assert ok("pause", "p", *cluster.at) == "p is paused\n"
        assert pump.process.wait(timeout=SECONDS_MAX) == 0
        assert ok("pause", "p", *cluster.at) == "p is paused already\n"
        assert "start the pump again" in fails(1, "resume", "p", *cluster.at)
        assert "p has been paused" in fails(20, "status", *cluster.at)
        pump.start()
        assert ok("resume", "p", *cluster.at) == "p is online already\n"
        assert pump.stop() == 0


def pump_without_space_takes_no_writes(folder):
    path = folder / "full.toml"
    path.write_text('[storage]\nstop-write-at-available-space = "1000000 tib"\n')
    with Ctl(folder) as cluster:
        cluster.pump("q", "-config", config(folder)).start()
        full = cluster.pump("full", "-config", path).start()
        answer = wait_for("it says so", lambda: [
            p for p in json.loads(ctl("pumps", *cluster.at, "--json")[1])["pumps"]
            if p["node_id"] == "full" and p["takes_writes"] is False])[0]
        assert "stop-write-at-available-space" in answer["refuses_writes_because"], answer
        assert "full takes no writes: " in fails(10, "status", *cluster.at)
        assert "offline" in ok("offline", "full", *cluster.at)
        assert full.process.wait(timeout=SECONDS_MAX) == 0
        out = ok("pumps", *cluster.at)
        assert "full" not in out and "full" in ok("pumps", "--show-offline-nodes", *cluster.at)


def offline_waits_for_drainers_and_force_gives_up_the_dead(folder):
    with Ctl(folder) as cluster:
        pump = cluster.pump("p", "-config", config(folder)).start()
        some_pairs(cluster, pump, 20)
        cluster.drainer("slow", "127.0.0.1:1", "paused", 1)
        out = fails(10, "offline", "p", "--timeout", "300ms", *cluster.at)
        assert "p was told, and is closing after 0.3 s: it waits until every drainer" in out, out
        assert "p is closing" in ctl("status", *cluster.at)[1]
        out = fails(1, "pause", "p", *cluster.at)
        assert out == ("binlogctl pause: p refuses: this pump's state is closing, apply pause "
                       "failed!\n"), out
        out = fails(1, "offline", "slow", *cluster.at)
        assert "Connection refused" in out and "binlogctl offline slow --force" in out, out
        assert cluster.record("drainers", "slow")["state"] == "paused"
        assert "slow is offline" in ok("offline", "slow", "--force", *cluster.at)
        assert cluster.record("drainers", "slow")["state"] == "offline"
        assert pump.process.wait(timeout=SECONDS_MAX) == 0
        assert ok("offline", "p", *cluster.at) == "p is offline already\n"
        cluster.drainer("young", "127.0.0.1:1", "online", cluster.now())
        out = fails(1, "offline", "young", "--force", *cluster.at)
        assert "young does not answer, but wrote to the registry 0." in out, out
        cluster.drainer("young", "127.0.0.1:1", "online", cluster.now() - (10000 << 18))
        assert "young is offline" in ok("offline", "young", "--force", *cluster.at)
        assert "no pump or drainer is called x" in fails(1, "pause", "x", *cluster.at)


def recorded_body(name):
    """What a node of the original answered over HTTP."""
    text = (GOLDEN / f"{name}.txt").read_text()
    return text.split("\n\n", 1)[1].rsplit("[exit ", 1)[0]


def nodes_of_the_original_are_understood(folder):
    with Ctl(folder) as cluster, Node() as node:
        cluster.put("pumps", {"nodeId": "gopump-0", "host": node.address, "state": "online",
                              "maxCommitTS": NOW, "updateTS": NOW})
        cluster.drainer("vm:18248", "127.0.0.1:1", "paused", cluster.now())
        node.bodies["/status"] = recorded_body("pump-GET-status")
        node.bodies["/metrics"] = recorded_body("pump-GET-metrics")
        pump = status(0, "status", *cluster.at)["pumps"][0]
        assert pump["answers"] and pump["takes_writes"] is None, pump
        assert (pump["disk_bytes"], pump["disk_free_bytes"]) == (270553174016, 76048117760), pump
        assert pump["removed_before"] is None, pump
        assert set(node.asked) == {("GET", "/status"), ("GET", "/readyz"), ("GET", "/metrics")}
        gone = (cluster.now() >> 18) + 3600000
        node.bodies["/metrics"] = f"# no metrics\nbinlog_pump_storage_gc_ts {gone}\n"
        out = fails(20, "drainers", *cluster.at)
        assert "at risk   vm:18248 has not read 1h 00m of what gopump-0 may have thrown" in out, out
        failed = {"status": None, "CommitTS": 0, "Checkpoint": {}, "ErrMsg": "etcd is gone"}
        node.bodies["/status"] = json.dumps(failed)
        out = fails(20, "pumps", *cluster.at)
        assert "is registered as online and cannot be asked: etcd is gone" in out, out


def drainers_say_how_they_are(folder):
    with Ctl(folder) as cluster, Node() as node:
        cluster.pump("p", "-config", config(folder)).start()
        at = cluster.now()
        cluster.drainer("d", node.address, "online", at)
        said = {"PumpPos": {"p": at}, "Synced": True, "LastTS": at + 1, "TsMap": ""}
        node.bodies["/status"] = json.dumps(said)
        drainer = status(0, "drainers", *cluster.at)["drainers"][0]
        assert drainer["checkpoint_ts"] == at + 1 and drainer["doing"] is None, drainer
        said["sluice"] = {"state": "held", "since": "2026-11-21T10:19:34Z", "code": "SL-2107",
                          "reason": "downstream refused a DDL", "lag_seconds": 61,
                          "waiting_on": "the operator"}
        node.bodies["/status"] = json.dumps(said)
        drainer = status(10, "status", *cluster.at)["drainers"][0]
        assert drainer["lag_seconds"] == 61 and drainer["doing"]["code"] == "SL-2107", drainer
        out = fails(10, "status", *cluster.at)
        assert "  1m 01s  " in out and "  held\n" in out, out
        assert ("degraded  d is held since 2026-11-21T10:19:34Z: downstream refused a DDL "
                "(SL-2107)\n") in out, out
        assert "explain-error" not in out, out  # of a code that this program does not know
        said["sluice"]["code"] = "SL-2201"
        node.bodies["/status"] = json.dumps(said)
        assert "what to do: binlogctl explain-error SL-2201\n" in fails(10, "status", *cluster.at)
        out = fails(10, "drainers", "--max-lag", "1m", *cluster.at)
        assert "d is 1m 01s behind, and waits on the operator" in out, out
        assert "data at risk" in fails(20, "status", "--retention", "80s", *cluster.at).lower()
        node.bodies["/status"] = "<html>"
        assert "who answers at its address is not it" in fails(10, "drainers", *cluster.at)
        del node.bodies["/status"]
        assert "HTTP status 404" in fails(10, "drainers", *cluster.at)


def wait_ends_when_all_have_caught_up(folder):
    with Ctl(folder) as cluster:
        assert "no drainer" in fails(1, "wait", "--caught-up", *cluster.at)
        behind = cluster.now() - (5000 << 18)
        cluster.drainer("a", "127.0.0.1:1", "online", 1 << 62)
        cluster.drainer("b", "127.0.0.1:1", "paused", behind)
        cluster.drainer("gone", "127.0.0.1:1", "offline", 1)
        out = fails(10, "wait", "--caught-up", "--timeout", "0s", *cluster.at)
        assert re.fullmatch(r"b \(paused\) lacks [5-9]\.\d s\n", out), out
        process = subprocess.Popen([BIN / "binlogctl", "wait", "--caught-up", *cluster.at],
                                   stdout=subprocess.PIPE, text=True)
        cluster.processes.append(process)
        assert process.poll() is None
        cluster.drainer("b", "127.0.0.1:1", "online", 1 << 62)
        out, _ = process.communicate(timeout=SECONDS_MAX)
        assert process.returncode == 0 and out.startswith("caught up: 2 drainers to "), out


# ---- a live cluster ----


def the_same_on_etcd_and_pd(folder):
    if shutil.which("etcd") is None:
        raise Skip("no etcd here; install etcd-server")
    place = Place(folder)
    try:
        place.etcd()
        pd, url = place.fakepd()
        place.door(url).until_ok("list", "pumps")
        at = ("-pd-urls", url.removeprefix("http://"))  # without its scheme
        for kind, value in recorded_nodes():
            etcdctl_put(place, f"/tidb-binlog/v1/{kind}/{json.loads(value)['nodeId']}", value)
        out = ok("-cmd", "pumps", "-show-offline-nodes", *at)
        assert timeless(out) == golden("pumps-after-offline"), out
        ok("-cmd", "update-pump", "-node-id", "gopump-0", "-state", "offline", *at)
        ok("-cmd", "update-drainer", "-node-id", "vm:18248", "-state", "paused", *at)
        assert timeless(ok("-cmd", "drainers", *at)) == golden("drainers-after-pause")
        ok("-cmd", "update-drainer", "-node-id", "vm:18248", "-state", "offline", *at)
        ok("-cmd", "generate_meta", "-data-dir", folder / "meta", *at)
        assert (folder / "meta/savepoint").read_text().startswith("commitTS = ")
        pump = place.start(BIN / "pump", "-pd-urls", url, "-data-dir", folder / "p", "-node-id",
                           "p", "-addr", "127.0.0.1:0", stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        wait_for("the pump is online", lambda: ctl("status", *at)[0] == 0)
        answer = status(0, "status", "--show-offline-nodes", *at)
        assert answer["cluster_id"] == str(CLUSTER) and len(answer["pumps"]) == 3, answer
        assert ok("pause", "p", "--timeout", "60s", *at) == "p is paused\n"
        assert pump.wait(timeout=SECONDS_MAX) == 0
        pd.kill()
        pd.wait()
        assert "Connection refused" in fails(1, "status", *at)
    finally:
        place.end()


if __name__ == "__main__":
    os.environ["ETCD_UNSUPPORTED_ARCH"] = os.uname().machine  # it refuses some without a word
    run_checks([
        recorded_cluster_is_listed_as_the_original_did,
        orders_reach_the_node_and_its_refusal_fails,
        unknown_nodes_states_and_commands_fail,
        many_nodes_are_all_listed,
        wrong_usage_is_refused_before_anything_is_done,
        savepoint_is_the_originals,
        password_is_encrypted_as_the_original_does,
        status_of_a_real_pump_in_all_its_states,
        pump_without_space_takes_no_writes,
        offline_waits_for_drainers_and_force_gives_up_the_dead,
        nodes_of_the_original_are_understood,
        drainers_say_how_they_are,
        wait_ends_when_all_have_caught_up,
        the_same_on_etcd_and_pd,
    ])
