"""Texts embedded per second, beside sentence-transformers with its OpenVINO backend and with its defaults.

Every engine runs in its own process, every peer in its own environment, built at the first call from
`benchmarks/peers/<name>.txt`. Rounds are interleaved, threads are equal, loading is left out, and peers get
the batch size that suits them best.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
OURS = "nightloom"
PEERS = ("st_openvino", "st_default")
YARDSTICK = "st_default"
SEED = 7
MEDIAN_WORDS = 45
SPREAD = 0.7  # standard deviation of log words; reviews of electronics measured 0.70

WORDS = {
    "who": "I we my-wife my-son our-team the-kids a-friend customers the-nurse everyone he they".split(),
    "did": "bought returned loved noticed replaced compared opened tried expected dropped charged cleaned "
    "recommended ordered missed fixed".split(),
    "what": "battery screen charger delivery invoice refund checkout keyboard speaker camera sleeve manual "
    "warranty subscription hotel breakfast waiter film ending plot shipping box app update password router "
    "mattress jacket zipper dosage appointment".split(),
    "how": "quickly twice yesterday again badly without-trouble after-two-days in-March for-the-price "
    "at-the-airport since-the-update by-mistake as-advertised on-a-rainy-weekend".split(),
    "like": "slow bright cheap sturdy noisy helpful confusing gorgeous unreliable late overpriced friendly "
    "waterproof lukewarm excellent broken 3.5-star half-empty user-friendly".split(),
    "link": "because although and but so while which-is-why until".split(),
}


def write_texts(n_texts: int) -> list[str]:
    """Distinct made-up texts of log-normal length, the same for the same number."""
    rng = np.random.default_rng(SEED)

    def pick(kind: str) -> str:
        return str(rng.choice(WORDS[kind])).replace("-", " ")

    texts = []
    for n_words in np.exp(rng.normal(np.log(MEDIAN_WORDS), SPREAD, n_texts)):
        words: list[str] = []
        while len(words) < max(2, n_words):
            clause = f"{pick('who')} {pick('did')} the {pick('like')} {pick('what')} {pick('how')}"
            if rng.random() < 0.5:
                clause += f", {pick('link')} the {pick('what')} was {pick('like')}"
            words += f"{clause[0].upper()}{clause[1:]}.".split()
        texts.append(" ".join(words[: max(2, round(n_words))]))
    return texts


def read_texts(path: Path, column: str, n_texts: int) -> list[str]:
    """A fixed random sample of the distinct texts in a Parquet column."""
    import polars as pl

    distinct = pl.read_parquet(path, columns=[column])[column].drop_nulls().unique().sort()
    return distinct.sample(min(n_texts, len(distinct)), seed=SEED, shuffle=True).to_list()


def environment(name: str) -> Path:
    """Python of a peer's environment, built anew when its requirements have changed."""
    requirements = HERE / "peers" / f"{name}.txt"
    folder = HERE / ".environments" / name
    python = folder / "bin" / "python"
    built = folder / "built-from"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not (built.exists() and built.read_text() == wanted):
        print(f"building {folder} from {requirements.name} (minutes, once)", file=sys.stderr)
        create = [sys.executable, "-m", "venv", "--clear", folder]
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements]
        for command in (create, install):
            if subprocess.run(command, stdout=sys.stderr).returncode:
                raise SystemExit(f"benchmark: {folder} could not be built; pip's message is above")
        built.write_text(wanted)
    return python


class Conversation:
    """Commands to a process, one JSON object a line, and its answers."""

    _process: subprocess.Popen[str]
    name: str

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Give one command and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"benchmark: the engine {self.name} ended early; its message is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Worker(Conversation):
    """An engine in its own process."""

    def __init__(self, name: str, python: Path, model: Path, threads: int, engine: str) -> None:
        command = [python, HERE / "embedding_worker.py", name, "--model", model, "--threads", threads]
        self._process = subprocess.Popen(
            [*map(str, command), "--engine", engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parent,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"},
        )
        self.name = name
        self.about = self._answer()
        self.rounds: list[dict[str, float]] = []


def measure(texts: list[str], rounds: int, threads: int, engine: str) -> dict[str, Any]:
    """Interleaved rounds of every engine on the same texts."""
    from analytics.models.embedding import describe_model
    from analytics.settings import EmbeddingSettings

    folder = describe_model(EmbeddingSettings()).folder
    pythons = {OURS: Path(sys.executable), **{name: environment(name) for name in PEERS}}
    workers = [Worker(name, python, folder, threads, engine) for name, python in pythons.items()]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        for worker in workers:
            worker.ask("texts", path=str(path))
            if worker.name != OURS:
                worker.about.update(worker.ask("choose", n_texts=min(256, len(texts))))
            worker.ask("round")
        for nth in range(rounds):
            # There and back again: neighbours stay neighbours, and none always follows the other.
            for worker in workers if nth % 2 == 0 else workers[::-1]:
                worker.rounds.append(worker.ask("round"))
                rate = len(texts) / worker.rounds[-1]["seconds"]
                print(f"round {nth + 1}/{rounds} {worker.name}: {rate:.0f} texts/s", file=sys.stderr)
        vectors = {}
        for worker in workers:
            file = Path(scratch) / f"{worker.name}.npy"
            worker.ask("save", path=str(file))
            vectors[worker.name] = np.load(file)
            worker.close()
    return summarise(texts, workers, vectors)


def summarise(texts: list[str], workers: list[Worker], vectors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Medians per engine, our ratio to the best peer within this run, and cosines to fp32."""

    def median_rate(worker: Worker, clock: str) -> float:
        return len(texts) / statistics.median(one[clock] for one in worker.rounds)

    rates = {worker.name: median_rate(worker, "seconds") for worker in workers}
    best = max(PEERS, key=lambda name: rates[name])
    cosines = {name: (found * vectors[YARDSTICK]).sum(1) for name, found in vectors.items()}
    by_name = {worker.name: worker for worker in workers}
    pairs = zip(by_name[OURS].rounds, by_name[best].rounds, strict=True)
    # Within a round the two ran one after the other: the fair comparison on a machine with other work.
    by_round = [peer["seconds"] / ours["seconds"] for ours, peer in pairs]
    return {
        "schema_version": 1,
        "machine": machine(),
        "n_texts": len(texts),
        "median_words": statistics.median(len(text.split()) for text in texts),
        "rounds": len(by_name[OURS].rounds),
        "texts_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "texts_per_cpu_second": {w.name: round(median_rate(w, "cpu_seconds"), 1) for w in workers},
        "best_peer": best,
        "ratio_to_best_peer": round(statistics.median(by_round), 3),
        "ratio_by_round": [round(ratio, 3) for ratio in by_round],
        "cosine_min": round(float(cosines[OURS].min()), 6),
        "cosine_min_by_engine": {name: round(float(found.min()), 6) for name, found in cosines.items()},
        "engines": {worker.name: worker.about for worker in workers},
    }


def machine() -> dict[str, Any]:
    """The processor and how busy it was."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        cpu = names[0] if names else cpu
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "load_average": round(os.getloadavg()[0], 1)}


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    on = result["machine"]
    lines = [
        f"{result['n_texts']} texts, median {result['median_words']:g} words, {result['rounds']} rounds; "
        f"{on['cpu']}, {on['cores']} cores, load {on['load_average']}",
        "",
        f"{'engine':<12} {'texts/s':>9} {'texts/cpu-s':>12} {'cosine min':>11}  set-up",
    ]
    for name, rate in result["texts_per_second"].items():
        about = result["engines"][name]
        set_up = ", ".join(f"{key} {value}" for key, value in about.items())
        lines.append(
            f"{name:<12} {rate:>9.1f} {result['texts_per_cpu_second'][name]:>12.1f} "
            f"{result['cosine_min_by_engine'][name]:>11.6f}  {set_up}"
        )
    by_round = ", ".join(f"{ratio:.2f}" for ratio in result["ratio_by_round"])
    lines += ["", f"{result['ratio_to_best_peer']:.2f} × {result['best_peer']} (by round: {by_round})"]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=2000, help="how many texts")
    parser.add_argument("--data", type=Path, help="Parquet file with real texts instead of made-up ones")
    parser.add_argument("--text", default="text", help="its column")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--engine", choices=["auto", "openvino", "torch"], default="auto", help="ours")
    arguments = parser.parse_args()
    if arguments.data:
        texts = read_texts(arguments.data, arguments.text, arguments.texts)
    else:
        texts = write_texts(arguments.texts)
    result = measure(texts, arguments.rounds, arguments.threads, arguments.engine)
    print(json.dumps(result, indent=2, ensure_ascii=False) if arguments.json else table(result))


if __name__ == "__main__":
    main()
