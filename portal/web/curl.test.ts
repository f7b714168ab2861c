import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import test from "node:test"
import type { SiteDetails } from "../status/overview.ts"
import { curlCommand } from "./curl.ts"
import { fakeSite } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"

function command(patch: Partial<SiteDetails>, url = "https://site-a.example.org/monitoring"): string {
  const source = fakeSource([fakeSite("site-a", { url })])
  source.changeDetails("site-a", patch)
  const details = source.site("site-a")
  assert.ok(details)
  return curlCommand(details) ?? "none"
}

test("requests what Prometheus requests, with the secret from its file", () => {
  assert.equal(
    command({}),
    `curl -sS -i --max-time 30 \\
  -H "Authorization: Bearer $(cat tokens/site-a)" \\
  --cacert ca.pem \\
  -G https://site-a.example.org/monitoring/federate \\
  --data-urlencode 'match[]={job="project_usages",__name__=~"project_.*_usage"}' | head -n 40`,
  )
})

test("has a token signed where the portal signs it, which stands in no file", () => {
  const kind = "a token for site-a's proxy that the portal signs"
  const credentials = { kind, method: "bearer", file: undefined, audience: "site-a's proxy" } as const
  assert.match(
    command({ credentials }),
    /\n {2}-H "Authorization: Bearer \$\(fedstack token issue 'site-a'\\''s proxy'\)" /,
  )
})

test("presents a client certificate, goes through the forward proxy, and expects another name in the certificate", () => {
  assert.equal(
    command(
      {
        match: ["up"],
        credentials: { kind: "a client certificate", method: "none", file: undefined },
        tls: {
          caFile: undefined,
          certFile: "/etc/fedstack/portal.pem",
          keyFile: "/etc/fedstack/portal.key",
          serverName: "inner.example.org",
        },
        proxyUrl: "http://proxy.example.org:3128",
      },
      "https://192.0.2.7:8443",
    ),
    `curl -sS -i --max-time 30 \\
  --cert /etc/fedstack/portal.pem \\
  --key /etc/fedstack/portal.key \\
  --proxy http://proxy.example.org:3128 \\
  --connect-to inner.example.org:8443:192.0.2.7:8443 \\
  -H 'Host: 192.0.2.7:8443' \\
  -G https://inner.example.org:8443/federate \\
  --data-urlencode 'match[]=up' | head -n 40`,
  )
})

/** What a shell makes of the command, with a curl that prints its arguments. */
function run(text: string, folder: string): readonly string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${text.replace(/ \| head -n 40$/, "")}`
  return execFileSync("/bin/sh", ["-c", script], { cwd: folder, encoding: "utf8", env: { SECRET: "from-env" } }).split(
    "\0",
  )
}

test("a shell runs nothing but curl, whatever stands in sites.yaml", async (t) => {
  const { path, write } = temporaryFolder(t)
  await write("it's $(touch ran) `touch ran`", 'se"cr$et')
  const evil = `{a="'; touch ran; '", b="$(touch ran)\`touch ran\`"}`
  const given = run(
    command({
      match: [evil],
      credentials: {
        kind: "a password",
        method: "basic",
        user: '"; touch ran; "$(touch ran)`x`\\',
        file: "it's $(touch ran) `touch ran`",
      },
      tls: { caFile: "a'b", certFile: undefined, keyFile: undefined, serverName: undefined },
    }),
    path,
  )
  assert.deepEqual(given.slice(4, 11), [
    "-u",
    `"; touch ran; "$(touch ran)\`x\`\\:se"cr$et`,
    "--cacert",
    "a'b",
    "-G",
    "https://site-a.example.org/monitoring/federate",
    "--data-urlencode",
  ])
  assert.equal(given[11], `match[]=${evil}`)
  assert.equal(execFileSync("ls", { cwd: path, encoding: "utf8" }), "it's $(touch ran) `touch ran`\n")
})

test("sends a secret of a variable, another type, and no secret of a client where a token is needed", (t) => {
  const header = (credentials: SiteDetails["credentials"]): string | undefined =>
    run(command({ credentials }), temporaryFolder(t).path)[5]
  assert.deepEqual(
    [
      header({ kind: "a bearer token", method: "bearer", file: undefined }),
      header({ kind: "credentials", method: "bearer", scheme: "Token", file: undefined }),
      header({ kind: "a bearer token of …", method: "oauth2", file: "secret" }),
    ],
    ["Authorization: Bearer from-env", "Authorization: Token from-env", "Authorization: Bearer "],
  )
})

test("is not there while the URL is not known", () => {
  assert.equal(command({}, ""), "none")
})

test("requests a site without TLS by its own name, whatever the certificate's would be", () => {
  const tls = { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: "other.example.org" }
  const plain = command({ tls }, "http://site-a.example.org")
  assert.match(plain, /-G http:\/\/site-a\.example\.org\/federate/)
  assert.doesNotMatch(plain, /other\.example\.org/)
})
