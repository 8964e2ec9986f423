"""Numbers as preparing a competition and grading a submission give them."""

import itertools
import random
from typing import Any

from app.evaluations import NewScore

N_MODELS = 32
FACTS = {
    "original": {
        "retain_accuracy": 0.991,
        "forget_accuracy": 0.978,
        "test_accuracy": 0.732,
        "attack_auc": 0.771,
    },
    "retrained": {
        "retain_accuracy": 0.992,
        "forget_accuracy": 0.574,
        "test_accuracy": 0.751,
        "attack_auc": 0.509,
    },
    "retraining": {
        "score": 0.0923,
        "interval_low": 0.0854,
        "interval_high": 0.0992,
        "calibrated_score": 1.0,
        "forgetting_quality": 0.0921,
        "retain_ratio": 1.0004,
        "test_ratio": 1.0018,
        "grader_version": "1",
    },
    "n_forget": 100,
    "n_retain": 500,
    "n_test": 400,
    "device": "cpu",
}


def graded(forgetting: float, retain: float, test: float, flags: tuple[str, ...] = ()) -> NewScore:
    """Return a score as the grader gives it, with replicates that spread by 0.002."""
    score, top = forgetting * retain * test, FACTS["retraining"]["forgetting_quality"]
    chance = random.Random(round(forgetting * 1e6))
    spread = [chance.gauss(0, 0.002) for _ in range(64)]
    return NewScore(
        grader_version="1",
        score=score,
        forgetting_quality=forgetting,
        retain_ratio=retain,
        test_ratio=test,
        report={},
        calibrated_score=score / top,
        interval=(score - 0.004, score + 0.004),
        calibrated_interval=((score - 0.004) / top, (score + 0.004) / top),
        flags=flags,
        replicates={
            "official": [score + one for one in spread],
            "calibrated": [(score + one) / top for one in spread],
        },
        summary={
            "forget_accuracy": 0.6312345,
            "retrained_forget_accuracy": 0.5742345,
            "median_epsilon": 3.2189123,
            "share_without_points": 0.0333333,
            "median_attack_auc": 0.5417123,
            "share_proved": 0.0833333,
            "share_rejected": None,
        },
        plots=drawn_from(chance),
    )


def drawn_from(chance: random.Random, examples: int = 100, models: int = N_MODELS) -> dict[str, Any]:
    """Return what plots are drawn from, as the worker stores it."""
    edges = [0.5 * index for index in range(9)]
    rates = [
        one / 1000 for one in (0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
    ]
    power = chance.uniform(0.5, 0.9)
    places = chance.sample(range(examples), 12)
    spread = (-2.1, -0.8, 0.0, 0.7, 1.9)
    return {
        "models": models,
        "examples": examples,
        "epsilon": {
            "edges": edges,
            "unlearned": counted([chance.gauss(3.0, 1.1) for _ in range(examples - 4)] + [50.0] * 4, edges),
            "retrained": counted([chance.gauss(1.9, 0.6) for _ in range(examples)], edges),
        },
        "roc": {"false_positive_rate": rates, "true_positive_rate": [one**power for one in rates]},
        "telling": {
            "example": places,
            "epsilon": [50.0] * 4 + sorted((chance.uniform(4, 6) for _ in range(8)), reverse=True),
            "unlearned": [
                [centre + 0.7 * one for one in spread] for centre in (chance.gauss(4, 1) for _ in places)
            ],
            "retrained": [
                [centre + 1.3 * one for one in spread] for centre in (chance.gauss(0, 1) for _ in places)
            ],
        },
    }


def counted(epsilon: list[float], edges: list[float]) -> list[int]:
    """Count epsilons between edges, from the last edge on, and at the cap."""
    capped = sum(one >= 50 for one in epsilon)
    ends = [*edges, 50.0]
    return [
        sum(max(one, 0) >= low and max(one, 0) < high for one in epsilon)
        for low, high in itertools.pairwise(ends)
    ] + [capped]
