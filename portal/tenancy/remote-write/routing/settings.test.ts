import assert from "node:assert/strict"
import test from "node:test"
import { UsageError } from "#core/errors.ts"
import { configOf, tenants, valuesOf } from "./testing.ts"

const DEFAULTS = {
  tenantLabels: ["tenant_id"],
  labelMode: "all",
  pattern: undefined,
  prefix: "",
  strip: false,
  groupLabels: ["cluster", "__replica__"],
  defaultTenants: ["0"],
  fullReplication: true,
  unknownTenants: "ignore",
  mostTenants: 1000,
}

test("defaults to what the original does", () => assert.deepEqual(configOf([]), DEFAULTS))

test("takes no tenant label for an HA label unless it is told to", () => {
  assert.deepEqual(configOf(["--tenant-label-list=cluster"]).groupLabels, ["__replica__"])
  assert.deepEqual(configOf(["--ha-label-list="]).groupLabels, [])
})

test("reads a command line of the original", () => {
  const argv = [
    ...["--tenant-label-list", "tenant_id,tnt", "--default-tenant-list", "tntX,tntY", "--disable-full-replication"],
    ...["--allow-listed-tenants", "a,b", "--kubernetes-poll-interval-seconds", "30"],
  ]
  const env = { OPEN_METRICS_PROXY_NAMESPACE: "monitoring" }
  assert.deepEqual(configOf(argv, env), {
    ...DEFAULTS,
    tenantLabels: ["tenant_id", "tnt"],
    defaultTenants: ["tntX", "tntY"],
    fullReplication: false,
  })
  const { allowListedTenants, namespaces, kubernetesPollIntervalSeconds } = valuesOf(argv, env)
  assert.deepEqual(new Set(allowListedTenants.value), tenants("a", "b"))
  assert.deepEqual(namespaces.value, ["monitoring"])
  assert.equal(kubernetesPollIntervalSeconds, 30)
})

test("reads variables, each as its flag", () => {
  const env = {
    FEDSTACK_TENANT_LABEL_LIST: "a, b",
    FEDSTACK_TENANT_LABEL_MODE: "first",
    FEDSTACK_TENANT_PATTERN: "team-(.+)",
    FEDSTACK_TENANT_PREFIX: "eu-",
    FEDSTACK_STRIP_TENANT_LABEL: "true",
    FEDSTACK_DEFAULT_TENANT_LIST: "x,y,x",
    FEDSTACK_DISABLE_FULL_REPLICATION: "true",
    FEDSTACK_HA_LABEL_LIST: "zone,member",
    FEDSTACK_MAX_TENANTS_PER_REQUEST: "20",
    FEDSTACK_ALLOW_LISTED_TENANTS: "eu-red",
    FEDSTACK_UNKNOWN_TENANTS: "refuse",
  }
  assert.deepEqual(configOf([], env), {
    tenantLabels: ["a", "b"],
    labelMode: "first",
    pattern: "team-(.+)",
    prefix: "eu-",
    strip: true,
    groupLabels: ["zone", "member"],
    defaultTenants: ["x", "y"],
    fullReplication: false,
    unknownTenants: "refuse",
    mostTenants: 20,
  })
})

test("takes an empty list for none, blanks around names for nothing, and repeated flags together", () => {
  const argv = ["--default-tenant-list", "", "--tenant-label-list", " a , b", "--tenant-label-list", "b,c"]
  const { defaultTenants, tenantLabels } = configOf(argv)
  assert.deepEqual({ defaultTenants, tenantLabels }, { defaultTenants: [], tenantLabels: ["a", "b", "c"] })
})

const LETTERS = "must consist of letters, digits and !-_.*'()"
const ONE_TO_ONE =
  "--tenant-pattern: must have fixed text only around its capture where the label is stripped, or series of different values may become one"
const refused: Readonly<Record<string, readonly string[]>> = {
  "--tenant-label-list __name__": [
    "--tenant-label-list: __name__ cannot be a tenant label: it is the name of the metric",
  ],
  "--tenant-label-list a,le,quantile": [
    "--tenant-label-list: le cannot be a tenant label: it tells the buckets of a histogram apart",
    "--tenant-label-list: quantile cannot be a tenant label: it tells the quantiles of a summary apart",
  ],
  "--tenant-label-list a=b": ['--tenant-label-list: must be names of labels, separated by commas (is "a=b")'],
  "--tenant-label-list= --default-tenant-list=": [
    "--tenant-label-list: needs at least one label where there is no default tenant",
  ],
  "--tenant-label-list= --tenant-pattern (a) --tenant-prefix x --strip-tenant-label": [
    "--tenant-pattern: has no effect without a tenant label",
    "--tenant-prefix: has no effect without a tenant label",
    "--strip-tenant-label: has no effect without a tenant label",
  ],
  "--tenant-label-mode last": ['--tenant-label-mode: must be one of all, first (is "last")'],
  "--ha-label-list cluster,tenant_id,le": [
    "--ha-label-list: tenant_id is a tenant label, and cannot be an HA label as well",
    "--ha-label-list: le cannot be an HA label: it tells the buckets of a histogram apart",
  ],
  "--default-tenant-list a,b|c": [`--default-tenant-list: ${LETTERS} (has "|") (is "a,b|c")`],
  "--default-tenant-list ..": [
    '--default-tenant-list: must be another name: Cortex and Mimir use this one for themselves (is "..")',
  ],
  "--allow-listed-tenants a/b": [`--allow-listed-tenants: ${LETTERS} (has "/") (is "a/b")`],
  "--tenant-prefix a/": [`--tenant-prefix: ${LETTERS} (has "/") (is "a/")`],
  "--tenant-prefix eu- --allow-listed-tenants eu-red,blue,0": [
    '--allow-listed-tenants: no label can name "blue": its tenants begin with "eu-"',
  ],
  "--tenant-pattern team-.+": [
    '--tenant-pattern: must have one capture such as team-(.+), and (?:…) for other groups; it has 0 (is "team-.+")',
  ],
  "--tenant-pattern (a)(b)": [
    '--tenant-pattern: must have one capture such as team-(.+), and (?:…) for other groups; it has 2 (is "(a)(b)")',
  ],
  "--tenant-pattern (a": [
    '--tenant-pattern: must be a regular expression as RE2 reads them: missing closing ): `(a` (is "(a")',
  ],
  "--tenant-pattern (?=a)(b)": [
    '--tenant-pattern: must be a regular expression as RE2 reads them: invalid or unsupported Perl syntax: `(?=` (is "(?=a)(b)")',
  ],
  "--strip-tenant-label --tenant-pattern .*-(.+)": [ONE_TO_ONE],
  "--strip-tenant-label --tenant-pattern (.+)|b": [ONE_TO_ONE],
  "--strip-tenant-label --tenant-pattern (.)+": [ONE_TO_ONE],
  "--strip-tenant-label --tenant-pattern (?i)A(.+)": [ONE_TO_ONE],
  "--unknown-tenants refuse": [
    "--unknown-tenants: has no effect without an allow list: every valid tenant is accepted",
  ],
  "--max-tenants-per-request 0": ['--max-tenants-per-request: must be a whole number from 1 to 100000 (is "0")'],
  "--kubernetes-poll-interval-seconds -1": [
    '--kubernetes-poll-interval-seconds: must be a whole number from 0 to 4294967295 (is "-1")',
  ],
  "--kubernetes-poll-interval-seconds 5 --namespace=": ["--namespace: needs at least one namespace"],
  "--kubernetes-poll-interval-seconds 5 --namespace A/B": [
    '--namespace: must be the name of a Kubernetes namespace (is "A/B")',
  ],
  "--kubernetes-poll-interval-seconds 5 --namespace a --all-namespaces": [
    "--namespace: has no effect with --all-namespaces",
  ],
}
for (const [flags, messages] of Object.entries(refused)) {
  test(`refuses ${flags}`, () => {
    assert.throws(
      () => configOf(flags.split(" ")),
      (error: unknown) => {
        assert.ok(error instanceof UsageError)
        assert.deepEqual(error.message.split("\n"), messages)
        return true
      },
    )
  })
}

test("names the variable that a setting comes from", () => {
  assert.throws(() => configOf([], { FEDSTACK_TENANT_LABEL_LIST: "le" }), {
    message: "FEDSTACK_TENANT_LABEL_LIST: le cannot be a tenant label: it tells the buckets of a histogram apart",
  })
})

for (const pattern of ["(.+)", "^team-(.+)$", String.raw`(?P<tenant>[a-z]+)\.example\.org`, "a/(b|c)"])
  test(`strips labels by the pattern ${pattern}`, () =>
    assert.equal(configOf(["--strip-tenant-label", "--tenant-pattern", pattern]).strip, true))
