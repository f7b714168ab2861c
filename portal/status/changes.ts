import type { SiteChange } from "./overview.ts"

const MOST = 20
/** Of the text of one change. */
const LONGEST = 2048

/** With a change; one that equals the last but for its time and words is counted with that. The newest first. */
export function withChange(
  changes: readonly SiteChange[],
  change: Omit<SiteChange, "until" | "count">,
): readonly SiteChange[] {
  const [last, ...older] = changes
  const text = change.text === null ? null : clean(change.text)
  if (last !== undefined && last.state === change.state && last.cause === change.cause)
    return [{ ...change, text: text ?? last.text, at: last.at, until: change.at, count: last.count + 1 }, ...older]
  return [{ ...change, text, until: change.at, count: 1 }, ...changes].slice(0, MOST)
}

/** Of what a site or Prometheus says: without what steers a terminal or turns the direction of a text, and not long. */
export function clean(text: string): string {
  const plain = text.slice(0, 4 * LONGEST).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
  if (Buffer.byteLength(plain) <= LONGEST) return plain
  return `${Buffer.from(plain)
    .subarray(0, LONGEST - 3)
    .toString("utf8")
    .replace(/�$/, "")}…`
}
