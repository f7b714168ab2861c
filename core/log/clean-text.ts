/** More than any text that is shown; what is longer is cut before anything else, so that the rest costs the same for all. */
const READ_AT_MOST = 16_384

/** The longest text of Prometheus or of a site that is kept, in bytes. */
export const TEXT_LIMIT = 2_048

/**
 * One line of what another server sent, at most so many bytes of UTF-8: without control characters, without those that
 * are invisible or turn the direction of writing, and without halves of surrogate pairs.
 */
export function cleanText(text: string, bytes = TEXT_LIMIT): string {
  const line = text
    .slice(0, READ_AT_MOST)
    .replace(/[\p{Cf}\p{Cs}]/gu, "")
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
  return cut(line, bytes, text.length > READ_AT_MOST)
}

const SIGN = "…"

function cut(line: string, bytes: number, shortened: boolean): string {
  if (!shortened && Buffer.byteLength(line) <= bytes) return line
  const room = Math.max(0, bytes - Buffer.byteLength(SIGN))
  const kept = new TextDecoder().decode(Buffer.from(line).subarray(0, room), { stream: true }) // drops a half character
  return `${kept.trimEnd()}${SIGN}`
}
