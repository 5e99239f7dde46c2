"""Training beside Stable-Baselines3 and a dictionary Q-learning loop, in one run: `python benchmarks/training.py [--seeds 5] [--held 20]`.

Every training is a process of its own, with one thread for torch and BLAS; times are CPU seconds, with the clock stopped while the
policy is evaluated. The debt call is learned with its simulated judge (`handling=0.1`). 100 % is the exact value of the best memoryless
policy; a policy reaches 95 % when the exact value of its greedy form is that high at two looks in a row (one every 2,000 steps, or every
update of more; of the sales call every 20,000).
Stable-Baselines3 sees the same feature vectors as our networks, over the same batched environment. Defaults of ours were chosen on seeds
below 100; the seeds here begin at 100.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HANDLING = 0.1
EVERY = 2_000
TURNS = 4  # of a sales call
FIRST_SEED = 100
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SAME = {"learning_rate": 7e-4, "gamma": 0.99, "ent_coef": 0.01}  # what the two A2C are told in a comparison of speed
FAST = SAME | {"learning_rate": 2e-3}


@dataclass
class Clock:
    """CPU seconds of training alone, and the exact values seen on the way, by steps."""

    value: Callable[[Any], float]
    best: float
    every: int = EVERY
    spent: float = 0.0
    steps: int = 0
    begun: float = 0.0

    def __post_init__(self) -> None:
        self.seen: list[tuple[int, float, float]] = []
        self.next = self.every
        self.begun = time.process_time()

    def look(self, steps: int, probs: Callable[[], Any]) -> None:
        """Evaluate, if it is time to, while the clock stands."""
        self.steps = steps
        if steps < self.next:
            return
        now = time.process_time()
        self.spent += now - self.begun
        self.seen.append((steps, self.spent, self.value(probs()) / self.best))
        self.next = steps + self.every
        self.begun = time.process_time()

    def found(self) -> dict[str, Any]:
        """Return what was measured."""
        self.spent += time.process_time() - self.begun
        made: dict[str, Any] = {"steps_per_s": self.steps / self.spent, "final": self.seen[-1][2] if self.seen else None}
        for level in (0.90, 0.95):
            hits = [a for a, b in zip(self.seen, self.seen[1:], strict=False) if a[2] >= level and b[2] >= level]
            made[f"steps_{level:.2f}"], made[f"cpu_{level:.2f}"] = hits[0][:2] if hits else (None, None)
        return made


# What is measured; each in a process of its own, so that it imports and holds what it needs and nothing else.


def call_clock() -> Clock:
    """Return a clock for the debt call; the best memoryless policy comes from the parent process, which worked it out."""
    from dialogue.environments.call_model import call_model
    from dialogue.environments.exact_call import exact_call

    call = exact_call(call_model(), None, HANDLING)
    return Clock(call.value, float(os.environ["BEST_MEMORYLESS"]))


def one_best(values: Any) -> Any:
    """Return deterministic probabilities: the first of the best actions in every row."""
    import numpy as np

    return np.eye(values.shape[1])[values.argmax(1)]


def ours(
    seed: int, learner: str, total: int, *, plain: bool = False, look: bool = True, env: str = "debt_call", **params: Any
) -> dict[str, Any]:
    """Train one of our learners; `plain` is one environment in plain Python."""
    import numpy as np

    from policies.environments import make_env
    from policies.learner_names import make_learner
    from policies.rollout import Rollouts

    made = make_learner(learner, params)
    chance = np.random.SeedSequence(seed)
    for_env, for_learner = chance.spawn(2)
    if plain:
        from dialogue.environments.debt_call import DebtCall
        from policies.gym_batch import GymBatch

        batch: Any = GymBatch([DebtCall(handling=HANDLING)])
    else:
        batch = make_env(env, made.envs, {"handling": HANDLING} if env == "debt_call" else {})
    clock = call_clock() if env == "debt_call" else sales_clock()
    if plain:
        batch.spaces = DebtCall(handling=HANDLING).spaces  # the same features that everybody sees
    source = Rollouts(batch, for_env)
    made.begin(batch.spaces, for_learner)
    shown = (lambda: one_best(made.policy().probs)) if env == "debt_call" else (lambda: made.policy().greedy())
    clock.begun, done = time.process_time(), 0
    if not look:
        clock.next = sys.maxsize
    while done < total:
        made.partial_fit(source.next(made).rollout)
        done += made.steps * batch.n
        clock.look(done, shown)
    return clock.found()


def theirs(
    seed: int,
    total: int,
    envs: int = 1,
    *,
    plain: bool = False,
    look: bool = True,
    env: str = "debt_call",
    algorithm: str = "A2C",
    **params: Any,
) -> dict[str, Any]:
    """Train one of Stable-Baselines3's learners with its own loop."""
    import gymnasium
    import numpy as np
    import stable_baselines3
    import torch
    from stable_baselines3.common.callbacks import BaseCallback

    from policies.environments import make_env
    from policies.sb3_env import BatchVecEnv

    torch.set_num_threads(1)
    if plain:
        from dialogue.environments.debt_call import DebtCall

        inner = DebtCall(handling=HANDLING)
        features = inner.spaces.features.astype(np.float32)

        class Shown(gymnasium.ObservationWrapper):  # type: ignore[type-arg]
            observation_space = gymnasium.spaces.Box(0, 1, (features.shape[1],), np.float32)

            def observation(self, observation: int) -> Any:
                return features[observation]

        around: Any = Shown(inner)
        spaces = inner.spaces
    else:
        batch = make_env(env, envs, {"handling": HANDLING} if env == "debt_call" else {})
        around, spaces = BatchVecEnv(batch, np.random.SeedSequence(seed)), batch.spaces
    clock = call_clock() if env == "debt_call" else sales_clock()
    model = getattr(stable_baselines3, algorithm)("MlpPolicy", around, seed=seed, device="cpu", verbose=0, **params)

    def shown() -> Any:
        if env != "debt_call":
            return model
        seen = torch.as_tensor(spaces.features, dtype=torch.float32)
        with torch.no_grad():
            if algorithm == "DQN":
                return one_best(model.q_net(seen).numpy())
            return one_best(model.policy.get_distribution(seen).distribution.probs.numpy())

    class Looking(BaseCallback):
        def _on_step(self) -> bool:
            clock.look(self.num_timesteps, shown)
            return True

    if not look:
        clock.next = sys.maxsize
    clock.begun = time.process_time()
    model.learn(total, callback=Looking())
    return clock.found()


def dictionary(seed: int, total: int, alpha: float, *, look: bool = True) -> dict[str, Any]:
    """Q-learning as textbooks have it: a dictionary of arrays and one plain Python environment."""
    import numpy as np

    from dialogue.environments.debt_call import DebtCall

    env, rng = DebtCall(handling=HANDLING), np.random.default_rng(seed)
    q: dict[int, Any] = defaultdict(lambda: np.zeros(4))
    clock = call_clock()
    size = env.spaces.observations or 0
    if not look:
        clock.next = sys.maxsize
    clock.begun = time.process_time()
    state, _ = env.reset(seed=seed)
    for done in range(1, total + 1):
        action = int(rng.integers(4)) if rng.random() < 0.1 else int(np.argmax(q[state]))
        after, reward, over, cut, _ = env.step(action)
        q[state][action] += alpha * (reward + (0.0 if over else np.max(q[after])) - q[state][action])
        state = env.reset()[0] if over or cut else after
        clock.look(done, lambda: one_best(np.array([q[s] if s in q else np.zeros(4) for s in range(size)])))
    return clock.found()


def sales_clock() -> Clock:
    """Return a clock for the sales call: a policy's value is its mean reward a step over 64 x 200 steps with chance of its own."""
    import numpy as np

    from policies.environments import make_env

    env = make_env("sales_call", 64)

    def value(policy: Any) -> float:
        seen, earned = env.reset(np.random.SeedSequence(7)), 0.0
        rng = np.random.default_rng(7)
        for _ in range(200):
            if hasattr(policy, "predict"):
                actions = (policy.predict(np.asarray(seen, np.float32), deterministic=True)[0] + 1) / 2
            else:
                actions = np.clip(policy.act(seen, rng)[0], 0, 1)
            earned += float(env.step(actions).rewards.mean())
            seen = env.observations
        return earned / 200

    return Clock(value, float(os.environ["BEST_SALES"]), every=20_000)  # a look takes seconds here


def linucb(seed: int, count: int) -> dict[str, Any]:
    """Decide and learn, one decision at a time, on the features of the debt call's observations."""
    import numpy as np

    from policies.environments import make_env
    from policies.learner_names import make_learner

    spaces = make_env("debt_call", 1).spaces
    made: Any = make_learner("linucb", {}).begin(spaces, np.random.SeedSequence(seed))
    rng = np.random.default_rng(seed)
    contexts, noise = spaces.features[rng.integers(spaces.features.shape[0], size=count)], rng.normal(size=count)
    begun = time.process_time()
    for context, reward in zip(contexts, noise.tolist(), strict=True):
        action = made.decide(context)
        made.update(context, action[0] if isinstance(action, tuple) else action, reward)
    return {"steps_per_s": count / (time.process_time() - begun)}


def alone(n: int, steps: int, env: str = "debt_call", seed: int = 0) -> dict[str, Any]:
    """Step an environment with actions that were drawn before."""
    import numpy as np

    from policies.environments import make_env

    batch = make_env(env, n)
    batch.reset(np.random.SeedSequence(seed))
    rng = np.random.default_rng(seed)
    k = len(batch.spaces.actions)
    actions = [rng.random((n, k)) if batch.spaces.continuous else rng.integers(k, size=n) for _ in range(64)]
    begun = time.process_time()
    for at in range(steps // n):
        batch.step(actions[at % 64])
    return {"steps_per_s": steps // n * n / (time.process_time() - begun)}


def imported() -> dict[str, Any]:
    """Import what training needs, and nothing else; wall time and memory."""
    code = (
        "import time; t=time.perf_counter();"
        "import policies.rollout, policies.training, policies.checkpoint, policies.saved, policies.learner_names;"
        "from policies.learners import actor_critic, a2c, tabular_q; import dialogue.environments.debt_batch;"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'));"  # ru_maxrss would be what forked this process
        "print(time.perf_counter()-t, int(status['VmHWM'].split()[0])/1024)"
    )
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # compiled once, as anywhere
    ran = [subprocess.run([sys.executable, "-c", code], env=usual, capture_output=True, text=True, check=True) for _ in range(8)]
    runs = [run.stdout.split() for run in ran[1:]]
    return {"seconds": statistics.median(float(run[0]) for run in runs), "mb": statistics.median(float(run[1]) for run in runs)}


MEASURED = {f.__name__: f for f in (ours, theirs, dictionary, linucb, alone)}


def apart(kind: str, seeds: range, best: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    """Measure in a process of its own, once for each seed."""
    found = []
    for seed in seeds:
        task = json.dumps([kind, params | {"seed": seed}])
        done = subprocess.run(
            [sys.executable, __file__, "--task", task], env=os.environ | ONE_THREAD | best, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{kind} {params}:\n{done.stderr}")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return found


def middle(found: list[dict[str, Any]], key: str) -> float | None:
    """Return the median over seeds; None where fewer than half have one."""
    values = sorted(float("inf") if one.get(key) is None else one[key] for one in found)
    value = statistics.median_low(values)
    return None if value == float("inf") else value


def limit(what: str, measured: float | None, sign: str, wanted: float, told: str = "") -> None:
    """Print a figure beside its limit."""
    good = measured is not None and (measured >= wanted if sign == ">=" else measured <= wanted)
    shown = "-" if measured is None else f"{measured:,.3g}" if measured < 1000 else f"{measured:,.0f}"
    print(f"| {what} | {shown} | {sign} {wanted:,g} | {'ok' if good else 'MISSED'} | {told} |", flush=True)


def row(name: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print a trainer's line."""

    def cell(key: str, shape: str) -> str:
        value = middle(found, key)
        return "-" if value is None else format(value, shape)

    reached = sum(one["cpu_0.95"] is not None for one in found)
    finals = [one["final"] for one in found if one["final"] is not None]
    ends = f"{statistics.median(finals):.3f} ({min(finals):.2f}..{max(finals):.2f})" if finals else "-"
    cells = [
        cell("steps_per_s", ",.0f"),
        cell("steps_0.90", ",.0f"),
        cell("steps_0.95", ",.0f"),
        cell("cpu_0.95", ".3f"),
        f"{reached}/{len(found)}",
        ends,
    ]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return found


def main() -> None:
    """Run everything and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="of each comparison")
    parser.add_argument("--held", type=int, default=20, help="of our own defaults")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        kind, params = json.loads(given.task)
        print(json.dumps(MEASURED[kind](**params)))
        return

    from dialogue.environments.call_model import call_model
    from dialogue.environments.exact import local_optima
    from dialogue.environments.exact_call import exact_call
    from dialogue.environments.sales_optimum import best as best_sales
    from policies.environments import make_env

    sales: Any = make_env("sales_call", 1)
    optimum = best_sales(sales.rules).value / TURNS
    call = exact_call(call_model(), None, HANDLING)
    optima = [value for value, _ in local_optima(call, 16)]
    best = {"BEST_MEMORYLESS": repr(max(optima)), "BEST_SALES": repr(optimum)}
    agree = sum(value > max(optima) - 1e-9 for value in optima)
    print(
        f"debt call: hidden state seen {call.upper_bound():.4f}; best memoryless {max(optima):.4f} ({agree} of 16 restarts agree); "
        f"sales call: optimum {optimum:.4f} a step\n"
    )

    few, held = range(FIRST_SEED, FIRST_SEED + given.seeds), range(FIRST_SEED, FIRST_SEED + given.held)
    print(
        "| trainer | steps/s (CPU) | steps to 90 % | steps to 95 % | CPU s to 95 % | reached 95 % | final / best (min..max) |\n"
        "|---|---|---|---|---|---|---|"
    )

    def compared(name: str, kind: str, seeds: range = few, **params: Any) -> list[dict[str, Any]]:
        return row(name, apart(kind, seeds, best, **params))

    peers = {
        8: compared("SB3 A2C, 8 envs, n_steps 5, ent .01", "theirs", envs=8, total=40_000, n_steps=5, **SAME),
        64: compared("SB3 A2C, 64 envs, n_steps 5, ent .01", "theirs", envs=64, total=160_000, n_steps=5, **SAME),
        1: compared("SB3 A2C, one plain Python env, n_steps 40, ent .01", "theirs", plain=True, total=20_000, n_steps=40, **SAME),
        256: compared("SB3 A2C, 256 envs, n_steps 5, ent .01, lr 2e-3", "theirs", envs=256, total=160_000, n_steps=5, **FAST),
    }
    compared("SB3 A2C, its defaults (1 env, n_steps 5, ent 0)", "theirs", plain=True, total=20_000)
    peers[0] = compared("SB3 PPO, 8 envs, n_steps 128", "theirs", algorithm="PPO", envs=8, total=20_000, n_steps=128)
    compared("SB3 DQN, its defaults", "theirs", algorithm="DQN", plain=True, total=20_000)
    textbook = compared("dictionary Q, alpha .1", "dictionary", total=200_000, alpha=0.1)
    compared("dictionary Q, alpha .02", "dictionary", total=200_000, alpha=0.02)
    print("| **ours at the same settings** | | | | | | |")
    our_8 = compared("A2C, 8 envs", "ours", learner="a2c", envs=8, steps=5, total=40_000, **SAME)
    our_64 = compared("A2C, 64 envs, nets at every step", "ours", learner="a2c", envs=64, steps=5, total=160_000, distinct=False, **SAME)
    our_64d = compared("A2C, 64 envs, nets once per distinct observation", "ours", learner="a2c", envs=64, steps=5, total=160_000, **SAME)
    one: dict[str, Any] = {"learner": "a2c", "plain": True, "envs": 1, "steps": 40, "total": 20_000} | SAME
    our_1 = compared("A2C, one plain Python env, nets at every step", "ours", distinct=False, **one)
    our_1d = compared("A2C, one plain Python env, nets once per distinct observation", "ours", **one)
    compared("A2C, 256 envs, lr 2e-3", "ours", learner="a2c", envs=256, steps=5, total=160_000, **FAST)
    print("| **our defaults, held-out seeds** | | | | | | |")
    ac = compared("actor-critic (the default)", "ours", held, learner="actor-critic", total=640_000)
    a2c = compared("a2c", "ours", held, learner="a2c", total=400_000)
    q = compared("q", "ours", held, learner="q", total=1_280_000)
    print("| **sales call**, shares of the optimum | | | | | | |")
    tuned = {"learning_rate": 2e-3, "gae_lambda": 0.9, "ent_coef": 0.01}
    sales_sb3 = compared(
        "SB3 A2C, 64 envs, n_steps 4, lr 2e-3, lambda .9", "theirs", env="sales_call", envs=64, total=400_000, n_steps=4, **tuned
    )
    sold = compared("a2c, the same", "ours", env="sales_call", learner="a2c", envs=64, steps=4, total=400_000, **tuned)

    def speed(found: list[dict[str, Any]]) -> float:
        return statistics.median(one["steps_per_s"] for one in found)

    def finals(found: list[dict[str, Any]]) -> float:
        return statistics.median(one["final"] for one in found)

    cheapest = min(cpu for found in peers.values() if (cpu := middle(found, "cpu_0.95")))
    reached = sum((one["cpu_0.95"] or 9e9) <= 0.05 for one in ac)
    print("\n| figure | measured | limit | | |\n|---|---|---|---|---|")
    limit("A2C / SB3, 8 envs", speed(our_8) / speed(peers[8]), ">=", 6)
    limit("A2C / SB3, batch of 64, nets at every step", speed(our_64) / speed(peers[64]), ">=", 4)
    limit("A2C / SB3, batch of 64, nets once per distinct observation", speed(our_64d) / speed(peers[64]), ">=", 7)
    limit("A2C / SB3, one plain Python env, nets at every step", speed(our_1) / speed(peers[1]), ">=", 8)
    limit("A2C / SB3, one plain Python env, the default", speed(our_1d) / speed(peers[1]), ">=", 8)
    limit("CPU s to 95 %: SB3's best / actor-critic", cheapest / (middle(ac, "cpu_0.95") or 9e9), ">=", 8)
    limit("CPU s to 95 %, actor-critic", middle(ac, "cpu_0.95"), "<=", 0.05)
    limit(f"seeds of {given.held} that reach 95 % in 0.05 CPU s", reached, ">=", round(0.95 * given.held))
    limit("q / dictionary loop, steps/s", speed(q) / speed(textbook), ">=", 25)
    limit("final value, actor-critic", finals(ac), ">=", 0.98)
    limit("final value, a2c", finals(a2c), ">=", 0.98)
    limit("final value, q", finals(q), ">=", 0.95)
    limit("sales call, batch of 64: A2C / SB3", speed(sold) / speed(sales_sb3), ">=", 2.5)
    limit("sales call, share of the optimum", finals(sold), ">=", 0.90)
    limit("LinUCB, decisions and updates/s, one at a time", speed(apart("linucb", few, best, count=50_000)), ">=", 80_000)
    loaded = imported()
    limit("import of what training needs, s", loaded["seconds"], "<=", 0.25)
    limit("the same, MB", loaded["mb"], "<=", 80)

    print("\nwith an LLM judge in the loop every step is a judged turn; judged turns to 90 % and 95 % (median of held-out seeds):")
    for name, found in (("actor-critic", ac), ("a2c", a2c), ("q", q)):
        print(f"  {name:14s} {middle(found, 'steps_0.90') or float('nan'):>9,.0f} {middle(found, 'steps_0.95') or float('nan'):>9,.0f}")
    print("\nenvironments alone, steps/s:")
    for env, n in (("debt_call", 64), ("debt_call", 256), ("debt_call", 1024), ("sales_call", 64), ("sales_call", 256)):
        print(f"  {env} x {n}: {speed(apart('alone', range(3), best, env=env, n=n, steps=2_000_000)):,.0f}")


if __name__ == "__main__":
    main()
