interface Frame<Node, Result> {
  readonly node: Node
  readonly operands: readonly Node[]
  readonly results: Result[]
}

/** Results of operands first, then of what holds them; without recursion, since expressions are nested thousands deep. */
export function fold<Node, Result>(
  root: Node,
  operandsOf: (node: Node) => readonly Node[],
  combine: (node: Node, results: readonly Result[]) => Result,
): Result {
  const frame = (node: Node): Frame<Node, Result> => ({ node, operands: operandsOf(node), results: [] })
  const waiting: Frame<Node, Result>[] = []
  let current = frame(root)
  for (;;) {
    const next = current.operands[current.results.length]
    if (next !== undefined) {
      waiting.push(current)
      current = frame(next)
      continue
    }
    const result = combine(current.node, current.results)
    const parent = waiting.pop()
    if (parent === undefined) return result
    parent.results.push(result)
    current = parent
  }
}
