import assert from "node:assert/strict"
import { chmodSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { test } from "node:test"
import { received } from "../../dev/testing/send-raw.ts"
import { etagOf } from "../sites-file/change-file.ts"
import { ADA, serveSitesApi, SITES_FILE } from "./sites-api.testing.ts"

const KIEL = {
  name: "kiel-1",
  url: "https://kiel-1.example.org",
  labels: { location: "Kiel" },
  token: { file: "tokens/kiel-1" },
}

const shown = async (response: Response): Promise<string> => `${response.status} ${(await response.text()).trim()}`

test("adds, changes, pauses, resumes and removes a site in the file", async (t) => {
  const { send, text, log } = await serveSitesApi(t)
  const added = await send("POST", "", KIEL)
  assert.equal(added.headers.get("etag"), etagOf(text()))
  assert.equal(await shown(added), '201 {"site":"kiel-1","action":"added","outcome":"confirmed","reason":null}')
  const entry = `  - name: kiel-1
    url: https://kiel-1.example.org
    labels: {location: Kiel}
    token: {file: tokens/kiel-1}
`
  assert.equal(text(), SITES_FILE + entry)
  assert.equal(
    await shown(
      await send("PATCH", "/bonn-2", { interval: "1m", timeout: "20s", proxy_url: "http://proxy.example.org:3128" }),
    ),
    '200 {"site":"bonn-2","action":"changed","outcome":"confirmed","reason":null}',
  )
  assert.equal(
    await shown(await send("POST", "/bonn-2/pause", { why: "moves to another building" })),
    '200 {"site":"bonn-2","action":"paused","outcome":"confirmed","reason":null}',
  )
  assert.equal(
    text(),
    `${SITES_FILE}    interval: 1m
    timeout: 20s
    proxy_url: http://proxy.example.org:3128
    paused: {by: ada, at: 2026-11-30T14:07:31Z, why: moves to another building}
${entry}`,
  )
  assert.equal(
    await shown(await send("POST", "/bonn-2/resume", {})),
    '200 {"site":"bonn-2","action":"resumed","outcome":"confirmed","reason":null}',
  )
  assert.equal(
    await shown(await send("POST", "/bonn-2/resume", {})),
    '200 {"site":"bonn-2","action":"unchanged","outcome":"confirmed","reason":null}',
  )
  await send("PATCH", "/bonn-2", { interval: null, timeout: null, proxy_url: null })
  assert.equal(
    await shown(await send("DELETE", "/kiel-1")),
    '200 {"site":"kiel-1","action":"removed","outcome":"confirmed","reason":null}',
  )
  assert.equal(text(), SITES_FILE)
  assert.deepEqual(
    log()
      .split("\n")
      .filter((line) => line.includes("site changed"))
      .map((line) => line.replace(/^.*msg=/, "")),
    [
      '"site changed" user=ada by=token from=127.0.0.1 action=added site=kiel-1 written=true outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=changed site=bonn-2 written=true outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=paused site=bonn-2 why="moves to another building" written=true outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=resumed site=bonn-2 written=true outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=resumed site=bonn-2 written=false outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=changed site=bonn-2 written=true outcome=confirmed',
      '"site changed" user=ada by=token from=127.0.0.1 action=removed site=kiel-1 written=true outcome=confirmed',
    ],
  )
  assert.doesNotMatch(log(), new RegExp(ADA))
})

test("writes nothing without the right to, says who may, and logs who tried", async (t) => {
  const { send, text, url, log } = await serveSitesApi(t)
  const bare = (headers: Record<string, string>) =>
    fetch(`${url}/api/v1/sites/bonn-2/pause`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    })
  const admin = { "x-user": "bob", "x-groups": "admins" }
  assert.deepEqual(
    [
      await shown(await bare({})),
      await shown(await bare({ authorization: "Bearer wrong-token-of-nobody" })),
      await shown(await bare({ authorization: `Basic ${Buffer.from("ada:x").toString("base64")}` })),
      await shown(await bare({ "x-user": "eve" })),
      await shown(await bare({ ...admin, origin: "https://evil.example.org" })),
      await shown(await bare({ ...admin, "sec-fetch-site": "cross-site" })),
    ],
    [
      `401 {"error":{"code":"NOT_SIGNED_IN","message":"Sign in first: open this page at the address that your operator gave you, not at the portal's own."}}`,
      '401 {"error":{"code":"UNKNOWN_TOKEN","message":"This token is not one of an operator, or is not valid now: see --web.admin-token-file."}}',
      `401 {"error":{"code":"NOT_SIGNED_IN","message":"Sign in first: open this page at the address that your operator gave you, not at the portal's own."}}`,
      `403 {"error":{"code":"NOT_ADMIN","message":"eve may see sites, and not change them: that needs an operator's token, or the group of --web.admin-group."}}`,
      '403 {"error":{"code":"CROSS_SITE","message":"This request was sent by a page of another site. Send it from the status page, or without the header Origin."}}',
      '403 {"error":{"code":"CROSS_SITE","message":"This request was sent by a page of another site. Send it from the status page, or without the header Origin."}}',
    ],
  )
  assert.deepEqual(
    [...log().matchAll(/level=warn .*msg="change refused" (.*)/g)].map(([, fields]) => fields),
    [
      "user=eve from=127.0.0.1 method=POST path=/api/v1/sites/bonn-2/pause code=NOT_ADMIN",
      "user=bob from=127.0.0.1 method=POST path=/api/v1/sites/bonn-2/pause code=CROSS_SITE",
      "user=bob from=127.0.0.1 method=POST path=/api/v1/sites/bonn-2/pause code=CROSS_SITE",
    ],
  )
  for (const path of ["", "/bonn-2", "/bonn-2/pause", "/bonn-2/resume"]) await send("GET", path)
  assert.equal(text(), SITES_FILE)
  assert.equal((await bare({ ...admin, "sec-fetch-site": "same-origin" })).status, 200)
  assert.match(text(), /paused: \{by: bob, at: 2026-11-30T14:07:31Z\}/)
})

test("logs who tried what was refused, whatever it was refused for", async (t) => {
  const { send, text, log } = await serveSitesApi(t)
  await send("POST", "", { name: "x", url: "https://x.example.org", token: { file: "/etc/t0ken-of-the-portal" } })
  await send("POST", "", { ...KIEL, name: "bonn-2" })
  await send("POST", "", { ...KIEL, labels: { site: "x" } })
  await send("POST", "/bonn-2/pause", "{")
  await send("POST", "/bonn-2/pause", "{}", { "content-type": "text/plain" })
  await send("PATCH", "/bonn-2", { why: "x".repeat(70_000) })
  await send("DELETE", `/${"x".repeat(90)}`)
  assert.equal(text(), SITES_FILE)
  assert.deepEqual(
    [...log().matchAll(/level=warn .*msg="site not changed" user=ada by=token from=127.0.0.1 (.*)/g)].map(
      ([, fields = ""]) => fields.replace(/\/\S+sites\.yaml/, "FILE"),
    ),
    [
      'action=added site=x faults="request:1:52 token.file"',
      "action=added site=bonn-2 code=SITE_EXISTS",
      'action=added site=kiel-1 faults="FILE:9:14 sites[1].labels.site"',
      "action=paused site=bonn-2 code=FST_ERR_CTP_INVALID_JSON_BODY",
      "action=paused site=bonn-2 code=NOT_JSON",
      "action=changed site=bonn-2 code=FST_ERR_CTP_BODY_TOO_LARGE",
      `action=removed site=${"x".repeat(90)} code=SITE_NOT_FOUND`,
    ],
  )
  assert.doesNotMatch(log(), /t0ken/)
})

test("takes JSON alone, which no form of a page can send", async (t) => {
  const { send, text } = await serveSitesApi(t)
  const message =
    "Send JSON, with the header 'Content-Type: application/json'; an empty object where there is nothing to say."
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
  ])
    assert.equal(
      await shown(await send("POST", "/bonn-2/pause", '{"why":"x"}', { "content-type": type })),
      `415 ${JSON.stringify({ error: { code: "NOT_JSON", message } })}`,
    )
  assert.match(await shown(await send("POST", "/bonn-2/pause", "{")), /^400 .*MALFORMED/)
  assert.equal(text(), SITES_FILE)
})

test("reports every fault of the request and of the file that would be, and writes nothing", async (t) => {
  const { send, text, file } = await serveSitesApi(t)
  const faultsOf = async (response: Response): Promise<readonly string[]> => {
    const { error } = (await response.json()) as { error: { faults: { where: string; message: string }[] } }
    return [
      String(response.status),
      ...error.faults.map(({ where, message }) => `${where.replace(file, "sites.yaml")}: ${message}`),
    ]
  }
  const wrong = { ...KIEL, interval: "soon", match: ["{"], labels: { site: "x" }, limits: { series: 0 } }
  assert.deepEqual(await faultsOf(await send("POST", "", wrong)), [
    "422",
    "sites.yaml:9:14 sites[1].labels.site: must not be one of site, job, instance, le, quantile, which have a meaning already",
    'sites.yaml:10:13 sites[1].match[0]: { is not a PromQL vector selector: the end at character 2, where a matcher such as job="node", a comma or } is expected.',
    "sites.yaml:11:5 sites[1].interval: must be a duration such as 30s, 1m30s or a number of seconds",
    "sites.yaml:12:14 sites[1].limits.series: must be a whole number above 0",
  ])
  assert.deepEqual(
    await faultsOf(
      await send("POST", "", { name: "x", url: "https://x", token: "s3cret-token", basic_auth: {}, oauth: 1 }),
    ),
    [
      "422",
      "request:1:31 token: must be {file: NAME} or {env: VARIABLE}, never the token itself",
      "request:1:54 basic_auth: is not taken here: write it into sites.yaml by hand",
      "request:1:70 oauth: unknown key",
    ],
  )
  for (const name of ["/etc/shadow", "../other", "tokens/../../x", "~/x"])
    assert.deepEqual(await faultsOf(await send("PATCH", "/bonn-2", { token: { file: name } })), [
      "422",
      "request:1:11 token.file: must be below the folder of sites.yaml, such as tokens/site-a; name others in the file itself",
    ])
  assert.deepEqual(
    await faultsOf(await send("PATCH", "/bonn-2", { token: { env: "FEDSTACK_X" }, url: "https://evil" })),
    [
      "422",
      "request:1:31 url: cannot be changed here, as the site's token would go there: write it into sites.yaml by hand",
      "request:1:11 token.env: must be the name of a variable that does not begin with FEDSTACK_",
    ],
  )
  assert.equal(text(), SITES_FILE)
})

test("two operators and an editor at once lose nothing", async (t) => {
  const { send, text, file } = await serveSitesApi(t)
  const names = Array.from({ length: 12 }, (_, index) => `site-${index}`)
  const add = (name: string) =>
    send("POST", "", { ...KIEL, name, labels: { location: name }, url: `https://${name}.example.org` })
  const responses = await Promise.all([
    ...names.map(add),
    send("POST", "/bonn-2/pause", { why: "one" }),
    send("PATCH", "/bonn-2", { interval: "2m" }),
    Promise.resolve().then(() => {
      writeFileSync(file, `# by hand\n${text()}`)
      return new Response(null, { status: 200 })
    }),
  ])
  assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200, 201]))
  const now = text()
  assert.match(now, /^# by hand\n# The sites of the north\.\n/)
  for (const name of names) assert.match(now, new RegExp(`  - name: ${name}\n`))
  assert.match(now, /- name: bonn-2 # by the river\n(?: {4}.*\n)*? {4}interval: 2m\n/)
  assert.match(now, /why: one/)
})

test("refuses a change of another version, a second site of a name, and one that is not there", async (t) => {
  const { send, text, file } = await serveSitesApi(t)
  const stale = await send("PATCH", "/bonn-2", { interval: "1m" }, { "if-match": '"x"' })
  assert.deepEqual(
    [
      (await shown(stale)).replace(file, "sites.yaml"),
      await shown(await send("POST", "", { ...KIEL, name: "bonn-2" })),
      await shown(await send("DELETE", "/nobody")),
    ],
    [
      '412 {"error":{"code":"OTHER_VERSION","message":"sites.yaml is not the version that If-Match names: look at what changed, and send the change again with its ETag. Nothing was changed."}}',
      '409 {"error":{"code":"SITE_EXISTS","message":"A site called bonn-2 is listed already: change it, or give this one another name."}}',
      '404 {"error":{"code":"SITE_NOT_FOUND","message":"No site called nobody is listed in sites.yaml."}}',
    ],
  )
  assert.equal((await send("PATCH", "/bonn-2", { interval: "1m" }, { "if-match": etagOf(SITES_FILE) })).status, 200)
  chmodSync(file, 0o444)
  assert.equal(
    (await shown(await send("DELETE", "/bonn-2"))).replace(file, "sites.yaml"),
    '500 {"error":{"code":"SITES_FILE_NOT_WRITTEN","message":"sites.yaml cannot be changed here: it is read-only; change it where it comes from, or allow writing. Nothing was changed."}}',
  )
  assert.match(text(), /interval: 1m/)
})

test("tells written from confirmed, and what Prometheus refused", async (t) => {
  const { send, verdict } = await serveSitesApi(t)
  verdict.confirmed = undefined
  assert.equal(
    await shown(await send("PATCH", "/bonn-2", { interval: "1m" })),
    '202 {"site":"bonn-2","action":"changed","outcome":"pending","reason":"Prometheus has not read it yet."}',
  )
  const refusing = send("PATCH", "/bonn-2", { interval: "2m" })
  setTimeout(() => {
    verdict.problem = {
      step: "reloading",
      code: "RELOAD_REFUSED",
      reason: "Prometheus refused it: bad rule",
      since: new Date(),
    }
  }, 20)
  assert.equal(
    await shown(await refusing),
    '202 {"site":"bonn-2","action":"changed","outcome":"refused","reason":"Prometheus refused it: bad rule"}',
  )
})

test("a body of 1 GB is not read, whoever sends it", async (t) => {
  const { url, text } = await serveSitesApi(t)
  const flood = async (head: string): Promise<string> => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    socket.write(`POST /api/v1/sites HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${head}\r\n`)
    const chunk = Buffer.alloc(1_000_000, "1000000\r\n")
    let sent = 0
    const more = (): void => {
      while (sent < 1e9 && !socket.destroyed && socket.write(chunk)) sent += chunk.length
    }
    socket.on("drain", more)
    more()
    const response = await received(socket)
    assert.ok(sent < 1e8, `${sent} bytes were taken`)
    return response.split("\r\n", 1)[0] ?? ""
  }
  const authorization = `authorization: Bearer ${ADA}\r\n`
  assert.deepEqual(
    [
      await flood(`${authorization}content-length: 1000000000\r\n`),
      await flood(`content-length: 1000000000\r\n`),
      await flood(`${authorization}content-length: 1000000000\r\ncontent-type: text/plain\r\n`),
    ],
    ["HTTP/1.1 413 Payload Too Large", "HTTP/1.1 401 Unauthorized", "HTTP/1.1 413 Payload Too Large"],
  )
  assert.equal(text(), SITES_FILE)
})
