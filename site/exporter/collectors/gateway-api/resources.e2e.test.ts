import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { type TestContext, test } from "node:test"
import { parseAllDocuments } from "yaml"
import { need } from "../../../../dev/testing/component.ts"
import { findKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { OWN_CRDS } from "./crds.testing.ts"
import { samplesOf } from "./exposition.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { type Document, type RealCluster, startCluster } from "./real-cluster.testing.ts"
import { CUSTOM_RESOURCE } from "./render.testing.ts"
import { strictSamples } from "./strict.testing.ts"

const RESOURCES = new URL("testdata/resources/", import.meta.url)
const OBJECTS = new URL("testdata/objects/", import.meta.url)
/** What the files with the objects list. */
const LISTED = /^gatewayapi_.*_(?:status|(?:listeners|parents|ancestors)_conditions|observed_generation_lag)\{/

test("objects that a real API holds", { timeout: 300_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const cluster = await startCluster(outer, kube)
  await Promise.all([cluster.install("experimental"), cluster.addCrds(OWN_CRDS)])

  for (const { kind, plural } of KINDS) {
    await outer.test(`${kind}: the whole exposition, the same by lists and by watches`, async (t) => {
      const documents = documentsIn(new URL(`${plural}.yaml`, RESOURCES))
      const { listed, watched } = await scrape(t, cluster, kind, documents)
      assert.equal(watched, listed)
      const golden = new URL(`${plural}.txt`, RESOURCES)
      assert.equal(listed, readFileSync(golden, "utf8"))
    })
  }

  for (const file of readdirSync(OBJECTS)) {
    await outer.test(`${file}: its conditions and lags, the same by lists and by watches`, async (t) => {
      const documents = documentsIn(new URL(file, OBJECTS))
      const kind = documents[0]?.kind ?? ""
      if (file.startsWith("07-")) {
        // which controllers could write before 1.4 only
        await assert.rejects(scrape(t, cluster, kind, documents), {
          message:
            /^Kubernetes cannot patch httproutes\S* half in the namespace apps \(422\): .*status\.parents\[1\]\.conditions: Required value/s,
        })
        return
      }
      const { listed, watched } = await scrape(t, cluster, kind, documents)
      assert.equal(watched, listed)
      const samples = samplesOf(listed, CUSTOM_RESOURCE).filter((line) => LISTED.test(line))
      const text = readFileSync(new URL(file, OBJECTS), "utf8")
      const expected = samplesOf([...text.matchAll(/^#= (gatewayapi.*)$/gm)].map(([, line = ""]) => line).join("\n"))
      const isWhole = !file.startsWith("12-") // it lists a part of its samples
      assert.deepEqual(
        isWhole ? samples.toSorted() : expected.filter((line) => !samples.includes(line)),
        isWhole ? expected.toSorted() : [],
      )
      if (!isWhole) assert.equal(samples.length, 97)
    })
  }
})

function documentsIn(file: URL): readonly Document[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS() as Document)
}

/** Both expositions of a kind with these objects alone; CREATED stands for the time at which they were created. */
async function scrape(t: TestContext, cluster: RealCluster, kind: string, documents: readonly Document[]) {
  const times = new Set<number>()
  for (const document of documents) {
    const { metadata } = await cluster.add(t, document)
    times.add(Date.parse(metadata.creationTimestamp ?? "") / 1000)
  }
  const { listed, watched } = await cluster.scrape(t, [`--kinds=${kind}`, "--condition-reasons"])
  strictSamples(listed)
  const masked = (text: string): string =>
    text.replaceAll(/(_created\{.*\}) (\d+)$/gm, (_, series: string, time: string) => {
      assert(times.has(Number(time)))
      return `${series} CREATED`
    })
  return { listed: masked(listed), watched: masked(watched) }
}
