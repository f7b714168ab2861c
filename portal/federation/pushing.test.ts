import assert from "node:assert/strict"
import test from "node:test"
import { readText } from "#core/files/read-text.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { loadPlan } from "./load.ts"
import { shardsOf } from "./shards.ts"
import { loadSites } from "./sites.ts"
import { testInputs } from "./testing.ts"

const TEXT = `sites:
  - {name: a, push: {token: {sha256: ${"0f".repeat(32)}}}, labels: {location: city-a, zone: z}}
  - {name: b, url: http://localhost, token: {env: TOKEN}, labels: {location: city-b}}
`

test("a site that pushes is listed beside the others, and no Prometheus gets a job for it", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sites.yaml", TEXT)
  const settings = { sitesFile: file, baseConfig: undefined, prometheusVersion: undefined }
  const shards = shardsOf({
    prometheusShards: [],
    configDir: `${folder.path}/generated`,
    prometheusUrl: new URL("http://localhost:9090"),
  })
  const inputs = testInputs({ TOKEN: "zJ4kq0Xw7sPl2Vn8Tb5y" }, (name, where) =>
    name === file ? TEXT : readText(name, where),
  )
  const plan = await loadPlan(settings, shards, inputs)
  assert.deepEqual(
    [plan.sites.map(({ name }) => name), plan.pushing.map(({ name, where }) => [name, where.replace(/^.*\//, "")])],
    [["b"], [["a", "sites.yaml:2:5 sites[0]"]]],
  )
  const { files, jobs } = plan.of()
  assert.deepEqual(jobs, ["b"])
  const { content = "" } = files.find(({ path }) => path === "prometheus.yml") ?? {}
  assert.equal(content.includes("city-a"), false)
  // its labels are taken from what other sites send all the same
  assert.match(content, /\(\?:exported_\)\*\(\?:location\|site\|zone\)/)
})

test("a site that pushes has a name and labels of its own, and no credentials of a request", async (t) => {
  const text = `sites:
  - {name: a, push: {certificate: {common_name: a}}, labels: {location: x}}
  - {name: A, push: {certificate: {common_name: b}}, labels: {location: x}}
  - {name: c, push: {token: {env: T}}, url: http://c, timeout: 3s, shard: x}
`
  const file = await temporaryFolder(t).write("sites.yaml", text)
  assert.throws(
    () => loadSites(file, testInputs({}, readText)),
    (error: Error) => {
      assert.equal(
        error.message.replaceAll(/^.*\//gm, ""),
        [
          "sites.yaml:3:6 sites[1].name: is also the name of sites[0] (a); each site needs its own",
          "sites.yaml:3:54 sites[1].labels: are also the labels of sites[0] (a); each site needs its own",
          "sites.yaml:4:40 sites[2].url: does not go with push: the site writes by itself and is not requested",
          "sites.yaml:4:55 sites[2].timeout: does not go with push: the site writes by itself and is not requested",
          "sites.yaml:4:68 sites[2].shard: does not go with push: no Prometheus scrapes the site",
        ].join("\n"),
      )
      return true
    },
  )
})
