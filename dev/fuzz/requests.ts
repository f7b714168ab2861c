import { readNumbers, seedFlag } from "../testing/arguments.ts"
import { fuzzRequests } from "./request-rounds.ts"

const { requests, seed } = readNumbers(
  "dev/fuzz/requests",
  "sends mutated requests to a proxy, and judges every response and what went upstream.",
  {
    requests: { help: "connections, 100 at least (default 200000)", default: 200_000, least: 100 },
    seed: seedFlag(),
  },
)
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const begin = performance.now()
try {
  print(await fuzzRequests({ requests, seed, report: print }))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nseed ${seed}\n`)
  process.exitCode = 1
}
print(`${((performance.now() - begin) / 1000).toFixed(0)} s`)
