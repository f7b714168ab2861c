import type { SyntaxNode, Tree } from "@lezer/common"
import { parser } from "@prometheus-io/lezer-promql"

// recovering from errors takes seconds where there are many, and its guesses are of no use here
const strict = parser.configure({ strict: true })

/** The tree, all of it according to the grammar, or where that is left first. */
export function parseTree(text: string): SyntaxNode | number {
  let root: SyntaxNode
  try {
    root = parse(text).topNode
  } catch (error) {
    const [, at] = error instanceof SyntaxError ? (/No parse at (\d+)/.exec(error.message) ?? []) : []
    if (at === undefined) throw error
    return Number(at)
  }
  return firstError(root) ?? root
}

function parse(text: string): Tree {
  const running = strict.startParse(text)
  for (;;) {
    // where it has counted to 300, it ends a chain of operators by force
    Object.assign(running, { bigReductionCount: 0 })
    const tree = running.advance()
    if (tree !== null) return tree
  }
}

/** A parser that gave up by force does not throw. */
function firstError(root: SyntaxNode): number | undefined {
  let at: number | undefined
  root.cursor().iterate((node) => {
    if (node.type.isError) at ??= node.from
  })
  return at
}
