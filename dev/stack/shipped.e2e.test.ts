import assert from "node:assert/strict"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { NEEDS_OPENSTACK } from "../../site/grafana/project-usage.testing.ts"
import { find } from "../../portal/diagnosis/find.ts"
import { need } from "../testing/component.ts"
import { readDashboard, shippedQueries } from "../testing/grafana/dashboard.ts"
import { emptyOf } from "../testing/grafana/queries.ts"
import { findOpa } from "../testing/opa.ts"
import { findPrometheus, type RunningPrometheus, VERSIONS } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"
import { ROOT, startShippedStack } from "./shipped.testing.ts"

interface Rule {
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
  readonly lastEvaluation: string
  readonly alerts?: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }[]
}

interface Rules {
  readonly data: { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
}

/** What the federation is to bring, from all exporters and the components themselves. */
const FAMILIES = [
  "project_vcpu_usage",
  "project_mb_usage",
  "opa_up",
  "gatewayapi_gateway_info",
  "fedstack_proxy_upstream_up",
]

/** Of components that this stack does not run: tests beside the dashboards ask running ones for the data of each panel. */
const ELSEWHERE = new Set(["tenancy.json", "tenancy-exposition.json", "rules-informer.json"])

for (const version of VERSIONS) {
  test(
    `Prometheus ${version} evaluates every shipped rule and every panel's query without an error or a warning`,
    { timeout: 420_000 },
    async (t) => {
      const prometheus = need(t, findPrometheus(version))
      const opa = need(t, findOpa())
      if (prometheus === undefined || opa === undefined) return
      const { sites, portals, fail } = await startShippedStack(t, prometheus, opa)
      for (const family of FAMILIES) {
        for (const [portal, label] of [
          [portals[0], "site"],
          [portals[1], "exported_site"],
        ] as const) {
          const ofBoth = async (): Promise<true | undefined> => {
            const series = await portal.query(`group by (${label}) (${family}{${label}!=""})`)
            return series.length === 2 ? true : undefined
          }
          await until(`${family} of both sites`, ofBoth, 90)
        }
      }
      for (const portal of portals) await alertHasCause(portal)
      const evaluated = [
        ...sites.map((site) => ({ name: "site", running: site })),
        ...portals.map((portal) => ({ name: "portal", running: portal })),
      ]
      for (const { name, running } of evaluated) {
        const rules = await rulesOf(running, await shippedNames(name))
        assert.deepEqual(
          rules.filter(({ health, lastError }) => health !== "ok" || (lastError ?? "") !== ""),
          [],
        )
        const texts = rules.flatMap(({ alerts = [] }) =>
          alerts.flatMap(({ annotations }) => Object.values(annotations)),
        )
        assert.deepEqual(
          texts.filter((text) => /error expanding template/.test(text)),
          [],
        )
        assert.ok(texts.length > 0)

        const folder = join(ROOT, name, "grafana/dashboards")
        const panelsOf = async (files: readonly string[]) =>
          (await Promise.all(files.map((file) => readDashboard(join(folder, file))))).flatMap(shippedQueries)
        const files = await readdir(folder)
        const panels = await panelsOf(files)
        const shown = await panelsOf(files.filter((file) => !ELSEWHERE.has(file)))
        for (const expression of [...rules.map(({ query }) => query), ...panels.map((panel) => panel.expression)]) {
          assert.deepEqual(await complaints(running, expression), [], expression)
        }
        // on a busy machine OPAs take longer than the second in which they are read
        const showsAll = async (): Promise<true> => {
          await fail()
          const empty = (await emptyOf(shown, running.url)).filter((where) => !NEEDS_OPENSTACK.test(where))
          assert.deepEqual(empty, [], running.url)
          return true
        }
        await until(`all panels of ${name} to show something`, showsAll, 90)
        const failures = await running.query('sum(prometheus_rule_evaluation_failures_total{job="prometheus",site=""})')
        assert.deepEqual(
          failures.map(({ value: [, count] }) => count),
          ["0"],
        )
      }
    },
  )
}

/** The alert on the site that is down is not firing yet, but has its annotations. */
async function alertHasCause(portal: RunningPrometheus): Promise<void> {
  const { reason, todo } = find("refused")
  const saysWhy = async (): Promise<true> => {
    const { data } = (await (await fetch(`${portal.url}/api/v1/rules?type=alert`)).json()) as Rules
    const rule = data.groups.flatMap(({ rules }) => rules).find(({ name }) => name === "SiteDown")
    const alerts = rule?.alerts?.map(({ labels, annotations: { since = "", ...others } }) => {
      assert.match(since, /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d/)
      return { labels, others }
    })
    assert.deepEqual(alerts, [
      {
        labels: { alertname: "SiteDown", severity: "critical", site: "site-c" },
        others: {
          summary: "The site site-c cannot be federated.",
          cause: "refused",
          description: reason,
          todo,
          page: "https://portal.example.org/sites/site-c",
        },
      },
    ])
    return true
  }
  await until("the alert on the site that is down to say why", saysWhy, 90)
}

async function shippedNames(component: string): Promise<readonly string[]> {
  const folder = join(ROOT, component, "prometheus/rules")
  const texts = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")))
  return texts.flatMap((text) => {
    const { groups } = parse(text) as { groups: { rules: { alert?: string; record?: string }[] }[] }
    return groups.flatMap(({ rules }) => rules.map(({ alert, record = "" }) => alert ?? record))
  })
}

/** All rules, once each of these was evaluated with the series of both sites there. */
async function rulesOf({ url }: RunningPrometheus, names: readonly string[]): Promise<readonly Rule[]> {
  const since = Date.now()
  const inOrder = (list: readonly string[]) => list.toSorted((a, b) => a.localeCompare(b))
  return until("every rule to be evaluated", async () => {
    const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as Rules
    const rules = data.groups.flatMap((group) => group.rules)
    assert.deepEqual(inOrder(rules.map(({ name }) => name)), inOrder(names))
    return rules.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > since) ? rules : undefined
  })
}

/** The name of the original is kept; in 2.53 this is a warning. */
const NO_COUNTER_BY_NAME = /^PromQL info: metric might not be a counter, .*: "project_(?:vcpu|mb)_usage" /

/** Why a query failed, its warnings and other remarks. */
async function complaints({ url }: RunningPrometheus, expression: string): Promise<readonly string[]> {
  const body = new URLSearchParams({ query: expression })
  const response = await fetch(`${url}/api/v1/query`, { method: "POST", body })
  const {
    status,
    error,
    warnings = [],
    infos = [],
  } = (await response.json()) as {
    status: string
    error?: string
    warnings?: readonly string[]
    infos?: readonly string[]
  }
  const remarks = [...warnings, ...infos].filter((remark) => !NO_COUNTER_BY_NAME.test(remark))
  return status === "success" ? remarks : [`${error}`, ...remarks]
}
