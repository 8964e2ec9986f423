"""Examples of public data for the OpenAPI document."""

from typing import Any

from app.competitions import Batches, Bundle, Evaluation, Publish, Sandbox

DIGEST = "9f2c1b7a4d0e8c6352a1b0c9d8e7f6a54b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e"
_SECTIONS = {
    "bundle": Bundle(),
    "sandbox": Sandbox(),
    "evaluation": Evaluation(),
    "batches": Batches(),
    "publish": Publish(),
}
PUBLIC_DATA: dict[str, Any] = {
    "competition": "digits",
    "reference_version": 1,
    "reference_digest": "3b4f6a1d0c92e7f58b1c6d4e9a0f7283546bd1c0e9f8a7b6c5d4e3f2a1b0c9d8",
    "retrain_seconds": 7.4,
    "full_size": {"retain": 540, "forget": 60},
    "rules": {
        "title": "Forget some digits",
        "entry_function": "unlearning",
        **{name: section.model_dump(mode="json") for name, section in _SECTIONS.items()},
    },
    "files": [
        {
            "name": "material.npz",
            "bytes": 41_210,
            "sha256": DIGEST,
            "what": "Images, labels and ids of the retain, forget and validation sets.",
            "arrays": [{"name": "retain_images", "dtype": "float32", "shape": [100, 1, 8, 8]}],
            "url": f"/api/v1/competitions/digits/data/{DIGEST}",
        }
    ],
    "total_bytes": 41_210,
}
NO_DATA = (
    "not_found",
    "Not found",
    "This competition gives no public data.",
    "Its pages say what there is.",
)
NO_FILE = (
    "not_found",
    "Not found",
    "The public data hold no such file now.",
    "Read the list of files again: the competition may have been prepared anew.",
)
NOT_PREPARED = (
    "not_prepared",
    "The competition is not prepared yet",
    "The public split of digits has no reference yet.",
    "An organiser prepares it with `lethe competition prepare`.",
)
