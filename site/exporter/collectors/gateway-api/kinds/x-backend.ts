import { metadata } from "../families/metadata.ts"
import { entryConditions } from "../families/parents.ts"
import { GATEWAY_API_EXPERIMENTAL, kind } from "../kind.ts"

export const xBackend = kind(
  "XBackend",
  "xbackends",
  [...metadata, ...entryConditions("parent", ["status.parents"], "the backend by parent")],
  [GATEWAY_API_EXPERIMENTAL],
)
