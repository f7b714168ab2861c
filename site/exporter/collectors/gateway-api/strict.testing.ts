import assert from "node:assert/strict"

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const VALUE = /^-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?)$/

/**
 * The samples of an exposition. Fails where Prometheus would refuse it or leave something out: each family stands
 * together below its HELP and TYPE, and no series twice.
 */
export function strictSamples(text: string): readonly Sample[] {
  const [samples, families, series] = [[] as Sample[], new Set<string>(), new Set<string>()]
  let family = ""
  assert(text === "" || text.endsWith("\n"), "the last line has an end")
  for (const line of text.split("\n").slice(0, -1)) {
    const [, keyword, named = ""] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? []
    if (keyword === "HELP") {
      assert(NAME.test(named) && !families.has(named), `a family once: ${line}`)
      families.add((family = named))
    } else if (keyword === "TYPE") assert.equal(line, `# TYPE ${family} gauge`)
    else {
      const sample = sampleOf(line)
      assert.equal(sample.name, family, line)
      const labels = [...sample.labels].filter(([, value]) => value !== "").map((label) => JSON.stringify(label))
      const identity = [sample.name, ...labels.toSorted()].join()
      assert(!series.has(identity), `a series once: ${line}`)
      series.add(identity)
      samples.push(sample)
    }
  }
  return samples
}

function sampleOf(line: string): Sample {
  const [, name = "", braces = "", value = ""] = /^([^{ ]+)(?:\{(.+)\})? (\S+)$/s.exec(line) ?? []
  assert(NAME.test(name) && VALUE.test(value), line)
  const labels = new Map<string, string>()
  let rest = braces
  while (rest !== "") {
    const [all = "", label = "", quoted = ""] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/s.exec(rest) ?? []
    assert(all !== "", `labels as Prometheus reads them: ${line}`)
    assert(!labels.has(label) && !label.startsWith("__"), `a label once, and none of Prometheus' own: ${line}`)
    assert(quoted.isWellFormed(), line)
    labels.set(
      label,
      quoted.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
    )
    rest = rest.slice(all.length)
  }
  return { name, labels, value: Number(value) }
}
