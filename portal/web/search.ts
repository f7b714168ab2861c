import type { SiteStatus } from "../status/overview.ts"

/** What a search looks at, in lower case, a value a line; rows carry it, so that a browser finds the same. */
export interface Searchable {
  /** Name, host, reason and the values of labels. */
  readonly text: string
  /** `key=value` of each label, between line feeds. */
  readonly labels: string
}

/** Longer values are found by their beginning. */
const LONGEST = 500

const memory = new WeakMap<SiteStatus, Searchable>()

export function searchable(site: SiteStatus): Searchable {
  const known = memory.get(site)
  if (known !== undefined) return known
  const labels = Object.entries(site.labels)
  const made = {
    text: lines([
      site.name,
      hostOf(site.url),
      site.causeTitle ?? "",
      site.reason ?? "",
      ...labels.map(([, value]) => value),
    ]),
    labels: `\n${lines(labels.map(([name, value]) => `${name}=${value}`))}\n`,
  }
  memory.set(site, made)
  return made
}

const lines = (values: readonly string[]): string =>
  values.map((value) => value.slice(0, LONGEST).toLowerCase().replace(/\s+/g, " ")).join("\n")

/** The host and its port, as the url has them. */
export const hostOf = (url: string): string => /^[a-z]+:\/\/([^/]*)/.exec(url)?.[1] ?? url

/** Every word must be found: `key=value` as a whole label, or in the text like any other word. */
export const matchesWords = ({ text, labels }: Searchable, words: readonly string[]): boolean =>
  words.every((word) => text.includes(word) || (word.includes("=") && labels.includes(`\n${word}\n`)))
