import { metadata } from "../families/metadata.ts"
import { entryConditions } from "../families/parents.ts"
import { kind } from "../kind.ts"

/** Moved from one group to the other, where the list has another name. */
export const inferencePool = kind(
  "InferencePool",
  "inferencepools",
  [...metadata, ...entryConditions("parent", ["status.parents", "status.parent"], "the pool by parent")],
  ["inference.networking.k8s.io", "inference.networking.x-k8s.io"],
)
