import assert from "node:assert/strict"
import { test } from "node:test"
import { readExposition } from "./exposition.ts"
import { foreignLabel } from "./samples.ts"

const A = { name: "site-a", labels: { location: "city", zone: "1" } }
const B = { name: "site-b", labels: { location: "city", zone: "2", rack: "r" } }

const foreign = (text: string, others = [B, A]) =>
  foreignLabel(readExposition(Buffer.from(`${text}\n`)).samples, A, others)

test("a label is another site's where its value is theirs and not that of the site itself", () => {
  assert.deepEqual(foreign('up{site="site-b"} 1'), { label: "site", value: "site-b", other: "site-b" })
  assert.deepEqual(foreign('up 1\nup{zone="2"} 1'), { label: "zone", value: "2", other: "site-b" })
})

test("a label is no other site's where both have the value, where no site has it, and where the site has no such label", () => {
  for (const series of ['up{location="city"}', 'up{location="elsewhere"}', 'up{rack="r"}', 'up{site="site-a"}', "up"])
    assert.equal(foreign(`${series} 1`), undefined, series)
})

test("what is known of one list of sites is not used for another", () => {
  assert.deepEqual(foreign('up{zone="2"} 1', [A, B])?.other, "site-b")
  assert.equal(foreign('up{zone="2"} 1', [A]), undefined)
  assert.deepEqual(foreign('up{zone="2"} 1', [A, { ...B, name: "site-c" }])?.other, "site-c")
})
