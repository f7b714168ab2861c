import { quote } from "../../tenants/quote.ts"

const MOST_LABELS = 4

/** As selectors have it: without quotes where a name needs none. */
const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,79}$/
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]{0,39}$/

/** A series for a person, such as `up{job="a"}`: bounded, and safe to print whatever its labels are. */
export function seriesText(labels: Iterable<readonly [name: string, value: string]>): string {
  let name: string | undefined
  const shown: string[] = []
  let more = false
  for (const [label, value] of labels) {
    if (label === "__name__" && name === undefined) name = value
    else if (shown.length === MOST_LABELS) more = true
    else shown.push(`${labelText(label)}=${quote(value)}`)
  }
  if (name !== undefined && name !== "" && !PLAIN_NAME.test(name)) shown.unshift(quote(name))
  const metric = name !== undefined && PLAIN_NAME.test(name) ? name : ""
  return `${metric}{${[...shown, ...(more ? ["…"] : [])].join(", ")}}`
}

/** The name of a label, quoted where it needs to be. */
export const labelText = (label: string): string => (PLAIN_LABEL.test(label) ? label : quote(label))
