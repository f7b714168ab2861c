import { readNumbers, seedFlag } from "../testing/arguments.ts"
import { NOTHING_YET, playRound } from "./containment-round.ts"
import { seeded } from "./random.ts"

const REPORT_EVERY_MS = 10_000

const { decisions, seed } = readNumbers("dev/fuzz/containment", "judges random decisions about containment by re2js.", {
  decisions: { help: "how many (default 5000000)", default: 5_000_000, least: 1 },
  seed: seedFlag(),
})

const random = seeded(seed)
const start = performance.now()
let reported = start
let tally = NOTHING_YET
const report = (): string => {
  const seconds = (performance.now() - start) / 1000
  const { contained, notContained, undecidable, named } = tally
  return `seed ${seed}: ${tally.decisions} decisions in ${seconds.toFixed(0)} s: ${contained} contained, ${notContained} not, ${undecidable} undecidable; ${named} more contained without series that have no name\n`
}
while (tally.decisions < decisions) {
  tally = playRound(random, tally)
  if (performance.now() - reported < REPORT_EVERY_MS) continue
  reported = performance.now()
  process.stdout.write(report())
}
process.stdout.write(`every decision was right; ${report()}`)
