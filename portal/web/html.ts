/** Text that is HTML already; only `markup` makes it. */
class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export type { Html }

type Value = Html | string | number | null | undefined | false | readonly Html[]

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/**
 * Characters that change what a reader sees around them: controls, and those that turn the direction of text (Unicode TR 36,
 * CVE-2021-42574). Tab and line feed stay.
 */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Text for any place between tags or within quotes; what cannot be seen is shown as its code point. */
export function escape(text: string): string {
  if (!/[^\n\t !#-%(-;=?-~]/.test(text)) return text
  return text
    .toWellFormed()
    .replace(UNSEEN, (unseen) => `[U+${unseen.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`)
    .replace(/[&<>"']/g, (special) => ENTITIES[special] ?? "")
}

const checked = new WeakSet<TemplateStringsArray>()

/** HTML in which every value is escaped, but what is HTML already; null, undefined and false are nothing. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  if (!checked.has(parts)) {
    if (parts.slice(0, -1).some((part) => /=\s*$/.test(part))) throw new Error("values of attributes must be quoted")
    checked.add(parts)
  }
  let text = parts[0] ?? ""
  for (let index = 0; index < values.length; index++) text += render(values[index]) + (parts[index + 1] ?? "")
  return new Html(text)
}

function render(value: Value): string {
  if (typeof value === "string") return escape(value)
  if (value instanceof Html) return value.text
  if (value === undefined || value === null || value === false) return ""
  return typeof value === "number" ? String(value) : value.map(({ text }) => text).join("")
}

/** At most so many characters, with an ellipsis where something was cut. */
export function cut(text: string, length: number): string {
  // not within a character that takes two units
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`
}
