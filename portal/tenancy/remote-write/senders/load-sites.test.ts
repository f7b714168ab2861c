import assert from "node:assert/strict"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { printSelector } from "#core/promql/selector.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { faultsOf, load } from "./testing.ts"

const testdata = join(import.meta.dirname, "testdata")
const ENV = { GOOD: "zJ4kq0Xw7sPl2Vn8Tb5y", CENTRAL_TOKEN: "pJ4kq0Xw7sPl2Vn8Tb5y" }
const sites = join(testdata, "good/sites.yaml")

test("sites that push are senders with the labels of sites.yaml, whatever is wrong with the others", async () => {
  const { senders, tokens } = await load({ sites }, { env: ENV })
  assert.deepEqual(
    senders.map(({ name, tenant, rules, limits, paused }) => ({
      ...{ name, tenant, labels: rules?.labels, paused, samples: limits.samplesPerSecond },
      match: rules?.match?.map(printSelector),
      exported: rules && Object.fromEntries(rules.exported),
    })),
    [
      {
        ...{ name: "site-b", tenant: "site-b", labels: { site: "site-b", location: "city-b" }, paused: undefined },
        ...{ samples: 100, match: ['{job="node"}'], exported: { location: 1, rack: 1, site: 1 } },
      },
      {
        ...{ name: "site-c", tenant: undefined, labels: { site: "site-c" } },
        paused:
          "site-c is paused since 2026-11-30T14:00Z by ada (moves house): nothing that it writes is accepted until it is resumed.",
        ...{ samples: Infinity, match: ['{__name__=~"project_.*_usage",job="project_usages"}'] },
        exported: { location: 1, rack: 1, site: 1 },
      },
    ],
  )
  assert.deepEqual(
    tokens.map(({ owner, where }) => [owner.name, where.replace(`${testdata}/good/`, "")]),
    [
      ["site-b", "sites.yaml:13:16 sites[2].push.token.env[0]"],
      ["site-c", "sites.yaml:17:22 sites[3].push.token.env[0]"],
    ],
  )
})

test("limits of the senders' file hold for sites too, and no sender writes under a label of a site", async (t) => {
  const file = await temporaryFolder(t).write(
    "senders.yaml",
    "senders: [{name: x, certificate: {common_name: x}, labels: {team: t}}]\nlimits: {samples_per_second: 7}\n",
  )
  const { senders } = await load({ senders: file, sites }, { env: ENV })
  assert.deepEqual(
    senders.map(({ name, limits, rules }) => [
      name,
      limits.samplesPerSecond,
      [...(rules?.exported.keys() ?? [])].toSorted(),
    ]),
    [
      ["x", 7, ["location", "rack", "site", "team"]],
      ["site-b", 100, ["location", "rack", "site", "team"]],
      ["site-c", 7, ["location", "rack", "site", "team"]],
    ],
  )
})

test("names every fault of sites that push, and what stands in both files", async () => {
  const files = { senders: join(testdata, "bad/beside-sites.yaml"), sites: join(testdata, "bad/sites.yaml") }
  const golden = join(testdata, "bad/sites.txt")
  const found = await faultsOf(files, { env: ENV })
  if (process.env["UPDATE"] === "1") await writeFile(golden, found)
  assert.equal(found, await readFile(golden, "utf8"))
})

test("a token of both files is one of two senders", async (t) => {
  const folder = temporaryFolder(t)
  const senders = await folder.write("senders.yaml", "senders: [{name: a, token: {env: GOOD}}]\n")
  const listed = await folder.write("sites.yaml", "sites: [{name: site-a, push: {token: {env: GOOD}}}]\n")
  assert.equal(
    await faultsOf({ senders, sites: listed }, { env: ENV }),
    "sites.yaml:1:39 sites[0].push.token.env[0]: is the same token as that of a at senders.yaml:1:29 senders[0].token.env[0]; each sender has its own\n",
  )
})

test("a sites.yaml in which no site pushes has no senders", async (t) => {
  const file = await temporaryFolder(t).write("sites.yaml", "sites:\n")
  assert.deepEqual((await load({ sites: file })).senders, [])
})
