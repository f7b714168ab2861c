import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { findOpa } from "../../../../dev/testing/opa.ts"
import { opaOf } from "./opa.testing.ts"
import { startTestExporter, targetOf, targetsOf } from "./testing.ts"

const object = (version: string) => ({ metadata: { resourceVersion: version } })
const FULL = { a: object("1"), b: object("2") }
const OTHER = { a: object("1"), b: object("3") }
/** Nothing was ever loaded, as in an OPA that has just started. */
const NONE = undefined

const scenarios: readonly (readonly [what: string, held: readonly unknown[], deviating: string, majority: number])[] = [
  ["of two replicas the empty one deviates", [{}, FULL], "0", 1],
  ["of two replicas the one that has just started deviates", [NONE, FULL], "0", 1],
  ["of three replicas the two that lost their data deviate", [{}, FULL, {}], "0 2", 1],
  ["of three replicas the two that have just started deviate", [FULL, NONE, NONE], "1 2", 1],
  ["empty and just started ones together are no majority either", [{}, NONE, FULL, {}, NONE], "0 1 3 4", 1],
  ["values without members are no majority", [false, null, FULL], "0 1", 1],
  ["empty lists are none either", [[], [], FULL], "0 1", 1],
  [
    "of two, two and one the one deviates, and one of the pairs",
    [FULL, FULL, OTHER, OTHER, { a: object("1") }],
    "2 3 4",
    2,
  ],
  ["of two, two and one empty one, too", [FULL, OTHER, FULL, OTHER, {}], "1 3 4", 2],
  ["with as many items another content deviates", [FULL, OTHER, FULL], "1", 2],
  ["all empty ones agree", [{}, {}, {}], "", 3],
  ["all that have just started agree", [NONE, NONE, NONE], "", 3],
  ["all with the same agree", [FULL, FULL, FULL, FULL, FULL], "", 5],
  ["nothing, null, false, an empty list and an empty object all differ", [NONE, null, false, [], {}], "0 2 3 4", 1],
]

test("which of real OPAs deviate", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opas = await Promise.all(Array.from({ length: 5 }, () => opaOf(t, folder)))
  for (const [what, held, deviating, majority] of scenarios) {
    await t.test(what, async (each) => {
      const used = opas.slice(0, held.length)
      for (const [index, opa] of used.entries()) await opa.put("p", held[index] === NONE ? {} : { at: held[index] })
      const pods = targetsOf(used.map(({ port }, index) => targetOf(port, { pod: String(index) })))
      const exporter = await startTestExporter(each, pods, ["--opa-cluster-data=p/at"])
      const found = (await exporter.series("opa_data_deviates")).flatMap((line) => /"(\d)"\} 1$/.exec(line)?.[1] ?? [])
      const values = async (name: string) => (await exporter.series(name)).map((line) => Number(line.split(" ")[1]))
      assert.deepEqual(
        [found.join(" "), await values("opa_data_majority_pods"), await values("opa_data_in_sync")],
        [deviating, [majority], [deviating === "" ? 1 : 0]],
      )
    })
  }
})
