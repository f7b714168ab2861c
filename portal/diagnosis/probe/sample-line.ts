/** One sample of an exposition. */
export interface Sample {
  readonly name: string
  /** Without those whose value is empty, which are the same as none. */
  readonly labels: ReadonlyMap<string, string>
  readonly value: string
  /** Seconds; undefined: the moment of the scrape. */
  readonly timestamp: number | undefined
}

/** What is wrong with a line. */
export interface LineFault {
  readonly metric: string
  /** The label that stands twice. */
  readonly duplicateLabel?: string
}

const NAME = /[a-zA-Z_:][\w:]*/y
const LABEL = /[a-zA-Z_]\w*/y
const QUOTED = /"((?:[^"\\\n]|\\.)*)"/y
const BLANKS = /[ \t]*/y
const REST = /[ \t]*([^ \t{]+)(?:[ \t]+([^ \t#]+))?[ \t]*(#.*)?$/y
/** As Go reads floating-point numbers. */
const FLOAT =
  /^[+-]?(?:inf(?:inity)?|nan|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?|0x[\da-f_]*\.?[\da-f_]*(?:p[+-]?\d+)?)$/i

/** Reads a line that is neither empty nor a comment, as Prometheus does. */
export function readSample(line: string, openMetrics: boolean): Sample | LineFault {
  let at = 0
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const [whole, captured] = pattern.exec(line) ?? []
    if (whole === undefined) return undefined
    at += whole.length
    return captured ?? whole
  }
  const skip = (sign: string): boolean => {
    read(BLANKS)
    if (line[at] !== sign) return false
    at += 1
    return true
  }

  read(BLANKS)
  let name = read(NAME) ?? ""
  const labels = new Map<string, string>()
  // `project-mb-usage` is no name, and `project` is not what to look for
  const fault = (): LineFault => ({ metric: /^[ \t]*([a-zA-Z_:][^\s{]*)/.exec(line)?.[1] ?? name })
  if (skip("{")) {
    while (!skip("}")) {
      const quoted = read(QUOTED)
      const label = quoted ?? read(LABEL)
      if (label === undefined) return fault()
      if (skip("=")) {
        read(BLANKS)
        const value = read(QUOTED)
        if (value === undefined) return fault()
        if (labels.has(label)) return { ...fault(), duplicateLabel: label }
        labels.set(label, unescape(value))
      } else if (quoted !== undefined && name === "") name = unescape(quoted)
      else return fault()
      if (!skip(",") && line[at] !== "}") return fault()
    }
  }
  REST.lastIndex = at
  const [, value = "", time, exemplar] = REST.exec(line) ?? []
  if (name === "" || !FLOAT.test(value) || (exemplar !== undefined && !openMetrics)) return fault()
  if (time !== undefined && !(openMetrics ? /^-?[\d.]+(?:e[+-]?\d+)?$/i : /^-?\d+$/).test(time)) return fault()
  for (const [label, text] of labels) if (text === "") labels.delete(label)
  const seconds = Number(time) / (openMetrics ? 1 : 1000)
  return { name, labels, value, timestamp: time === undefined ? undefined : seconds }
}

const ESCAPES: Readonly<Record<string, string>> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" }
const unescape = (text: string): string => text.replaceAll(/\\./g, (pair) => ESCAPES[pair] ?? pair)
