import { test } from "node:test"
import { fuzzRequests } from "../../../dev/fuzz/request-rounds.ts"
import { seedOf } from "../../../dev/testing/seed.ts"

test("responds to thousands of mutated requests with its own statuses, and passes on nothing but what is shared", async (t) => {
  t.diagnostic(await fuzzRequests({ requests: 3000, seed: seedOf(t) }))
})
