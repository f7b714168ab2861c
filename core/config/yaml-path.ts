import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node } from "yaml"

interface At {
  /** undefined where the path leads to nothing. */
  readonly node: Node | undefined
  /** UTF-16 units in the text: of the key or the item of a list; where there is none, of what is nearest to it. */
  readonly offset: number | undefined
}

/** What stands at a path of keys in a document. Aliases are followed, merge keys are not. */
export function nodeAt(document: Document, path: readonly (string | number)[]): At {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0]
  for (const key of path) {
    const step = stepInto(isAlias(node) ? node.resolve(document) : node, key)
    if (isNode(step?.shown)) offset = step.shown.range?.[0] ?? offset
    node = step?.node
  }
  const resolved = isAlias(node) ? node.resolve(document) : node
  return { node: isNode(resolved) ? resolved : undefined, offset }
}

/** What a key leads to, and what shows it in the text: a map's key, a list's item. */
function stepInto(parent: unknown, key: string | number): { node: unknown; shown: unknown } | undefined {
  if (isSeq(parent) && typeof key === "number") return { node: parent.items[key], shown: parent.items[key] }
  if (!isMap(parent)) return undefined
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
  return pair && { node: pair.value, shown: pair.key }
}
