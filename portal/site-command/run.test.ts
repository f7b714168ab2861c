import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { userInfo } from "node:os"
import { ExitError } from "#core/errors.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { ADA, serveSitesApi, SITES_FILE } from "../web/sites-api.testing.ts"
import { addSite, listSites, pauseSite, removeSite, resumeSite } from "./run.ts"

const nowhere = { portalUrl: undefined, portalTokenFile: undefined, portalCaFile: undefined, sitesFile: undefined }
const KIEL = {
  ...{ url: "https://kiel-1.example.org", labels: [["location", "Kiel"]] as const, match: [], interval: "1m" },
  ...{ timeout: undefined, proxyUrl: undefined, tokenFile: "tokens/kiel-1", tokenEnv: undefined, audience: undefined },
  ...{ pushSha256: undefined, pushTenant: undefined },
}

function terminal() {
  const printed: string[] = []
  const now = (): Date => new Date("2026-11-30T14:00:00Z")
  return { print: (text: string) => void printed.push(text), env: {}, now, printed: () => printed.splice(0).join("") }
}

test("edits the file with the same code as the portal, and lists it", async (t) => {
  const { write } = temporaryFolder(t)
  const sitesFile = await write("sites.yaml", SITES_FILE)
  for (const name of ["bonn-2", "kiel-1"]) await write(`tokens/${name}`, "t0ken-of-a-site")
  const shown = terminal()
  const where = { ...nowhere, sitesFile }
  await addSite({ ...where, ...KIEL }, shown, "kiel-1")
  await pauseSite({ ...where, why: "moves" }, shown, "bonn-2")
  assert.equal(
    readFileSync(sitesFile, "utf8"),
    `${SITES_FILE}    paused: {by: ${userInfo().username}, at: 2026-11-30T14:00:00Z, why: moves}
  - name: kiel-1
    url: https://kiel-1.example.org
    labels: {location: Kiel}
    interval: 1m
    token: {file: tokens/kiel-1}
`,
  )
  await listSites(where, shown)
  await resumeSite(where, shown, "bonn-2")
  await resumeSite(where, shown, "bonn-2")
  await removeSite(where, shown, "kiel-1")
  const changed = `${sitesFile}: changed; a portal that reads it applies it within seconds.\n`
  assert.equal(
    shown.printed(),
    `${changed}${changed}bonn-2  paused  https://bonn-2.example.org  ${userInfo().username}: moves
kiel-1  listed  https://kiel-1.example.org
${changed}${sitesFile}: nothing to change.\n${changed}`,
  )
  assert.equal(readFileSync(sitesFile, "utf8"), SITES_FILE)
  await assert.rejects(addSite({ ...where, ...KIEL, interval: "soon" }, shown, "x"), {
    message: `${sitesFile}:10:5 sites[1].interval: must be a duration such as 30s, 1m30s or a number of seconds`,
  })
  await assert.rejects(removeSite(nowhere, shown, "x"), {
    message: "--portal.url: must be given, or --sites.file: where the sites are listed",
  })
})

test("adds, lists and pauses a site that pushes by the hash of its token", async (t) => {
  const { write } = temporaryFolder(t)
  const sitesFile = await write("sites.yaml", "sites:\n")
  const shown = terminal()
  const where = { ...nowhere, sitesFile }
  const pushing = { ...KIEL, url: undefined, tokenFile: undefined, interval: undefined, pushTenant: "kiel" }
  await addSite({ ...where, ...pushing, pushSha256: "5f".repeat(32) }, shown, "kiel-1")
  assert.equal(
    readFileSync(sitesFile, "utf8"),
    `sites:
  - name: kiel-1
    push: {token: {sha256: ${"5f".repeat(32)}}, tenant: kiel}
    labels: {location: Kiel}
`,
  )
  await pauseSite({ ...where, why: "moves" }, shown, "kiel-1")
  shown.printed()
  await listSites(where, shown)
  assert.equal(shown.printed(), `kiel-1  paused  (pushes)  ${userInfo().username}: moves\n`)
  for (const [changes, message] of [
    [{ pushSha256: undefined }, "--push-tenant: goes with --push-sha256"],
    [{ pushTenant: undefined, pushSha256: undefined }, /^--url: must be given: .* or --push-sha256/],
    [{ pushSha256: "5f", pushTenant: undefined }, /sites\[1\]\.push\.token\.sha256: must be 64 hexadecimal digits/],
    [{ pushSha256: "5f".repeat(32), url: "https://x.example.org" }, /either url, where the site is requested, or push/],
  ] as const) {
    await assert.rejects(addSite({ ...where, ...pushing, ...changes }, shown, "x"), { message })
  }
})

test("has a portal change it, and says what Prometheus made of it", async (t) => {
  const { url, folder, file, verdict, text } = await serveSitesApi(t)
  const { write } = temporaryFolder(t)
  const portal = { ...nowhere, portalUrl: new URL(url), portalTokenFile: await write("operator", `${ADA}\n`) }
  const shown = terminal()
  await addSite({ ...portal, ...KIEL }, shown, "kiel-1")
  await pauseSite({ ...portal, why: "moves" }, shown, "bonn-2")
  await resumeSite(portal, shown, "bonn-2")
  await resumeSite(portal, shown, "bonn-2")
  await removeSite(portal, shown, "kiel-1")
  assert.equal(
    shown.printed(),
    `kiel-1 added; Prometheus has confirmed the configuration.
bonn-2 paused; Prometheus has confirmed the configuration.
bonn-2 resumed; Prometheus has confirmed the configuration.
bonn-2: nothing to change; Prometheus has confirmed the configuration.
kiel-1 removed; Prometheus has confirmed the configuration.
`,
  )
  assert.equal(text(), SITES_FILE)
  await listSites(portal, shown)
  assert.match(
    shown.printed(),
    /^aachen-1 {6}down {7}https:\/\/aachen-1\.example\.org\/monitoring {2,}The site's certificate/,
  )

  verdict.confirmed = undefined
  await assert.rejects(
    pauseSite({ ...portal, why: undefined }, shown, "bonn-2"),
    (error) =>
      error instanceof ExitError &&
      error.exitCode === 3 &&
      error.message ===
        "bonn-2 paused in sites.yaml, but Prometheus has not confirmed it yet: Prometheus has not read it yet.",
  )
  await assert.rejects(addSite({ ...portal, ...KIEL, match: ["{"], tokenFile: `${folder}/x` }, shown, "kiel-1"), {
    message:
      "request:1:121 token.file: must be below the folder of sites.yaml, such as tokens/site-a; name others in the file itself",
  })
  await assert.rejects(addSite({ ...portal, ...KIEL, match: ["{"] }, shown, "kiel-1"), {
    message: new RegExp(`^${file}:\\d+:\\d+ sites\\[1\\]\\.match\\[0\\]: `),
  })
  await assert.rejects(
    removeSite({ ...portal, portalTokenFile: await write("other", "wrong-token-of-nobody") }, shown, "x"),
    {
      message: "This token is not one of an operator, or is not valid now: see --web.admin-token-file.",
    },
  )
})
