import type { Body } from "../../body.ts"
import { combine } from "./crc.ts"
import type { Exported } from "./render.ts"
import { Part } from "./part.ts"
import type { Store } from "./store.ts"

/** What is exported of a kind. */
export interface Source {
  readonly exported: Exported
  readonly store: Store
}

/** Makes the body of stores, each time of what changed only. */
export function createExposition() {
  const headers = new Map<string, Part>()
  let last: { readonly key: string; readonly body: Body } | undefined

  const headerOf = (name: string, help: string): Part => {
    const known = headers.get(name)
    if (known !== undefined) return known
    const part = new Part()
    part.push(`# HELP ${name} ${help}\n# TYPE ${name} gauge\n`)
    headers.set(name, part)
    return part
  }
  const partsOf = function* (sources: readonly Source[]): Iterable<Part> {
    for (const [name, members] of familiesOf(sources)) {
      const parts = members.flatMap(({ store, index }) => [...store.parts(index)])
      if (parts.length > 0) yield headerOf(name, members[0]?.help ?? "")
      yield* parts
    }
  }
  /** `tail`: what is said behind the stores' text. */
  return (sources: readonly Source[], tail: string): Body => {
    const key = [tail, ...sources.map(({ store }) => `${store.id}:${store.version}`)].join()
    if (last?.key === key) return last.body
    const end = new Part()
    end.push(tail)
    const body = bodyOf([...partsOf(sources), end])
    last = { key, body }
    return body
  }
}

interface Member {
  readonly help: string
  readonly store: Store
  readonly index: number
}

/** By name: kinds of two groups may share families, whose samples have to stand together. */
function familiesOf(sources: readonly Source[]): ReadonlyMap<string, readonly Member[]> {
  const families = new Map<string, Member[]>()
  for (const { exported, store } of sources) {
    exported.families.forEach(({ suffix, help }, index) => {
      const name = `${exported.kind.prefix}_${suffix}`
      families.set(name, [...(families.get(name) ?? []), { help, store, index }])
    })
  }
  return families
}

function bodyOf(parts: readonly Part[]): Body {
  const all = parts.map((part) => part.compress())
  return {
    deflated: [Buffer.concat(all.map(({ deflated }) => deflated))],
    crc: all.reduce((before, { crc, shift }) => combine(before, crc, shift), 0),
    length: all.reduce((sum, { length }) => sum + length, 0),
  }
}
