"""The way of an evaluation between computing and being final: ratings, review, appeals, revisions,
late facts. The states themselves are in performance.models.evaluations, what they mean in
docs/algorithms/evaluations.md."""
