import { z } from "zod"
import { expected, parsed } from "#core/config/schema.ts"
import { type Parse, Wrong } from "#core/config/settings.ts"
import { compile } from "#core/promql/compiled.ts"
import { CONTROL } from "#core/http/credential-schema.ts"
import { labelPattern } from "./label-pattern.ts"

const LABEL = /^[a-zA-Z_]\w*$/
const labelName = z.string(expected("the name of a label")).regex(LABEL, "must be the name of a label")

/** Without these, series lose what they are. */
const ESSENTIAL = ["__name__", "le", "quantile"]

/** Labels that a site's own series lose, such as those of its replicas. */
export const dropLabels = z.array(
  labelName.refine(
    (label) => !ESSENTIAL.includes(label),
    `must not be one of ${ESSENTIAL.join(", ")}, without which series are something else`,
  ),
  expected("a list of labels, such as [prometheus_replica]"),
)

const oneLine = (text: string): boolean => !CONTROL.test(text)
const regex: Parse<string> = (text) => {
  if (!oneLine(text)) return new Wrong("must be one line without control characters")
  const { invalid } = compile([{ label: "regex", op: "=~", value: text }])
  return invalid === undefined ? text : new Wrong(`is ${invalid.replace(/^.*? is /, "")}`)
}
const line = z.string(expected("text")).refine(oneLine, "must be one line without control characters")

const ACTIONS = [
  ...["replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep"],
  ...["lowercase", "uppercase"],
] as const

const rule = z.strictObject(
  {
    source_labels: z.array(labelName, expected("a list of labels")).optional(),
    separator: line.optional(),
    regex: parsed("a regular expression", regex).optional(),
    modulus: z.int(expected("a whole number")).positive("must be a whole number above 0").optional(),
    target_label: line.optional(),
    replacement: parsed("text", (text) => (oneLine(text) ? text : new Wrong("must be one line"))).optional(),
    action: z.enum(ACTIONS, expected(`one of ${ACTIONS.join(", ")}`)).optional(),
  },
  expected("a map with an action, as in Prometheus' metric_relabel_configs"),
)

/** Keys that an action needs, and those it may have beside them; as Prometheus checks them. */
const KEYS: Readonly<Record<string, readonly [needed: readonly string[], allowed?: readonly string[]]>> = {
  replace: [["target_label"]],
  keepequal: [
    ["source_labels", "target_label"],
    ["source_labels", "target_label"],
  ],
  dropequal: [
    ["source_labels", "target_label"],
    ["source_labels", "target_label"],
  ],
  hashmod: [["modulus", "target_label"]],
  lowercase: [["target_label"]],
  uppercase: [["target_label"]],
  labelmap: [["regex"]],
  labeldrop: [["regex"], ["regex"]],
  labelkeep: [["regex"], ["regex"]],
}

/** Those that a rule takes off, where that can be decided. */
function essentialLostBy(action: string, pattern: string | undefined): readonly string[] {
  if (pattern === undefined || (action !== "labeldrop" && action !== "labelkeep")) return []
  const matches = labelPattern(pattern)
  return ESSENTIAL.filter((label) => matches(label) === (action === "labeldrop"))
}

/** What the target may be: a name, or a template of one where the rule replaces. */
const TARGET = /^(?:[a-zA-Z_]|\$\{?\w+\}?)(?:\w|\$\{?\w+\}?)*$/

/** Applied before the portal sets its own labels, so that no rule can change whose series these are. */
export const metricRelabelConfigs = z.array(
  rule.superRefine((value, context) => {
    const { action = "replace", target_label } = value
    const [needed, allowed] = KEYS[action] ?? [[]]
    const given = Object.keys(value).filter((key) => key !== "action" && value[key as keyof typeof value] !== undefined)
    for (const key of needed.filter((one) => !given.includes(one)))
      context.addIssue({ code: "custom", message: `must have ${key} with the action ${action}` })
    for (const key of given.filter((one) => !(allowed ?? given).includes(one)))
      context.addIssue({ code: "custom", path: [key], message: `has no effect with the action ${action}` })
    const lost = essentialLostBy(action, value.regex)
    if (lost.length > 0)
      context.addIssue({
        code: "custom",
        path: ["regex"],
        message: `takes off ${lost.join(", ")}, without which series are something else`,
      })
    const valid = action === "replace" ? TARGET : LABEL
    if (target_label !== undefined && !valid.test(target_label))
      context.addIssue({ code: "custom", path: ["target_label"], message: "must be the name of a label" })
  }),
  expected("a list of rules, as in Prometheus' metric_relabel_configs"),
)
