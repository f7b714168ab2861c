import { type Family, info } from "../family.ts"
import { listeners } from "./listeners.ts"
import { metadata } from "./metadata.ts"
import { listenerConditions, objectConditions } from "./status.ts"

export const listenerSet: readonly Family[] = [
  ...metadata,
  info("parent_info", "The Gateway that the listeners are to be added to.", "spec.parentRef", {
    parent_group: "group",
    parent_kind: "kind",
    parent_name: "name",
    parent_namespace: "namespace",
  }),
  ...listeners,
  ...objectConditions("the ListenerSet"),
  ...listenerConditions,
]
