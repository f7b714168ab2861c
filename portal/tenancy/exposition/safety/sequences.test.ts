import { testSequences } from "../../../../dev/testing/attacks/sequences.ts"
import { startAttacked } from "./attacked.testing.ts"

testSequences(async (t) => {
  const { store, ...exposition } = await startAttacked(t)
  const requested = () => store.reads().map(({ queries }) => JSON.stringify(queries))
  return { ...exposition, requested }
})
