import type { Body } from "../../body.ts"
import { combine, shiftOf } from "./crc.ts"
import type { Exported } from "./render.ts"
import { type Compressed, Part } from "./part.ts"
import type { Store } from "./store.ts"

/** What is exported of a kind. */
export interface Source {
  readonly exported: Exported
  readonly store: Store
}

/** Makes the body of stores, each time of what changed only. */
export function createExposition() {
  const headers = new Map<string, Part>()
  let last: { readonly key: string; readonly objects: Compressed } | undefined

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
  const objectsOf = (sources: readonly Source[]): Compressed => {
    const key = sources.map(({ store }) => `${store.id}:${store.version}`).join()
    if (last?.key !== key) last = { key, objects: joined([...partsOf(sources)].map((part) => part.compress())) }
    return last.objects
  }
  /** `tail`: what is said behind the stores' text. */
  return (sources: readonly Source[], tail: string): Body => {
    const end = new Part()
    end.push(tail)
    const [objects, said] = [objectsOf(sources), end.compress()]
    const { crc, length } = joinedSums([objects, said])
    return { deflated: [objects.deflated, said.deflated], crc, length }
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

function joined(all: readonly Compressed[]): Compressed {
  const { crc, length } = joinedSums(all)
  return { deflated: Buffer.concat(all.map(({ deflated }) => deflated)), crc, length, shift: shiftOf(length) }
}

function joinedSums(all: readonly Compressed[]): Pick<Compressed, "crc" | "length"> {
  return {
    crc: all.reduce((before, { crc, shift }) => combine(before, crc, shift), 0),
    length: all.reduce((sum, { length }) => sum + length, 0),
  }
}
