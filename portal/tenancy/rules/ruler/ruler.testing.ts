import { createServer, type ServerResponse } from "node:http"
import type { TestContext } from "node:test"
import { parse, stringify } from "yaml"
import { listen } from "../../../../dev/testing/listen.ts"
import type { RuleGroup } from "../model/group.ts"
import { asKept } from "./as-kept.testing.ts"
import type { RulerType } from "./paths.ts"
import { receiveCall, type RulerCall } from "./ruler-call.testing.ts"

/** What a ruler, or what is before it, does in place of a response; nothing is written but by `lost`. */
export type RulerFault =
  /** Closes the connection. */
  | "hang-up"
  /** The same after it has done what was requested. */
  | "lost"
  /** Sends nothing until the test is over. */
  | "silent"
  /** Announces more than it sends. */
  | "cut"
  /** Leaves out the end, as a proxy may that announces no length. */
  | "truncated"
  /** Leaves out the last group of a listing, which looks whole. */
  | "short"
  | "not-yaml"
  /** A 404 of something else. */
  | "foreign-404"
  | "login-page"
  | FakeResponse

export interface FakeResponse {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface FakeRulerOptions {
  readonly type?: RulerType
  /** A group for which the ruler has a 400 without a body. */
  readonly refuses?: (group: RuleGroup) => boolean
  readonly limits?: { readonly groups?: number; readonly rulesPerGroup?: number }
}

export interface FakeRuler {
  readonly url: URL
  /** All calls since it began. */
  readonly calls: RulerCall[]
  /** Of a tenant, as it would list them: `{namespace: [group]}`. */
  groups(tenant: string): Readonly<Record<string, readonly RuleGroup[]>>
  /** As another writer would. */
  put(tenant: string, namespace: string, group: RuleGroup): void
  remove(tenant: string, namespace: string, name: string): void
  /** Chosen anew for each call; undefined: none. */
  fault: (call: RulerCall) => RulerFault | undefined
}

const SUCCESS = '{"status":"success"}'

/** A ruler on loopback with the responses of Cortex 1.21, or Mimir, as they were seen. */
export async function startFakeRuler(t: TestContext, options: FakeRulerOptions = {}): Promise<FakeRuler> {
  const { type = "cortex", refuses = () => false, limits = {} } = options
  const tenants = new Map<string, Map<string, Map<string, RuleGroup>>>()
  const rules = type === "cortex" ? "/api/v1/rules" : "/prometheus/config/v1/rules"
  const namespacesOf = (tenant: string) => tenants.get(tenant) ?? new Map<string, Map<string, RuleGroup>>()
  const put = (tenant: string, namespace: string, group: RuleGroup): void => {
    const namespaces = namespacesOf(tenant)
    tenants.set(tenant, namespaces)
    const groups = namespaces.get(namespace) ?? new Map<string, RuleGroup>()
    namespaces.set(namespace, groups.set(group.name, asKept(group, type)))
  }
  const remove = (tenant: string, namespace: string, name: string): boolean => {
    const namespaces = namespacesOf(tenant)
    const removed = namespaces.get(namespace)?.delete(name) ?? false
    if (namespaces.get(namespace)?.size === 0) namespaces.delete(namespace)
    return removed
  }
  const groupsOf = (tenant: string) =>
    Object.fromEntries([...namespacesOf(tenant)].map(([namespace, groups]) => [namespace, [...groups.values()]]))

  function respond(call: RulerCall): FakeResponse {
    const { method, path, tenant, body } = call
    // written tenant by tenant, and nothing where there is none
    if (path === "/ruler/rule_groups")
      return { ...yaml({}), text: [...tenants.keys()].map((name) => yaml({ [name]: groupsOf(name) }).text).join("") }
    if (path === "/config?mode=diff" && type === "cortex") return yaml({ limits: limitKeys(limits) })
    if (path === "/runtime_config?mode=diff" && type === "cortex") return yaml({ overrides: {} })
    if (tenant === undefined) return { status: 401, text: "no org id\n" }
    if (path === "/api/v1/user_limits" && type === "mimir")
      return { status: 200, text: JSON.stringify(limitKeys(limits)) }
    if (!`${path}/`.startsWith(`${rules}/`)) return { status: 404, text: "404 page not found\n" }
    const [namespace, name, ...others] = path
      .slice(rules.length + 1)
      .split("/")
      .map(decodeURIComponent)
    if (others.length > 0) return { status: 404, text: "404 page not found\n" }
    if (method === "GET" && name === undefined) {
      const all = groupsOf(tenant)
      const listed = namespace === undefined || namespace === "" ? all : pick(all, namespace)
      if (Object.keys(listed).length > 0) return yaml(listed)
      return type === "mimir" ? { status: 200, text: "{}\n" } : { status: 404, text: "no rule groups found\n" }
    }
    if (namespace === undefined) return { status: 405, text: "" }
    if (method === "POST") return set(tenant, namespace, body)
    if (name === undefined) return { status: 405, text: "" }
    const group = namespacesOf(tenant).get(namespace)?.get(name)
    if (method === "GET") return group === undefined ? { status: 404, text: "group does not exist\n" } : yaml(group)
    if (remove(tenant, namespace, name) || type === "cortex") return { status: 202, text: SUCCESS }
    return { status: 404, text: "group does not exist\n" }
  }

  function set(tenant: string, namespace: string, body: string): FakeResponse {
    const group = parse(body) as RuleGroup
    const { groups: mostGroups = Infinity, rulesPerGroup: mostRules = Infinity } = limits
    if (group.rules.length === 0)
      return { status: 400, text: `invalid rules config: rule group '${group.name}' has no rules\n` }
    if (refuses(group)) return { status: 400, text: "\n" }
    const exceeded = (what: string, limit: number, actual: number): FakeResponse => ({
      ...{ status: 400, text: `per-user ${what} limit (limit: ${limit} actual: ${actual}) exceeded\n` },
    })
    if (group.rules.length > mostRules) return exceeded("rules per rule group", mostRules, group.rules.length)
    // an update counts as one more
    const count = 1 + [...namespacesOf(tenant).values()].reduce((sum, { size }) => sum + size, 0)
    if (count > mostGroups) return exceeded("rule groups", mostGroups, count)
    put(tenant, namespace, group)
    return { status: 202, text: SUCCESS }
  }

  const fake: Omit<FakeRuler, "url"> = {
    calls: [],
    groups: groupsOf,
    put,
    remove,
    fault: () => undefined,
  }
  const server = createServer((request, response) => {
    void receiveCall(request).then((call) => {
      fake.calls.push(call)
      const fault = fake.fault(call)
      const isDone = fault === undefined || DONE.has(fault)
      if (fault === "hang-up" || fault === "silent") return fault === "silent" || request.socket.destroy()
      const sent = isDone
        ? respond(call)
        : typeof fault === "object"
          ? fault
          : (FOREIGN[fault as keyof typeof FOREIGN] as FakeResponse)
      if (fault === "lost") return request.socket.destroy()
      return send(response, sent, fault)
    })
  })
  const port = await listen(t, server)
  return Object.assign(fake, { url: new URL(`http://127.0.0.1:${port}/`) })
}

const DONE: ReadonlySet<RulerFault> = new Set<RulerFault>(["lost", "cut", "truncated", "short"])
const FOREIGN = {
  "not-yaml": { status: 200, text: "ns:\n    - name: 'a\n" },
  "foreign-404": {
    status: 404,
    text: "<html><body>404 Not Found</body></html>\n",
    headers: { "content-type": "text/html" },
  },
  "login-page": {
    status: 200,
    text: "<!DOCTYPE html>\n<html>Sign in</html>\n",
    headers: { "content-type": "text/html" },
  },
}

const yaml = (value: unknown): FakeResponse => ({
  ...{ status: 200, headers: { "content-type": "application/yaml" } },
  text: stringify(value, { indent: 4, lineWidth: 0 }),
})

const limitKeys = ({ groups, rulesPerGroup }: NonNullable<FakeRulerOptions["limits"]>) => ({
  ruler_max_rule_groups_per_tenant: groups,
  ruler_max_rules_per_rule_group: rulesPerGroup,
})

const pick = <T>(of: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> => {
  const value = of[name]
  return value === undefined ? {} : { [name]: value }
}

function send(
  response: ServerResponse,
  { status, text, headers = {} }: FakeResponse,
  fault: RulerFault | undefined,
): void {
  if (fault === "cut") {
    response.writeHead(status, { ...headers, "content-length": text.length + 1 }).write(text)
    response.socket?.end()
    return
  }
  const listed = fault === "short" ? text.slice(0, text.lastIndexOf("    - name:")) : text
  response.writeHead(status, headers).end(fault === "truncated" ? listed.slice(0, -2) : listed)
}
