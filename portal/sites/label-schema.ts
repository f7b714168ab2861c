import { z } from "zod"
import { expected } from "#core/config/schema.ts"
import { CONTROL } from "#core/http/credential-schema.ts"

/** Those of usage: set for a site, they would make one series of all its projects. */
const USAGE_LABELS = ["project_id", "project_name", "domain_id", "domain_name"]
const MEASURED_LABELS = ["job", "instance", "le", "quantile"]

const isNoneOf = (labels: readonly string[], reason: string) =>
  z.refine<string>((label) => !labels.includes(label), `must not be one of ${labels.join(", ")}, ${reason}`)

const labelValue = z
  .union(
    [z.string().min(1, "must not be empty: leave the label out"), z.number().transform(String)],
    expected("text or a number; quote it"),
  )
  .refine(
    (value) => value.isWellFormed() && !CONTROL.test(value),
    "must be one line of valid Unicode without control characters",
  )

/** Labels that are set on all series of a site or sender. `reserved`: names that are not taken, besides those that differ within it. */
export function labelsSchema(reserved: readonly string[]) {
  const labelName = z
    .string()
    .regex(/^[a-zA-Z_]\w*$/, { error: "is no label name: letters, digits and _ only, and no digit first", abort: true })
    .regex(/^(?!__)/, "must not begin with __, which Prometheus reserves")
    .check(isNoneOf([...reserved, ...MEASURED_LABELS], "which have a meaning already"))
    .check(isNoneOf(USAGE_LABELS, "by which the series of usage differ"))
  return z.record(labelName, labelValue, "must be labels, such as {location: city-a}")
}
