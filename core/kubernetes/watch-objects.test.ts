import assert from "node:assert/strict"
import type { RequestListener, ServerResponse } from "node:http"
import { type TestContext, test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import type { KubernetesObject, Resource } from "./resource.ts"
import { serveApi } from "./testing.ts"
import { type Change, watchObjects } from "./watch-objects.ts"

interface Thing extends KubernetesObject {
  readonly value: number
}
const THINGS: Resource<Thing> = { group: "example.org", version: "v1", plural: "things", kind: "Thing" }

/** What a real API cannot be made to do at will; the requests are kept as `list` and `watch 7`. */
type Respond = (response: ServerResponse) => unknown

const list =
  (version: string, ...names: readonly string[]): Respond =>
  (response) =>
    response.end(JSON.stringify({ metadata: { resourceVersion: version }, items: names.map((name) => objectOf(name)) }))
const objectOf = (name: string, value = 1) => ({
  metadata: { name, namespace: "test", resourceVersion: String(value) },
  value,
})
const events =
  (...lines: readonly (object | string)[]): Respond =>
  (response) =>
    response.end(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""))
const fail =
  (status: number, message: string, headers: Readonly<Record<string, string>> = {}): Respond =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify({ kind: "Status", message }))
const quiet: Respond = (response) => response.flushHeaders()

for (const status of [429, 500, 503]) {
  test(`a list that fails with ${status} is repeated, and the problem is known meanwhile`, async (t) => {
    const watching = await watch(t, [fail(status, "not now"), list("5", "a"), quiet])
    await watching.watched.first
    assert.equal(
      watching.watched.problem()?.message,
      `Kubernetes cannot list things.example.org in the namespace test (${status}). Response: not now`,
    )
    await watching.sees(["test/a"], ["list", "list", "watch 5"])
    assert.equal(watching.watched.problem(), undefined)
  })
}

test("a watch that is refused for a second waits that long, and goes on from its version", async (t) => {
  const watching = await watch(t, [list("5", "a"), fail(429, "initializing", { "retry-after": "1" }), quiet])
  await watching.sees(["test/a"], ["list", "watch 5", "watch 5"])
  const [, refused = 0, again = 0] = watching.times
  assert.ok(again - refused >= 990, `came back after ${again - refused} ms`)
})

test("a watch that ends is resumed from the version of its last event or bookmark", async (t) => {
  const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } }
  const added = { type: "ADDED", object: objectOf("b", 7) }
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

test("each change names its object, with what was kept of it before and after", async (t) => {
  const event = (type: string, name: string, value: number) => ({ type, object: objectOf(name, value) })
  const gone = { type: "ERROR", object: { kind: "Status", code: 410, message: "too old" } }
  const later = { metadata: { resourceVersion: "9" }, items: [objectOf("a", 4), objectOf("d", 1), objectOf("e", 8)] }
  const watching = await watch(t, [
    list("1", "a", "b"),
    events(event("MODIFIED", "a", 2), event("DELETED", "b", 2), event("ADDED", "c", 3), event("ADDED", "d", 1), gone),
    (response) => response.end(JSON.stringify(later)),
    quiet,
  ])
  await watching.sees(["test/a", "test/d", "test/e"], ["list", "watch 1", "list", "watch 9"])
  assert.deepEqual(watching.changes, [
    "added test/a 1",
    "added test/b 1",
    "modified test/a 1 to 2",
    "deleted test/b 1",
    "added test/c 3",
    "added test/d 1",
    // by the second list
    "modified test/a 2 to 4",
    "added test/e 8",
    "deleted test/c 3",
  ])
})

test("pages that are forgotten on the way begin anew, and none of them is shown", async (t) => {
  const page: Respond = (response) =>
    response.end(JSON.stringify({ metadata: { resourceVersion: "5", continue: "next" }, items: [objectOf("a")] }))
  const watching = await watch(t, [page, fail(410, "expired"), list("8", "b"), quiet])
  await watching.sees(["test/b"], ["list", "list next", "list", "watch 8"])
})

test("reports lists that are forgotten on the way again and again", async (t) => {
  const watching = await watch(t, [fail(410, "expired"), fail(410, "expired"), list("8", "b"), quiet])
  await watching.watched.first
  assert.match(watching.watched.problem()?.message ?? "", /the version to continue from is no longer kept/)
  await watching.sees(["test/b"], ["list", "list", "list", "watch 8"])
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

test("a server that is no Kubernetes API is recognised", async (t) => {
  const watching = await watch(t, [(response) => response.end("<html>Welcome</html>"), list("5"), quiet])
  await watching.watched.first
  assert.match(
    watching.watched.problem()?.message ?? "",
    /^list things.*: the response is not JSON, is this a Kubernetes API\?/,
  )
})

test("reads a rotated token again at the first 401", async (t) => {
  const folder = temporaryFolder(t)
  await folder.write("token", "old\n")
  const tokens: unknown[] = []
  const refuse: Respond = (response) => {
    tokens.push(response.req.headers.authorization)
    void folder.write("token", "new\n").then(() => fail(401, "Unauthorized")(response))
  }
  const welcome: Respond = (response) => {
    tokens.push(response.req.headers.authorization)
    list("5", "a")(response)
  }
  const watching = await watch(t, [refuse, welcome, quiet], { tokenFile: `${folder.path}/token` })
  await watching.sees(["test/a"], ["list", "list", "watch 5"])
  assert.deepEqual(tokens, ["Bearer old", "Bearer new"])
})

/** Watches things at a server that responds so one after the other, and then sends nothing. */
async function watch(t: TestContext, responses: readonly Respond[], user?: object) {
  const received: string[] = []
  const times: number[] = []
  const listener: RequestListener = (request, response) => {
    const query = new URL(request.url ?? "", "http://api").searchParams
    const [verb, since] = query.has("watch") ? ["watch", "resourceVersion"] : ["list", "continue"]
    received.push(`${verb} ${query.get(since) ?? ""}`.trim())
    times.push(performance.now())
    const respond = responses[received.length - 1] ?? quiet
    respond(response)
  }
  const lines: string[] = []
  const changes: string[] = []
  const watched = watchObjects(await serveApi(t, listener, user), {
    resource: THINGS,
    namespace: "test",
    keep: ({ value }) => value,
    changed: (change) => changes.push(showChange(change)),
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
  })
  t.after(() => watched.close())
  return {
    watched,
    times,
    changes,
    log: () => lines.join(""),
    sees: async (names: readonly string[], requests: readonly string[]): Promise<void> => {
      await until(`${names.join(", ")} after ${requests.join(", ")}`, () => {
        assert.deepEqual(received, requests)
        assert.deepEqual([...(watched.objects()?.keys() ?? [])], names)
        assert.equal(watched.problem(), undefined)
        return true
      })
    },
  }
}

function showChange(change: Change<number>): string {
  const values = [...("before" in change ? [change.before] : []), ...("after" in change ? [change.after] : [])]
  return `${change.type} ${change.key} ${values.join(" to ")}`
}
