import type { Family } from "../family.ts"
import { elements, field, type Json } from "../fields.ts"
import { label } from "../labels.ts"
import { type ConditionRules, conditionFamilies, type Verdict } from "./conditions.ts"

const conditions = field("status.conditions")
const listeners = field("status.listeners")
const conditionsOf = field("conditions")
const nameOf = field("name")

/** Conditions of an object as a whole, in families named as the predecessor named them: `…_status`. */
export function objectConditions(of: string, observed: ConditionRules["observed"] = "type"): readonly Family[] {
  return conditionFamilies({
    suffix: "status",
    name: "status",
    of,
    observed,
    verdicts: (object) => [{ labels: "", conditions: conditions(object) }],
  })
}

export const listenerConditions: readonly Family[] = conditionFamilies({
  suffix: "status_listeners",
  of: "a listener",
  observed: "type",
  verdicts: function* (object: Json): Iterable<Verdict> {
    for (const listener of elements(listeners(object))) {
      const name = label("listener_name", nameOf(listener))
      if (name !== "") yield { labels: name, conditions: conditionsOf(listener) }
    }
  },
})
