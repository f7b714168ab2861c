import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type TestContext, test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import { openKubernetes } from "./api.ts"
import { watchObjects } from "./watch-objects.ts"

/** What a real API can't be made to do at will; the requests are kept as `list` and `watch 7`. */
type Answer = (response: ServerResponse) => unknown

const list =
  (version: string, ...names: readonly string[]): Answer =>
  (response) =>
    response.end(JSON.stringify({ metadata: { resourceVersion: version }, items: names.map(objectOf) }))
const objectOf = (name: string) => ({ metadata: { name, namespace: "test", resourceVersion: "1" } })
const events =
  (...lines: readonly (object | string)[]): Answer =>
  (response) =>
    response.end(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""))
const fail =
  (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify({ kind: "Status", message }))
const quiet: Answer = (response) => response.flushHeaders()

for (const status of [429, 500, 503]) {
  test(`a list that is answered ${status} is asked for again, and the problem told meanwhile`, async (t) => {
    const watching = await watch(t, [fail(status, "not now"), list("5", "a"), quiet])
    await watching.watched.first
    assert.equal(
      watching.watched.problem()?.message,
      `Kubernetes can't list things.example.org in the namespace test now (${status}). It says: not now`,
    )
    await watching.sees(["test/a"], ["list", "list", "watch 5"])
    assert.equal(watching.watched.problem(), undefined)
  })
}

test("a watch that is told to wait waits that long, and goes on from its version", async (t) => {
  const watching = await watch(t, [list("5", "a"), fail(429, "initializing", { "retry-after": "1" }), quiet])
  await watching.sees(["test/a"], ["list", "watch 5", "watch 5"])
  const [, refused = 0, again = 0] = watching.times
  assert.ok(again - refused >= 990, `came back after ${again - refused} ms`)
})

test("a watch that ends is begun from the version of its last event or bookmark", async (t) => {
  const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } }
  const added = { type: "ADDED", object: { metadata: { name: "b", namespace: "test", resourceVersion: "7" } } }
  const watching = await watch(t, [list("5", "a"), events(added), events(bookmark), quiet])
  await watching.sees(["test/a", "test/b"], ["list", "watch 5", "watch 7", "watch 9"])
})

test("a watch that fails three times in a row gives way to a list", async (t) => {
  const no = fail(500, "too large resource version")
  const watching = await watch(t, [list("5", "a"), no, no, no, list("2", "b"), quiet])
  await watching.sees(["test/b"], ["list", "watch 5", "watch 5", "watch 5", "list", "watch 2"])
})

test("an account that is refused for a moment, as by an API that only begins, is soon back", async (t) => {
  const watching = await watch(t, [list("5", "a"), fail(403, "no role is known yet"), list("8", "b"), quiet])
  await watching.sees(["test/b"], ["list", "watch 5", "list", "watch 8"])
})

test("an event 410 begins a list, which replaces everything", async (t) => {
  const gone = { type: "ERROR", object: { kind: "Status", code: 410, message: "too old" } }
  const watching = await watch(t, [list("5", "a", "b"), events(gone), list("8", "b", "c"), quiet])
  await watching.sees(["test/b", "test/c"], ["list", "watch 5", "list", "watch 8"])
})

test("pages that are forgotten on the way begin anew, and none of them is shown", async (t) => {
  const page: Answer = (response) =>
    response.end(JSON.stringify({ metadata: { resourceVersion: "5", continue: "next" }, items: [objectOf("a")] }))
  const watching = await watch(t, [page, fail(410, "expired"), list("8", "b"), quiet])
  await watching.sees(["test/b"], ["list", "list next", "list", "watch 8"])
})

for (const [what, line, problem] of [
  ["no JSON", "{", "an event is not JSON"],
  ["no event", '{"type":"ADDED"}', "an event is of no known form"],
  ["an error", '{"type":"ERROR","object":{"code":500,"message":"etcd is away"}}', "etcd is away"],
] as const) {
  test(`a line that is ${what} ends the watch, and the next goes on`, async (t) => {
    const watching = await watch(t, [list("5", "a"), events(line), quiet])
    await watching.sees(["test/a"], ["list", "watch 5", "watch 5"])
    assert.ok(watching.log().includes(problem), watching.log())
  })
}

test("what is no Kubernetes API is told as such", async (t) => {
  const watching = await watch(t, [(response) => response.end("<html>Welcome</html>"), list("5"), quiet])
  await watching.watched.first
  assert.match(
    watching.watched.problem()?.message ?? "",
    /^list things.*: the answer is not JSON, is this a Kubernetes API\?/,
  )
})

test("a token that was rotated is read again at the first 401", async (t) => {
  const folder = temporaryFolder(t)
  await folder.write("token", "old\n")
  const tokens: unknown[] = []
  const refuse: Answer = (response) => {
    tokens.push(response.req.headers.authorization)
    void folder.write("token", "new\n").then(() => fail(401, "Unauthorized")(response))
  }
  const welcome: Answer = (response) => {
    tokens.push(response.req.headers.authorization)
    list("5", "a")(response)
  }
  const watching = await watch(t, [refuse, welcome, quiet], { tokenFile: `${folder.path}/token` })
  await watching.sees(["test/a"], ["list", "list", "watch 5"])
  assert.deepEqual(tokens, ["Bearer old", "Bearer new"])
})

/** Watches things at a server that gives these answers one after the other, and then says nothing. */
async function watch(t: TestContext, answers: readonly Answer[], user: object = { token: "secret" }) {
  const asked: string[] = []
  const times: number[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const query = new URL(request.url ?? "", "http://api").searchParams
    const [verb, since] = query.has("watch") ? ["watch", "resourceVersion"] : ["list", "continue"]
    asked.push(`${verb} ${query.get(since) ?? ""}`.trim())
    times.push(performance.now())
    const answer = answers[asked.length - 1] ?? quiet
    answer(response)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { write } = temporaryFolder(t)
  const cluster = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    "insecure-skip-tls-verify": true,
  }
  const file = await write(
    "config",
    JSON.stringify({
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user }],
    }),
  )
  const lines: string[] = []
  const api = await openKubernetes({ env: { KUBECONFIG: file } })
  const watched = watchObjects(api, {
    resource: { group: "example.org", version: "v1", plural: "things" },
    namespace: "test",
    keep: () => true,
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
  })
  t.after(async () => {
    await watched.close()
    await api.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    watched,
    times,
    log: () => lines.join(""),
    sees: async (names: readonly string[], requests: readonly string[]): Promise<void> => {
      await until(
        `${names.join(", ")} after ${requests.join(", ")}`,
        () => {
          assert.deepEqual(asked, requests)
          assert.deepEqual([...(watched.objects()?.keys() ?? [])], names)
          assert.equal(watched.problem(), undefined)
          return true
        },
        10,
      )
    },
  }
}
