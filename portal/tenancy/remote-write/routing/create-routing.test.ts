import assert from "node:assert/strict"
import test from "node:test"
import { routingOf, show, tenants } from "./testing.ts"

const LETTERS = "must consist of letters, digits and !-_.*'()"
const NONE = "no label names a tenant (tenant_id), and there is no default tenant"
const TAKEN = "must be another name: Cortex and Mimir use this one for themselves"

interface Case {
  readonly flags: string
  readonly allowed?: readonly string[]
  /** By the value of the first label, or `first|second`; `-` is a missing label. */
  readonly routes: Readonly<Record<string, string>>
}

const cases: Readonly<Record<string, Case>> = {
  "the defaults of the original": {
    flags: "",
    routes: {
      red: "red 0",
      "-": "0 by default",
      "": "0 by default",
      "0": "0",
      __proto__: "__proto__ 0",
      "a b": `"a b": the tenant "a b" in the label tenant_id ${LETTERS} (has " ")`,
      "..": `"..": the tenant ".." in the label tenant_id ${TAKEN}`,
      "a\r\nb": String.raw`"a\r\nb": the tenant "a\r\nb" in the label tenant_id ${LETTERS} (has "\r")`,
    },
  },
  "several default tenants": {
    flags: "--default-tenant-list a,b",
    routes: { red: "red a b", b: "b a", "-": "a b by default" },
  },
  "no default tenant": { flags: "--default-tenant-list=", routes: { red: "red", "-": `: ${NONE}`, "": `: ${NONE}` } },
  "default tenants for unlabelled series": {
    flags: "--disable-full-replication",
    routes: { red: "red", "0": "0", "-": "0 by default", "": "0 by default" },
  },
  "an allow list, as the original": {
    flags: "",
    allowed: ["red", "blue"],
    routes: {
      red: "red 0",
      blue: "blue 0",
      "0": "0",
      green: "0 by default",
      "a b": "0 by default",
      "..": "0 by default",
      "-": "0 by default",
    },
  },
  "an allow list that is empty": {
    flags: "",
    allowed: [],
    routes: { red: "0 by default", "0": "0", "-": "0 by default" },
  },
  "an allow list and default tenants for unlabelled series": {
    flags: "--disable-full-replication",
    allowed: ["red"],
    routes: { red: "red", green: "0 by default", "0": "0", "-": "0 by default" },
  },
  "an allow list and no default tenant": {
    flags: "--default-tenant-list=",
    allowed: ["red"],
    routes: {
      red: "red",
      green: `green: the tenant "green" in the label tenant_id is not in the allow list, and there is no default tenant`,
      "a b": `"a b": the tenant "a b" in the label tenant_id ${LETTERS} (has " "), and there is no default tenant`,
      "-": `: ${NONE}`,
    },
  },
  "an allow list that refuses": {
    flags: "--unknown-tenants refuse --allow-listed-tenants red",
    allowed: ["red"],
    routes: {
      red: "red 0",
      "0": "0",
      green: `green: the tenant "green" in the label tenant_id is not in the allow list`,
      "a b": `"a b": the tenant "a b" in the label tenant_id ${LETTERS} (has " ")`,
      "-": "0 by default",
    },
  },
  "two labels": {
    flags: "--tenant-label-list tenant_id,team",
    routes: {
      "a|b": "a b 0",
      "b|a": "b a 0",
      "a|a": "a 0",
      "a|-": "a 0",
      "-|b": "b 0",
      "0|b": "0 b",
      "-|-": "0 by default",
      "a|b c": `"b c": the tenant "b c" in the label team ${LETTERS} (has " ")`,
    },
  },
  "the first of two labels": {
    flags: "--tenant-label-list tenant_id,team --tenant-label-mode first",
    routes: { "a|b": "a 0", "b|a": "b 0", "-|b": "b 0", "|b": "b 0", "a|b c": "a 0", "-|-": "0 by default" },
  },
  "two labels and an allow list": {
    flags: "--tenant-label-list tenant_id,team",
    allowed: ["a"],
    routes: { "a|b": "a 0", "b|a": "a 0", "b|c": "0 by default" },
  },
  "the first of two labels and an allow list": {
    flags: "--tenant-label-list tenant_id,team --tenant-label-mode first",
    allowed: ["a", "b"],
    routes: { "a|b": "a 0", "c|b": "b 0", "c|d": "0 by default" },
  },
  "two labels and an allow list that refuses": {
    flags: "--tenant-label-list tenant_id,team --unknown-tenants refuse --allow-listed-tenants a",
    allowed: ["a"],
    routes: { "a|b": `b: the tenant "b" in the label team is not in the allow list`, "a|-": "a 0" },
  },
  "no label": { flags: "--tenant-label-list=", routes: { "": "0 by default" } },
  "a prefix": {
    flags: "--tenant-prefix eu-",
    routes: {
      red: "eu-red 0",
      "..": "eu-.. 0",
      "0": "eu-0 0",
      "-": "0 by default",
      "a/b": `"eu-a/b": the tenant "eu-a/b" in the label tenant_id ${LETTERS} (has "/")`,
      ["x".repeat(148)]:
        `"eu-${"x".repeat(57)}…" (151 characters): the tenant "eu-${"x".repeat(57)}…" (151 characters) in the label tenant_id must have at most 150 characters (has 151)`,
    },
  },
  "a prefix and an allow list of whole ids": {
    flags: "--tenant-prefix eu-",
    allowed: ["eu-red", "blue"],
    routes: { red: "eu-red 0", blue: "0 by default" },
  },
  "a pattern": {
    flags: "--tenant-pattern team-(.+)",
    routes: {
      "team-red": "red 0",
      "team-": "0 by default",
      "my-team-red": "0 by default",
      red: "0 by default",
      "team-a\nb": String.raw`"a\nb": the tenant "a\nb" in the label tenant_id ${LETTERS} (has "\n")`,
      "team-a/b": `"a/b": the tenant "a/b" in the label tenant_id ${LETTERS} (has "/")`,
      ["team-" + "x".repeat(600)]:
        `"team-${"x".repeat(55)}…" (605 characters): the label tenant_id must have at most 512 characters for its tenant to be found (has 605)`,
    },
  },
  "a pattern whose capture may be empty or missing": {
    flags: "--tenant-pattern (?:team-([a-z]*))?.*",
    routes: { "team-red": "red 0", "team-": "0 by default", x: "0 by default" },
  },
  "a pattern, a prefix and two labels, the first": {
    flags: "--tenant-pattern team-(.+) --tenant-prefix p. --tenant-label-list a,b --tenant-label-mode first",
    routes: { "team-x|team-y": "p.x 0", "x|team-y": "p.y 0", "x|y": "0 by default" },
  },
  "a label that is left out": {
    flags: "--strip-tenant-label",
    routes: { red: "red-tenant_id 0", "0": "0", "-": "0 by default" },
  },
  "a label that is left out, and default tenants for unlabelled series": {
    flags: "--strip-tenant-label --disable-full-replication",
    routes: { red: "red-tenant_id", "0": "0", "-": "0 by default" },
  },
  "two labels that are left out": {
    flags: "--strip-tenant-label --tenant-label-list tenant_id,team",
    routes: { "a|b": "a-tenant_id b-team 0", "a|a": "a-tenant_id 0", "-|b": "b-team 0" },
  },
  "a label that is left out, the first of two": {
    flags: "--strip-tenant-label --tenant-label-list tenant_id,team --tenant-label-mode first",
    routes: { "a|b": "a-tenant_id 0", "-|b": "b-team 0" },
  },
}

for (const [name, { flags, allowed, routes }] of Object.entries(cases)) {
  test(`routes by ${name}`, () => {
    const routing = routingOf(flags.split(" ").filter(Boolean), allowed && tenants(...allowed))
    const got = Object.keys(routes).map((key) => {
      const values = routing.tenantLabels.length < 2 ? [key] : key.split("|")
      const given = values.map((value) => (value === "-" ? undefined : value)).slice(0, routing.tenantLabels.length)
      return [key, show(routing.route(given), routing)]
    })
    assert.deepEqual(Object.fromEntries(got), routes)
  })
}

test("refuses a value of ten million characters in a message that is short", () => {
  for (const argv of [[], ["--tenant-pattern", "((?:a|b|ab)+)"], ["--tenant-prefix", "x"]]) {
    const route = routingOf(argv).route(["ab".repeat(5_000_000)])
    assert.ok("refused" in route && route.refused.length < 300 && route.tenant.length < 100)
  }
})
