import { parseArgs } from "node:util"
import { fuzzRequests } from "./request-rounds.ts"

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "200000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
  },
})
const [requests, seed] = [Number(values.requests), Number(values.seed)]
if (!(Number.isSafeInteger(requests) && requests >= 100 && Number.isSafeInteger(seed))) {
  process.stderr.write("usage: dev/fuzz/requests [--requests N, 100 at least] [--seed S]\n")
  process.exit(2)
}
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const begin = performance.now()
print(await fuzzRequests({ requests, seed, report: print }))
print(`${((performance.now() - begin) / 1000).toFixed(0)} s`)
