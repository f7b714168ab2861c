import type { StoredSeries } from "../store/series.ts"
import { isLegacyLabel, isLegacyName } from "./names.ts"

/**
 * A sample's line as far as its value: `up{job="a",instance=""}`. Names with other characters are quoted. /federate of Prometheus
 * gives all series an instance, too.
 */
export function createSeriesText(): (series: StoredSeries) => string {
  /** By the name of the label, as far as its value. */
  const known = new Map<string, string>()
  const labelText = (label: string): string => {
    const found = known.get(label)
    if (found !== undefined) return found
    const text = `${isLegacyLabel(label) ? label : quoted(label)}="`
    known.set(label, text)
    return text
  }
  let lastName: string | undefined
  let head = ""
  let separator = ""
  return ({ name, labels }) => {
    if (name !== lastName) {
      lastName = name
      const plain = isLegacyName(name)
      head = plain ? `${name}{` : `{${quoted(name)}`
      separator = plain ? "" : ","
    }
    let text = head
    let between = separator
    let hasInstance = false
    for (const [label, value] of labels) {
      if (label === "instance") hasInstance = true
      text += `${between}${labelText(label)}${escapeText(value)}"`
      between = ","
    }
    return hasInstance ? `${text}}` : `${text}${between}instance=""}`
  }
}

/** The name of a family as it stands in comments. */
export const familyText = (name: string): string => (isLegacyName(name) ? name : quoted(name))

const quoted = (name: string): string => `"${escapeText(name)}"`

export function valueText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value)
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
}

export const escapeText = (text: string): string =>
  /[\\"\n]/.test(text) ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n") : text
