import { test } from "node:test"
import { fuzzRequests } from "../../../dev/fuzz/request-rounds.ts"
import { seedOf } from "./testing.ts"

test("answers thousands of mutated requests by its own statuses, and sends on nothing but what is shared", async (t) => {
  t.diagnostic(await fuzzRequests({ requests: 3000, seed: seedOf(t) }))
})
