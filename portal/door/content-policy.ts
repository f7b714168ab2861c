import { createHash } from "node:crypto"

const NEVER = "base-uri 'none'; object-src 'none'; frame-ancestors 'self'"

/** Of everything that is no page: it shows nothing and runs nothing, whatever its type says. */
export const INERT = `default-src 'none'; style-src 'unsafe-inline'; sandbox; ${NEVER}`

/** What the pages of a server need. */
export interface PageNeeds {
  /** Which scripts without a file may run: those of the head, or all that the server sent. */
  readonly inline: "head" | "all"
  /** Sources besides those for all. */
  readonly script?: string
  readonly image?: string
  readonly worker?: string
}

/**
 * Of a page. Sites choose label values, and versions of Prometheus are known that make HTML of them: a script runs only
 * from a file of the server, or where the page holds it in a part that no site has a hand in.
 */
export function pagePolicy(html: string, { inline, script, image, worker }: PageNeeds): string {
  const own = inlineScripts(inline === "head" ? headOf(html) : html)
  return [
    "default-src 'none'",
    `script-src ${listOf("'self'", script, ...own.map((text) => `'sha256-${sha256(text)}'`))}`,
    "style-src 'self' 'unsafe-inline'",
    `img-src ${listOf("'self' data:", image)}`,
    "font-src 'self' data:",
    "connect-src 'self'",
    ...(worker === undefined ? [] : [`worker-src 'self' ${worker}`]),
    "manifest-src 'self'",
    "form-action 'self'",
    NEVER,
  ].join("; ")
}

const listOf = (...sources: readonly (string | undefined)[]): string =>
  sources.filter((source) => source !== undefined).join(" ")

/** Up to the body: what a site made part of the body cannot come before it. */
const headOf = (html: string): string => html.slice(0, /<\/head|<body/i.exec(html)?.index ?? 0)

/** The texts of all scripts without a file, as a browser hashes them. */
function inlineScripts(html: string): readonly string[] {
  return [...html.matchAll(/<script\b([^>]*)>(.*?)<\/script\s*>/gis)].flatMap(([, attributes = "", script = ""]) =>
    /\ssrc\s*=/i.test(attributes) ? [] : [script],
  )
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64")
