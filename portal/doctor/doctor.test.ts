import assert from "node:assert/strict"
import { createServer, type RequestListener } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { ExitError, FaultsError } from "#core/errors.ts"
import { createLogger } from "#core/log/logger.ts"
import { makeAuthority } from "../../dev/testing/certificates.ts"
import { start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { launcher } from "../federation/testing.ts"
import { doctor } from "../main.ts"

// long after today: the certificate below is verified by the real clock
const NOW = new Date("2099-11-30T14:00:00Z")

/** `fedstack doctor` with these arguments: what it prints, and what it ends with. Times and ports are left out. */
async function run(argv: readonly string[]): Promise<{ readonly printed: string; readonly ends: string }> {
  let printed = ""
  const context = {
    print: (text: string) => void (printed += text),
    log: createLogger({ level: "info", format: "logfmt" }, "doctor", () => undefined),
    signal: new AbortController().signal,
    now: () => NOW,
    env: {},
  }
  const ended = async (): Promise<string> => {
    try {
      const reading = readSettings({ ...doctor, command: "fedstack doctor", summary: "" }, argv, {})
      if (reading.kind === "values") await doctor.run(reading.values, context, reading.argument)
      return "0"
    } catch (error) {
      if (!(error instanceof ExitError || error instanceof FaultsError)) throw error
      return `${error.exitCode}: ${error.message}`
    }
  }
  const without = (text: string): string =>
    text
      .replaceAll(/127\.0\.0\.1:\d{2,}/g, "127.0.0.1:PORT")
      .replaceAll(/\(\d+ ms\)| in \d+ ms/g, (time) => time.replace(/\d+/, "N"))
  const ends = await ended()
  assert.doesNotMatch(printed + ends, /s3cret/)
  return { printed: without(printed), ends: without(ends) }
}

const withToken =
  (exposition: string): RequestListener =>
  (incoming, response) => {
    response.setHeader("date", NOW.toUTCString()).setHeader("content-type", "text/plain; version=0.0.4")
    if (incoming.headers.authorization === "Bearer s3cret-token") response.end(exposition)
    else response.writeHead(401).end("A valid token is needed.\n")
  }

/** sites.yaml with site-a, which delivers, and site-b, whose token is refused. */
async function twoSites(t: TestContext, exposition = `up 1 ${NOW.getTime() - 4000}\n`): Promise<string> {
  const folder = temporaryFolder(t)
  const url = `"http://127.0.0.1:${await listen(t, createServer(withToken(exposition)))}"`
  await folder.write("a", "s3cret-token\n")
  await folder.write("b", "s3cret-other\n")
  const entry = (name: string) => `  - {name: site-${name}, url: ${url}, match: [up], token: {file: ${name}}}\n`
  await folder.write("sites.yaml", `sites:\n${entry("a")}${entry("b")}`)
  return join(folder.path, "sites.yaml")
}

const DELIVERS = `site-a delivers
  http://127.0.0.1:PORT/federate
  ✓ passed       Name        127.0.0.1 (N ms)
  ✓ passed       Connection  127.0.0.1:PORT in N ms (N ms)
  – not needed   TLS         the url is http://
  ✓ passed       Token       a bearer token
  ✓ passed       Selectors   up
  ✓ passed       Response    200, 19 B (N ms)
  ✓ passed       Exposition  1 sample (N ms)
  ✓ passed       Freshness   newest 4 s old, oldest 4 s old (N ms)
`
const REFUSED = `site-b does not deliver
  http://127.0.0.1:PORT/federate
  ✓ passed       Name        127.0.0.1 (N ms)
  ✓ passed       Connection  127.0.0.1:PORT in N ms (N ms)
  – not needed   TLS         the url is http://
  ✕ failed       Token       401 to a bearer token: A valid token is needed.
  – not reached  Selectors
  – not reached  Response
  – not reached  Exposition
  – not reached  Freshness

  The site does not accept the portal's credentials (401): A valid token is needed.
  → If the token expired or is not valid yet, compare the clocks. Otherwise give the site's admin the hash of the token in use (fedstack token hash), or check issuer and audience of their jwt entry.
`

test("shows how far a request to a site gets, and ends with 0 where it delivers", async (t) => {
  assert.deepEqual(await run(["site-a", "--sites.file", await twoSites(t)]), { printed: DELIVERS, ends: "0" })
})

test("shows why a site does not deliver and what to do, and ends with 1", async (t) => {
  const expected = { printed: REFUSED, ends: "1: site-b does not deliver" }
  assert.deepEqual(await run(["site-b", "--sites.file", await twoSites(t)]), expected)
})

test("shows all sites of the file in their order", async (t) => {
  const expected = { printed: `${DELIVERS}\n${REFUSED}`, ends: "1: 1 of 2 sites does not deliver: site-b" }
  assert.deepEqual(await run(["--all", "--sites.file", await twoSites(t)]), expected)
})

test("prints what the API has as JSON", async (t) => {
  const { printed, ends } = await run(["--all", "--json", "--sites.file", await twoSites(t)])
  const reports = JSON.parse(printed) as readonly Record<string, unknown>[]
  assert.deepEqual(
    reports.map(({ site, at, findings, series }) => ({ site, at, findings, series })),
    [
      { site: "site-a", at: "2099-11-30T14:00:00Z", findings: [], series: 1 },
      {
        site: "site-b",
        at: "2099-11-30T14:00:00Z",
        findings: [
          {
            cause: "unauthorized",
            reason: "The site does not accept the portal's credentials (401): A valid token is needed.",
            todo: "If the token expired or is not valid yet, compare the clocks. Otherwise give the site's admin the hash of the token in use (fedstack token hash), or check issuer and audience of their jwt entry.",
          },
        ],
        series: null,
      },
    ],
  )
  assert.equal(ends, "1: 1 of 2 sites does not deliver: site-b")
})

test("checks a site without a portal by flags, and shows when its certificate and token end", async (t) => {
  const authority = makeAuthority("site authority")
  const [notBefore, notAfter] = [new Date("2026-01-01T00:00:00Z"), new Date("2099-12-06T10:00:00Z")]
  const certificate = authority.issue({ name: "site", sans: ["IP:127.0.0.1"], notBefore, notAfter })
  const folder = temporaryFolder(t)
  const payload = Buffer.from(JSON.stringify({ exp: NOW.getTime() / 1000 + 540 })).toString("base64url")
  const token = await folder.write("token", `e30.${payload}.s3cret\n`)
  const ca = await folder.write("ca.pem", authority.cert)
  const respond: RequestListener = (_, response) =>
    response
      .setHeader("date", new Date(NOW.getTime() + 11 * 60_000).toUTCString())
      .writeHead(404)
      .end("no\n")
  const url = `https://127.0.0.1:${await listen(t, createSecureServer(certificate, respond))}/metrics`
  assert.deepEqual(await run(["--url", url, "--token-file", token, "--ca-file", ca, "--match", "up"]), {
    printed: `127.0.0.1:PORT does not deliver
  https://127.0.0.1:PORT/metrics/federate
  ✓ passed       Name        127.0.0.1 (N ms)
  ✓ passed       Connection  127.0.0.1:PORT in N ms (N ms)
  ✓ passed       TLS         TLSv1.3, for 127.0.0.1, by site authority, until 6 Dec 2099 (N ms)
  – not reached  Token       a response with 404 does not show it
  – not reached  Selectors   a response with 404 does not show it
  ✕ failed       Response    404: no (N ms)
  – not reached  Exposition
  – not reached  Freshness

  There is no federation at https://127.0.0.1:PORT/metrics/federate (404 Not Found).
  → Check path and port of the url; /federate is added to it.

  The certificate ends in 5 d 20 h: 6 Dec 2099, 10:00:00 UTC
  The token ends in 9 min: 30 Nov 2099, 14:09:00 UTC
  The site's clock is 11 min ahead of the clock here
`,
    ends: "1: 127.0.0.1:PORT does not deliver",
  })
})

test("a check of a site by flags is for the site's admin, and does not send them to the site's admin", async (t) => {
  const folder = temporaryFolder(t)
  const token = await folder.write("token", "s3cret\n")
  const respond: RequestListener = (_, response) => response.writeHead(503).end("no\n")
  const url = `http://127.0.0.1:${await listen(t, createServer(respond))}`
  const todo = "Look at your Prometheus: it is starting, stopped or overloaded."
  const shown = await run(["--url", url, "--token-file", token])
  assert.match(shown.printed, new RegExp(`\\n {2}→ ${todo}\\n`))
  const json = await run(["--url", url, "--token-file", token, "--json"])
  const [report] = JSON.parse(json.printed) as readonly { readonly findings: unknown }[]
  const reason = "The site's proxy works, its Prometheus does not (503 Service Unavailable): no."
  assert.deepEqual(report?.findings, [{ cause: "upstream_down", reason, todo }])
})

for (const [argv, ends] of [
  [[], "2: fedstack doctor: needs the name of a site, --all or --url; its --help has an example of each"],
  [["site-a", "--all"], "2: fedstack doctor: takes only one of: the name of a site, --all, --url"],
  [["site-a", "--match", "up"], "2: --match: belongs to --url; a site of the file has its own in sites.yaml"],
  [
    ["--url", "site-a", "--token-file", "/dev/null"],
    "2: --url: must be a URL that starts with http:// or https://\n--token-file: /dev/null is empty; it must hold the token",
  ],
  [
    ["--url", "http://127.0.0.1"],
    "2: fedstack doctor: needs --token-file, or a client certificate: --cert-file and --key-file",
  ],
  [
    ["site-a", "--sites.file", "/nowhere/sites.yaml"],
    "1: /nowhere/sites.yaml: cannot be read: ENOENT: no such file or directory",
  ],
] as const satisfies readonly (readonly [readonly string[], string])[]) {
  test(`refuses ${argv.length === 0 ? "no arguments" : argv.join(" ")}`, async () => {
    assert.deepEqual(await run(argv), { printed: "", ends })
  })
}

test("names the site that is meant by one that is not in the file", async (t) => {
  const file = await twoSites(t)
  const expected = { printed: "", ends: `2: ${file}: has no site "site_b" (Did you mean site-b?)` }
  assert.deepEqual(await run(["site_b", "--sites.file", file]), expected)
})

test("every fault of sites.yaml is shown before anything is requested", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sites.yaml", "sites:\n  - {name: a, url: ftp://a}\n  - {name: b, urll: x}\n")
  const { printed, ends } = await run(["a", "--sites.file", file])
  assert.equal(printed, "")
  assert.deepEqual(
    ends
      .replaceAll(file, "FILE")
      .split("\n")
      .map((line) => line.replace(/:\d+ .*/, "")),
    ["1: FILE:2", "FILE:2", "FILE:3", "FILE:3", "FILE:3"],
  )
})

test("as a command it ends with 0 or 1 by the result, with the reason on standard error", async (t) => {
  const file = await twoSites(t, "up 1\n")
  const [good, bad] = ["site-a", "site-b"].map((site) => start(launcher, ["doctor", site, `--sites.file=${file}`]))
  assert.equal(await good?.ended, 0)
  assert.equal(await bad?.ended, 1)
  assert.match(good?.output() ?? "", /^site-a /)
  assert.match(bad?.output() ?? "", /\nfedstack: site-b does not deliver\n$/)
})
