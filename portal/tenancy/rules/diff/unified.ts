/** Lines around a change that are shown. */
const CONTEXT = 3
/** Lines times lines that are compared; of more, all that lies between the common ends is shown as changed. */
const MOST = 4_000_000

interface Line {
  readonly sign: " " | "-" | "+"
  readonly text: string
}

/** The hunks of a unified diff, without the lines that name files. */
export function unified(before: readonly string[], after: readonly string[]): readonly string[] {
  const lines = compare(before, after)
  const changed = lines.flatMap(({ sign }, index) => (sign === " " ? [] : [index]))
  const hunks: { from: number; to: number }[] = []
  for (const index of changed) {
    const last = hunks.at(-1)
    if (last !== undefined && index - CONTEXT <= last.to) last.to = index + CONTEXT + 1
    else hunks.push({ from: Math.max(0, index - CONTEXT), to: index + CONTEXT + 1 })
  }
  return hunks.flatMap(({ from, to }) => {
    const of = (sign: "-" | "+"): string => {
      const counted = (part: readonly Line[]) => part.filter((line) => line.sign === " " || line.sign === sign).length
      const count = counted(lines.slice(from, to))
      return `${counted(lines.slice(0, from)) + (count === 0 ? 0 : 1)},${count}`
    }
    return [`@@ -${of("-")} +${of("+")} @@`, ...lines.slice(from, to).map(({ sign, text }) => sign + text)]
  })
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const line =
    (sign: Line["sign"]) =>
    (text: string): Line => ({ sign, text })
  const [old, next] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  return [
    ...before.slice(0, start).map(line(" ")),
    ...(old.length * next.length > MOST ? [...old.map(line("-")), ...next.map(line("+"))] : longest(old, next)),
    ...before.slice(before.length - end).map(line(" ")),
  ]
}

/** By the longest common subsequence. */
function longest(old: readonly string[], next: readonly string[]): readonly Line[] {
  const width = next.length + 1
  const lengths = new Uint32Array((old.length + 1) * width)
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0
  for (let row = old.length - 1; row >= 0; row--)
    for (let column = next.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        old[row] === next[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < old.length || column < next.length) {
    const [left, right] = [old[row], next[column]]
    if (left !== undefined && left === right) {
      lines.push({ sign: " ", text: left })
      row++
      column++
    } else if (left !== undefined && (right === undefined || at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ sign: "-", text: left })
      row++
    } else {
      lines.push({ sign: "+", text: right ?? "" })
      column++
    }
  }
  return lines
}
