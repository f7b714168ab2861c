import { type Json, scalar } from "./fields.ts"

/** One label of a sample as text, behind others; nothing where the value is missing or empty: Prometheus sees no difference. */
export function label(name: string, value: Json): string {
  const text = scalar(value)
  return text === undefined || text === "" ? "" : `,${name}="${escape(text)}"`
}

/** Two halves of a character, which UTF-8 cannot hold, would become alike only when they are written. */
function escape(text: string): string {
  if (!/[\\"\n\uD800-\uDFFF]/.test(text)) return text
  return text.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

/** Of a Kubernetes label as a name of Prometheus, where names that begin with two underscores are its own. */
export function labelName(key: string): string {
  return key
    .replaceAll(/[^a-zA-Z0-9_]/g, "_")
    .replace(/^_*$/, "label")
    .replace(/^(?:__+|(?=[0-9]))/, "_")
}
