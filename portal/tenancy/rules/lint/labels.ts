/** Names of labels that the series of a result may have, and those that each of them has. `__name__` is not among them. */
export interface Labels {
  /** true: any but `names`. */
  readonly any: boolean
  readonly names: ReadonlySet<string>
  readonly certain: ReadonlySet<string>
}

const NAME = "__name__"
const NO_NAMES: ReadonlySet<string> = new Set()

export const NONE: Labels = { any: false, names: NO_NAMES, certain: NO_NAMES }
export const ANY: Labels = { any: true, names: NO_NAMES, certain: NO_NAMES }

export function mayHave({ any, names }: Labels, label: string): boolean {
  return label === NAME || names.has(label) !== any
}

export function only(labels: Labels, kept: readonly string[]): Labels {
  const names = new Set(kept.filter((label) => mayHave(labels, label)))
  return { any: false, names, certain: new Set(kept.filter((label) => labels.certain.has(label))) }
}

export function without(labels: Labels, dropped: readonly string[]): Labels {
  const [gone, { any, names, certain }] = [new Set(dropped), labels]
  return { any, names: any ? names.union(gone) : names.difference(gone), certain: certain.difference(gone) }
}

/** They may be there, whether they were before or not. */
export function withPossible(labels: Labels, added: readonly string[]): Labels {
  const [more, { any, names, certain }] = [new Set(added), labels]
  return { any, names: any ? names.difference(more) : names.union(more), certain: certain.difference(more) }
}

export function withCertain(labels: Labels, added: readonly string[]): Labels {
  const { any, names, certain } = withPossible(labels, added)
  return { any, names, certain: certain.union(new Set(added)) }
}

/** Of series that are the one or the other. */
export function either(a: Labels, b: Labels): Labels {
  const certain = a.certain.intersection(b.certain)
  if (a.any && b.any) return { any: true, names: a.names.intersection(b.names), certain }
  if (a.any) return { any: true, names: a.names.difference(b.names), certain }
  if (b.any) return { any: true, names: b.names.difference(a.names), certain }
  return { any: false, names: a.names.union(b.names), certain }
}

/** Of series that have the same labels as another. */
export function both(a: Labels, b: Labels): Labels {
  const certain = a.certain.union(b.certain)
  if (a.any && b.any) return { any: true, names: a.names.union(b.names), certain }
  if (a.any) return { any: false, names: b.names.difference(a.names), certain }
  if (b.any) return { any: false, names: a.names.difference(b.names), certain }
  return { any: false, names: a.names.intersection(b.names), certain }
}
