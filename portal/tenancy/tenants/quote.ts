/** Characters of a hostile text that a message repeats. */
const SHOWN = 60

/**
 * A text of a sender within quotes, on one line, shortened, without what terminals and log readers may take for a command:
 * `"a\r\nb"`, `"aaaa…" (10485760 characters)`.
 */
export function quote(text: string): string {
  if (text.length <= SHOWN) return printable(text)
  // not half of a letter of two units
  const start = text.slice(0, SHOWN).replace(/[\uD800-\uDBFF]$/, "")
  return `${printable(start).slice(0, -1)}…" (${text.length} characters)`
}

/** Controls, line ends, and format characters such as those that turn the direction of text around. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu

const escape = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

const printable = (text: string): string => JSON.stringify(text).replaceAll(UNPRINTABLE, escape)
