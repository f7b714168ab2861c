/**
 * Maps of plain data as the items of a list in block YAML. A thousand scrape jobs as nodes of the library take 100 MB while
 * they are written, which V8 keeps. Text is quoted, because Prometheus' YAML 1.1 reads more words as something else than
 * text; what is undefined is left out.
 */
export const yamlItems = (items: readonly object[], indent: string): string =>
  items.map((item) => asItem(linesOf(item, `${indent}  `), indent)).join("")

/** Behind `key:` or a dash, to the end of its last line. */
function valueText(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return ` ${quoted(value)}\n`
  const lines = Array.isArray(value) ? listLines(value, `${indent}  `) : linesOf(value, `${indent}  `)
  if (lines === "") return Array.isArray(value) ? " []\n" : " {}\n"
  return `\n${lines}`
}

function linesOf(map: object, indent: string): string {
  let lines = ""
  for (const [key, value] of Object.entries(map))
    if (value !== undefined) lines += `${indent}${keyText(key)}:${valueText(value, indent)}`
  return lines
}

const listLines = (values: readonly unknown[], indent: string): string =>
  values
    .map((value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? asItem(linesOf(value, `${indent}  `), indent)
        : `${indent}-${valueText(value, indent)}`,
    )
    .join("")

/** With a dash in the indentation of the first line. */
const asItem = (lines: string, indent: string): string =>
  lines === "" ? `${indent}- {}\n` : `${indent}- ${lines.slice(indent.length + 2)}`

/** Words that stand for something else than text, in YAML 1.1 or 1.2. */
const NO_TEXT = /^(?:null|true|false|yes|no|on|off|y|n)$/i
const keyText = (key: string): string => (/^[a-z_][\w[\]]*$/i.test(key) && !NO_TEXT.test(key) ? key : quoted(key))

/** JSON is YAML, but for characters that readers of YAML refuse or take for the end of a line. */
const quoted = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped)

const escaped = (character: string): string => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
