import { parseArgs } from "node:util"
import { NOTHING_YET, playRound } from "./containment-round.ts"
import { seeded } from "./random.ts"

const REPORT_EVERY_MS = 10_000

const { values } = parseArgs({
  options: {
    decisions: { type: "string", default: "5000000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
})
const decisions = Number(values.decisions)
const seed = Number(values.seed)
if (!(Number.isSafeInteger(decisions) && decisions > 0 && Number.isSafeInteger(seed))) {
  process.stderr.write("usage: dev/fuzz/containment [--decisions N] [--seed S]\n")
  process.exit(2)
}

const random = seeded(seed)
const start = performance.now()
let reported = start
let tally = NOTHING_YET
const report = (): string => {
  const seconds = (performance.now() - start) / 1000
  const { contained, notContained, undecidable } = tally
  return `seed ${seed}: ${tally.decisions} decisions in ${seconds.toFixed(0)} s: ${contained} contained, ${notContained} not, ${undecidable} undecidable\n`
}
while (tally.decisions < decisions) {
  tally = playRound(random, tally)
  if (performance.now() - reported < REPORT_EVERY_MS) continue
  reported = performance.now()
  process.stdout.write(report())
}
process.stdout.write(`every decision was right; ${report()}`)
